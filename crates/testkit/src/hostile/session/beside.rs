//! A session, and beside it what its promises come to, kept in the plainest way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use rocketmq_nameserver_protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::ProtocolError;
use rocketmq_nameserver_protocol::frame::{self, SerializeType};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::session::{Expired, MIN_SILENCE, Rejected, Session, SessionConfig};

use super::Step;

/// The largest frame here. Larger than one read, smaller than the largest request that a step can make.
const FRAME_LIMIT: usize = 64 * 1024;

/// How much may be read at once before anything is known of the frame.
const READ_ROOM: usize = 16 * 1024;

/// How much output may wait before requests are held back.
const OUTPUT_LIMIT: usize = 256 * 1024;

/// What requests and answers are filled with.
static ZEROS: [u8; 127 * 1024] = [0; 127 * 1024];

/// How many of what there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended with an answer.
    pub answered: usize,
    /// Calls that expired.
    pub expired: usize,
    /// Calls that were cancelled.
    pub cancelled: usize,
    /// Calls that were sent away.
    pub drained: usize,
    /// Calls that were held back first.
    pub held_back: usize,
    /// Calls that came after their deadline.
    pub late: usize,
    /// Calls whose opaque was in use.
    pub in_use: usize,
    /// Calls that were too large.
    pub too_large: usize,
    /// Times that a silent line was noticed.
    pub silent: usize,
    /// Commands that nobody waited for.
    pub unmatched: usize,
    /// Streams that could not be trusted any more.
    pub broken: usize,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Expired,
    Cancelled,
    Drained,
}

#[derive(Debug)]
struct Call {
    opaque: i32,
    deadline: Option<Instant>,
    received_before: usize,
    held_back: bool,
    /// Whether its deadline has been looked at, or is forgotten because the connection is gone.
    past: bool,
    end: Option<End>,
}

/// A session and what must be true of it. Each waiter is the place of its call in a list.
#[derive(Debug)]
pub(super) struct Beside {
    session: Session<usize>,
    now: Instant,
    calls: Vec<Call>,
    waiting: BTreeMap<i32, usize>,
    /// What the peer sent and has not arrived.
    sent: BytesMut,
    /// What arrived and was not taken.
    arrived: BytesMut,
    /// The most that ever arrived and was not taken.
    most_arrived: usize,
    /// Whether everything that arrived was read into the session's own buffer and taken at once, and nothing was read after
    /// an error.
    as_driven: bool,
    received: usize,
    silent_since: Option<Instant>,
    broken: Option<ProtocolError>,
    tally: Tally,
}

impl Beside {
    /// A new session. It sends JSON headers.
    pub(super) fn new() -> Self {
        #[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
        let now = Instant::now();
        let config = SessionConfig { max_frame_size: FRAME_LIMIT, serialize_type: SerializeType::Json };
        Beside {
            session: Session::new(config),
            now,
            calls: Vec::new(),
            waiting: BTreeMap::new(),
            sent: BytesMut::new(),
            arrived: BytesMut::new(),
            most_arrived: 0,
            as_driven: true,
            received: 0,
            silent_since: None,
            broken: None,
            tally: Tally::default(),
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Call { opaque, patience, size } => self.call(opaque.into(), patience, size),
            Step::Cancel(opaque) => self.cancel(opaque.into()),
            Step::Answer { opaque, size } => {
                let body = &ZEROS[..size.into()];
                let ok = ResponseCode::SUCCESS;
                let answer = Command::response(opaque.into(), ok, ExtFields::new(), body);
                let form = if size % 2 == 0 { SerializeType::Json } else { SerializeType::RocketMq };
                self.sent.extend_from_slice(&answer.to_frame(form).expect("an answer that fits"));
            }
            Step::Ask(opaque) => {
                let mut request = request(0, 0);
                request.header.opaque = opaque.into();
                self.sent.extend_from_slice(&request.to_frame(SerializeType::Json).expect("a short request"));
            }
            Step::Say(bytes) => self.sent.extend_from_slice(&bytes),
            Step::Read(count) => {
                let room = self.session.input();
                let count = count.min(room.capacity() - room.len()).min(self.sent.len());
                room.extend_from_slice(&self.sent[..count]);
                if count > 0 {
                    self.session.received(count);
                    self.as_driven &= self.broken.is_none();
                    self.arrive(count);
                }
                self.take_answers();
            }
            Step::Feed(count) => {
                let count = count.min(self.sent.len());
                if count > 0 {
                    self.session.feed(&self.sent[..count]);
                    self.as_driven = false;
                    self.arrive(count);
                }
            }
            Step::TakeAnswers => self.take_answers(),
            Step::Wait(tenths) => self.wait(Duration::from_millis(100) * tenths.into()),
            Step::TakeExpired => self.take_expired(),
            Step::Write(kib) => self.write(usize::from(kib) * 1024),
            Step::Drain => self.drain(),
        }
        self.check_state();
    }

