//! From what a server has answered to the [`Topology`] that makes another server answer the same. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rocketmq_nameserver::protocol::model::{MASTER_ID, TopicConfig};
use rocketmq_nameserver::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, Name, QueueData, TopicQueueMappingInfo, TopicRouteData,
};

use super::read::{MAX_PERM, MAX_QUEUES, expected_instead};
use super::{Group, Topic, Topology};

/// The KV namespace from which servers take `orderTopicConf`.
pub(crate) const ORDER_TOPIC_CONFIG: &str = "ORDER_TOPIC_CONFIG";

/// What one server has said.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) info: BrokerClusterInfo,
    /// Topic → its route.
    pub(crate) routes: BTreeMap<Name, Arc<TopicRouteData>>,
    /// The entries of [`ORDER_TOPIC_CONFIG`].
    pub(crate) order: BTreeMap<Name, Name>,
}

/// The topology, and in words what is not in it although the server has said it.
pub(crate) fn survey(answers: &Answers) -> (Topology, Vec<String>) {
    let mut survey =
        Survey { answers, groups: BTreeMap::new(), settings: BTreeMap::new(), lost: BTreeSet::new() };
    survey.brokers();
    for (topic, route) in &answers.routes {
        survey.topic(topic, route);
    }
    let order: BTreeMap<Name, Name> = survey.order();
    let kv = (!order.is_empty()).then(|| (Name::from(ORDER_TOPIC_CONFIG), order));
    let topology = Topology {
        groups: survey.groups.into_values().collect(),
        kv: kv.into_iter().collect(),
        settings: survey.settings,
    };
    (topology, survey.lost.into_iter().collect())
}

struct Survey<'a> {
    answers: &'a Answers,
    /// By name.
    groups: BTreeMap<&'a Name, Group>,
    settings: BTreeMap<String, String>,
    /// What a topology file cannot say. Each is said once.
    lost: BTreeSet<String>,
}

impl<'a> Survey<'a> {
    fn brokers(&mut self) {
        let mut homes: BTreeMap<&Name, &Name> = BTreeMap::new();
        for (name, data) in &self.answers.info.broker_addr_table {
            if name.is_empty() || data.cluster.is_empty() {
                self.lost.insert(format!("broker {name:?} of cluster {:?}: a name is empty", data.cluster));
                continue;
            }
            let mut addresses = BTreeMap::new();
            for (id, address) in data.broker_addresses.iter() {
                if expected_instead(address).is_some() {
                    self.lost.insert(format!("broker {name}, member {id}: {address:?} is not HOST:PORT"));
                } else if let Some(other) = homes.insert(address, name) {
                    self.lost.insert(format!(
                        "broker {name}, member {id}: {address} is an address of {other}, too"
                    ));
                } else {
                    addresses.insert(id, address.clone());
                }
            }
            if addresses.is_empty() {
                self.lost.insert(format!("broker {name}: it has no members"));
                continue;
            }
            let group = Group {
                cluster: data.cluster.clone(),
                broker_name: name.clone(),
                addresses,
                topics: BTreeMap::new(),
                enable_acting_master: data.enable_acting_master == Some(true),
                zone_name: data.zone_name.clone(),
                filter_servers: BTreeMap::new(),
            };
            self.groups.insert(name, group);
        }
        for (cluster, brokers) in &self.answers.info.cluster_addr_table {
            if brokers.is_empty() {
                self.lost.insert(format!("cluster {cluster}: it has no brokers"));
            }
            for broker in brokers {
                let data = self.answers.info.broker_addr_table.get(broker);
                if data.is_none_or(|data| data.cluster != *cluster) {
                    self.lost.insert(format!(
                        "cluster {cluster}: it lists the broker {broker}, which is not in it"
                    ));
                }
            }
        }
    }

    fn topic(&mut self, topic: &'a Name, route: &'a TopicRouteData) {
        if topic.is_empty() {
            self.lost.insert("a topic without a name".to_owned());
            return;
        }
        for data in &route.broker_data_list {
            self.compare(topic, data);
        }
        for queues in &route.queue_data_list {
            if let Err(why) = self.queues(topic, queues) {
                self.lost.insert(format!("topic {topic}, broker {}: {why}", queues.broker_name));
            }
        }
        for (address, servers) in route.filter_server_table.iter().filter(|(_, servers)| !servers.is_empty())
        {
            let mut groups = self.groups.values_mut();
            match groups.find(|group| group.addresses.values().any(|member| member == address)) {
                Some(group) => drop(group.filter_servers.insert(address.clone(), servers.clone())),
                None => {
                    self.lost.insert(format!("filter servers of {address}, which is no broker's address"));
                }
            }
        }
        for (broker, info) in &route.topic_queue_mapping_by_broker {
            if let Err(why) = self.mapping(topic, broker, info) {
                self.lost.insert(format!("topic {topic}, static queues of broker {broker}: {why}"));
            }
        }
        if !route.order_topic_conf.is_empty() {
            self.settings.insert("orderMessageEnable".to_owned(), "true".to_owned());
            if self.answers.order.get(topic) != Some(&route.order_topic_conf) {
                self.lost.insert(format!("topic {topic}: its order configuration has changed meanwhile"));
            }
        }
    }

