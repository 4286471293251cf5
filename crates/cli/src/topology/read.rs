//! From the text of a topology file to a [`Topology`], or to all that is wrong with it.

use std::collections::BTreeMap;

use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};
use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{DEFAULT_PORT, Name, Perm, ServerAddress, TopicQueueMappingInfo};

use super::document::{Document, Entry, Fields};
use super::{Group, Topic, Topology};
use crate::address;

/// `$schema` is for editors.
const TOPOLOGY: &[&str] = &["clusters", "kv", "settings", "$schema"];
const CLUSTER: &[&str] = &["brokers", "topics"];
const GROUP: &[&str] = &["brokerAddrs", "topics", "enableActingMaster", "zoneName", "filterServerTable"];
const TOPIC: &[&str] =
    &["readQueueNums", "writeQueueNums", "perm", "topicSysFlag", "order", "topicQueueMappingInfo"];
const MAPPING: &[&str] = &["currIdMap", "dirty", "epoch", "scope", "totalQueues"];

/// What a topic has if the file does not say, as mqadmin's updateTopic creates it.
const DEFAULT_QUEUES: u32 = 8;

/// Java counts queues in an `int`.
pub(super) const MAX_QUEUES: u32 = i32::MAX as u32;

/// The bits of `perm`: read 4, write 2, inherit 1, priority 8.
pub(super) const MAX_PERM: i32 = 15;

/// Reads the bytes of a file.
///
/// # Errors
/// `line:column: what` for all that is wrong.
pub(super) fn topology(bytes: &[u8]) -> Result<Topology, Vec<String>> {
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_utf8(bytes, error.valid_up_to())])?;
    // Some editors put a byte order mark there.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (document, root) = Document::parse(text).map_err(|wrong| vec![wrong])?;
    let mut reader = Reader { document, groups: BTreeMap::new(), addresses: BTreeMap::new() };
    let topology = reader.topology(&root);
    let wrong = reader.document.finish();
    if wrong.is_empty() { Ok(topology) } else { Err(wrong) }
}

fn not_utf8(bytes: &[u8], offset: usize) -> String {
    let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or(bytes)).into_owned();
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("{}:{column}: not UTF-8", before.matches('\n').count() + 1)
}

/// What two places of a file must not share.
struct Reader<'t> {
    document: Document<'t>,
    /// Where each group stands. A NameServer knows groups by their name alone, whatever their cluster.
    groups: BTreeMap<String, Range>,
    /// Where each address stands, and the group that it belongs to.
    addresses: BTreeMap<String, (Range, Range)>,
}

impl<'t> Reader<'t> {
    fn topology(&mut self, root: &Value<'t>) -> Topology {
        let fields = self.document.fields("a topology", root, TOPOLOGY);
        if let Some(schema) = fields.get("$schema") {
            self.document.text(schema);
        }
        let mut topology = Topology::default();
        for cluster in self.entries(fields.get("clusters")) {
            topology.groups.extend(self.cluster(cluster));
        }
        for namespace in self.entries(fields.get("kv")) {
            let mut table = BTreeMap::new();
            for entry in self.entries(Some(namespace)) {
                if let Some(value) = self.document.text(entry) {
                    table.insert(name(entry), Name::from(value));
                }
            }
            topology.kv.insert(name(namespace), table);
        }
        for setting in self.entries(fields.get("settings")) {
            let key = setting.name.as_str();
            if key == "listenPort" {
                self.document.wrong(&setting.name, "where it listens is said with --listen");
            } else if let Some(value) = self.document.text(setting) {
                topology.settings.insert(key.to_owned(), value.to_owned());
            }
        }
        topology
    }

