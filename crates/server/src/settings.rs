//! The NameServer's own settings, as requests 318 and 319 show and change them (`docs/wire.md` §2.9, §2.10).
//!
//! All keys of a Java server are there, because its tools show them. Those in [`Switches`] do something here and act at
//! once; the others are kept and shown.

use std::fs;
use std::io;
use std::path::PathBuf;

use rocketmq_nameserver_protocol::model::NamesrvConfig;

use crate::personality::Personality;
use crate::whole_file::WholeFile;

/// What a value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// "true" in any case; everything else is false.
    Bool,
    Int,
    Long,
    Text,
}

use Kind::{Bool, Int, Long, Text};

/// Key, kind and default of what 4.9.7 has, and 5.3.3 too.
const COMMON: &[(&str, Kind, &str)] = &[
    ("clusterTest", Bool, "false"),
    (CONFIG_STORE_PATH, Text, ""),
    ("kvConfigPath", Text, ""),
    ("listenPort", Int, "9876"),
    ("orderMessageEnable", Bool, "false"),
    ("productEnvName", Text, "center"),
    ("rocketmqHome", Text, ""),
    ("serverAsyncSemaphoreValue", Int, "64"),
    ("serverCallbackExecutorThreads", Int, "0"),
    ("serverChannelMaxIdleTimeSeconds", Int, "120"),
    ("serverOnewaySemaphoreValue", Int, "256"),
    ("serverPooledByteBufAllocatorEnable", Bool, "true"),
    ("serverSelectorThreads", Int, "3"),
    ("serverSocketBacklog", Int, "1024"),
    ("serverSocketRcvBufSize", Int, "0"),
    ("serverSocketSndBufSize", Int, "0"),
    ("serverWorkerThreads", Int, "8"),
    ("useEpollNativeSelector", Bool, "false"),
    ("writeBufferHighWaterMark", Int, "0"),
    ("writeBufferLowWaterMark", Int, "0"),
];

/// What only 5.3.3 has.
const SINCE_V5: &[(&str, Kind, &str)] = &[
    ("bindAddress", Text, "0.0.0.0"),
    ("clientRequestThreadPoolNums", Int, "8"),
    ("clientRequestThreadPoolQueueCapacity", Int, "50000"),
    (BLACK_LIST, Text, "configBlackList;configStorePath;kvConfigPath"),
    ("defaultThreadPoolNums", Int, "16"),
    ("defaultThreadPoolQueueCapacity", Int, "10000"),
    ("deleteTopicWithBrokerRegistration", Bool, "false"),
    ("enableAllTopicList", Bool, "true"),
    ("enableControllerInNamesrv", Bool, "false"),
    ("enableShutdownGracefully", Bool, "false"),
    ("enableTopicList", Bool, "true"),
    ("needWaitForService", Bool, "false"),
    ("notifyMinBrokerIdChanged", Bool, "false"),
    ("returnOrderTopicConfigToBroker", Bool, "true"),
    ("scanNotActiveBrokerInterval", Long, "5000"),
    ("serverNettyWorkerGroupEnable", Bool, "true"),
    ("shutdownWaitTimeSeconds", Int, "30"),
    ("supportActingMaster", Bool, "false"),
    ("unRegisterBrokerQueueCapacity", Int, "3000"),
    ("waitSecondsForService", Int, "45"),
];

/// The setting that names further keys which nobody may set from afar.
const BLACK_LIST: &str = "configBlackList";
/// The setting that names the file which keeps all settings.
const CONFIG_STORE_PATH: &str = "configStorePath";
/// What 5.3.3 lets nobody set from afar, whatever its black list says.
const BLACK_V5: &[&str] = &[BLACK_LIST, CONFIG_STORE_PATH, "kvConfigPath", "rocketmqHome"];
/// What 4.9.7 lets nobody set from afar.
const BLACK_V4: &[&str] = &["kvConfigPath", CONFIG_STORE_PATH];

/// The settings that do something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switches {
    pub(crate) order_message_enable: bool,
    pub(crate) return_order_topic_config_to_broker: bool,
    pub(crate) enable_all_topic_list: bool,
    pub(crate) enable_topic_list: bool,
    pub(crate) support_acting_master: bool,
    pub(crate) delete_topic_with_broker_registration: bool,
    pub(crate) need_wait_for_service: bool,
    pub(crate) notify_min_broker_id_changed: bool,
    pub(crate) wait_seconds_for_service: u64,
    pub(crate) enable_shutdown_gracefully: bool,
    pub(crate) shutdown_wait_time_seconds: u64,
    pub(crate) un_register_broker_queue_capacity: usize,
    pub(crate) scan_not_active_broker_interval: u64,
}

/// Why settings from afar were refused: one of them may not be set so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlackListed;

/// All settings of a server of that generation.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    personality: Personality,
    entries: Vec<Entry>,
    switches: Switches,
}

#[derive(Debug, Clone)]
struct Entry {
    key: &'static str,
    kind: Kind,
    value: String,
}

impl Settings {
    /// The defaults, sorted by key.
    pub(crate) fn new(personality: Personality) -> Self {
        let since_v5 = if personality.is_v5() { SINCE_V5 } else { &[] };
        let entry = |(key, kind, value): &(&'static str, Kind, &str)| Entry {
            key,
            kind: *kind,
            value: (*value).to_owned(),
        };
        let mut entries: Vec<Entry> = COMMON.iter().chain(since_v5).map(entry).collect();
        entries.sort_unstable_by_key(|entry| entry.key);
        let switches = switches(personality, &entries);
        Settings { personality, entries, switches }
    }