    /// Whether the route shows the broker as the cluster info does; if it shows a slave as the master, that is a setting.
    fn compare(&mut self, topic: &Name, data: &BrokerData) {
        let Some(known) = self.answers.info.broker_addr_table.get(&data.broker_name) else { return };
        let same = |addresses: &BrokerAddresses| {
            let known = BrokerData { broker_addresses: addresses.clone(), ..known.clone() };
            known == *data
        };
        if same(&known.broker_addresses) {
            return;
        }
        if known.enable_acting_master == Some(true) && same(&with_acting_master(&known.broker_addresses)) {
            self.settings.insert("supportActingMaster".to_owned(), "true".to_owned());
        } else {
            self.lost.insert(format!("topic {topic}: its broker {} has changed meanwhile", data.broker_name));
        }
    }

    fn queues(&mut self, topic: &Name, queues: &QueueData) -> Result<(), &'static str> {
        let group = self.groups.get_mut(&queues.broker_name).ok_or("it is not among the recorded brokers")?;
        let are_known = queues.read_queue_nums <= MAX_QUEUES
            && queues.write_queue_nums <= MAX_QUEUES
            && (0..=MAX_PERM).contains(&queues.perm.0)
            && queues.topic_syn_flag >= 0
            && queues.compression_type == QueueData::default().compression_type;
        if !are_known {
            return Err(
                "its queues, permission, flags or compression are nothing that a topology file can say",
            );
        }
        let config = TopicConfig {
            topic_name: Some(topic.clone()),
            read_queue_nums: queues.read_queue_nums,
            write_queue_nums: queues.write_queue_nums,
            perm: queues.perm,
            topic_sys_flag: queues.topic_syn_flag,
            ..TopicConfig::default()
        };
        let before = group.topics.insert(topic.clone(), Topic { config, mapping: None });
        if before.is_some() { Err("its queues stand there twice") } else { Ok(()) }
    }

    fn mapping(
        &mut self,
        topic: &Name,
        broker: &Name,
        info: &TopicQueueMappingInfo,
    ) -> Result<(), &'static str> {
        let group = self.groups.get_mut(broker).ok_or("it is not among the recorded brokers")?;
        let known = group.topics.get_mut(topic).ok_or("it has no queues")?;
        let names = (info.bname.as_ref(), info.topic.as_ref());
        let ids = info.curr_id_map.iter().all(|(logical, own)| *logical >= 0 && *own >= 0);
        if names != (Some(broker), Some(topic)) || !ids || info.total_queues > MAX_QUEUES {
            return Err("other names or numbers than a topology file can say");
        }
        known.mapping = Some(TopicQueueMappingInfo { bname: None, topic: None, ..info.clone() });
        Ok(())
    }

    fn order(&mut self) -> BTreeMap<Name, Name> {
        let mut order = self.answers.order.clone();
        if order.remove("").is_some() {
            self.lost.insert(format!("the entry of {ORDER_TOPIC_CONFIG} without a name"));
        }
        order
    }
}

