//! Stop 2 of the trip: one connection's state, without the connection.
//!
//! Before it comes the socket, which somebody else owns; behind it [`frame`](crate::frame). The session turns calls
//! into bytes to write and bytes that were read into answers for the calls that wait for them. Answers are matched by
//! opaque and never by order: real servers answer pipelined requests out of order (`docs/wire.md` §1.8). It knows no
//! clock; whoever drives it passes the time in.
//!
//! Methods come in four groups, and a driver uses them in this order: [`call`](Session::call) and
//! [`cancel`](Session::cancel) are commands; [`input`](Session::input) takes what was read;
//! [`next_answer`](Session::next_answer) and [`next_expired`](Session::next_expired) are polled until they are dry;
//! [`output`](Session::output) is what there is to write.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

use bytes::BytesMut;

use crate::command::Command;
use crate::error::{EncodeError, ProtocolError};
use crate::frame::{self, SerializeType};

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionConfig {
    /// The largest frame in either direction, in bytes, its length word included.
    pub max_frame_size: usize,
    /// The form of the headers that are sent. Either form is understood.
    pub serialize_type: SerializeType,
}

impl Default for SessionConfig {
    /// 16 MiB, as Java has it, and JSON, which everything understands.
    fn default() -> Self {
        SessionConfig { max_frame_size: frame::DEFAULT_MAX_FRAME_SIZE, serialize_type: SerializeType::Json }
    }
}

/// The state of one connection as a client sees it. `W` is whatever waits for an answer.
#[derive(Debug)]
pub struct Session<W> {
    config: SessionConfig,
    input: BytesMut,
    output: BytesMut,
    waiting: HashMap<i32, Waiting<W>>,
    /// Deadlines of calls; those that were answered meanwhile stay until they reach the top or are swept.
    deadlines: BinaryHeap<Reverse<(Instant, i32)>>,
    /// Bytes received since the start.
    received: u64,
    unmatched: u64,
    /// Why the input cannot be trusted any more.
    broken: Option<ProtocolError>,
}

#[derive(Debug)]
struct Waiting<W> {
    waiter: W,
    deadline: Option<Instant>,
    /// What `received` was when the request was written.
    received_before: u64,
}

/// A call whose deadline has passed.
#[derive(Debug, PartialEq, Eq)]
pub struct Expired<W> {
    /// Who waited.
    pub waiter: W,
    /// Nothing at all was received since the request was written: the connection is dead rather than the request slow.
    pub silent: bool,
}

/// Why a call was not taken; the waiter comes back.
#[derive(Debug, PartialEq, Eq)]
pub enum Rejected<W> {
    /// It cannot be put on the wire.
    Encode(W, EncodeError),
    /// Its opaque belongs to a call that still waits.
    OpaqueInUse(W),
}

impl<W> Session<W> {
    /// A session with nothing read, written or waited for.
    pub fn new(config: SessionConfig) -> Self {
        Session {
            config,
            input: BytesMut::new(),
            output: BytesMut::new(),
            waiting: HashMap::new(),
            deadlines: BinaryHeap::new(),
            received: 0,
            unmatched: 0,
            broken: None,
        }
    }

    /// Puts a request into the output and remembers who waits for its answer, until `deadline` if there is one.
    ///
    /// # Errors
    /// [`Rejected`] with the waiter, nothing written and nothing remembered.
    pub fn call(
        &mut self,
        opaque: i32,
        mut request: Command,
        deadline: Option<Instant>,
        waiter: W,
    ) -> Result<(), Rejected<W>> {
        if self.waiting.contains_key(&opaque) {
            return Err(Rejected::OpaqueInUse(waiter));
        }
        request.header.opaque = opaque;
        if let Err(error) =
            request.encode(self.config.serialize_type, self.config.max_frame_size, &mut self.output)
        {
            return Err(Rejected::Encode(waiter, error));
        }
        if let Some(deadline) = deadline {
            self.sweep_deadlines();
            self.deadlines.push(Reverse((deadline, opaque)));
        }
        self.waiting.insert(opaque, Waiting { waiter, deadline, received_before: self.received });
        Ok(())
    }

    /// Forgets a call. Its answer, should it still come, is dropped.
    pub fn cancel(&mut self, opaque: i32) -> Option<W> {
        self.waiting.remove(&opaque).map(|waiting| waiting.waiter)
    }

    /// The buffer to read into, with [room](frame::make_room) for more. Tell [`received`](Session::received) afterwards.
    pub fn input(&mut self) -> &mut BytesMut {
        frame::make_room(&mut self.input, self.config.max_frame_size);
        &mut self.input
    }

