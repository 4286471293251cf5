//! What the brokers of the script say when they register, and the odd things among it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::packed;
use super::pools::{ADDRESSES, BROKERS, CLUSTERS, PLAIN_TOPICS, TOPICS, dressed, say};
use super::random::Random;
use crate::conformance::request::Request;

pub(super) const REGISTER_BROKER: i32 = 103;

/// From this version on a compressed registration has a section of mappings.
const WITH_MAPPINGS: i32 = 413;
/// Before this version a body is the inner object alone.
const WITH_OUTER_OBJECT: i32 = 37;

/// The places of the addresses that are always the same broker. They alone have filter servers.
const FAITHFUL: [usize; 2] = [0, 5];

/// A broker as one of its registrations shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broker {
    pub(super) cluster: &'static str,
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) id: i64,
}

impl Broker {
    /// The broker that an address usually is.
    fn usual(place: usize) -> Broker {
        let name = place % BROKERS.len();
        let id = (place / BROKERS.len()) as i64;
        Broker {
            cluster: CLUSTERS[name % CLUSTERS.len()],
            name: BROKERS[name],
            address: ADDRESSES[place],
            id,
        }
    }

    /// As a rule an address is always the same broker; now and then it is another, and so takes another's place.
    pub(super) fn any(random: &mut Random) -> Broker {
        let mut broker = Broker::usual(random.below(ADDRESSES.len()));
        if random.percent(15) {
            broker.name = random.pick(&BROKERS);
        }
        if random.percent(10) {
            broker.cluster = random.pick(&CLUSTERS);
        }
        if random.percent(25) {
            broker.id = random.below(5) as i64 - 1;
        }
        broker
    }

    /// The broker of that address, if it is always the same one.
    fn faithful(address: Option<&str>) -> Option<Broker> {
        let place = ADDRESSES.iter().position(|known| Some(*known) == address)?;
        FAITHFUL.contains(&place).then(|| Broker::usual(place))
    }

    /// Its arguments in whatever request, most of the time.
    pub(super) fn said(&self, request: Request, random: &mut Random) -> Request {
        let mut request = request;
        for (key, value) in [
            ("brokerName", self.name),
            ("brokerAddr", self.address),
            ("clusterName", self.cluster),
            ("brokerId", &self.id.to_string()),
        ] {
            request = say(request, random, key, value);
        }
        request
    }
}

/// The data version that each address said last.
#[derive(Debug, Clone, Default)]
pub(super) struct DataVersions(BTreeMap<&'static str, (i64, i64, i64)>);

impl DataVersions {
    /// As it was, or one change on.
    fn next(&mut self, address: &'static str, random: &mut Random) -> Value {
        let (timestamp, counter, state_version) = self.0.entry(address).or_insert((1_000, 1, 0));
        match random.below(100) {
            0..=44 => {}
            45..=89 => *counter += 1,
            90..=94 => *timestamp += 1,
            _ => *state_version += random.below(3) as i64 - 1,
        }
        self.last(address)
    }

    /// As it was.
    pub(super) fn last(&self, address: &str) -> Value {
        let (timestamp, counter, state_version) = self.0.get(address).copied().unwrap_or((1_000, 1, 0));
        json!({ "counter": counter, "stateVersion": state_version, "timestamp": timestamp })
    }
}

/// A registration of that broker.
pub(super) fn register(broker: &Broker, versions: &mut DataVersions, random: &mut Random) -> Request {
    let mut request = dressed(broker.said(Request::new(REGISTER_BROKER), random), random);
    if let Some(broker) = Broker::faithful(request.said("brokerAddr")) {
        request = request.with("brokerName", broker.name).with("clusterName", broker.cluster);
    }
    request = say(request, random, "haServerAddr", &broker.address.replace("10911", "10912"));
    for (key, values) in [
        ("enableActingMaster", &["", "true", "true", "false", "yes"][..]),
        ("__ZONE_NAME", &["", "", "", "", "zone-1", "Zone-1", "zone-2"]),
        ("heartbeatTimeoutMillis", &["", "", "", "", "600000", "nonsense"]),
    ] {
        let value = random.pick(values);
        if !value.is_empty() {
            request = request.with(key, value);
        }
    }
    let data_version = versions.next(broker.address, random);
    if random.percent(12) {
        return compressed(request, &data_version, random);
    }
    if random.percent(3) {
        request = request.with("compressed", "true");
    }
    let body = match random.below(100) {
        0..=1 => Vec::new(),
        2..=3 => random.pick(&["{", "nonsense", "{}", "{\"topicConfigSerializeWrapper\":{}}"]).into(),
        _ => plain(&request, data_version, random).to_string().into_bytes(),
    };
    with_crc(request.with_body(body), random)
}

fn plain(request: &Request, data_version: Value, random: &mut Random) -> Value {
    let mut table = Map::new();
    for (name, config) in topics(random, TOPICS.len()) {
        // The key is ignored, but by the deletion of topics that are not listed.
        let key = if random.percent(3) { TOPICS[random.below(TOPICS.len())].0 } else { name };
        table.insert(key.to_owned(), config);
    }
    let mut wrapper = json!({ "topicConfigTable": table });
    if random.percent(97) {
        wrapper["dataVersion"] = data_version;
    }
    if random.percent(15) {
        wrapper["topicQueueMappingInfoMap"] = mappings(random).into_iter().collect();
        wrapper["mappingDataVersion"] = json!({ "counter": 0, "stateVersion": 0, "timestamp": 1 });
        wrapper["topicQueueMappingDetailMap"] = json!({});
    }
    // Now and then what the version does not want.
    if (request.version < WITH_OUTER_OBJECT) == random.percent(95) {
        return wrapper;
    }
    let mut body = json!({ "topicConfigSerializeWrapper": wrapper });
    if random.percent(85) {
        body["filterServerList"] = filter_servers(request, random);
    }
    body
}

/// None to five topics; one of them alone is what a broker says after a change, and a case of its own.
fn topics(random: &mut Random, among: usize) -> BTreeMap<&'static str, Value> {
    let count = random.weighted(&[(8, 0), (20, 1), (24, 2), (24, 3), (24, 5)]);
    let mut topics = BTreeMap::new();
    while topics.len() < count {
        let (name, flag) = TOPICS[random.below(among)];
        let mut config = json!({
            "order": false,
            "perm": random.weighted(&[(70, 6), (10, 7), (10, 4), (10, 2)]),
            "readQueueNums": 1 + random.below(4),
            "topicFilterType": random.pick(&["SINGLE_TAG", "SINGLE_TAG", "MULTI_TAG"]),
            "topicName": name,
            "topicSysFlag": flag,
            "writeQueueNums": 1 + random.below(4),
        });
        if random.percent(20) {
            config["attributes"] = json!({});
        }
        if random.percent(5) {
            let all = config.as_object_mut().expect("it is an object");
            all.remove(random.pick(&["order", "perm", "readQueueNums", "topicFilterType", "writeQueueNums"]));
        }
        topics.insert(name, config);
    }
    topics
}

