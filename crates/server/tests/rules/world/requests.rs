//! What a server is asked, down to single fields and the text of bodies.

use bytes::Bytes;
use rocketmq_nameserver_protocol::code::{RequestCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::header::ExtFields;

pub(crate) fn request(code: i32, fields: &[(&str, &str)]) -> Command {
    Command::request(RequestCode(code), ExtFields::from_iter(fields.iter().copied()), "")
}

/// 105
pub(crate) fn lookup(topic: &str) -> Command {
    request(105, &[("topic", topic)])
}

/// 318
pub(crate) fn settings(text: &str) -> Command {
    request(318, &[]).body(text)
}

/// 104 of a broker as [`broker`] makes it.
pub(crate) fn leave(name: &str, id: i64) -> Command {
    request(104, &identity(name, id).each_ref().map(|(key, value)| (*key, value.as_str())))
}

/// 322 of a broker as [`broker`] makes it.
pub(crate) fn version_query(name: &str, id: i64, version: &str) -> Command {
    request(322, &identity(name, id).each_ref().map(|(key, value)| (*key, value.as_str()))).body(version)
}

fn identity(name: &str, id: i64) -> [(&'static str, String); 4] {
    [
        ("brokerName", name.to_owned()),
        ("brokerAddr", format!("{name}-{id}")),
        ("clusterName", "c".to_owned()),
        ("brokerId", id.to_string()),
    ]
}

/// What else a request has, or does not have.
pub(crate) trait Change: Sized {
    fn field(self, key: &str, value: &str) -> Self;
    fn without(self, key: &str) -> Self;
}

impl Change for Command {
    fn field(mut self, key: &str, value: &str) -> Self {
        self.header.ext_fields.set(key, value);
        self
    }

    fn without(mut self, key: &str) -> Self {
        self.header.ext_fields.remove(key);
        self
    }
}

/// What only a finished request has.
pub(crate) trait Envelope {
    fn version(self, version: i32) -> Command;
    fn body(self, body: &str) -> Command;
}

impl<C: Into<Command>> Envelope for C {
    fn version(self, version: i32) -> Command {
        let mut command = self.into();
        command.header.version = Version(version);
        command
    }

    fn body(self, body: &str) -> Command {
        let mut command = self.into();
        command.body = Bytes::copy_from_slice(body.as_bytes());
        command
    }
}

/// A registration, 103: a broker of cluster `c` at `name-id`.
#[derive(Clone)]
pub(crate) struct Broker {
    command: Command,
    table: Vec<String>,
    perm: i32,
    version: [i64; 3],
    filters: String,
    mappings: Vec<String>,
}

/// A broker without `enableActingMaster`, with the topics `T1` and `T2` of 8 queues with permission 6, at the data
/// version with counter 1.
pub(crate) fn broker(name: &str, id: i64) -> Broker {
    let mut command = request(103, &identity(name, id).each_ref().map(|(key, value)| (*key, value.as_str())));
    command = command.field("haServerAddr", &format!("ha-{name}-{id}"));
    let filters = r#""filterServerList":[],"#.to_owned();
    let plain =
        Broker { command, table: Vec::new(), perm: 6, version: [1, 0, 0], filters, mappings: Vec::new() };
    plain.topics("T1 T2")
}

impl Change for Broker {
    fn field(mut self, key: &str, value: &str) -> Self {
        self.command = self.command.field(key, value);
        self
    }

    fn without(mut self, key: &str) -> Self {
        self.command = self.command.without(key);
        self
    }
}

impl Broker {
    pub(crate) fn at(self, address: &str) -> Self {
        self.field("brokerAddr", address)
    }

    pub(crate) fn cluster(self, cluster: &str) -> Self {
        self.field("clusterName", cluster)
    }

    pub(crate) fn acting(self, on: bool) -> Self {
        self.field("enableActingMaster", if on { "true" } else { "false" })
    }

    pub(crate) fn zone(self, zone: &str) -> Self {
        self.field("__ZONE_NAME", zone)
    }

    /// All its topics, each under its own name and with the permission of [`perm`](Self::perm).
    pub(crate) fn topics(mut self, names: &str) -> Self {
        let entry = |name: &str| format!(r#""{name}":{{"topicName":"{name}","perm":PERM,QUEUES}}"#);
        self.table = names.split_whitespace().map(entry).collect();
        self
    }

    /// One topic more.
    pub(crate) fn topic(mut self, key: &str, config: &str) -> Self {
        self.table.push(format!(r#""{key}":{config}"#));
        self
    }

    pub(crate) fn perm(mut self, perm: i32) -> Self {
        self.perm = perm;
        self
    }

    /// The counter of the data version.
    pub(crate) fn counter(mut self, counter: i64) -> Self {
        self.version[0] = counter;
        self
    }

    pub(crate) fn state(mut self, state: i64) -> Self {
        self.version[1] = state;
        self
    }

    pub(crate) fn timestamp(mut self, timestamp: i64) -> Self {
        self.version[2] = timestamp;
        self
    }

    /// The text of the filter servers' list, or `None` for no such key.
    pub(crate) fn filters(mut self, list: Option<&str>) -> Self {
        self.filters = list.map_or_else(String::new, |list| format!(r#""filterServerList":{list},"#));
        self
    }

    /// A share of a static topic on the broker of that name, with an epoch to tell it from others.
    pub(crate) fn mapping(mut self, topic: &str, name: &str, epoch: i64) -> Self {
        self.mappings.push(format!(
            r#""{topic}":{{"bname":"{name}","currIdMap":{{0:0}},"dirty":false,"epoch":{epoch},"scope":"__global__","topic":"{topic}","totalQueues":1}}"#
        ));
        self
    }

    pub(crate) fn oneway(self) -> Command {
        Command::from(self).oneway()
    }
}

impl From<Broker> for Command {
    fn from(broker: Broker) -> Command {
        let Broker { command, table, perm, version: [counter, state, timestamp], filters, mappings } = broker;
        let queues = r#""readQueueNums":8,"writeQueueNums":8"#;
        let table = table.join(",").replace("PERM", &perm.to_string()).replace("QUEUES", queues);
        let mappings = match mappings.as_slice() {
            [] => String::new(),
            some => format!(r#","topicQueueMappingInfoMap":{{{}}}"#, some.join(",")),
        };
        let version = format!(r#"{{"counter":{counter},"stateVersion":{state},"timestamp":{timestamp}}}"#);
        command.body(&format!(
            r#"{{{filters}"topicConfigSerializeWrapper":{{"dataVersion":{version},"topicConfigTable":{{{table}}}{mappings}}}}}"#
        ))
    }
}