    /// Says that `count` bytes were read into [`input`](Session::input).
    pub fn received(&mut self, count: usize) {
        self.received = self.received.saturating_add(count as u64);
    }

    /// Takes bytes that were read elsewhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.received(bytes.len());
    }

    /// The next answer with the one that waits for it. Requests from the peer, and answers that nobody waits for or
    /// no longer, are dropped and counted.
    ///
    /// # Errors
    /// [`ProtocolError`] if the bytes cannot be trusted any more. Close the connection: every further call of this
    /// method returns the same error.
    pub fn next_answer(&mut self) -> Result<Option<(W, Command)>, ProtocolError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let answer = self.read_answer();
        self.broken = answer.as_ref().err().cloned();
        answer
    }

    fn read_answer(&mut self) -> Result<Option<(W, Command)>, ProtocolError> {
        loop {
            let Some(frame) = frame::cut(&mut self.input, self.config.max_frame_size)? else {
                return Ok(None);
            };
            let command = Command::from_frame(frame)?;
            let waiting =
                if command.header.is_response() { self.waiting.remove(&command.header.opaque) } else { None };
            match waiting {
                Some(waiting) => return Ok(Some((waiting.waiter, command))),
                None => self.unmatched = self.unmatched.saturating_add(1),
            }
        }
    }

    /// The stream has ended: an error if it ended inside a frame.
    ///
    /// # Errors
    /// [`ProtocolError::Truncated`].
    pub fn end_of_stream(&self) -> Result<(), ProtocolError> {
        if self.input.is_empty() { Ok(()) } else { Err(ProtocolError::Truncated { have: self.input.len() }) }
    }

    /// When the next call expires, unless it is answered first.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        while let Some(&Reverse((deadline, opaque))) = self.deadlines.peek() {
            if self.waits_until(opaque, deadline) {
                return Some(deadline);
            }
            self.deadlines.pop();
        }
        None
    }

    /// A call whose deadline is not after `now`, one at a time.
    pub fn next_expired(&mut self, now: Instant) -> Option<Expired<W>> {
        if self.next_deadline()? > now {
            return None;
        }
        let Reverse((_, opaque)) = self.deadlines.pop()?;
        let Waiting { waiter, received_before, .. } = self.waiting.remove(&opaque)?;
        Some(Expired { waiter, silent: received_before == self.received })
    }

    /// What there is to write. Take from its front what was written.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// How many calls wait.
    pub fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    /// How many commands came that nobody waited for.
    pub fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// Takes all that wait: the connection is gone.
    pub fn drain(&mut self) -> impl Iterator<Item = W> + '_ {
        self.deadlines.clear();
        self.waiting.drain().map(|(_, waiting)| waiting.waiter)
    }

    fn waits_until(&self, opaque: i32, deadline: Instant) -> bool {
        self.waiting.get(&opaque).is_some_and(|waiting| waiting.deadline == Some(deadline))
    }

    /// Calls are answered long before they expire, so their deadlines would pile up. They are thrown out when more
    /// than half are stale, which costs a constant per call.
    fn sweep_deadlines(&mut self) {
        if self.deadlines.len() > 64 + 2 * self.waiting.len() {
            let mut deadlines = std::mem::take(&mut self.deadlines);
            deadlines.retain(|Reverse((deadline, opaque))| self.waits_until(*opaque, *deadline));
            self.deadlines = deadlines;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::code::ResponseCode;
    use crate::header::ExtFields;
    use crate::request::{GetBrokerClusterInfo, Request};

    fn session() -> Session<&'static str> {
        Session::new(SessionConfig::default())
    }

    fn ask(
        session: &mut Session<&'static str>,
        opaque: i32,
        deadline: Option<Instant>,
        waiter: &'static str,
    ) {
        session.call(opaque, GetBrokerClusterInfo.to_command(), deadline, waiter).unwrap();
    }

    fn answer(opaque: i32) -> BytesMut {
        let command = Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), "body");
        command.to_frame(SerializeType::Json).unwrap()
    }

    fn next(session: &mut Session<&'static str>) -> Option<(&'static str, i32)> {
        session.next_answer().unwrap().map(|(waiter, command)| (waiter, command.header.opaque))
    }

    #[test]
    fn answers_find_their_waiters_in_any_order_and_in_any_pieces() {
        for piece in [1, 7, 1000] {
            let mut session = session();
            for (opaque, waiter) in [(1, "a"), (-2, "b"), (i32::MAX, "c")] {
                ask(&mut session, opaque, None, waiter);
            }
            let bytes = [answer(i32::MAX), answer(1), answer(-2)].concat();
            let mut found = Vec::new();
            for part in bytes.chunks(piece) {
                session.feed(part);
                while let Some(answer) = next(&mut session) {
                    found.push(answer);
                }
            }
            assert_eq!(found, [("c", i32::MAX), ("a", 1), ("b", -2)], "pieces of {piece}");
            assert_eq!(session.in_flight(), 0);
        }
    }

    #[test]
    fn answers_without_a_waiter_and_requests_of_the_peer_are_dropped() {
        let mut session = session();
        ask(&mut session, 1, None, "a");
        let mut request = GetBrokerClusterInfo.to_command();
        request.header.opaque = 1;
        session.feed(
            &[answer(2), request.to_frame(SerializeType::Json).unwrap(), answer(1), answer(1)].concat(),
        );
        assert_eq!(next(&mut session), Some(("a", 1)));
        assert_eq!(next(&mut session), None);
        assert_eq!(session.unmatched(), 3);
    }

    #[test]
    fn an_answer_after_its_deadline_or_its_cancellation_is_dropped() {
        let now = Instant::now_for_test();
        let mut session = session();
        ask(&mut session, 1, Some(now), "late");
        ask(&mut session, 2, None, "cancelled");
        assert!(session.next_expired(now).is_some());
        assert_eq!(session.cancel(2), Some("cancelled"));
        session.feed(&[answer(1), answer(2)].concat());
        assert_eq!(next(&mut session), None);
    }

    #[test]
    fn calls_expire_in_the_order_of_their_deadlines_and_say_whether_the_line_was_silent() {
        let start = Instant::now_for_test();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut session = session();
        ask(&mut session, 1, Some(after(3)), "third");
        ask(&mut session, 2, Some(after(1)), "first");
        ask(&mut session, 3, Some(after(2)), "answered");
        assert_eq!(session.next_deadline(), Some(after(1)));
        assert_eq!(session.next_expired(start), None);
        assert_eq!(session.next_expired(after(1)), Some(Expired { waiter: "first", silent: true }));
        session.feed(&answer(3));
        assert_eq!(next(&mut session), Some(("answered", 3)));
        assert_eq!(session.next_deadline(), Some(after(3)));
        assert_eq!(session.next_expired(after(9)), Some(Expired { waiter: "third", silent: false }));
        assert_eq!(session.next_deadline(), None);
        ask(&mut session, 4, Some(after(4)), "after the answer");
        assert_eq!(
            session.next_expired(after(9)),
            Some(Expired { waiter: "after the answer", silent: true })
        );
    }

    #[test]
    fn deadlines_of_answered_calls_do_not_pile_up() {
        let later = Instant::now_for_test() + Duration::from_secs(30);
        let mut session = session();
        for opaque in 0..10_000 {
            ask(&mut session, opaque, Some(later), "x");
            session.output().clear();
            session.feed(&answer(opaque));
            assert!(next(&mut session).is_some());
            assert!(session.deadlines.len() <= 66, "{}", session.deadlines.len());
        }
    }

    #[test]
    fn a_broken_stream_says_so_again_and_again() {
        let mut session = session();
        session.feed(&[0, 0, 0, 1]);
        for _ in 0..2 {
            assert_eq!(session.next_answer().unwrap_err(), ProtocolError::FrameTooShort { total: 1 });
        }
        assert_eq!(session.end_of_stream(), Err(ProtocolError::Truncated { have: 4 }));
    }

    #[test]
    fn a_call_that_cannot_be_sent_comes_back() {
        let mut session = Session::new(SessionConfig { max_frame_size: 64, ..SessionConfig::default() });
        let rejected = session.call(1, GetBrokerClusterInfo.to_command(), None, "a").unwrap_err();
        assert!(matches!(rejected, Rejected::Encode("a", EncodeError::FrameTooLarge { limit: 64, .. })));
        assert!(session.output().is_empty());
    }

    #[test]
    fn an_opaque_that_still_waits_is_not_given_away() {
        let mut session = session();
        ask(&mut session, 1, None, "a");
        let rejected = session.call(1, GetBrokerClusterInfo.to_command(), None, "b").unwrap_err();
        assert_eq!(rejected, Rejected::OpaqueInUse("b"));
    }

    /// The one clock of this crate's tests: some instant to count from.
    trait SomeInstant {
        fn now_for_test() -> Instant;
    }

    impl SomeInstant for Instant {
        #[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
        fn now_for_test() -> Instant {
            Instant::now()
        }
    }
}