fn filter_servers(request: &Request, random: &mut Random) -> Value {
    if Broker::faithful(request.said("brokerAddr")).is_none() {
        return if random.percent(80) { json!([]) } else { json!(null) };
    }
    let lists =
        [json!([]), json!([]), json!(null), json!(["10.9.1.1:1"]), json!(["10.9.1.2:2", "10.9.1.1:1"])];
    lists[random.below(lists.len())].clone()
}

/// Static topics: the queues of a topic that a broker holds.
fn mappings(random: &mut Random) -> BTreeMap<&'static str, Value> {
    let mapping = |random: &mut Random| {
        let topic = TOPICS[random.below(TOPICS.len())].0;
        let info = json!({
            "bname": BROKERS[random.below(BROKERS.len())],
            "currIdMap": if random.percent(50) { json!({ "0": 0, "1": 3 }) } else { json!({ "2": 1 }) },
            "dirty": random.percent(20),
            "epoch": random.weighted(&[(4, 1_i64), (4, 2), (1, 9_007_199_254_740_993)]),
            "scope": random.pick(&["__global__", "scope-1"]),
            "topic": topic,
            "totalQueues": 4,
        });
        (topic, info)
    };
    (0..random.below(3)).map(|_| mapping(random)).collect()
}

fn compressed(mut request: Request, data_version: &Value, random: &mut Random) -> Request {
    request.version = request.version.max(WITH_OUTER_OBJECT);
    // Unit bits are not carried.
    let texts: Vec<String> = topics(random, PLAIN_TOPICS)
        .iter()
        .map(|(name, config)| {
            let number = |key: &str| config.get(key).unwrap_or(&json!(6)).to_string();
            let [read, write, perm] = ["readQueueNums", "writeQueueNums", "perm"].map(number);
            let end =
                random.pick(&["SINGLE_TAG", "SINGLE_TAG ", "SINGLE_TAG", "SINGLE_TAG {}", "NO_TAG", ""]);
            format!("{name} {read} {write} {perm} {end}")
        })
        .collect();
    let mappings: Vec<Value> = mappings(random).into_values().collect();
    let with_mappings = (request.version >= WITH_MAPPINGS) == random.percent(95);
    let filter_servers = filter_servers(&request, random);
    let body =
        packed::registration(data_version, &texts, &filter_servers, with_mappings.then_some(&mappings));
    with_crc(
        request.with("compressed", random.pick(&["true", "true", "true", "TRUE"])).with_body(body),
        random,
    )
}

fn with_crc(request: Request, random: &mut Random) -> Request {
    let right = packed::crc(&request.body);
    match random.below(100) {
        0..=59 => request,
        60..=89 => request.with("bodyCrc32", right),
        90..=92 => request.with("bodyCrc32", 0),
        93..=95 => request.with("bodyCrc32", right ^ 1),
        _ => request.with("bodyCrc32", u64::from(right) | 1 << 31),
    }
}
