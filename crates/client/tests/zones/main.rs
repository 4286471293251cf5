//! Brokers of the own zone: on the embedded servers of both generations, and at a server that knows zones and does not
//! filter.

mod embedded_servers;
mod questions;
mod scripted;
