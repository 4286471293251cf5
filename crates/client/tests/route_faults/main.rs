//! What the cache promises while things go wrong: what `get_route` returns, what a watch tells, how many requests are sent.
//! `docs/guarantees.md` says the same in words and names these tests.

mod dropped_futures;
mod embedded_servers;
mod ends;
mod one_server;
mod play;
mod several_servers;
mod site;
mod time;
