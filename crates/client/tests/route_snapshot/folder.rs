//! A folder with a snapshot in it, as a cache writes it or as a test wants it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocketmq_nameserver::{AsyncNameServerClient, RouteCache, RouteCacheBuilder};
use tempfile::TempDir;

use crate::site::{Says, Site, pass};

pub(crate) const TOPIC: &str = "T";
pub(crate) const A: Says = Says::Route(&["a"]);

/// In which whatever was found is on disk.
pub(crate) const WRITTEN: Duration = Duration::from_secs(2);

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    /// With the routes of these brokers, shared by the topics that name the same one, confirmed at these times from now on in milliseconds.
    pub(crate) fn with(topics: &[(&str, &str, i64)]) -> Self {
        let folder = Folder::new();
        fs::write(folder.file(), file(topics)).unwrap();
        folder
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("routes")
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    /// Whether the topic is in the file.
    pub(crate) fn has(&self, topic: &str) -> bool {
        self.text().contains(&format!(r#""name":"{topic}""#))
    }

    pub(crate) fn builder(&self, client: AsyncNameServerClient) -> RouteCacheBuilder {
        RouteCache::builder(client).snapshot(self.file())
    }

    pub(crate) fn cache(&self, site: &Site) -> RouteCache {
        self.builder(site.client()).build().unwrap()
    }

    /// A process has found the topic, time has passed while all servers were down, and the process has ended.
    pub(crate) async fn filled(site: &Site, time: Duration) -> Self {
        let folder = Folder::new();
        let cache = folder.cache(site);
        cache.get_route(TOPIC).await.unwrap();
        site.all_say(Says::Down);
        pass(time).await;
        cache.save_snapshot().await.unwrap();
        folder
    }
}

/// Waits until that is so. A file that has taken long is followed by a longer pause, so far less than this is usual.
pub(crate) async fn eventually(is_so: impl Fn() -> bool) {
    let limit = Duration::from_secs(600);
    let waits = async {
        while !is_so() {
            pass(Duration::from_millis(250)).await;
        }
    };
    tokio::time::timeout(limit, waits).await.expect("it never was");
}

/// Milliseconds since 1970, so far from now.
pub(crate) fn unix(offset: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    u64::try_from(now).unwrap().saturating_add_signed(offset)
}

/// The lines of a whole file with these topics: name, broker, milliseconds from now on.
pub(crate) fn lines(topics: &[(&str, &str, i64)]) -> Vec<String> {
    let mut lines = vec![r#"{"format":"rocketmq-nameserver routes","version":1}"#.to_owned()];
    let mut brokers: Vec<&str> = Vec::new();
    for (topic, broker, offset) in topics {
        let confirmed_at = unix(*offset);
        let number = brokers.iter().rposition(|known| known == broker).unwrap_or_else(|| {
            let number = brokers.len();
            brokers.push(broker);
            lines.push(format!(
                r#"{{"route":{{"number":{number},"data":{{"brokerDatas":[{{"brokerAddrs":{{"0":"{broker}:10911"}},"brokerName":"{broker}","cluster":"C"}}],"queueDatas":[{{"brokerName":"{broker}","perm":6,"readQueueNums":4,"writeQueueNums":4}}]}}}}}}"#
            ));
            number
        });
        lines.push(format!(
            r#"{{"topic":{{"name":"{topic}","route":{number},"source":"ns:9876","confirmedAt":{confirmed_at}}}}}"#
        ));
    }
    lines.push(format!(r#"{{"end":{{"lines":{}}}}}"#, lines.len() - 1));
    lines
}

pub(crate) fn file(topics: &[(&str, &str, i64)]) -> String {
    lines(topics).join("\n") + "\n"
}
