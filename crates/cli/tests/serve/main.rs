//! `nsctl serve` as its users meet it: the program itself, asked by nsctl in another process.
#![cfg(unix)]

mod ending;
mod faults;
mod files;
mod process;
mod schema;
mod schema_check;
mod serving;
mod store;
mod wrong_files;
