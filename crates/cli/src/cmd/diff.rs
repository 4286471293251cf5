//! `nsctl diff`: where NameServers disagree.
//!
//! `inquiry` asks, again and again where something differs; `words` and `json` say what came of it; `progress` says on a
//! terminal how far it is.

mod inquiry;
mod json;
mod progress;
mod words;

use std::collections::BTreeSet;

use rocketmq_nameserver::{AllRoutes, ClusterDifference, ErrorKind, ListDifference, Name, NameServerError};

use super::{Failed, client};
use crate::args::{Args, Diff, Format};
use crate::out::{BROKEN_ANSWER, NO_SERVER, REFUSED, tame};

use inquiry::Inquiry;

/// What came of the comparison.
#[derive(Debug)]
struct Report {
    /// All of them.
    servers: Vec<Name>,
    /// How many topics were compared.
    topics: usize,
    /// Those that differ.
    routes: Vec<AllRoutes>,
    /// Topics that were asked for by name and that no server knows.
    unknown: Vec<Name>,
    /// How many brokers were compared. None, if topics were asked for by name.
    brokers: Option<usize>,
    broker_differences: Vec<ClusterDifference>,
    list_differences: Vec<ListDifference>,
    failed: Vec<Failure>,
}

/// What a server did not say.
#[derive(Debug)]
struct Failure {
    server: Name,
    /// The list of its topics.
    list: bool,
    /// Its brokers.
    brokers: bool,
    /// How many routes.
    routes: usize,
    /// Why, the first time.
    error: NameServerError,
}

pub(crate) async fn run(args: &Args, diff: &Diff) -> Result<String, Failed> {
    let client = client(args)?;
    if client.server_list().len() < 2 {
        return Err(Failed::Usage(
            "diff compares NameServers with each other: name two different ones or more, such as\n\
             nsctl -n ns1:9876,ns2:9876 diff"
                .to_owned(),
        ));
    }
    let report = Inquiry::new(args, client).report(diff).await?;
    let text = match args.output {
        Format::Table => tame(&words::text(&report)),
        Format::Json => json::text(&report)?,
    };
    match report.exit_code() {
        0 => Ok(text),
        code => Err(Failed::Answered { text, code }),
    }
}

impl Report {
    fn is_disagreement(&self) -> bool {
        !(self.routes.is_empty() && self.broker_differences.is_empty() && self.list_differences.is_empty())
    }

    fn agree(&self) -> bool {
        !self.is_disagreement() && self.failed.is_empty()
    }

    fn exit_code(&self) -> u8 {
        let is_broken =
            |failure: &Failure| matches!(failure.error.kind(), ErrorKind::Protocol | ErrorKind::DataParse);
        match () {
            () if self.is_disagreement() => REFUSED,
            () if self.failed.iter().any(is_broken) => BROKEN_ANSWER,
            () if !self.failed.is_empty() => NO_SERVER,
            () => 0,
        }
    }

    /// The differences between lists that those between routes do not show.
    fn of_lists_alone(&self) -> impl Iterator<Item = &ListDifference> {
        let routes: BTreeSet<&Name> = self.routes.iter().map(AllRoutes::topic).collect();
        self.list_differences.iter().filter(move |difference| !routes.contains(&difference.topic))
    }
}