    /// Lets everything arrive and be written that is under way, then closes the connection.
    pub(super) fn finish(mut self) -> Tally {
        while !self.sent.is_empty() && self.broken.is_none() {
            self.step(Step::Read(usize::MAX));
        }
        self.step(Step::TakeAnswers);
        while !self.session.output().is_empty() {
            self.step(Step::Write(u8::MAX));
        }
        self.step(Step::TakeExpired);
        self.step(Step::Drain);
        assert!(self.calls.iter().all(|call| call.end.is_some()), "every call has ended");
        self.tally
    }

    fn call(&mut self, opaque: i32, patience: Option<u8>, size: u8) {
        let call = self.calls.len();
        let deadline = patience.map(|tenths| self.now + Duration::from_millis(100) * tenths.into());
        let request = request(call, size);
        let mut frame = BytesMut::new();
        let mut as_sent = request.clone();
        as_sent.header.opaque = opaque;
        let fits = as_sent.encode(SerializeType::Json, FRAME_LIMIT, &mut frame);

        let before = self.session.output().len();
        let taken = self.session.call(self.now, opaque, request, deadline, call);
        let written = &self.session.output()[before..];
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            assert_eq!(taken, Err(Rejected::Late(call)));
            self.tally.late += 1;
        } else if self.waiting.contains_key(&opaque) {
            assert_eq!(taken, Err(Rejected::OpaqueInUse(call)));
            self.tally.in_use += 1;
        } else if let Err(error) = fits {
            assert_eq!(taken, Err(Rejected::Encode(call, error)));
            self.tally.too_large += 1;
        } else {
            assert_eq!(taken, Ok(()));
            let held_back = written.is_empty();
            assert!(held_back || *written == frame[..], "the whole request or nothing");
            assert!(!held_back || before >= OUTPUT_LIMIT, "held back without need");
            self.tally.held_back += usize::from(held_back);
            if !held_back {
                self.silent_since.get_or_insert(self.now);
            }
            let received_before = self.received;
            self.calls.push(Call { opaque, deadline, received_before, held_back, past: false, end: None });
            self.waiting.insert(opaque, call);
            return;
        }
        assert!(written.is_empty(), "nothing is written of a call that is not taken");
    }

    fn cancel(&mut self, opaque: i32) {
        let waiter = self.session.cancel(opaque);
        assert_eq!(waiter, self.waiting.get(&opaque).copied());
        if let Some(call) = waiter {
            self.end(call, End::Cancelled);
        }
    }

    fn arrive(&mut self, count: usize) {
        self.arrived.extend_from_slice(&self.sent.split_to(count));
        self.most_arrived = self.most_arrived.max(self.arrived.len());
        self.received += count;
        self.silent_since = None;
    }

    fn take_answers(&mut self) {
        loop {
            let expected = self.next_answer();
            assert_eq!(self.session.next_answer(), expected);
            match expected {
                Ok(Some((call, _))) => self.end(call, End::Answered),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(self.session.next_answer(), Err(error), "the same error again");
                    break;
                }
            }
        }
    }

    /// The next answer that somebody waits for in what arrived.
    fn next_answer(&mut self) -> Result<Option<(usize, Command)>, ProtocolError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let next = self.next_waited_for();
        if let Err(error) = &next {
            self.tally.broken += 1;
            self.broken = Some(error.clone());
        }
        next
    }

    fn next_waited_for(&mut self) -> Result<Option<(usize, Command)>, ProtocolError> {
        while let Some(frame) = frame::cut(&mut self.arrived, FRAME_LIMIT)? {
            let command = Command::from_frame(frame)?;
            match self.waiting.get(&command.header.opaque) {
                Some(call) if command.header.is_response() => return Ok(Some((*call, command))),
                _ => self.tally.unmatched += 1,
            }
        }
        Ok(None)
    }

    /// Time passes; a driver would wait for the next deadline.
    fn wait(&mut self, time: Duration) {
        let first = self.waiting.values().filter_map(|call| self.calls[*call].deadline).min();
        let next = self.session.next_deadline();
        assert!(first.is_none_or(|first| next.is_some_and(|next| next <= first)), "{next:?} after {first:?}");
        let known = |call: &Call| {
            call.deadline == next && (call.end.is_none() || call.received_before == self.received)
        };
        assert!(next.is_none() || self.calls.iter().any(known), "a deadline that matters to nobody");
        self.now += time;
    }

    fn take_expired(&mut self) {
        let now = self.now;
        let is_due = |call: &Call| call.deadline.is_some_and(|deadline| deadline <= now);
        let all: Vec<Expired<usize>> = std::iter::from_fn(|| self.session.next_expired(self.now)).collect();
        let is_dead = |call: &Call| {
            let long_silent = self.silent_since.is_some_and(|since| since + MIN_SILENCE <= self.now);
            long_silent && call.received_before == self.received
        };
        let due: Vec<usize> =
            self.waiting.values().copied().filter(|call| is_due(&self.calls[*call])).collect();
        let mut expired: Vec<usize> = all.iter().filter_map(|expired| expired.waiter).collect();
        assert!(
            expired.is_sorted_by_key(|call| self.calls[*call].deadline),
            "in the order of their deadlines"
        );
        expired.sort_unstable();
        let mut expected = due.clone();
        expected.sort_unstable();
        assert_eq!(expired, expected, "all that are due, each once, and no other");
        // A caller that gave up by itself does not hide a dead line.
        let shows_it = |call: &Call| is_due(call) && !call.past && is_dead(call);
        for Expired { waiter, silent } in &all {
            let shown = match waiter {
                Some(call) => is_dead(&self.calls[*call]),
                None => self.calls.iter().any(shows_it),
            };
            assert!(!silent || shown, "the line is not dead");
            assert!(*silent || waiter.is_some(), "nothing was said");
        }
        let silent = all.iter().any(|expired| expired.silent);
        assert!(silent || !self.calls.iter().any(shows_it), "the line is dead");
        self.tally.silent += usize::from(silent);
        for call in self.calls.iter_mut().filter(|call| is_due(call)) {
            call.past = true;
        }
        for call in due {
            self.end(call, End::Expired);
        }
        assert!(self.session.next_deadline().is_none_or(|next| next > self.now));
    }

    fn write(&mut self, count: usize) {
        let output = self.session.output();
        output.advance(count.min(output.len()));
        let before = output.len();
        let moved = self.session.fill_output(self.now);
        let mut more = BytesMut::from(&self.session.output()[before..]);
        assert_eq!(moved, !more.is_empty());
        if moved {
            self.silent_since.get_or_insert(self.now);
        }
        while let Some(frame) = frame::cut(&mut more, FRAME_LIMIT).expect("our own frames are good") {
            let request = Command::from_frame(frame).expect("our own headers are good");
            let call: usize =
                request.header.ext_fields.get("call").expect("a call").parse().expect("a number");
            let call = &mut self.calls[call];
            assert_eq!((call.opaque, call.held_back, call.end), (request.header.opaque, true, None));
            call.held_back = false;
        }
        if self.session.output().is_empty() {
            let forgotten = self.waiting.values().any(|call| self.calls[*call].held_back);
            assert!(!forgotten, "a call is held back although there is nothing else to write");
        }
    }

    fn drain(&mut self) {
        let mut drained: Vec<usize> = self.session.drain().collect();
        drained.sort_unstable();
        let mut expected: Vec<usize> = self.waiting.values().copied().collect();
        expected.sort_unstable();
        assert_eq!(drained, expected);
        for call in drained {
            self.end(call, End::Drained);
        }
        self.calls.iter_mut().for_each(|call| call.past = true);
        assert_eq!(self.session.next_deadline(), None);
    }

    fn end(&mut self, call: usize, end: End) {
        let ended = &mut self.calls[call];
        assert_eq!(ended.end.replace(end), None, "a call ends once");
        assert_eq!(self.waiting.remove(&ended.opaque), Some(call), "the call of that opaque");
        match end {
            End::Answered => self.tally.answered += 1,
            End::Expired => self.tally.expired += 1,
            End::Cancelled => self.tally.cancelled += 1,
            End::Drained => self.tally.drained += 1,
        }
    }

    /// What is true at any time.
    fn check_state(&mut self) {
        assert_eq!(self.session.in_flight(), self.waiting.len());
        assert_eq!(self.session.unmatched(), self.tally.unmatched as u64);
        let partial = self.arrived.len();
        let at_the_end = if partial == 0 { Ok(()) } else { Err(ProtocolError::Truncated { have: partial }) };
        assert_eq!(self.session.end_of_stream(), at_the_end);

        let output = self.session.output().len();
        assert!(output < OUTPUT_LIMIT + FRAME_LIMIT, "{output} bytes to write");
        let bound = if self.as_driven { FRAME_LIMIT } else { 2 * (self.most_arrived + FRAME_LIMIT) };
        let memory = self.session.input().capacity();
        assert!(memory <= bound.max(2 * READ_ROOM), "{memory} bytes to read into");
    }
}

/// A request that says in its header which call it is.
fn request(call: usize, size: u8) -> Command {
    let arguments = ExtFields::from_iter([("call", call.to_string())]);
    let size = usize::from(size);
    let body = &ZEROS[..size.checked_sub(128).map_or(size, |kib| kib * 1024)];
    Command::request(RequestCode::GET_BROKER_CLUSTER_INFO, arguments, body)
}
