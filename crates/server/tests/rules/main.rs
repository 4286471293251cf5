//! The rules of `docs/wire.md`, section by section, each through whole requests to a server in memory.
//!
//! A file is a section or a part of one. What is expected stands there in words; the tables here are those words as rows,
//! for 4.9.7 and for 5.3.3. `faults` has the exceptions: what a server answers that was told to be wrong.

mod answers;
mod config;
mod deletion;
mod faults;
mod go_away;
mod groups;
mod kv;
mod leaving;
mod lists;
mod liveness;
mod permission;
mod registration_answer;
mod registration_request;
mod registration_steps;
mod registration_topics;
mod routes;
mod world;
mod zones;
