//! A plain blocking connection that sends ready-made requests and looks at answers no closer than it must.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};

use crate::Outcome;
use crate::floor::Answers;
use crate::stub::PATIENCE;

/// Connects; nothing on this connection may take longer than [`PATIENCE`].
pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// Sends one request and waits for its answer, which must say that all is well.
pub(super) fn ask(socket: &mut TcpStream, request: &[u8]) -> Outcome<()> {
    socket.write_all(request)?;
    let mut answer = Answers::with_room_for(ONE_ANSWER);
    loop {
        let mut well = None;
        answer.read_from(socket, |frame| well = Some(is_success(frame)))?;
        match well {
            None => {}
            Some(true) => return Ok(()),
            Some(false) => return Err("a server refused a request".into()),
        }
    }
}

/// More than the answer to any request here takes.
const ONE_ANSWER: usize = 16 * 1024;

/// Whether an answer without its length word has the code 0.
pub(super) fn is_success(frame: &[u8]) -> bool {
    const CODE: &[u8] = b"\"code\":0,";
    header(frame).is_some_and(|header| header.windows(CODE.len()).any(|window| window == CODE))
}

/// The opaque of an answer without its length word.
pub(super) fn opaque(frame: &[u8]) -> Option<usize> {
    str::from_utf8(crate::stub::opaque(frame)?).ok()?.parse().ok()
}

fn header(frame: &[u8]) -> Option<&[u8]> {
    let (word, behind) = frame.split_first_chunk::<4>()?;
    behind.get(..u32::from_be_bytes(*word) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::ROUTE_FRAME;

    #[test]
    fn an_answer_is_told_by_its_header() {
        let route = &ROUTE_FRAME[4..];
        assert!(is_success(route));
        assert_eq!(opaque(route), Some(7));
        let refusal = b"\0\0\0\x17{\"code\":17,\"opaque\":80}\"code\":0,";
        assert!(!is_success(refusal));
        assert_eq!(opaque(b"\0\0\0\x0c{\"opaque\":80}"), None);
        assert_eq!(opaque(b""), None);
    }
}
