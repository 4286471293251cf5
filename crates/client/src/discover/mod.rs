//! Where a client learns which NameServers there are, when that may change while it runs: [`Discovery`].
//!
//! A [`Source`] is asked for a list. [`Book`](book::Book) remembers what each source said and says which list that
//! makes and whom to ask next; it is pure. [`search`] asks, and puts a changed list to use, in the one background task
//! of a client, which [`watch`] owns. Beside them stand the kinds of sources, a file each, and
//! [`LastGood`](last_good::LastGood), the list on disk.

mod book;
mod change;
mod dns;
mod env;
mod file;
#[cfg(feature = "http")]
mod http;
mod last_good;
mod search;
mod source;
mod watch;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::address::{self, ServerAddress};
use crate::error::{NameServerError, Result};

use source::Source;

pub use change::{ServerListChange, ServerListChanges};
#[cfg(feature = "http")]
pub use http::HttpEndpoint;
pub(crate) use watch::Discovered;

/// Finds the NameServers of a client, and finds them again when they change:
/// [`ClientBuilder::discovery`](crate::ClientBuilder::discovery).
///
/// Sources are put together with [`or`](Self::or) and [`and`](Self::and). They are asked in the background, from the
/// first call on; that call waits for the first list, later calls never wait. Each source is asked again at its own
/// interval, and at once, but not more often than once per second, after a server has failed: it cannot be reached,
/// does not answer, is busy or goes away. A source that has failed is asked again after 10 s, or its interval if that is
/// shorter.
///
/// A changed list is in use immediately: new servers are asked, servers that stay keep their connections, and removed
/// ones answer what they have been asked before their connections close. The order of a list is the order of
/// preference; the same servers in another order are no change.
///
/// **The last good list stands.** A source that fails, or gives an empty list, stands for the list that it gave last.
/// So a failing source never takes servers away; [`keep_last_good`](Self::keep_last_good) makes that hold over
/// restarts.
///
/// ```
/// use rocketmq_nameserver::{AsyncNameServerClient, Discovery};
///
/// let discovery = Discovery::env()
///     .or(Discovery::dns("nameserver.rocketmq.svc", 9876))
///     .keep_last_good("/var/cache/my-service/nameservers");
/// let client = AsyncNameServerClient::builder().discovery(discovery).build()?;
/// # Ok::<(), rocketmq_nameserver::NameServerError>(())
/// ```
#[derive(Clone)]
#[must_use = "a discovery does nothing until a client is built with it"]
pub struct Discovery {
    plan: Plan,
    last_good: Option<PathBuf>,
    /// What is wrong with it, for the build of the client.
    wrong: Option<NameServerError>,
}

/// How sources make one list.
#[derive(Clone)]
enum Plan {
    Source(Source),
    /// The first one that has a list.
    First(Vec<Plan>),
    /// All of them together.
    All(Vec<Plan>),
}

impl Discovery {
    /// These servers, for ever: `host:port`, several separated by `;` or `,`. For a client that has nothing else
    /// [`ClientBuilder::servers`](crate::ClientBuilder::servers) does the same; here it is one source among others.
    ///
    /// An address that cannot be read is a Usage error when the client is built.
    pub fn servers(list: impl AsRef<str>) -> Self {
        match address::parse_list(list.as_ref()) {
            Ok(servers) => Discovery::of(Source::fixed(servers)),
            Err(error) => Discovery::wrong(error),
        }
    }

    /// The environment variable `NAMESRV_ADDR`, as all RocketMQ tools have it: `host:port`, several separated by `;`
    /// or `,`. Read by the first call, and not again, because a process's environment does not change.
    pub fn env() -> Self {
        Discovery::env_named("NAMESRV_ADDR")
    }

    /// As [`env`](Self::env), with an environment variable of another name.
    pub fn env_named(variable: impl Into<String>) -> Self {
        Discovery::of(env::source(variable.into()))
    }

    /// Every address that a host name has, IPv4 and IPv6, each with that port: a headless service of Kubernetes, or
    /// a name with many A records.
    ///
    /// Looked up every 30 s, as long as the DNS servers of Kubernetes let such answers be kept, and after failures of servers.
    /// One lookup may take 10 s, twice what the system's resolver waits for the first of its servers.
    ///
    /// A host that is none, or a port of 0, is a Usage error when the client is built.
    pub fn dns(host: impl AsRef<str>, port: u16) -> Self {
        match ServerAddress::new(host.as_ref(), port) {
            Ok(server) => Discovery::of(dns::source(&server)),
            Err(error) => Discovery::wrong(error),
        }
    }

