//! nsctl: asks RocketMQ NameServers from a terminal.
//!
//! `args` says what can be asked, `address` what an address is, `cmd` holds one file per command, `out` prints answers and errors, `log` what happens
//! meanwhile, `topology` reads what a server shall know. The program itself is glue: what it knows about NameServers is
//! in the client crate, and what it is as one in the server crate.

mod address;
mod args;
mod cmd;
mod log;
mod out;
mod topology;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return out::misused(&error, args::wants_json(std::env::args_os())),
    };
    let format = args.output;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return out::failed(&cmd::Failed::from(error), format),
    };
    match runtime.block_on(cmd::run(args)) {
        Ok(text) => out::answer(&text),
        Err(failed) => out::failed(&failed, format),
    }
}
