//! Stop 2 of the trip: one connection's state, without the connection.
//!
//! Before it comes the socket, which somebody else owns; behind it [`frame`]. The session turns calls
//! into bytes to write and bytes that were read into answers for the calls that wait for them. Answers are matched by
//! opaque and never by order: real servers answer pipelined requests out of order (`docs/wire.md` §1.8). It knows no
//! clock; whoever drives it passes the time in.
//!
//! Methods come in four groups, and a driver uses them in this order: [`input`](Session::input) takes what was read;
//! [`call`](Session::call) and [`cancel`](Session::cancel) are commands; [`next_answer`](Session::next_answer) and
//! [`next_expired`](Session::next_expired) are polled until they are dry; [`fill_output`](Session::fill_output) and
//! [`output`](Session::output) are what there is to write.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rustc_hash::FxHashMap;

use crate::command::Command;
use crate::error::{EncodeError, ProtocolError};
use crate::frame::{self, SerializeType};

/// How much output may wait to be written, in bytes, before further requests are held back: the peer does not read. A
/// thousand requests; held back they can still be cancelled.
const OUTPUT_LIMIT: usize = 256 * 1024;

/// How long a line must have been silent, with a request written to it, before it counts as dead. A call with a shorter
/// limit says more about its caller than about the line.
pub const MIN_SILENCE: Duration = Duration::from_secs(1);

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
    /// By opaque. Only those that this side has chosen are ever in it, so a quick hash is good enough.
    waiting: FxHashMap<i32, Waiting<W>>,
    /// Calls whose requests are held back. Those that have ended meanwhile are passed over.
    held_back: VecDeque<i32>,
    deadlines: BinaryHeap<Reverse<Deadline>>,
    /// How many deadlines there must be before stale ones are thrown out.
    sweep_at: usize,
    /// Bytes received since the start.
    received: u64,
    /// When the first request was written after the last byte that was received.
    silent_since: Option<Instant>,
    unmatched: u64,
    /// Why the input cannot be trusted any more.
    broken: Option<ProtocolError>,
}

#[derive(Debug)]
struct Waiting<W> {
    waiter: W,
    deadline: Option<Instant>,
    /// The request's frame while it is held back.
    frame: Option<Bytes>,
}

/// When a call expires. It outlives the call as long as it can show that the line is dead: a caller that gives up by
/// itself, before its deadline, must not hide that.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    at: Instant,
    opaque: i32,
    /// What `received` was when the call was made.
    received_before: u64,
}

/// A call whose deadline has passed.
#[derive(Debug, PartialEq, Eq)]
pub struct Expired<W> {
    /// Who waited; `None` if the call was cancelled before.
    pub waiter: Option<W>,
    /// Nothing at all was received since the call was made, and for [`MIN_SILENCE`] since a request was written: the
    /// connection is dead rather than the request slow.
    pub silent: bool,
}