    /// A file of addresses: `host:port`, separated by `;`, `,` or lines; from `#` to the end of the line is a comment.
    /// At most 64 KiB.
    ///
    /// Read every 2 s: soon enough for whoever changes it by hand, and a small read costs next to nothing. Replace the
    /// file by renaming another one to it, so that it is never read half written.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Discovery::of(file::source(path.as_ref()))
    }

    /// An HTTP endpoint as RocketMQ's Java client knows it. See [`HttpEndpoint`].
    #[cfg(feature = "http")]
    pub fn http(endpoint: impl Into<HttpEndpoint>) -> Self {
        Discovery::http_url(endpoint.into().url())
    }

    /// An HTTP endpoint by its whole URL, which must begin with `http://`; its answer is read as that of an
    /// [`HttpEndpoint`].
    ///
    /// A URL that cannot be read is a Usage error when the client is built.
    #[cfg(feature = "http")]
    pub fn http_url(url: impl AsRef<str>) -> Self {
        match http::source(url.as_ref()) {
            Ok(source) => Discovery::of(source),
            Err(error) => Discovery::wrong(error),
        }
    }

    /// Whatever `find` finds: a registry of your own. It is called every `every`, and after failures of servers; one call may
    /// take 30 s. [`ServerAddress::parse_list`] reads lists as the other sources have them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rocketmq_nameserver::{Discovery, ServerAddress};
    ///
    /// let discovery = Discovery::from_fn(Duration::from_secs(30), || async {
    ///     let list = "ns-1:9876;ns-2:9876"; // from wherever it stands
    ///     ServerAddress::parse_list(list)
    /// });
    /// ```
    ///
    /// An interval of 0 is a Usage error when the client is built.
    pub fn from_fn<F, Fut, E>(every: Duration, find: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<Vec<ServerAddress>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Discovery::of(Source::custom(find)).every(every)
    }

    /// The other discovery's list, as long as this one has never given any.
    ///
    /// "Never" because a source stands for the list that it gave last: one that fails later does not hand over to
    /// another, which would take working servers away.
    pub fn or(self, other: Discovery) -> Self {
        self.joined(other, |one, other| Plan::First([one.choices(), other.choices()].concat()))
    }

    /// The servers of both, this one's first. The first list waits until each of them has answered or failed; later
    /// the change of one does not wait for the other.
    pub fn and(self, other: Discovery) -> Self {
        self.joined(other, |one, other| Plan::All([one.parts(), other.parts()].concat()))
    }

    /// Another interval than the usual one for all sources so far that are asked more than once.
    ///
    /// An interval of 0 is a Usage error when the client is built.
    pub fn every(mut self, interval: Duration) -> Self {
        if interval.is_zero() {
            self.wrong.get_or_insert(NameServerError::usage("a source cannot be asked every 0 s"));
        }
        self.plan.for_each(&mut |source| source.set_every(interval));
        self
    }

    /// Keeps the last good list in that file too, for a start at which every source fails. Its folder must be there.
    ///
    /// The file is replaced whole and only when the list has changed. One that cannot be read or written is a warning
    /// in the log and no error. Processes may share one. It is plain text, and has no secrets.
    pub fn keep_last_good(mut self, path: impl Into<PathBuf>) -> Self {
        self.last_good = Some(path.into());
        self
    }

    fn of(source: Source) -> Self {
        Discovery { plan: Plan::Source(source), last_good: None, wrong: None }
    }

    fn wrong(error: NameServerError) -> Self {
        Discovery { plan: Plan::All(Vec::new()), last_good: None, wrong: Some(error) }
    }

    fn joined(self, other: Discovery, whole: impl FnOnce(Plan, Plan) -> Plan) -> Self {
        Discovery {
            plan: whole(self.plan, other.plan),
            last_good: self.last_good.or(other.last_good),
            wrong: self.wrong.or(other.wrong),
        }
    }

    /// What is wrong with it, if anything.
    pub(crate) fn check(&self) -> Result<()> {
        self.wrong.clone().map_or(Ok(()), Err)
    }
}

impl Plan {
    fn choices(self) -> Vec<Plan> {
        match self {
            Plan::First(plans) => plans,
            other => vec![other],
        }
    }

    fn parts(self) -> Vec<Plan> {
        match self {
            Plan::All(plans) => plans,
            other => vec![other],
        }
    }

    fn for_each(&mut self, f: &mut impl FnMut(&mut Source)) {
        match self {
            Plan::Source(source) => f(source),
            Plan::First(plans) | Plan::All(plans) => plans.iter_mut().for_each(|plan| plan.for_each(f)),
        }
    }
}

/// The sources as errors name them.
impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Discovery({:?})", self.plan)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plans, word) = match self {
            Plan::Source(source) => return f.write_str(source.name()),
            Plan::First(plans) => (plans, " or "),
            Plan::All(plans) => (plans, " and "),
        };
        f.write_str("(")?;
        for (at, plan) in plans.iter().enumerate() {
            write!(f, "{}{plan:?}", if at == 0 { "" } else { word })?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn sources_are_put_together_from_left_to_right() {
        let [a, b, c] = ["A", "B", "C"].map(Discovery::env_named);
        let shown = |discovery: Discovery| format!("{discovery:?}").replace("environment variable ", "");
        for (discovery, expected) in [
            (a.clone().or(b.clone()).or(c.clone()), "Discovery((A or B or C))"),
            (a.clone().or(b.clone().or(c.clone())), "Discovery((A or B or C))"),
            (a.clone().and(b.clone()).and(c.clone()), "Discovery((A and B and C))"),
            (a.clone().or(b.clone()).and(c.clone()), "Discovery(((A or B) and C))"),
            (a.clone().or(b.clone().and(c.clone())), "Discovery((A or (B and C)))"),
        ] {
            assert_eq!(shown(discovery), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_a_usage_error_wherever_it_stands() {
        let none = || async { Ok::<_, NameServerError>(Vec::new()) };
        for wrong in [
            Discovery::servers("a:b"),
            Discovery::servers(" "),
            Discovery::dns("", 1),
            Discovery::dns("a", 0),
            Discovery::from_fn(Duration::ZERO, none),
        ] {
            for discovery in [
                wrong.clone(),
                wrong.clone().or(Discovery::env()),
                Discovery::env().and(wrong.clone()).every(Duration::from_secs(1)),
            ] {
                assert_eq!(discovery.check().unwrap_err().kind(), ErrorKind::Usage, "{discovery:?}");
            }
        }
        assert!(Discovery::env().or(Discovery::servers("a")).check().is_ok());
    }
}
