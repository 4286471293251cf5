//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use rocketmq_nameserver::AddressRewriting;
use rocketmq_nameserver::protocol::frame::DEFAULT_MAX_FRAME_SIZE;
use rocketmq_nameserver_server::{DEFAULT_LISTEN, Fault};

use crate::address;

const GLOBAL: &str = "Options of all commands";

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
  nsctl serve --from cluster.json          a NameServer that knows these brokers
  nsctl -n 127.0.0.1:9876 route TopicTest  where is this topic?
  NAMESRV_ADDR=ns1:9876,ns2:9876 nsctl cluster -o json
  nsctl -n ns1:9876,ns2:9876 diff          do these two say the same?
  nsctl -n 127.0.0.1:9876 --rewrite 172.17.0.0/16=localhost route TopicTest"
)]
pub(crate) struct Args {
    /// NameServers, host:port, several separated by ',' or ';'. The port is 9876 unless given.
    #[arg(short, long, env = "NAMESRV_ADDR", global = true, help_heading = GLOBAL, value_name = "ADDRESSES")]
    pub(crate) namesrv: Option<String>,

    /// How answers and errors are printed. JSON has the names of the wire, as mqadmin prints them, but is always valid.
    #[arg(short, long, global = true, help_heading = GLOBAL, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,

    /// How long a call may take in all, such as 500ms or 5s.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,

    /// The largest answer in bytes; at least 1024.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "BYTES", default_value_t = DEFAULT_MAX_FRAME_SIZE)]
    pub(crate) max_frame_size: usize,

    /// Broker addresses that are replaced in routes and in the cluster info: FROM=TO, several separated by ',' or ';'.
    ///
    /// FROM is a host, host:port or a network such as 172.17.0.0/16; TO is a host, which keeps the port, or host:port. The first
    /// rule that matches counts. Tables then show "used (advertised)", JSON has advertisedAddrs beside brokerAddrs. diff and
    /// record show what brokers advertise, whatever the rules.
    #[arg(long, env = "NSCTL_REWRITE", global = true, help_heading = GLOBAL, value_name = "RULES", default_value = "", hide_default_value = true, value_parser = AddressRewriting::parse)]
    pub(crate) rewrite: AddressRewriting,

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
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        topic: String,
    },
    /// Which brokers there are and which cluster they belong to.
    Cluster,
    /// Where NameServers disagree: routes, lists of topics, brokers. Takes two servers or more.
    #[command(after_help = DIFF_HELP)]
    Diff(Diff),
    /// Writes all that one NameServer knows to a topology file, which nsctl serve --from serves again with the same answers.
    #[command(after_help = RECORD_HELP)]
    Record {
        /// Where to; - is stdout. A file is replaced in one step, a pipe or a device is written to.
        #[arg(long, value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
    /// Runs a NameServer, for tests and for trying things out, until Ctrl-C or SIGTERM.
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Prints a completion script for a shell, such as: nsctl completion bash > /etc/bash_completion.d/nsctl
    Completion {
        /// The shell.
        shell: Shell,
    },
}

const DIFF_HELP: &str = r#"Each NameServer makes its tables from what brokers tell it, and clients believe the one that they happen to ask. diff asks all of them and compares: who says what most servers do not say?

Servers are compared with the opinion that most of them have, and of two that as many have, with that of the first server. What a 4.x server cannot say (zones, acting masters, static topics) does not count as a difference to it. Addresses are compared as brokers advertise them, whatever --rewrite says.

Exit codes: 0 all servers agree, 1 they disagree, 2 wrong use, 3 a server did not answer or refused, so nobody can say that they agree, 4 as 3, and an answer was broken. Other than that of other commands the answer is on stdout in all cases but 2: with -o json one object with servers, agree, topics, lists, brokers and failed. A server that is named twice counts once. Addresses are those that brokers advertise: --rewrite has no effect.

