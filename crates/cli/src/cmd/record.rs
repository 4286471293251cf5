//! `nsctl record`: all that one NameServer knows, as a topology file.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rocketmq_nameserver::{AsyncNameServerClient, ServerAddress};

use super::{Failed, client};
use crate::args::Args;
use crate::out::{self, counted};
use crate::topology::{self, Answers};

/// How many routes are asked for under one limit of time.
const AT_ONCE: usize = 1000;

/// After how long a terminal is shown how far it has come.
const PATIENCE: Duration = Duration::from_secs(1);

/// Prints everything itself, because there is something to print even if it is not all.
pub(crate) async fn run(args: &Args, file: &Path) -> Result<String, Failed> {
    let (server, client) = first_that_answers(args).await?;
    let (answers, mut lost) = ask(&client).await?;
    let version = client.stats().servers.iter().find_map(|server| server.version);
    client.close().await;
    let (topology, unsaid) = topology::survey(&answers);
    lost.extend(unsaid);
    let text = topology.text();
    let to = if file == Path::new(topology::STDIN) {
        out::line(text.trim_end())?;
        "stdout".to_owned()
    } else {
        replace(file, text.as_bytes())
            .map_err(|error| Failed::Usage(format!("cannot write {}: {error}", file.display())))?;
        file.display().to_string()
    };

    let mut said = format!(
        "recorded {}, {} and {} of {server} to {to}",
        counted(topology.brokers(), "broker"),
        counted(topology.topics(), "topic"),
        entries(topology.kv_entries().count()),
    );
    if version.is_some_and(|version| !version.is_5x()) {
        said += "; it is of release 4: serve it with --personality 4";
    }
    if lost.is_empty() {
        out::remark(&said);
        return Ok(String::new());
    }
    let lost: String = lost.iter().map(|lost| format!("\n  {lost}")).collect();
    Err(Failed::Partly(format!("{said}, without:{lost}")))
}

/// One server has to say everything: two may know different things.
async fn first_that_answers(args: &Args) -> Result<(ServerAddress, AsyncNameServerClient), Failed> {
    let mut errors = Vec::new();
    for server in client(args)?.server_list() {
        let builder = AsyncNameServerClient::builder().servers(server.to_string());
        let client = builder.timeout(args.timeout).max_frame_size(args.max_frame_size).build()?;
        match client.get_broker_cluster_info().await {
            Ok(_) => return Ok((server, client)),
            Err(error) => errors.push(error),
        }
    }
    Err(Failed::Queries(errors))
}

/// Everything that it can be asked for, and what it did not say. Brokers come last: a topic's broker is then either there or
/// gone, and not yet to come.
async fn ask(client: &AsyncNameServerClient) -> Result<(Answers, Vec<String>), Failed> {
    let (mut answers, mut lost) = (Answers::default(), Vec::new());
    let mut topics = client.get_all_topic_list().await?.topic_list;
    topics.sort();
    topics.dedup();
    let mut progress = Progress::new(topics.len());
    for some in topics.chunks(AT_ONCE) {
        let routes = client.query_topic_route_infos(some).await;
        for (topic, route) in some.iter().zip(routes) {
            match route {
                Ok(route) => drop(answers.routes.insert(topic.clone(), route)),
                Err(error) if error.is_topic_not_found() => {
                    lost.push(format!("topic {topic}: it has no route, or went away meanwhile"));
                }
                // It is the server that fails and not the topic, and it may have them all later.
                Err(error) if error.is_retryable() => return Err(error.into()),
                Err(error) => lost.push(format!("topic {topic}: {error}")),
            }
        }
        progress.have(answers.routes.len() + lost.len());
    }
    match client.get_kv_list_by_namespace(topology::ORDER_TOPIC_CONFIG).await {
        Ok(table) => answers.order = table.table,
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    answers.info = client.get_broker_cluster_info().await?;
    Ok((answers, lost))
}

/// How far it has come, for whoever looks at a terminal.
struct Progress {
    all: usize,
    started: Instant,
    is_shown: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Progress { all, started: Instant::now(), is_shown: false }
    }

    fn have(&mut self, topics: usize) {
        if self.started.elapsed() < PATIENCE || !io::stderr().is_terminal() {
            return;
        }
        self.is_shown = true;
        // Where it is closed, nobody looks.
        let _closed = write!(io::stderr(), "\r{topics} of {} topics", self.all);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _closed = writeln!(io::stderr());
        }
    }
}

/// Whoever reads the file sees the old one or the new one, whole. A link stays a link, permissions stay as they are, and what
/// is no file, such as `/dev/null` or a pipe, is written to.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let there = fs::metadata(file).ok();
    if there.as_ref().is_some_and(|there| !there.is_file() && !there.is_dir()) {
        return OpenOptions::new().write(true).open(file)?.write_all(text);
    }
    let is_link = there.is_some() && fs::symlink_metadata(file)?.is_symlink();
    let file = if is_link { fs::canonicalize(file)? } else { file.to_owned() };
    let mut name = file.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = file.with_file_name(name);
    let written = write_whole(&beside, there.map(|there| there.permissions()), text)
        .and_then(|()| fs::rename(&beside, &file));
    if written.is_err() {
        // It may not even be there.
        let _gone = fs::remove_file(&beside);
    }
    written
}

fn write_whole(file: &Path, permissions: Option<Permissions>, text: &[u8]) -> io::Result<()> {
    let mut new = File::create(file)?;
    if let Some(permissions) = permissions
        && permissions != new.metadata()?.permissions()
    {
        new.set_permissions(permissions)?;
    }
    new.write_all(text)?;
    new.sync_all()
}

fn entries(count: usize) -> String {
    format!("{count} KV {}", if count == 1 { "entry" } else { "entries" })
}
