//! What must hold for any bytes whatever: one check per fuzz target, and the tests that run them on known bytes.
//!
//! A check takes bytes and panics if a promise is broken. The targets in `fuzz/` are these checks and nothing more;
//! `fuzz/corpus/` has the bytes that every `cargo test` tries again. The protocol's property tests include
//! the same files, so a promise is written down once.
//!
//! | check | what its bytes are |
//! |---|---|
//! | [`frame`] | a stream of frames, and the header of one in either form |
//! | [`json`] | a body |
//! | [`session`] | a list of steps: calls, bytes that arrive, time that passes |
//! | [`address`] | a server's address, and a list of them |

pub mod address;
pub mod frame;
pub mod json;
pub mod session;

#[cfg(test)]
mod fuzz_corpora;
#[path = "../../../protocol/tests/independent/header.rs"]
#[allow(dead_code, reason = "shared with the tests of the captures")]
mod header;
#[path = "../../../protocol/tests/independent/oracle.rs"]
mod oracle;
#[path = "../../../protocol/tests/independent/tree.rs"]
pub(crate) mod tree;

/// A fuzz target: a file in `fuzz/fuzz_targets/` and a folder in `fuzz/corpus/` have its name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics if a promise is broken.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frame", check: frame::check },
    Target { name: "json", check: json::check },
    Target { name: "session", check: session::check },
    Target { name: "address", check: address::check },
];
