//! Whether a server answers as a real one does, field by field, spelling included.
//!
//! | file | what |
//! |---|---|
//! | `request.rs`, `answer.rs`, `body.rs`, `reply.rs` | bytes out of and into parts, without the protocol crate |
//! | `compare.rs` | [`compare()`]: what differs between two answers and may not |
//! | `known.rs` | [`KNOWN`]: what may differ, and why |
//! | `connection.rs` | one request after the other over one connection; silence is proved |
//! | `replay.rs` | [`replay()`]: the captures once more, on any server |
//! | `mutations/` | the test that a comparison can fail: each capture beside itself with one thing changed |
//! | `script/` | [`Script`]: a long row of requests, valid and odd, from a seed; [`LEFT_OUT`]: what is not among them, and why |
//! | `server.rs`, `beside.rs` | [`side_by_side`]: two servers do a script in step |
//! | `frames.rs` | [`broken_frames`]: what servers close a connection for, and what only looks like it |
//! | `embedded.rs` | the embedded server for tests that block |
//!
//! Everything here blocks.

mod answer;
mod beside;
mod body;
mod compare;
mod connection;
mod embedded;
mod frames;
mod known;
#[cfg(test)]
mod mutations;
mod replay;
mod reply;
mod request;
mod script;
mod server;

pub use answer::{Answer, Form};
pub use beside::{Found, Report, side_by_side};
pub use body::{Body, Dialect, Json, NULL_KEY};
pub use compare::{Difference, compare, shortened};
pub use connection::{Connection, Expectation};
pub use embedded::Embedded;
pub use frames::{broken_frames, differences_of_frames};
pub use known::{Against, KNOWN, Known, Rules, is_exception_text};
pub use replay::{Replayed, addresses, captured, replay, request};
pub use reply::Reply;
pub use request::{LEGACY_VERSION, OPAQUE, Request};
pub use script::{BrokerConnection, LEFT_OUT, SEED, STEPS, Script, Step};
pub use server::Generation;
