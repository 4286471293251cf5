//! What can happen to a session, and how bytes say it.
//!
//! | first byte | then | step |
//! |---|---|---|
//! | 0 | opaque, patience, size | [`Step::Call`] |
//! | 1 | opaque | [`Step::Cancel`] |
//! | 2 | opaque, size | [`Step::Answer`] |
//! | 3 | opaque | [`Step::Ask`] |
//! | 4 | two bytes of length, that many bytes | [`Step::Say`] |
//! | 5 | bytes, times 16 | [`Step::Read`] |
//! | 6 | bytes, times 16 | [`Step::Feed`] |
//! | 7 | | [`Step::TakeAnswers`] |
//! | 8 | tenths of a second | [`Step::Wait`] |
//! | 9 | | [`Step::TakeExpired`] |
//! | 10 | KiB | [`Step::Write`] |
//! | 11 | | [`Step::Drain`] |
//!
//! Any other first byte means what its rest by 12 means. Numbers are one byte. The seeds in `fuzz/corpus/session/` are in
//! this language: a change of it makes other seeds of them.

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Somebody asks.
    Call {
        /// The number of the call; a call of that number may wait already.
        opaque: i8,
        /// When the caller gives up, in tenths of a second from now, which may be no time at all. `None`: never.
        patience: Option<u8>,
        /// How large the request's body is: so many bytes, or from 128 on that less 128 in KiB.
        size: u8,
    },
    /// The caller of that number gives up by itself.
    Cancel(i8),
    /// The peer sends a good answer with that opaque. The lowest bit of its size says in which form its header is.
    Answer {
        /// Which call it is for; nobody may have asked.
        opaque: i8,
        /// How large its body is, in bytes.
        size: u8,
    },
    /// The peer sends a request with that opaque.
    Ask(i8),
    /// The peer sends any bytes.
    Say(Vec<u8>),
    /// So many of the bytes that the peer sent are read into the session's buffer, as far as there is room, and the
    /// answers in them are taken, as the driver of a connection does it.
    Read(usize),
    /// So many of the bytes that the peer sent are fed to the session, and nothing is taken.
    Feed(usize),
    /// All answers that are there are taken.
    TakeAnswers,
    /// Tenths of a second pass.
    Wait(u8),
    /// All calls that have expired are taken.
    TakeExpired,
    /// The peer takes that many KiB of what there is to write.
    Write(u8),
    /// All that wait are sent away.
    Drain,
}

/// The steps that bytes say. What is cut short at the end is as if zeros followed.
pub fn read(bytes: &[u8]) -> Vec<Step> {
    let mut bytes = Bytes { rest: bytes };
    let mut steps = Vec::new();
    while !bytes.rest.is_empty() {
        steps.push(bytes.step());
    }
    steps
}

struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    fn step(&mut self) -> Step {
        match self.byte() % 12 {
            0 => {
                Step::Call { opaque: self.signed(), patience: self.byte().checked_sub(1), size: self.byte() }
            }
            1 => Step::Cancel(self.signed()),
            2 => Step::Answer { opaque: self.signed(), size: self.byte() },
            3 => Step::Ask(self.signed()),
            4 => {
                let length = u16::from_be_bytes([self.byte(), self.byte()]);
                let (said, rest) = self.rest.split_at(usize::from(length).min(self.rest.len()));
                self.rest = rest;
                Step::Say(said.to_vec())
            }
            5 => Step::Read(usize::from(self.byte()) * 16),
            6 => Step::Feed(usize::from(self.byte()) * 16),
            7 => Step::TakeAnswers,
            8 => Step::Wait(self.byte()),
            9 => Step::TakeExpired,
            10 => Step::Write(self.byte()),
            _ => Step::Drain,
        }
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    fn signed(&mut self) -> i8 {
        i8::from_be_bytes([self.byte()])
    }
}
