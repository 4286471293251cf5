//! Why the cache says what it says about a topic.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;

use super::entry::CachedRoute;

/// What a cache knows about a topic and how it came to know it: [`RouteCache::explain`](super::RouteCache::explain). Its
/// `Display` is for people.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The topic.
    pub topic: Name,
    /// Its route, if there is one.
    pub kept: Option<Kept>,
    /// Whether a server is being asked now.
    pub asking: bool,
    /// For how long callers are told that no server knows the topic.
    pub missing_for: Option<Duration>,
    /// How many questions in a row have not confirmed the route.
    pub failures: u32,
    /// The latest 16 events, oldest first. Steady confirmations are not among them.
    pub history: Vec<Happened>,
}

/// A route that is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Kept {
    /// The route.
    pub route: CachedRoute,
    /// How long ago it was said first.
    pub first_ago: Duration,
    /// When a server is asked again, unless somebody does before.
    pub refreshed_in: Duration,
    /// The file from which it was loaded, as long as no server has confirmed it since.
    pub loaded_from: Option<PathBuf>,
}

/// Something that happened to a topic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Happened {
    /// How long ago, the last time.
    pub ago: Duration,
    /// How often in a row.
    pub times: u32,
    /// What it was, for people.
    pub what: String,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic {}: ", self.topic)?;
        match &self.kept {
            Some(Kept { route, first_ago, refreshed_in, loaded_from }) => {
                let state = if route.is_stale() { "stale" } else { "fresh" };
                let brokers = counted(route.broker_data_list.len(), "broker");
                let queues = route.queue_data_list.len();
                let (source, age) = (route.source(), route.age());
                write!(f, "{state} route of {brokers} and {queues} lists of queues, ")?;
                match loaded_from {
                    Some(file) => write!(
                        f,
                        "loaded from {}, said by {source}, confirmed {age:.1?} ago",
                        file.display()
                    )?,
                    None => write!(
                        f,
                        "said first by {source} {first_ago:.1?} ago, confirmed {}, the last time {age:.1?} ago",
                        counted(route.confirmations() as usize, "time")
                    )?,
                }
                match *refreshed_in {
                    Duration::ZERO => f.write_str(", to be refreshed now")?,
                    left => write!(f, ", refreshed in {left:.1?}")?,
                }
            }
            None => f.write_str("no route")?,
        }
        if self.asking {
            f.write_str(", a server is being asked")?;
        }
        if let Some(left) = self.missing_for {
            write!(f, ", not asked for again within {left:.1?}")?;
        }
        if self.failures > 0 {
            write!(f, ", {} in a row", counted(self.failures as usize, "failure"))?;
        }
        for Happened { ago, times, what } in &self.history {
            write!(f, "\n  {ago:.1?} ago")?;
            if *times > 1 {
                write!(f, ", {times} times")?;
            }
            write!(f, ": {what}")?;
        }
        Ok(())
    }
}

/// `1 broker`, `2 brokers`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
