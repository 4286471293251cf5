//! One file per command. Each returns the text to print, or why there is none. `signals` is what ends one that goes on, `faults`
//! has `serve` go wrong when it is told to.

mod advertised;
mod cluster;
mod demo;
mod diff;
mod faults;
mod record;
mod route;
mod serve;
mod signals;

use std::io;

use clap::CommandFactory;
use rocketmq_nameserver::{AsyncNameServerClient, NameServerError};
use serde::Serialize;

use crate::args::{Args, Command, Format};
use crate::out::tame;

/// Why a command printed no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It was called in a wrong way.
    Usage(String),
    /// The question was not answered.
    Query(NameServerError),
    /// None of those asked one after the other has answered it.
    Queries(Vec<NameServerError>),
    /// There is an answer to print, but not the one that exit code 0 stands for.
    Answered { text: String, code: u8 },
    /// It was answered in part, and that is printed: what, and what is missing.
    Partly(String),
    /// The machine did not play along.
    System(String),
}

impl From<NameServerError> for Failed {
    fn from(error: NameServerError) -> Self {
        Failed::Query(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Failed::System(error.to_string())
    }
}

/// Does what the arguments say.
pub(crate) async fn run(args: Args) -> Result<String, Failed> {
    match &args.command {
        Command::Demo => demo::run(args.timeout).await,
        Command::Route { topic } => route::run(&client(&args)?, topic, args.output).await,
        Command::Cluster => cluster::run(&client(&args)?, args.output).await,
        Command::Diff(diff) => diff::run(&args, diff).await,
        Command::Record { out } => record::run(&args, out).await,
        Command::Serve(serve) => serve::run(&args, serve).await,
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "nsctl", &mut script);
            String::from_utf8(script).map_err(|error| Failed::System(error.to_string()))
        }
    }
}

fn client(args: &Args) -> Result<AsyncNameServerClient, Failed> {
    let Some(servers) = args.namesrv.as_deref().filter(|servers| !servers.trim().is_empty()) else {
        return Err(Failed::Usage(
            "no NameServer given. Say which one with -n HOST:PORT or in the environment variable NAMESRV_ADDR;\n\
             several are separated by ',' or ';'. To see nsctl at work without any server: nsctl demo"
                .to_owned(),
        ));
    };
    client_of(args, servers)
}

/// A client of these servers, with the settings of the command line.
fn client_of(args: &Args, servers: &str) -> Result<AsyncNameServerClient, Failed> {
    let builder = AsyncNameServerClient::builder().servers(servers);
    let builder = builder.timeout(args.timeout).max_frame_size(args.max_frame_size);
    Ok(builder.rewrite_addresses(args.rewrite.clone()).build()?)
}

/// The answer in the wanted form.
fn printed<T: Serialize>(
    answer: &T,
    format: Format,
    table: impl FnOnce(&T) -> String,
) -> Result<String, Failed> {
    match format {
        Format::Table => Ok(tame(&table(answer))),
        Format::Json => {
            serde_json::to_string_pretty(answer).map_err(|error| Failed::System(error.to_string()))
        }
    }
}
