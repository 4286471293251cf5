//! `nsctl serve` as its users meet it: the program itself, asked by nsctl in another process.
#![cfg(unix)]

mod ending;
mod process;
mod serving;