    /// The entries of a map that need not be there.
    fn entries<'v>(&mut self, map: Option<&'v Entry<'t>>) -> Vec<&'v Entry<'t>> {
        map.map_or_else(Vec::new, |map| self.document.map(&format!("{:?}", map.name.as_str()), &map.value))
    }

    /// The entries of a map that must be there and must not be empty.
    fn some_entries<'v>(&mut self, of: &Entry<'t>, fields: &Fields<'v, 't>, key: &str) -> Vec<&'v Entry<'t>> {
        let map = fields.get(key);
        let is_empty = |map: &Entry<'_>| map.value.as_object().is_some_and(|map| map.properties.is_empty());
        if of.value.as_object().is_some() && (fields.lack(key) || map.is_some_and(is_empty)) {
            let what = format!("{:?} needs {key:?} with at least one entry", of.name.as_str());
            self.document.wrong(&of.name, what);
        }
        self.entries(map)
    }

    fn cluster(&mut self, cluster: &Entry<'t>) -> Vec<Group> {
        let fields = self.document.fields(
            &format!("the cluster {:?}", cluster.name.as_str()),
            &cluster.value,
            CLUSTER,
        );
        let shared = self.topics(fields.get("topics"));
        let groups = self.some_entries(cluster, &fields, "brokers");
        groups.into_iter().map(|group| self.group(name(cluster), &shared, group)).collect()
    }

    fn group(&mut self, cluster: Name, shared: &BTreeMap<Name, Topic>, group: &Entry<'t>) -> Group {
        let broker_name = group.name.as_str();
        let range = group.name.range();
        let first = *self.groups.entry(broker_name.to_owned()).or_insert(range);
        if first != range {
            let first = self.document.place(&first);
            let what = format!("the broker {broker_name:?} stands in another cluster too, in {first}");
            self.document.wrong(&group.name, what);
        }
        let fields = self.document.fields(&format!("the broker {broker_name:?}"), &group.value, GROUP);
        let mut addresses: BTreeMap<i64, Name> = BTreeMap::new();
        for member in self.some_entries(group, &fields, "brokerAddrs") {
            let (id, address) = (self.id(member), self.address(member, range));
            addresses.extend(id.zip(address));
        }
        // What the group says of a topic stands in the place of what its cluster says.
        let mut topics = shared.clone();
        topics.extend(self.topics(fields.get("topics")));
        let filter_servers = self.filter_servers(fields.get("filterServerTable"), &addresses);
        let acting = fields.get("enableActingMaster").and_then(|flag| self.document.truth(flag));
        let zone = fields.get("zoneName").and_then(|zone| self.document.text(zone).map(Name::from));
        Group {
            cluster,
            broker_name: name(group),
            addresses,
            topics,
            enable_acting_master: acting.unwrap_or(false),
            zone_name: zone,
            filter_servers,
        }
    }

    fn filter_servers(
        &mut self,
        table: Option<&Entry<'t>>,
        members: &BTreeMap<i64, Name>,
    ) -> BTreeMap<Name, Vec<Name>> {
        let mut found = BTreeMap::new();
        for entry in self.entries(table) {
            if !members.values().any(|address| *address == *entry.name.as_str()) {
                let what = format!("{:?} is the address of no member of this broker", entry.name.as_str());
                self.document.wrong(&entry.name, what);
            }
            let texts = entry.value.as_array().map(|list| list.elements.iter().map(Value::as_string_lit));
            match texts.and_then(Iterator::collect::<Option<Vec<_>>>) {
                Some(texts) => {
                    let servers = texts.iter().map(|text| Name::from(&*text.value));
                    found.insert(name(entry), servers.collect());
                }
                None => self.document.mismatch(entry, "a list of strings"),
            }
        }
        found
    }

    /// The key of an address. Signs and leading zeros would let one id stand there twice.
    fn id(&mut self, member: &Entry<'t>) -> Option<i64> {
        let key = member.name.as_str();
        let id = key.parse::<i64>().ok().filter(|id| id.to_string() == key);
        if id.is_none() {
            let what = format!("a broker id is a whole number, 0 for the master, and not {key:?}");
            self.document.wrong(&member.name, what);
        }
        id
    }

    /// `group` is where the name of its group stands.
    fn address(&mut self, member: &Entry<'t>, group: Range) -> Option<Name> {
        let address = self.document.text(member)?;
        if let Some(expected) = expected_instead(address) {
            self.document.mismatch(member, expected);
            return None;
        }
        let here = (member.value.range(), group);
        let first = *self.addresses.entry(address.to_owned()).or_insert(here);
        if first != here {
            let other = if first.1 == group { "another member of this broker" } else { "another broker" };
            let first = self.document.place(&first.0);
            self.document
                .wrong(&member.value, format!("{address:?} is the address of {other}, too, in {first}"));
        }
        Some(Name::from(address))
    }

    fn topics(&mut self, topics: Option<&Entry<'t>>) -> BTreeMap<Name, Topic> {
        self.entries(topics).into_iter().map(|topic| (name(topic), self.topic(topic))).collect()
    }

    fn topic(&mut self, topic: &Entry<'t>) -> Topic {
        let fields =
            self.document.fields(&format!("the topic {:?}", topic.name.as_str()), &topic.value, TOPIC);
        let default = TopicConfig::new(name(topic), DEFAULT_QUEUES, Perm::READ_WRITE);
        let document = &mut self.document;
        let mut queues = |key| fields.get(key).and_then(|queues| document.number(queues, 0..=MAX_QUEUES));
        let (read, write) = (queues("readQueueNums"), queues("writeQueueNums"));
        let perm = fields.get("perm").and_then(|perm| self.perm(perm));
        let flag = fields.get("topicSysFlag").and_then(|flag| self.document.number(flag, 0..=i32::MAX));
        let order = fields.get("order").and_then(|order| self.document.truth(order));
        let mapping = fields.get("topicQueueMappingInfo").map(|mapping| self.mapping(mapping));
        let config = TopicConfig {
            read_queue_nums: read.unwrap_or(default.read_queue_nums),
            write_queue_nums: write.unwrap_or(default.write_queue_nums),
            perm: perm.unwrap_or(default.perm),
            topic_sys_flag: flag.unwrap_or(default.topic_sys_flag),
            order: order.unwrap_or(default.order),
            ..default
        };
        Topic { config, mapping }
    }

    fn mapping(&mut self, mapping: &Entry<'t>) -> TopicQueueMappingInfo {
        let fields = self.document.fields("the share of a static topic", &mapping.value, MAPPING);
        let mut info = TopicQueueMappingInfo::default();
        for entry in self.entries(fields.get("currIdMap")) {
            let key = entry.name.as_str();
            let logical = key.parse::<i32>().ok().filter(|id| *id >= 0 && id.to_string() == key);
            if logical.is_none() {
                let what = format!("the id of a logical queue is a whole number from 0, and not {key:?}");
                self.document.wrong(&entry.name, what);
            }
            info.curr_id_map.extend(logical.zip(self.document.number(entry, 0..=i32::MAX)));
        }
        let document = &mut self.document;
        if let Some(dirty) = fields.get("dirty").and_then(|dirty| document.truth(dirty)) {
            info.dirty = dirty;
        }
        if let Some(epoch) = fields.get("epoch").and_then(|epoch| document.number(epoch, i64::MIN..=i64::MAX))
        {
            info.epoch = epoch;
        }
        if let Some(scope) = fields.get("scope").and_then(|scope| document.text(scope)) {
            info.scope = Name::from(scope);
        }
        if let Some(total) =
            fields.get("totalQueues").and_then(|total| document.number(total, 0..=MAX_QUEUES))
        {
            info.total_queues = total;
        }
        info
    }

    /// As bits, or as letters: all that a [`Perm`] prints, also without its dashes.
    fn perm(&mut self, perm: &Entry<'t>) -> Option<Perm> {
        let found = match &perm.value {
            Value::NumberLit(bits) => {
                bits.value.parse().ok().filter(|bits| (0..=MAX_PERM).contains(bits)).map(Perm)
            }
            Value::StringLit(letters) => (0..8).map(Perm).find(|known| {
                let known = known.to_string();
                known == letters.value || (known != "---" && known.replace('-', "") == letters.value)
            }),
            _ => None,
        };
        if found.is_none() {
            let letters = r#""RW", "R", "W" or "---", with an X behind for inherit"#;
            self.document.mismatch(perm, &format!("{letters}, or the bits as a number such as 6"));
        }
        found
    }
}

/// The key as a name.
fn name(entry: &Entry<'_>) -> Name {
    Name::from(entry.name.as_str())
}

/// `None` for `host:port` or `[v6]:port`. The port must be there: brokers have no usual one.
pub(super) fn expected_instead(text: &str) -> Option<&'static str> {
    let (host, port) = address::split(text).unzip();
    if port.is_some_and(|port| address::port(port).unwrap_or(0) == 0) {
        return Some("an address with a port from 1 to 65535");
    }
    let is_host = host.is_some_and(|host| ServerAddress::new(host, DEFAULT_PORT).is_ok());
    (!is_host).then_some("an address, HOST:PORT")
}