Examples:
  nsctl -n ns1:9876,ns2:9876 diff                everything
  nsctl -n ns1:9876,ns2:9876 diff orders         this topic only
  nsctl -n ns1:9876,ns2:9876 diff --confirm 3 --pause 35s
                                                 what brokers have not mended after 105 s
  nsctl -n ns1:9876,ns2:9876 diff -o json | jq -r '.topics.differ[].topic'"#;

/// What `nsctl diff` compares.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The topics to compare. Without any: all topics of all servers, their lists of topics and their brokers. About one that no
    /// server knows they agree; it is named, in JSON under topics.unknown.
    #[arg(value_name = "TOPIC", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) topics: Vec<String>,

    /// How often what differs is asked again. Only what differs each time is told: a broker that comes or goes tells the
    /// servers one after the other. 0 believes the first look.
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    pub(crate) confirm: u32,

    /// How long to wait before asking again. A broker tells all servers within milliseconds, so half a second is ample; it
    /// repeats itself every 30s, so what is left after 35s does not mend by itself.
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = humantime::parse_duration)]
    pub(crate) pause: Duration,
}

const RECORD_HELP: &str = r#"Of several servers in --namesrv the first one that answers is recorded, and named. What is asked: the cluster info, the list of all topics, the route of each, and the KV namespace ORDER_TOPIC_CONFIG; other KV namespaces cannot be listed. Settings that show in routes are recorded too: orderMessageEnable and supportActingMaster. A server of release 4 is best served again with --personality 4. Addresses are those that brokers advertise: --rewrite has no effect.

On stderr stands what was recorded, and by its name what was not: a topic that went away meanwhile, a broker without members. --timeout holds for each request, for routes for each 1000. Addresses are recorded as brokers advertise them, whatever --rewrite says.

Exit codes: 0 everything was recorded, 1 some was not (the rest is there) or the server said no, 2 wrong use or a file that cannot be written, 3 no server answered, 4 a broken answer.

Examples:
  nsctl -n ns1:9876 record --out cluster.json
  nsctl serve --from cluster.json
  nsctl -n ns1:9876 record | nsctl serve --from -"#;

const SERVE_HELP: &str = r#"When it is ready it prints one line on stdout and nothing else there: where it listens, or with -o json an object with address and personality. Its log goes to stderr. --timeout and --max-frame-size hold for it too, --namesrv and --rewrite do not.

Exit codes: 0 ended by Ctrl-C or SIGTERM, 2 a wrong argument or file, 3 it cannot listen there or cannot put the KV entries of a topology.

Examples:
  nsctl serve -v                             says which brokers come and go
  nsctl serve --listen 127.0.0.1:0 -o json   on a free port, for a script
  nsctl serve --from cluster.json            knows the brokers of that file
  jq .topology all.json | nsctl serve --from -
                                             from a part of another file
  nsctl serve --personality 4                answers as a 4.9.7 does
  nsctl serve --kv-file kvConfig.json --set orderMessageEnable=true
  nsctl serve --schema                       what may stand in a topology file
  nsctl serve --fault not-ready,slow=200ms   wrong on purpose
  nsctl serve --faults-from-stdin            wrong when you say so: type silent, then none

Faults show what clients make of a server that goes wrong. Several may be on; each acts where those above it have left something to do:
  refuse        closes new connections at once, others at their next request
  go-away       answers 1500 please go away, to clients that understand it
  not-ready     refuses routes: 1 name server not ready
  empty         answers as if no broker had registered, but takes registrations
  disagree      leaves the last broker group out of each route, as a server does
                that has not heard of it while its twin has
  silent        takes requests, answers none, keeps connections open
  wrong-opaque  numbers each answer one too high
  slow=200ms    answers that late
  half-frame    writes the first half of an answer, closes the connection
  forget        once, as after a restart: no brokers and topics, also none of
                --from, no KV entries but those of --kv-file; connections closed

