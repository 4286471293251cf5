//! A whole server, seen from the other end of its connections.
//!
//! `tcp` speaks to it over real sockets, `stream` over in-memory pairs with paused time. `bad_input` sends what nobody
//! should, `faults` has the server do what it should not, and `kv_file` looks at what a server leaves behind.

mod bad_input;
mod faults;
mod kv_file;
mod peer;
mod stream;
mod tcp;
