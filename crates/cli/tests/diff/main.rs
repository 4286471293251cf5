//! `nsctl diff` on embedded servers that have heard different things, or go wrong.

mod confirming;
mod failing;
mod telling;
mod twins;