A topology file; all but the addresses may be left out, and a broker with exactly one topic is fine here, which a 5.x server refuses to new brokers:
  {
    "clusters": {"DefaultCluster": {
      "brokers": {"broker-a": {"brokerAddrs": {"0": "127.0.0.1:10911"}}},
      "topics": {"orders": {"readQueueNums": 4, "perm": "RW"}}
    }},
    "kv": {"ORDER_TOPIC_CONFIG": {"orders": "broker-a:4"}},
    "settings": {"orderMessageEnable": "true"}
  }
A broker may also have "enableActingMaster", "zoneName" and "filterServerTable", a topic "topicSysFlag", "order" and, if it is static, "topicQueueMappingInfo". What --set says stands in the place of the same key in "settings"."#;

/// How `nsctl serve` serves.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where to listen, host:port. Port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_LISTEN, value_parser = address::to_listen_at)]
    pub(crate) listen: String,

    /// Which Java server it behaves as: 4 stands for 4.9.7, 5 for 5.3.3.
    #[arg(long, value_name = "GENERATION", default_value = "5")]
    pub(crate) personality: Generation,

    /// Where the KV store is kept, in the form of Java's kvConfig.json; missing folders are made. In memory only unless
    /// given.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) kv_file: Option<PathBuf>,

    /// Brokers, topics and KV entries that it knows from the start: a topology file, or - for stdin. With --kv-file its
    /// KV entries take the place of stored ones, at each start.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from: Option<PathBuf>,

    /// One of the NameServer's own settings, such as orderMessageEnable=true. May be given several times.
    ///
    /// orderMessageEnable, configStorePath and kvConfigPath have an effect, and with --personality 5 also
    /// returnOrderTopicConfigToBroker, enableAllTopicList, enableTopicList, supportActingMaster,
    /// deleteTopicWithBrokerRegistration, needWaitForService, waitSecondsForService, notifyMinBrokerIdChanged,
    /// enableShutdownGracefully, shutdownWaitTimeSeconds, scanNotActiveBrokerInterval, unRegisterBrokerQueueCapacity and
    /// configBlackList; all others are kept and shown only. listenPort is refused: use --listen.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,

    /// What it does wrong from the start, several separated by ',': see Faults below.
    #[arg(long = "fault", value_name = "NAME", value_delimiter = ',', value_parser = lasting_fault)]
    pub(crate) faults: Vec<Fault>,

    /// Reads lines from stdin while it runs. Each names all faults that are on from then on, separated by ',', or none; when
    /// they are, the line "fault: NAMES" is on stderr. A line that cannot be read leads to an error there and changes
    /// nothing. When stdin ends, the faults stay.
    #[arg(long)]
    pub(crate) faults_from_stdin: bool,

    /// Prints the JSON Schema of topology files and ends.
    #[arg(long)]
    pub(crate) schema: bool,

    /// Logs more: -v brokers that come and go, -vv what goes on in connections. RUST_LOG decides where it is set.
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Which Java server a server behaves as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Generation {
    /// RocketMQ 4.9.7.
    #[value(name = "4")]
    V4,
    /// RocketMQ 5.3.3.
    #[value(name = "5")]
    V5,
}

impl Generation {
    /// As it is written on the command line.
    pub(crate) fn number(self) -> u8 {
        match self {
            Generation::V4 => 4,
            Generation::V5 => 5,
        }
    }
}

fn lasting_fault(text: &str) -> Result<Fault, String> {
    match text.parse() {
        Ok(Fault::ForgetEverything) => {
            Err("at the start there is nothing to forget; say so with --faults-from-stdin".to_owned())
        }
        Ok(fault) => Ok(fault),
        Err(error) => Err(error.to_string()),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        // It would be shown, and not be true.
        Some(("listenPort", _)) => Err("use --listen".to_owned()),
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// Whether the command line asks for JSON although it cannot be understood, so that its error is JSON too.
pub(crate) fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<OsString> = arguments.collect();
    let apart =
        arguments.windows(2).any(|pair| (pair[0] == "-o" || pair[0] == "--output") && pair[1] == "json");
    apart || arguments.iter().any(|argument| argument == "-ojson" || argument == "--output=json")
}
