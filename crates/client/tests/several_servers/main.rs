//! Clients of several servers: what goes to all of them, and what depends on their releases.

mod peers;
mod releases;
mod writes;
