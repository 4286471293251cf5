//! Stop 7 of the trip: JSON bodies, in both dialects that RocketMQ servers write (`docs/wire.md` §3).
//!
//! Before it comes [`request`](crate::request), which knows what the body must be; behind it
//! [`model`](crate::model), which says which fields to take.
//!
//! Reading is one pass over the body and one mode, whoever wrote it: `lex` turns bytes into strings, numbers and keys,
//! `reader` joins those to lists and objects, `values` says what they mean. Nothing is repaired first and nothing is
//! parsed twice. What is tolerated beyond JSON, and the witness for each:
//!
//! | tolerated | who writes it |
//! |---|---|
//! | bare integer keys, `{0:"a",-1:"b"}` | every NameServer in 106, old ones in 105 (`rocketmq-5.3.3-cluster-info.frame`) |
//! | a bare `null` as a key, `null` in lists and maps: the entry is skipped | 4.9.7 after a registration without a name |
//! | `null` for anything that may be absent | rocketmq-rust's NameServer |
//! | digits in quotes where a whole number belongs | fastjson, for numbers beyond ±(2^53-1) |
//! | a lone surrogate escape: it becomes U+FFFD | Java, for half an emoji |
//! | a byte order mark before the value | editors |
//!
//! Writing is serde with a formatter per [`Dialect`] (`write`).

pub(crate) mod lex;
pub(crate) mod reader;
pub(crate) mod values;
pub(crate) mod write;

pub(crate) use reader::{Reader, read_fields};
pub(crate) use values::{FromJson, from_bytes};
pub use write::{Dialect, to_bytes};

/// How deep lists and objects may nest in a body. Real answers reach 5.
pub const MAX_DEPTH: usize = 64;
