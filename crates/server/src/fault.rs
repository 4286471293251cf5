//! Faults on demand: what a server does wrong when it is told to, so that its clients can be tested.
//!
//! [`Fault`] says what there is and what a client sees of it. `switch` holds those that are on; `connection` looks there once
//! for each request, and `dispatch/at_fault` has the answers that are wrong in content. They are set at
//! [`NameServer::set_fault`](crate::NameServer::set_fault).

mod switch;

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use switch::{FaultSwitch, Faults};

/// Something that a server does wrong from now on, until it is told to stop.
///
/// Several may be on at a time. Each acts where those before it in this list have left something to do: with
/// [`Refuse`](Fault::Refuse) there is nothing left for any other, with [`Silent`](Fault::Silent) no answer to be late.
/// Requests take effect in spite of faults, except where it says otherwise here.
///
/// Each has a name, which [`FromStr`] reads and [`Display`](fmt::Display) writes.
///
/// # Example
/// ```
/// use rocketmq_nameserver_server::{Fault, NameServer};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = NameServer::builder().listen("127.0.0.1:0").start().await?;
/// server.set_fault(Fault::Slow(Duration::from_millis(200)));
/// server.set_fault("empty".parse()?);
/// assert_eq!(server.faults(), [Fault::Empty, "slow=200ms".parse()?]);
/// // … what does the client do now?
/// server.clear_faults();
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// `refuse`: each new connection is closed at once, and an open one instead of an answer to its next request, which is not
    /// carried out. The port stays bound: a client can connect, and then reads the end of the stream, or a reset where its request
    /// came first.
    Refuse,
    /// `go-away`: requests of clients that understand it (versions above 475, `docs/wire.md` §1.3) are not carried out but
    /// answered with code 1500, `please go away`, as a 5.x server does that shuts down gracefully; with this fault a 4.x one too.
    /// A new connection gets the same answer (§4.3). Older clients are served.
    GoAway,
    /// `not-ready`: routes (105) are refused with code 1, `name server not ready`, as by a server that waits for brokers after
    /// its start. Everything else is served.
    NotReady,
    /// `empty`: whoever asks is answered as if nothing had ever registered. A route (105) is not found (code 17), the cluster
    /// (106), the lists of topics (206, 224, 304, 311 to 313) and broker groups (901) have no entry. Registrations are taken all
    /// the same, and shown once the fault is cleared; the KV store is not concerned.
    Empty,
    /// `disagree`: a route (105) lacks the last of its broker groups, and is not found (code 17) if it has only one. Of two servers
    /// with which the same brokers have registered, the one with this fault disagrees with the other. Everything else is as on both.
    Disagree,
    /// `silent`: nothing is ever answered, and connections stay open: a client waits until its own time is over. Requests that came
    /// meanwhile stay without an answer when the fault is cleared; they have taken effect.
    Silent,
    /// `wrong-opaque`: an answer has the opaque of its request plus 1. A client with one call at a time waits for it until its time is
    /// over; one that numbers its calls in a row, as most do, and has several under way takes it for the answer to the next.
    WrongOpaque,
    /// `slow=200ms`: answers are that late, in their order. What arrives while some wait is answered behind them, so that a
    /// pipelined answer can take twice as long. Connections do not wait for each other. Clearing the fault sends all that wait.
    Slow(Duration),
    /// `half-frame`: the first half of an answer is written, and then the connection is closed: a client reads the end of the stream
    /// inside a frame. Answers to requests behind that one never come, as those are not carried out.
    HalfFrame,
    /// `forget`: happens once, at once. All brokers and topics are gone, those that were registered by hand too, and the KV store
    /// unless it is kept in a file; then all connections are closed. A client sees what a restart looks like from outside, only that the
    /// port is never free. Settings stay as they are.
    ForgetEverything,
}

/// All that have a name of their own; `slow` needs a time too.
const NAMED: [(&str, Fault); 9] = [
    ("refuse", Fault::Refuse),
    ("go-away", Fault::GoAway),
    ("not-ready", Fault::NotReady),
    ("empty", Fault::Empty),
    ("disagree", Fault::Disagree),
    ("silent", Fault::Silent),
    ("wrong-opaque", Fault::WrongOpaque),
    ("half-frame", Fault::HalfFrame),
    ("forget", Fault::ForgetEverything),
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Fault::Slow(delay) = self {
            return match delay.subsec_nanos() {
                0 => write!(f, "slow={}s", delay.as_secs()),
                nanos if nanos % 1_000_000 == 0 => write!(f, "slow={}ms", delay.as_millis()),
                nanos if nanos % 1000 == 0 => write!(f, "slow={}us", delay.as_micros()),
                _ => write!(f, "slow={}ns", delay.as_nanos()),
            };
        }
        let name = NAMED.iter().find(|(_, fault)| fault == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    /// Reads a name as it stands at each fault. The time of `slow` is a whole number and `ns`, `us`, `ms` or `s`.
    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        let wrong = |time| ParseFaultError { text: text.to_owned(), time };
        match text.split_once('=') {
            Some(("slow", time)) => duration(time).map(Fault::Slow).ok_or_else(|| wrong(true)),
            None if text == "slow" => Err(wrong(true)),
            _ => NAMED
                .iter()
                .find(|(name, _)| *name == text)
                .map(|(_, fault)| *fault)
                .ok_or_else(|| wrong(false)),
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number = number.parse().ok()?;
    match unit {
        "ns" => Some(Duration::from_nanos(number)),
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}

/// A text that names no [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFaultError {
    text: String,
    /// It is `slow`, but its time cannot be read.
    time: bool,
}

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.escape_debug();
        if self.time {
            return write!(f, "{text}: slow needs a time, such as slow=200ms or slow=2s");
        }
        let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
        write!(f, "no fault is called '{text}'; there are {} and slow=TIME", names.join(", "))
    }
}

impl Error for ParseFaultError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        for (text, fault) in [
            ("slow=0s", Fault::Slow(Duration::ZERO)),
            ("slow=200ms", Fault::Slow(Duration::from_millis(200))),
            ("slow=90s", Fault::Slow(Duration::from_secs(90))),
            ("slow=1500us", Fault::Slow(Duration::from_micros(1500))),
            ("slow=1000000001ns", Fault::Slow(Duration::new(1, 1))),
            ("slow=18446744073709551615s", Fault::Slow(Duration::from_secs(u64::MAX))),
        ]
        .into_iter()
        .chain(NAMED)
        {
            assert_eq!(text.parse(), Ok(fault), "{text}");
            assert_eq!(fault.to_string(), text);
        }
        assert_eq!("slow=2000ms".parse(), Ok(Fault::Slow(Duration::from_secs(2))));
    }

    #[test]
    fn a_text_that_is_no_fault_says_what_to_write() {
        for (text, says) in [
            ("", "there are refuse, go-away"),
            ("none", "no fault is called 'none'"),
            ("Silent", "silent"),
            ("silent ", "silent"),
            ("not_ready", "not-ready"),
            ("empty=1", "slow=TIME"),
            ("a\nb", "'a\\nb'"),
            ("slow", "slow=200ms"),
            ("slow=", "slow=200ms"),
            ("slow=200", "slow=200ms"),
            ("slow=ms", "slow=200ms"),
            ("slow=-1s", "slow=200ms"),
            ("slow=1.5s", "slow=200ms"),
            ("slow=1m", "slow=200ms"),
            ("slow=18446744073709551616s", "slow=200ms"),
        ] {
            let error = text.parse::<Fault>().expect_err(text).to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