/// Why a call was not taken; the waiter comes back.
#[derive(Debug, PartialEq, Eq)]
pub enum Rejected<W> {
    /// It cannot be put on the wire.
    Encode(W, EncodeError),
    /// Its deadline has passed already.
    Late(W),
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
            waiting: FxHashMap::default(),
            held_back: VecDeque::new(),
            deadlines: BinaryHeap::new(),
            sweep_at: MIN_SWEEP,
            received: 0,
            silent_since: None,
            unmatched: 0,
            broken: None,
        }
    }

    /// Takes a request and remembers who waits for its answer, until `deadline` if there is one. Its frame goes into the
    /// output, or is held back while there is too much of that.
    ///
    /// # Errors
    /// [`Rejected`] with the waiter, nothing written and nothing remembered.
    pub fn call(
        &mut self,
        now: Instant,
        opaque: i32,
        mut request: Command,
        deadline: Option<Instant>,
        waiter: W,
    ) -> Result<(), Rejected<W>> {
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Rejected::Late(waiter));
        }
        if self.waiting.contains_key(&opaque) {
            return Err(Rejected::OpaqueInUse(waiter));
        }
        self.sweep_deadlines();
        request.header.opaque = opaque;
        let hold_back = !self.has_room();
        let mut frame = BytesMut::new();
        let out = if hold_back { &mut frame } else { &mut self.output };
        if let Err(error) = request.encode(self.config.serialize_type, self.config.max_frame_size, out) {
            return Err(Rejected::Encode(waiter, error));
        }
        if hold_back {
            self.held_back.push_back(opaque);
        } else {
            self.silent_since.get_or_insert(now);
        }
        if let Some(at) = deadline {
            self.deadlines.push(Reverse(Deadline { at, opaque, received_before: self.received }));
        }
        self.waiting.insert(opaque, Waiting { waiter, deadline, frame: hold_back.then(|| frame.freeze()) });
        Ok(())
    }

    /// Forgets a call. Its answer, should it still come, is dropped; a request that was held back is never sent.
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
        self.silent_since = None;
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

    /// When [`next_expired`](Session::next_expired) has something to say, unless something is received first.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse(next)) = self.deadlines.peek() {
            if self.matters(next) {
                return Some(next.at);
            }
            self.deadlines.pop();
        }
        None
    }

    /// A call whose deadline is not after `now`, one at a time.
    pub fn next_expired(&mut self, now: Instant) -> Option<Expired<W>> {
        while self.next_deadline()? <= now {
            let Reverse(past) = self.deadlines.pop()?;
            let waits = self.waits_until(past.opaque, past.at);
            let waiter = if waits { self.cancel(past.opaque) } else { None };
            let long_silent = self.silent_since.is_some_and(|since| since + MIN_SILENCE <= now);
            let silent = long_silent && past.received_before == self.received;
            if waiter.is_some() || silent {
                return Some(Expired { waiter, silent });
            }
        }
        None
    }

    /// What there is to write. Take from its front what was written, then [fill](Session::fill_output) it again.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Moves requests that were held back into the output, as far as there is room. Says whether any were moved.
    pub fn fill_output(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while self.has_room() {
            let Some(opaque) = self.held_back.pop_front() else { break };
            if let Some(frame) = self.waiting.get_mut(&opaque).and_then(|waiting| waiting.frame.take()) {
                self.output.extend_from_slice(&frame);
                self.silent_since.get_or_insert(now);
                moved = true;
            }
        }
        moved
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
        self.held_back.clear();
        self.waiting.drain().map(|(_, waiting)| waiting.waiter)
    }

    fn has_room(&self) -> bool {
        self.output.len() < OUTPUT_LIMIT
    }

    fn waits_until(&self, opaque: i32, deadline: Instant) -> bool {
        self.waiting.get(&opaque).is_some_and(|waiting| waiting.deadline == Some(deadline))
    }

    /// Whether somebody waits for this deadline, or it can still show that the line is dead.
    fn matters(&self, deadline: &Deadline) -> bool {
        deadline.received_before == self.received || self.waits_until(deadline.opaque, deadline.at)
    }

    /// Calls are answered long before they expire, so their deadlines would pile up. They are thrown out when there are
    /// twice as many as were left the last time, which costs a constant per call.
    fn sweep_deadlines(&mut self) {
        if self.deadlines.len() >= self.sweep_at {
            let mut deadlines = std::mem::take(&mut self.deadlines);
            deadlines.retain(|Reverse(deadline)| self.matters(deadline));
            self.sweep_at = MIN_SWEEP.max(2 * deadlines.len());
            self.deadlines = deadlines;
            self.held_back.retain(|opaque| self.waiting.contains_key(opaque));
        }
    }
}

