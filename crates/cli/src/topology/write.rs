//! From a [`Topology`] to the text of a topology file. The same topology is always the same text.

use std::collections::BTreeMap;

use rocketmq_nameserver::{Name, TopicQueueMappingInfo};
use serde_json::{Map, Value, json};

use super::{Group, Topic, Topology};

/// Permissions up to this one have letters.
const LETTERS: i32 = 7;

impl Topology {
    /// The text, with a line's end. [`load`](super::load) reads the same from it.
    pub(crate) fn text(&self) -> String {
        let mut clusters: BTreeMap<&Name, Vec<&Group>> = BTreeMap::new();
        for group in &self.groups {
            clusters.entry(&group.cluster).or_default().push(group);
        }
        let clusters = clusters.into_iter().map(|(name, groups)| (name.to_string(), cluster(&groups)));
        let mut file = Map::from_iter([("clusters".to_owned(), Value::Object(clusters.collect()))]);
        if !self.kv.is_empty() {
            file.insert("kv".to_owned(), json!(self.kv));
        }
        if !self.settings.is_empty() {
            file.insert("settings".to_owned(), json!(self.settings));
        }
        format!("{:#}\n", Value::Object(file))
    }
}

/// Topics that all groups have alike stand once.
fn cluster(groups: &[&Group]) -> Value {
    let (first, others) =
        groups.split_first().map_or((None, groups), |(first, others)| (Some(first), others));
    let is_shared = |name: &Name, topic: &Topic| {
        topic.mapping.is_none() && others.iter().all(|group| group.topics.get(name) == Some(topic))
    };
    let of_first = first.into_iter().flat_map(|group| &group.topics);
    let shared: BTreeMap<&Name, &Topic> = of_first.filter(|(name, topic)| is_shared(name, topic)).collect();
    let brokers: Map<String, Value> =
        groups.iter().map(|group| (group.broker_name.to_string(), broker(group, &shared))).collect();
    let mut cluster = Map::from_iter([("brokers".to_owned(), Value::Object(brokers))]);
    if !shared.is_empty() {
        cluster.insert("topics".to_owned(), topics(shared.into_iter()));
    }
    Value::Object(cluster)
}

fn broker(group: &Group, shared: &BTreeMap<&Name, &Topic>) -> Value {
    let mut broker = Map::from_iter([("brokerAddrs".to_owned(), json!(group.addresses))]);
    if group.enable_acting_master {
        broker.insert("enableActingMaster".to_owned(), true.into());
    }
    if let Some(zone) = &group.zone_name {
        broker.insert("zoneName".to_owned(), zone.as_str().into());
    }
    if !group.filter_servers.is_empty() {
        broker.insert("filterServerTable".to_owned(), json!(group.filter_servers));
    }
    let mut own = group.topics.iter().filter(|(name, _)| !shared.contains_key(name)).peekable();
    if own.peek().is_some() {
        broker.insert("topics".to_owned(), topics(own));
    }
    Value::Object(broker)
}

fn topics<'a>(topics: impl Iterator<Item = (&'a Name, &'a Topic)>) -> Value {
    Value::Object(topics.map(|(name, of)| (name.to_string(), topic(of))).collect())
}

fn topic(topic: &Topic) -> Value {
    let config = &topic.config;
    let perm = match config.perm.0 {
        0..=LETTERS => json!(config.perm.to_string()),
        bits => bits.into(),
    };
    let mut value = Map::from_iter([
        ("readQueueNums".to_owned(), config.read_queue_nums.into()),
        ("writeQueueNums".to_owned(), config.write_queue_nums.into()),
        ("perm".to_owned(), perm),
    ]);
    if config.topic_sys_flag != 0 {
        value.insert("topicSysFlag".to_owned(), config.topic_sys_flag.into());
    }
    if config.order {
        value.insert("order".to_owned(), true.into());
    }
    if let Some(TopicQueueMappingInfo { curr_id_map, dirty, epoch, scope, total_queues, .. }) = &topic.mapping
    {
        let mapping = json!({
            "currIdMap": curr_id_map,
            "dirty": dirty,
            "epoch": epoch,
            "scope": scope,
            "totalQueues": total_queues,
        });
        value.insert("topicQueueMappingInfo".to_owned(), mapping);
    }
    Value::Object(value)
}

#[cfg(test)]
mod tests {
    use crate::topology::read;

    const ALL: &str = r#"{
        "clusters": {
            "lonely": {"brokers": {"c": {"brokerAddrs": {"0": "h:5"}}}},
            "主题": {
                "brokers": {
                    "a": {
                        "brokerAddrs": {"-1": "h:1", "0": "h:2", "9007199254740993": "[::1]:3"},
                        "enableActingMaster": true, "zoneName": "", "filterServerTable": {"h:1": ["f:1", "f:2"]},
                        "topics": {"own": {"perm": 15, "topicSysFlag": 3, "order": true, "readQueueNums": 0}}
                    },
                    "b": {"brokerAddrs": {"3": "h:4"}, "topics": {
                        "differs": {"perm": "R"},
                        "static": {"topicQueueMappingInfo": {
                            "currIdMap": {"0": 2, "7": 0}, "dirty": true, "epoch": -9007199254740993, "scope": "s", "totalQueues": 9
                        }}
                    }}
                },
                "topics": {"shared": {"writeQueueNums": 2147483647}, "differs": {"perm": "---"}}
            }
        },
        "kv": {"ORDER_TOPIC_CONFIG": {"shared": "a:1;b:2\n"}},
        "settings": {"orderMessageEnable": "true"}
    }"#;

    #[test]
    fn what_is_written_is_read_again_and_written_the_same() {
        let topology = read::topology(ALL.as_bytes()).unwrap();
        let text = topology.text();
        let again = read::topology(text.as_bytes()).unwrap();
        assert_eq!((&again, again.text()), (&topology, text.clone()));
        assert_eq!(text.matches("\"shared\": {").count(), 1, "what all brokers have stands once: {text}");
        assert_eq!(text.matches("\"differs\": {").count(), 2, "{text}");
    }

    #[test]
    fn nothing_is_a_topology_too() {
        let topology = read::topology(b"{}").unwrap();
        assert_eq!(read::topology(topology.text().as_bytes()).unwrap(), topology);
    }
}
