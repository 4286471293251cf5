//! An open loop: queries leave at fixed times whether or not earlier ones were answered, and each wait counts from the
//! time at which its query was meant to leave. So a server that stands still for a while is charged for every query
//! that would have come meanwhile.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::frames::Queries;
use super::wire::{connect, is_success, opaque};
use crate::Outcome;
use crate::floor::Answers;
use crate::measure::percentile;

/// Queries per second.
pub(super) const RATE: u32 = 2_000;

/// Open loops of one length over one connection.
pub(super) struct OpenLoop {
    socket: TcpStream,
    queries: Queries,
}

impl OpenLoop {
    /// Connects; each loop will take so long and ask for so many topics in turn.
    pub(super) fn connect(address: SocketAddr, length: Duration, topics: usize) -> Outcome<OpenLoop> {
        let count = (length.as_secs_f64() * f64::from(RATE)) as usize;
        Ok(OpenLoop { socket: connect(address)?, queries: Queries::new(count, topics)? })
    }

    /// One loop; all its waits.
    pub(super) fn run(&mut self) -> Outcome<Waits> {
        let mut sender = self.socket.try_clone()?;
        let (queries, socket) = (&self.queries, &mut self.socket);
        let start = Instant::now();
        thread::scope(|scope| {
            let sent = scope.spawn(move || send(&mut sender, queries, start));
            let waits = receive(socket, queries.count(), start)?;
            sent.join().map_err(|_| "the sender panicked")??;
            Ok(Waits::new(waits))
        })
    }
}

fn send(socket: &mut TcpStream, queries: &Queries, start: Instant) -> io::Result<()> {
    sleep_precisely();
    for number in 0..queries.count() {
        let left = intended(start, number).saturating_duration_since(Instant::now());
        if !left.is_zero() {
            thread::sleep(left);
        }
        socket.write_all(queries.get(number..number + 1))?;
    }
    Ok(())
}

/// Linux wakes a thread up to 50 µs late unless it asks for better, and that would count as waiting.
fn sleep_precisely() {
    #[cfg(target_os = "linux")]
    {
        // If it is refused, all waits are longer by as much.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    }
}

/// Servers may answer in any order.
fn receive(socket: &mut TcpStream, count: usize, start: Instant) -> Outcome<Vec<Duration>> {
    let mut answers = Answers::default();
    let mut waits = Vec::with_capacity(count);
    let mut refused = 0;
    while waits.len() + refused < count {
        let mut numbers = Vec::new();
        answers.read_from(socket, |frame| match opaque(frame) {
            Some(number) if is_success(frame) => numbers.push(number),
            _ => refused += 1,
        })?;
        let now = Instant::now();
        waits
            .extend(numbers.into_iter().map(|number| now.saturating_duration_since(intended(start, number))));
    }
    match refused {
        0 => Ok(waits),
        count => Err(format!("{count} queries were refused").into()),
    }
}

/// When that query is meant to leave.
fn intended(start: Instant, number: usize) -> Instant {
    start + Duration::from_secs(1) * number as u32 / RATE
}

/// The waits of one loop.
pub(super) struct Waits(Vec<Duration>);

impl Waits {
    pub(super) fn new(mut waits: Vec<Duration>) -> Waits {
        waits.sort_unstable();
        Waits(waits)
    }

    /// The wait, in µs, that this share of them did not exceed.
    pub(super) fn us(&self, share: f64) -> f64 {
        percentile(&self.0, share).map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn queries_are_meant_to_leave_at_an_even_pace() {
        let start = Instant::now();
        for (number, expected) in [(0, 0), (1, 500), (2, 1_000), (40_000, 20_000_000)] {
            assert_eq!(intended(start, number) - start, Duration::from_micros(expected), "{number}");
        }
    }

    #[test]
    fn a_pause_is_charged_to_every_query_that_was_meant_to_leave_in_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut measured =
            OpenLoop::connect(listener.local_addr().unwrap(), Duration::from_millis(50), 1).unwrap();
        let size = measured.queries.get(0..100).len();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            // All queries are read before the first is answered, the last first.
            socket.read_exact(&mut vec![0; size]).unwrap();
            for number in (0..100).rev() {
                let header = format!(r#"{{"code":0,"opaque":{number},"version":1}}"#);
                let length = header.len() as u32;
                let words = [(length + 4).to_be_bytes(), length.to_be_bytes()].concat();
                socket.write_all(&[&words, header.as_bytes()].concat()).unwrap();
            }
        });
        let waits = measured.run().unwrap();
        server.join().unwrap();
        assert_eq!(waits.0.len(), 100);
        // The last leaves after 49.5 ms, so the first waits that long at least, and the one in the middle half of it.
        assert!(waits.us(1.0) >= 49_500.0);
        assert!(waits.us(0.5) >= 24_500.0);
    }
}