/// The fewest deadlines that are worth a sweep.
const MIN_SWEEP: usize = 64;

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
        session.call(some_instant(), opaque, GetBrokerClusterInfo.to_command(), deadline, waiter).unwrap();
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

    fn after(seconds: u64) -> Option<Instant> {
        Some(some_instant() + Duration::from_secs(seconds))
    }

    /// All that has expired that many seconds after the start: who waited, and whether the line was silent.
    fn expired(session: &mut Session<&'static str>, seconds: u64) -> Vec<(&'static str, bool)> {
        let now = after(seconds).unwrap();
        std::iter::from_fn(|| session.next_expired(now))
            .map(|expired| (expired.waiter.unwrap_or("nobody"), expired.silent))
            .collect()
    }

    #[test]
    fn an_answer_after_its_deadline_or_its_cancellation_is_dropped() {
        let mut session = session();
        ask(&mut session, 1, after(2), "late");
        ask(&mut session, 2, None, "cancelled");
        assert_eq!(expired(&mut session, 2), [("late", true)]);
        assert_eq!(session.cancel(2), Some("cancelled"));
        session.feed(&[answer(1), answer(2)].concat());
        assert_eq!(next(&mut session), None);
    }

    #[test]
    fn calls_expire_in_the_order_of_their_deadlines_and_say_whether_the_line_was_silent() {
        let mut session = session();
        ask(&mut session, 1, after(4), "third");
        ask(&mut session, 2, after(2), "first");
        ask(&mut session, 3, after(3), "answered");
        assert_eq!(session.next_deadline(), after(2));
        assert_eq!(expired(&mut session, 0), []);
        assert_eq!(expired(&mut session, 2), [("first", true)]);
        session.feed(&answer(3));
        assert_eq!(next(&mut session), Some(("answered", 3)));
        assert_eq!(session.next_deadline(), after(4));
        assert_eq!(expired(&mut session, 9), [("third", false)]);
        assert_eq!(session.next_deadline(), None);
        ask(&mut session, 4, after(5), "after the answer");
        assert_eq!(expired(&mut session, 9), [("after the answer", true)]);
    }

    #[test]
    fn a_call_that_comes_too_late_is_not_written() {
        let mut session = session();
        let late = session.call(some_instant(), 1, GetBrokerClusterInfo.to_command(), after(0), "a");
        assert_eq!(late, Err(Rejected::Late("a")));
        assert!(session.output().is_empty());
    }

    #[test]
    fn short_limits_do_not_make_a_slow_line_dead_but_do_not_hide_a_dead_one() {
        let millis = |millis| Some(some_instant() + Duration::from_millis(millis));
        let mut session = session();
        ask(&mut session, 1, after(30), "patient");
        ask(&mut session, 2, millis(400), "hasty");
        let hasty = session.next_expired(millis(400).unwrap());
        assert_eq!(hasty, Some(Expired { waiter: Some("hasty"), silent: false }));
        let again = session.call(
            millis(700).unwrap(),
            3,
            GetBrokerClusterInfo.to_command(),
            millis(1100),
            "hasty again",
        );
        assert_eq!(again, Ok(()));
        let dead = session.next_expired(millis(1100).unwrap());
        assert_eq!(dead, Some(Expired { waiter: Some("hasty again"), silent: true }));
    }

    #[test]
    fn a_caller_that_gives_up_by_itself_does_not_hide_a_dead_line() {
        let mut session = session();
        ask(&mut session, 1, after(5), "gave up");
        session.cancel(1);
        assert_eq!(session.next_deadline(), after(5));
        assert_eq!(expired(&mut session, 5), [("nobody", true)]);
        ask(&mut session, 2, after(6), "gave up");
        session.cancel(2);
        session.feed(&answer(2));
        assert_eq!(next(&mut session), None);
        assert_eq!(session.next_deadline(), None, "something came, so there is nothing left to show");
    }

    /// The opaques of the requests in the output, which is taken as if it had been written.
    fn written(session: &mut Session<&'static str>) -> Vec<i32> {
        let limit = frame::DEFAULT_MAX_FRAME_SIZE;
        let mut next =
            || frame::cut(session.output(), limit).unwrap().map(|frame| Command::from_frame(frame).unwrap());
        std::iter::from_fn(&mut next).map(|request| request.header.opaque).collect()
    }

    #[test]
    fn requests_are_held_back_while_the_peer_does_not_read_and_expire_all_the_same() {
        let mut session = session();
        let calls = 5000;
        for opaque in 0..calls {
            ask(&mut session, opaque, after(10), "patient");
        }
        ask(&mut session, calls, after(1), "hasty");
        assert!(session.output().len() < OUTPUT_LIMIT + 1000, "{}", session.output().len());
        assert_eq!(expired(&mut session, 1), [("hasty", true)]);
        assert!(session.cancel(calls - 1).is_some());
        assert!(!session.fill_output(some_instant()), "there is no room");

        let mut sent = written(&mut session);
        assert!(sent.len() < 4000, "{}", sent.len());
        while session.fill_output(some_instant()) {
            sent.extend(written(&mut session));
        }
        let missing: Vec<i32> = (0..calls - 1).filter(|opaque| sent.binary_search(opaque).is_err()).collect();
        assert!(
            missing.is_empty() && sent.is_sorted() && sent.len() == 4999,
            "{} sent, missing {missing:?}",
            sent.len()
        );
    }

    #[test]
    fn deadlines_of_answered_calls_do_not_pile_up() {
        let later = some_instant() + Duration::from_secs(30);
        let mut session = session();
        for opaque in 0..10_000 {
            ask(&mut session, opaque, Some(later), "x");
            session.output().clear();
            session.feed(&answer(opaque));
            assert!(next(&mut session).is_some());
            assert!(session.deadlines.len() <= MIN_SWEEP, "{}", session.deadlines.len());
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
        let rejected =
            session.call(some_instant(), 1, GetBrokerClusterInfo.to_command(), None, "a").unwrap_err();
        assert!(matches!(rejected, Rejected::Encode("a", EncodeError::FrameTooLarge { limit: 64, .. })));
        assert!(session.output().is_empty());
    }

    #[test]
    fn an_opaque_that_still_waits_is_not_given_away() {
        let mut session = session();
        ask(&mut session, 1, None, "a");
        let rejected =
            session.call(some_instant(), 1, GetBrokerClusterInfo.to_command(), None, "b").unwrap_err();
        assert_eq!(rejected, Rejected::OpaqueInUse("b"));
    }

    /// Always the same instant. Deadlines count from it.
    fn some_instant() -> Instant {
        static INSTANT: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        #[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
        *INSTANT.get_or_init(Instant::now)
    }
}