    pub(crate) fn switches(&self) -> Switches {
        self.switches
    }

    /// All keys and values, sorted by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.key, entry.value.as_str()))
    }

    /// Sets one of the server's own settings from within.
    ///
    /// # Errors
    /// `InvalidInput` for a key that this server does not have, or a value that it cannot read.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> io::Result<()> {
        let invalid = |text| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) else {
            let mut all = COMMON.iter().chain(SINCE_V5).map(|(known, _, _)| *known);
            let hint = match all.find(|known| known.eq_ignore_ascii_case(key)) {
                Some(known) if known == key => "; only a 5.x one has it".to_owned(),
                Some(known) => format!("; did you mean {known:?}?"),
                None => String::new(),
            };
            return invalid(format!("this NameServer has no setting {key:?}{hint}"));
        };
        if entry.kind == Bool && !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)) {
            return invalid(format!("setting {key} is true or false, not {value:?}"));
        }
        match entry.kind.read(value) {
            Some(value) => entry.value = value,
            None => return invalid(format!("setting {key} is a whole number, not {value:?}")),
        }
        self.switches = switches(self.personality, &self.entries);
        Ok(())
    }

    /// 318: sets what it knows and can read of these, and ignores the rest.
    ///
    /// # Errors
    /// [`BlackListed`] if any of them may not be set from afar; then none is.
    pub(crate) fn update<'a>(
        &mut self,
        wanted: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<(), BlackListed> {
        if wanted.clone().any(|(key, _)| self.is_black(key)) {
            return Err(BlackListed);
        }
        self.take(wanted);
        Ok(())
    }

    /// Takes the file of `configStorePath`, if that is set, and what it knows and can read of it.
    ///
    /// # Errors
    /// The file is in use or cannot be read, or is no properties file; it is named.
    pub(crate) fn load(&mut self) -> io::Result<Option<WholeFile>> {
        let Some(path) = self.path(CONFIG_STORE_PATH) else { return Ok(None) };
        let about = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the settings in {} cannot be used: {error}", path.display()),
            )
        };
        let mut file = WholeFile::open(&path).map_err(about)?;
        let content = match fs::read(file.path()) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(about(error)),
        };
        if let Some(content) = content {
            let config = NamesrvConfig::from_properties(&content)
                .map_err(|error| about(io::Error::new(io::ErrorKind::InvalidData, error)))?;
            self.take(config.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            file.holds(content);
        }
        Ok(Some(file))
    }

    /// The content of the file that keeps them: all of them, as properties.
    pub(crate) fn to_file(&self) -> Vec<u8> {
        self.iter().collect::<NamesrvConfig>().to_properties()
    }

    /// The file of the KV store, if one is set.
    pub(crate) fn kv_file(&self) -> Option<PathBuf> {
        self.path("kvConfigPath")
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map(|entry| &entry.value).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Sets what it knows and can read.
    fn take<'a>(&mut self, wanted: impl Iterator<Item = (&'a str, &'a str)>) {
        for (key, value) in wanted {
            if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key)
                && let Some(value) = entry.kind.read(value)
            {
                entry.value = value;
            }
        }
        self.switches = switches(self.personality, &self.entries);
    }

    fn is_black(&self, key: &str) -> bool {
        if !self.personality.is_v5() {
            return BLACK_V4.contains(&key);
        }
        let listed = self.entries.iter().find(|entry| entry.key == BLACK_LIST);
        BLACK_V5.contains(&key)
            || listed.is_some_and(|listed| listed.value.split(';').any(|black| black == key))
    }
}

impl Kind {
    /// The value as Java reads it and writes it again; `None` if it cannot.
    fn read(self, value: &str) -> Option<String> {
        match self {
            Bool => Some(value.eq_ignore_ascii_case("true").to_string()),
            Int => value.parse::<i32>().ok().map(|number| number.to_string()),
            Long => value.parse::<i64>().ok().map(|number| number.to_string()),
            Text => Some(value.to_owned()),
        }
    }
}

/// The settings that do something. What a 4.x server does not have is as its code behaves.
fn switches(personality: Personality, entries: &[Entry]) -> Switches {
    let value = |key| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let on = |key| value(key) == Some("true");
    let number = |key| value(key).and_then(|value| value.parse().ok()).unwrap_or(0);
    let v5 = personality.is_v5();
    Switches {
        order_message_enable: on("orderMessageEnable"),
        return_order_topic_config_to_broker: !v5 || on("returnOrderTopicConfigToBroker"),
        enable_all_topic_list: !v5 || on("enableAllTopicList"),
        enable_topic_list: !v5 || on("enableTopicList"),
        support_acting_master: on("supportActingMaster"),
        delete_topic_with_broker_registration: on("deleteTopicWithBrokerRegistration"),
        need_wait_for_service: on("needWaitForService"),
        notify_min_broker_id_changed: on("notifyMinBrokerIdChanged"),
        wait_seconds_for_service: number("waitSecondsForService"),
        enable_shutdown_gracefully: on("enableShutdownGracefully"),
        shutdown_wait_time_seconds: number("shutdownWaitTimeSeconds"),
        un_register_broker_queue_capacity: usize::try_from(number("unRegisterBrokerQueueCapacity"))
            .unwrap_or(0),
        scan_not_active_broker_interval: number("scanNotActiveBrokerInterval"),
    }
}
