//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use rocketmq_nameserver::protocol::frame::DEFAULT_MAX_FRAME_SIZE;

/// Asks RocketMQ NameServers: where a topic is, which brokers form which cluster.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "\
Exit codes: 0 answered, 1 the server said no (such as: topic not found), 2 wrong use, 3 no server answered, 4 a broken \
answer.

Examples:
  nsctl demo                               see it work, without any server
  nsctl -n 127.0.0.1:9876 route TopicTest  where is this topic?
  NAMESRV_ADDR=ns1:9876,ns2:9876 nsctl cluster -o json"
)]
pub(crate) struct Args {
    /// NameServers, host:port, several separated by ',' or ';'. The port is 9876 unless given.
    #[arg(short, long, env = "NAMESRV_ADDR", global = true, value_name = "ADDRESSES")]
    pub(crate) namesrv: Option<String>,

    /// How answers and errors are printed. JSON has the names of the wire, as mqadmin prints them, but is always valid.
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,

    /// How long a call may take in all, such as 500ms or 5s.
    #[arg(long, global = true, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,

    /// The largest answer in bytes.
    #[arg(long, global = true, value_name = "BYTES", default_value_t = DEFAULT_MAX_FRAME_SIZE)]
    pub(crate) max_frame_size: usize,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How answers and errors are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: one value on stdout, errors as one value on stderr.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the main job on a NameServer inside this program, in a moment, without any set-up. Prints text, always.
    Demo,
    /// Where a topic is: brokers, addresses, queues, permissions.
    Route {
        /// The topic.
        topic: String,
    },
    /// Which brokers there are and which cluster they belong to.
    Cluster,
    /// Prints a completion script for a shell, such as: nsctl completion bash > /etc/bash_completion.d/nsctl
    Completion {
        /// The shell.
        shell: Shell,
    },
}

/// Whether the command line asks for JSON although it cannot be understood, so that its error is JSON too.
pub(crate) fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<OsString> = arguments.collect();
    let apart =
        arguments.windows(2).any(|pair| (pair[0] == "-o" || pair[0] == "--output") && pair[1] == "json");
    apart || arguments.iter().any(|argument| argument == "-ojson" || argument == "--output=json")
}
