//! A whole server, seen from the other end of its connections.
//!
//! `tcp` speaks to it over real sockets, `stream` over in-memory pairs with paused time, and `captures` asks what a
//! real 5.3.3 server was asked and compares the answers.

mod peer;
mod stream;
mod tcp;
