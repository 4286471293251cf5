//! What the tests of all crates stand on. Development only: never a normal dependency of what is published.
//!
//! | module | what |
//! |---|---|
//! | [`captures`] | real answers of RocketMQ 4.9.7 and 5.3.3, as raw frames |
//! | [`scripted_peer`] | a server that says exactly what a test tells it to |
//! | [`behaviour`] | one suite of functions that take an address, for the embedded server and the real ones |
//! | [`conformance`] | whether a server answers as the captures say, and as a real one does to any script |
//! | [`hostile`] | what must hold for any bytes: the checks that fuzz targets and property tests run |
//! | [`interop`] | fetches, starts and stops the real Java servers |

pub mod behaviour;
pub mod captures;
pub mod conformance;
pub mod hostile;
pub mod interop;
pub mod route_changes;
pub mod scripted_peer;
