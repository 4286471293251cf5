//! Frames that no client sends, each over a connection of its own: most of them make a Java server close it
//! (`docs/wire.md` §1, §1.4, §1.5).

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use super::answer::Form;
use super::compare::compare;
use super::connection::{Connection, Expectation};
use super::known::{Against, Rules};
use super::request::Request;
use super::server::Generation;

/// A route query, which every server answers.
const QUERY: i32 = 105;

/// What is odd about a frame, and its bytes. A 5.x server looks at nothing before it has 12 of them.
pub fn broken_frames(generation: Generation) -> Vec<(&'static str, Vec<u8>)> {
    let json = |header: &str| framed(0, header.as_bytes());
    let with = |part: &str| {
        let header = format!(r#"{{"code":105,"flag":0,"language":"JAVA","opaque":7,"version":399{part}}}"#);
        framed(0, header.as_bytes())
    };
    let mut frames = vec![
        ("a header without another field", with("")),
        ("extFields null", with(r#","extFields":null"#)),
        ("extFields that are a list", with(r#","extFields":["topic"]"#)),
        ("extFields that are a text", with(r#","extFields":"topic""#)),
        ("opaque beyond an i32", json(r#"{"code":105,"flag":0,"opaque":2147483648,"version":399}"#)),
        ("a header that is no JSON", json("nonsense and more of it")),
        ("a header that is a list", json("[105,399,7,\"JAVA\"]")),
        ("something behind the header's object", json(r#"{"code":105,"opaque":7,"version":399} x"#)),
        ("serialize type 2", framed(2, br#"{"code":105,"opaque":7,"version":399}"#)),
        ("a length of 3", [&[0, 0, 0, 3][..], &[0; 12]].concat()),
        ("a negative length", [&[0xff; 4][..], &[0; 12]].concat()),
        ("a length over the limit", [&16_777_213_u32.to_be_bytes()[..], &[0; 12]].concat()),
        ("no header", [&[0, 0, 0, 12, 0, 0, 0, 0][..], &[b'x'; 8]].concat()),
        ("a header longer than its frame", [&[0, 0, 0, 12, 0, 0, 0, 9][..], &[b'x'; 8]].concat()),
    ];
    if generation == Generation::Five {
        let header = b"{\"code\":105,\"opaque\":7,\"remark\":\"\xff\xfe\"}";
        frames.push(("a header that is no UTF-8", framed(0, header)));
    }
    let query = Request { form: Form::Binary, ..Request::new(QUERY).with("topic", "T") };
    let binary = query.to_frame().split_off(8);
    let changed = |at: usize, bytes: &[u8]| {
        let mut header = binary.clone();
        header[at..at + bytes.len()].copy_from_slice(bytes);
        framed(1, &header)
    };
    frames.extend([
        ("a binary header", framed(1, &binary)),
        ("a binary header that ends early", framed(1, &binary[..20])),
        ("a remark longer than the header", changed(13, &[0, 0, 1, 0])),
        ("a negative remark length", changed(13, &[0xff; 4])),
        ("fields longer than the header", changed(17, &[0, 0, 1, 0])),
        ("a key longer than the header", changed(21, &[0x01, 0])),
        ("a key of over 32,767 bytes", changed(21, &[0x80, 0])),
        ("a value longer than the header", changed(28, &[0, 0, 1, 0])),
    ]);
    for version in [-1, i32::MIN, 613, i32::MAX] {
        let request = Request { version, ..Request::new(QUERY).with("topic", "T") };
        frames.push(("an impossible version", request.to_frame()));
    }
    frames
}

/// Sends each frame to two servers and says what differs; `expected` is the one that is right. Also how many there were.
///
/// # Errors
/// If one of them cannot be connected to.
pub fn differences_of_frames(
    generation: Generation,
    [expected, other]: [SocketAddr; 2],
) -> io::Result<(usize, Vec<String>)> {
    let addresses = BTreeSet::new();
    let rules = Rules { addresses: &addresses, against: Against::RunningServer };
    let frames = broken_frames(generation);
    let mut lines = Vec::new();
    for (what, frame) in &frames {
        let ask = |address| {
            let mut connection = Connection::open(address)?;
            io::Result::Ok(connection.exchange_bytes(frame, QUERY, Expectation::Answer))
        };
        let differences = compare(&ask(expected)?, &ask(other)?, &rules);
        lines.extend(differences.iter().map(|difference| format!("{what}: {difference}")));
    }
    Ok((frames.len(), lines))
}

fn framed(type_byte: u8, header: &[u8]) -> Vec<u8> {
    let total = (4 + header.len()) as u32;
    let header_word = u32::from(type_byte) << 24 | header.len() as u32;
    [&total.to_be_bytes()[..], &header_word.to_be_bytes(), header].concat()
}
