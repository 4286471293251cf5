//! Ports that nothing listens on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::InteropError;

/// The ports to choose from lie below the ones that systems give to outgoing connections and to port 0 (32768 and
/// up on Linux, 49152 and up elsewhere). So nobody gets a chosen port by accident before the JVM has bound it or
/// while a server is down for a restart, and a client that tries such a port cannot end up connected to itself.
const FIRST: u16 = 10_240;
const SLOTS: u32 = 2_700;
/// A slot has room for a broker: `listenPort` is 2 above its start, the others 2 below that and 1 above it.
const SLOT: u16 = 8;

/// How often another port is tried when somebody else takes the one that was free.
const ATTEMPTS: usize = 3;

/// Starts a server on a port of 127.0.0.1 that is free, and with it the ports at those distances from it.
pub(super) fn with_free<S>(
    distances: &[i16],
    mut start: impl FnMut(SocketAddr) -> Result<S, InteropError>,
) -> Result<S, InteropError> {
    for _ in 1..ATTEMPTS {
        match start(free(distances)?) {
            Err(error) if error.is_port_taken() => {}
            started => return started,
        }
    }
    start(free(distances)?)
}

/// A port of 127.0.0.1 that is free, and with it the ports at those distances from it. Two calls in one process never
/// give the same one (before 2,700 calls); two processes start at different places.
fn free(distances: &[i16]) -> Result<SocketAddr, InteropError> {
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU32::new(process::id().wrapping_mul(7_919) % SLOTS));
    for _ in 0..SLOTS {
        let slot = next.fetch_add(1, Ordering::Relaxed) % SLOTS;
        let port = u16::try_from(slot).map_or(FIRST, |slot| FIRST + slot * SLOT) + 2;
        let near = distances.iter().filter_map(|distance| port.checked_add_signed(*distance));
        if near.chain([port]).all(is_free) {
            return Ok(address(port));
        }
    }
    Err(InteropError::NoFreePort)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(address(port)).is_ok()
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_taken_port_nor_a_port_near_a_taken_one_is_given_out() {
        let near = [-2, 1];
        let given = free(&near).unwrap();
        for distance in [0, -2, 1] {
            let taken = address(given.port().checked_add_signed(distance).unwrap());
            let listener = TcpListener::bind(taken).unwrap();
            assert!(!is_free(taken.port()), "{taken}");
            drop(listener);
            assert!(is_free(taken.port()), "{taken}");
        }
        assert_ne!(free(&near).unwrap(), given);
    }
}