/// The member with the smallest id in the place of a missing master.
fn with_acting_master(addresses: &BrokerAddresses) -> BrokerAddresses {
    let mut shown = addresses.clone();
    let smallest = addresses.iter().next().map(|(id, _)| id);
    if let (Some(id), None) = (smallest, addresses.master())
        && let Some(address) = shown.remove(id)
    {
        shown.insert(MASTER_ID, address);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::read;

    const INFO: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{"0":"h:1","1":"h:2"},"brokerName":"a","cluster":"C","enableActingMaster":false},
        "s":{"brokerAddrs":{"2":"h:3"},"brokerName":"s","cluster":"C","enableActingMaster":true,"zoneName":"z"}},"clusterAddrTable":{"C":["a","s"]}}"#;
    const A: &str =
        r#"{"brokerAddrs":{"0":"h:1","1":"h:2"},"brokerName":"a","cluster":"C","enableActingMaster":false}"#;
    const S: &str = r#"{"brokerAddrs":{"ID":"h:3"},"brokerName":"s","cluster":"C","enableActingMaster":true,"zoneName":"z"}"#;

    fn answers(info: &str, route: &str, order: &[(&str, &str)]) -> Answers {
        Answers {
            info: BrokerClusterInfo::from_bytes(info.as_bytes()).unwrap(),
            routes: [(Name::from("T"), Arc::new(TopicRouteData::from_bytes(route.as_bytes()).unwrap()))]
                .into(),
            order: order.iter().map(|(key, value)| (Name::from(*key), Name::from(*value))).collect(),
        }
    }

    /// A route of a, with these further fields of the queues and of the route.
    fn of_a(queues: &str, route: &str) -> String {
        format!(
            r#"{{"brokerDatas":[{A}],"queueDatas":[{{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":2{queues}}}]{route}}}"#
        )
    }

    fn of_s(id: &str) -> String {
        let s = S.replace("ID", id);
        format!(r#"{{"brokerDatas":[{s}],"queueDatas":[{{"brokerName":"s","perm":4}}]}}"#)
    }

    #[test]
    fn what_can_be_said_is_said_and_the_file_can_be_read() {
        for (route, order, expected) in [
            (of_a("", ""), &[][..], "{}"),
            (of_a(r#","topicSysFlag":3"#, ""), &[], "{}"),
            (of_a("", r#","filterServerTable":{"h:2":["f:1"],"h:9":[]}"#), &[], "{}"),
            (
                of_a(
                    "",
                    r#","topicQueueMappingByBroker":{"a":{"bname":"a","topic":"T","currIdMap":{"0":1},"totalQueues":2}}"#,
                ),
                &[],
                "{}",
            ),
            (of_a("", r#","orderTopicConf":"a:4""#), &[("T", "a:4")], r#"{"orderMessageEnable":"true"}"#),
            (of_s("2"), &[], "{}"),
            (of_s("0"), &[], r#"{"supportActingMaster":"true"}"#),
        ] {
            let (topology, lost) = survey(&answers(INFO, &route, order));
            assert_eq!(lost, [""; 0], "{route}");
            let again = read::topology(topology.text().as_bytes()).unwrap();
            assert_eq!(again, topology, "{route}");
            assert_eq!((topology.brokers(), topology.topics()), (2, 1));
            assert_eq!(serde_json::to_string(&topology.settings).unwrap(), expected, "{route}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_named_and_the_rest_can_be_read() {
        let info = |text: &str, other: &str| {
            assert!(INFO.contains(text));
            INFO.replace(text, other)
        };
        let plain = of_a("", "");
        let queues_only = plain.replace(A, "");
        for (info, route, order, expected) in [
            (info("\"h:2\"", "\"h\""), queues_only, &[][..], "broker a, member 1: \"h\" is not HOST:PORT"),
            (
                info("\"h:3\"", "\"h:3\",\"3\":\"h:1\""),
                plain.clone(),
                &[],
                "broker s, member 3: h:1 is an address of a, too",
            ),
            (info("{\"2\":\"h:3\"}", "{}"), plain.clone(), &[], "broker s: it has no members"),
            (
                info("[\"a\",\"s\"]", "[\"a\",\"s\",\"x\"]"),
                plain.clone(),
                &[],
                "cluster C: it lists the broker x",
            ),
            (info("{\"C\":", "{\"E\":[],\"C\":"), plain.clone(), &[], "cluster E: it has no brokers"),
            (
                INFO.to_owned(),
                plain.replace("\"a\",\"perm\"", "\"x\",\"perm\""),
                &[],
                "topic T, broker x: it is not among",
            ),
            (
                INFO.to_owned(),
                plain.replace("\"perm\":6", "\"perm\":16"),
                &[],
                "topic T, broker a: its queues, permission",
            ),
            (
                INFO.to_owned(),
                of_a(r#","topicSysFlag":-1"#, ""),
                &[],
                "topic T, broker a: its queues, permission",
            ),
            (
                INFO.to_owned(),
                of_a(r#","compressionType":"zip""#, ""),
                &[],
                "topic T, broker a: its queues, permission",
            ),
            (
                INFO.to_owned(),
                plain.replace("h:2", "h:4"),
                &[],
                "topic T: its broker a has changed meanwhile",
            ),
            (INFO.to_owned(), of_s("3"), &[], "topic T: its broker s has changed meanwhile"),
            (
                INFO.to_owned(),
                of_a("", r#","filterServerTable":{"h:9":["f"]}"#),
                &[],
                "filter servers of h:9",
            ),
            (
                INFO.to_owned(),
                of_a("", r#","topicQueueMappingByBroker":{"s":{"bname":"s","topic":"T"}}"#),
                &[],
                "topic T, static queues of broker s: it has no queues",
            ),
            (
                INFO.to_owned(),
                of_a("", r#","topicQueueMappingByBroker":{"a":{"bname":"a"}}"#),
                &[],
                "topic T, static queues of broker a: other names",
            ),
            (
                INFO.to_owned(),
                of_a("", r#","orderTopicConf":"a:4""#),
                &[("T", "a:5")],
                "topic T: its order configuration has changed",
            ),
            (
                INFO.to_owned(),
                plain.clone(),
                &[("", "a:5")],
                "the entry of ORDER_TOPIC_CONFIG without a name",
            ),
        ] {
            let (topology, lost) = survey(&answers(&info, &route, order));
            let [said] = &lost[..] else { panic!("{expected}: {lost:?}") };
            assert!(said.starts_with(expected), "{said}");
            assert_eq!(read::topology(topology.text().as_bytes()).unwrap(), topology, "{expected}");
        }
    }
}
