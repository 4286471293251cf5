//! What a NameServer must have answered: the initial state, changed by each request of the manifest in its order
//! (`docs/wire.md` §2). Only what the captured requests need is here, and no code of the crate.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::captures::{Capture, Queues, State};

/// What an answer must hold.
#[derive(Debug)]
pub(crate) struct Expected {
    /// The top byte of the header word.
    pub(crate) serialize_type: u8,
    /// Every field of the header.
    pub(crate) header: Value,
    /// What else there is.
    pub(crate) answer: Answer,
}

/// What stands behind the header. Lists are in the order of their elements' text.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// No body; the header says why.
    Refused,
    /// The route of a topic.
    Route(Value),
    /// All brokers and clusters.
    Cluster(Value),
    /// All order configurations, topic → configuration.
    Registered(Value),
    /// No body.
    Unregistered,
}

impl Answer {
    /// The body, if there is one.
    pub(crate) fn body(&self) -> Option<Value> {
        match self {
            Answer::Route(body) | Answer::Cluster(body) => Some(body.clone()),
            Answer::Registered(table) => Some(json!({ "table": table })),
            Answer::Refused | Answer::Unregistered => None,
        }
    }
}

/// One server's tables.
pub(crate) struct NameServer {
    is_5x: bool,
    groups: BTreeMap<String, Group>,
    /// Topic → broker → queues.
    topics: BTreeMap<String, BTreeMap<String, Queues>>,
    order_conf: BTreeMap<String, String>,
    order_message_enable: bool,
}

struct Group {
    cluster: String,
    addresses: BTreeMap<i64, String>,
    acting_master: bool,
    /// Address → filter servers.
    filter_servers: BTreeMap<String, Vec<String>>,
}

impl NameServer {
    pub(crate) fn new(server: &str, state: &State) -> Self {
        assert!(state.kv.is_empty(), "{server} starts without KV items");
        let mut this = NameServer {
            is_5x: server == "rocketmq-5.3.3",
            groups: BTreeMap::new(),
            topics: BTreeMap::new(),
            order_conf: BTreeMap::new(),
            order_message_enable: state.config.order_message_enable,
        };
        for broker in &state.brokers {
            for (topic, queues) in broker.topics.each() {
                let brokers = this.topics.entry(topic).or_default();
                brokers.insert(broker.broker_name.clone(), queues);
            }
            let group = Group {
                cluster: broker.cluster_name.clone(),
                addresses: broker.broker_addrs.clone(),
                acting_master: broker.enable_acting_master.unwrap_or(false),
                filter_servers: BTreeMap::new(),
            };
            this.groups.insert(broker.broker_name.clone(), group);
        }
        this
    }

    /// Takes a request in; says what it must answer if it is one of 103, 104, 105 and 106.
    pub(crate) fn take(&mut self, request: &Capture) -> Option<Expected> {
        let argument = |key: &str| request.ext_fields.get(key).cloned();
        let name = || argument("brokerName").unwrap_or_default();
        match request.code {
            100 if argument("namespace")? == "ORDER_TOPIC_CONFIG" => {
                self.order_conf.insert(argument("key")?, argument("value")?);
            }
            103 => {
                self.register(&name(), request);
                return Some(self.answer(request, Answer::Registered(json!(self.order_conf))));
            }
            104 => {
                self.groups.remove(&name());
                self.forget(|_, broker| *broker == name());
                return Some(self.answer(request, Answer::Unregistered));
            }
            105 => {
                let route = argument("topic").and_then(|topic| self.route(&topic));
                return Some(self.answer(request, route.map_or(Answer::Refused, Answer::Route)));
            }
            106 => return Some(self.answer(request, Answer::Cluster(self.cluster_info()))),
            205 => self.permit(&name(), |perm| perm & !2),
            216 => {
                let clusters: BTreeMap<_, _> =
                    (self.groups.iter().map(|(name, it)| (name.clone(), it.cluster.clone()))).collect();
                let (topic, cluster) = (argument("topic")?, argument("clusterName"));
                self.forget(|it, broker| {
                    *it == topic
                        && cluster.as_ref().is_none_or(|cluster| clusters.get(broker) == Some(cluster))
                });
            }
            217 if self.is_5x => {
                let body: Value = serde_json::from_str(&request.request_body).expect("a JSON body");
                for queue in body["queueDatas"].as_array().expect("queueDatas") {
                    let broker = queue["brokerName"].as_str().expect("brokerName").to_owned();
                    let topic = self.topics.entry(argument("topic")?).or_default();
                    topic.insert(broker, queues(queue));
                }
            }
            318 => match request.request_body.as_str() {
                "orderMessageEnable=true" => self.order_message_enable = true,
                "orderMessageEnable=false" => self.order_message_enable = false,
                _ => {}
            },
            327 => self.permit(&name(), |_| 6),
            _ => {}
        }
        None
    }

    fn answer(&self, request: &Capture, answer: Answer) -> Expected {
        let mut header = json!({
            "code": 0, "flag": 1, "language": "JAVA", "opaque": 7, "version": if self.is_5x { 479 } else { 407 },
        });
        let refused = matches!(answer, Answer::Refused);
        if refused {
            let topic = request.ext_fields.get("topic").map_or("null", String::as_str);
            let url = if self.is_5x {
                "https://rocketmq.apache.org/docs/bestPractice/06FAQ"
            } else {
                "http://rocketmq.apache.org/docs/faq/"
            };
            header["code"] = json!(17);
            header["remark"] = json!(format!(
                "No topic route info in name server for the topic: {topic}\nSee {url} for further details."
            ));
        }
        if request.code == 103 {
            header["extFields"] = json!({});
        }
        // 4.x mirrors the form of the request, 5.x answers in its own.
        let binary = request.binary_header && !self.is_5x;
        if !binary {
            header["serializeTypeCurrentRPC"] = json!("JSON");
        }
        Expected { serialize_type: u8::from(binary), header, answer }
    }

    fn register(&mut self, name: &str, request: &Capture) {
        let argument = |key: &str| request.ext_fields[key].clone();
        let body: Value = serde_json::from_str(&request.request_body).expect("a JSON body");
        let topics = &body["topicConfigSerializeWrapper"]["topicConfigTable"];
        for (topic, config) in topics.as_object().expect("topicConfigTable") {
            let brokers = self.topics.entry(topic.clone()).or_default();
            brokers.insert(name.to_owned(), queues(config));
        }
        let filter_servers = serde_json::from_value(body["filterServerList"].clone()).expect("a list");
        let id = argument("brokerId").parse().expect("a number");
        let group = Group {
            cluster: argument("clusterName"),
            addresses: BTreeMap::from([(id, argument("brokerAddr"))]),
            acting_master: request.ext_fields.contains_key("enableActingMaster"),
            filter_servers: BTreeMap::from([(argument("brokerAddr"), filter_servers)]),
        };
        self.groups.insert(name.to_owned(), group);
    }

    fn permit(&mut self, broker: &str, change: impl Fn(i32) -> i32) {
        for queues in self.topics.values_mut().filter_map(|brokers| brokers.get_mut(broker)) {
            queues.perm = change(queues.perm);
        }
    }

    /// Takes brokers out of topics; a topic without any is gone.
    fn forget(&mut self, gone: impl Fn(&String, &String) -> bool) {
        for (topic, brokers) in &mut self.topics {
            brokers.retain(|broker, _| !gone(topic, broker));
        }
        self.topics.retain(|_, brokers| !brokers.is_empty());
    }

    fn route(&self, topic: &str) -> Option<Value> {
        let queues = self.topics.get(topic)?;
        let groups: Vec<_> = queues.keys().filter_map(|name| self.groups.get_key_value(name)).collect();
        let filter_servers: Map<_, _> = (groups.iter().flat_map(|(_, group)| &group.filter_servers))
            .map(|(address, servers)| (address.clone(), json!(servers)))
            .collect();
        let mut route = json!({
            "brokerDatas": groups.iter().map(|(name, group)| self.broker(name, group)).collect::<Vec<_>>(),
            "filterServerTable": filter_servers,
            "queueDatas": queues.iter().map(|(name, it)| json!({
                "brokerName": name, "perm": it.perm, "readQueueNums": it.read_queue_nums,
                "topicSysFlag": it.topic_sys_flag, "writeQueueNums": it.write_queue_nums,
            })).collect::<Vec<_>>(),
        });
        if let Some(conf) = self.order_conf.get(topic).filter(|_| self.order_message_enable) {
            route["orderTopicConf"] = json!(conf);
        }
        Some(route)
    }

    fn cluster_info(&self) -> Value {
        let brokers: Map<_, _> =
            (self.groups.iter()).map(|(name, group)| (name.clone(), self.broker(name, group))).collect();
        let mut clusters: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, group) in &self.groups {
            clusters.entry(&group.cluster).or_default().push(name);
        }
        json!({ "brokerAddrTable": brokers, "clusterAddrTable": clusters })
    }

    fn broker(&self, name: &str, group: &Group) -> Value {
        let addresses = group.addresses.iter();
        let addresses: Map<_, _> = addresses.map(|(id, at)| (id.to_string(), json!(at))).collect();
        let mut broker = json!({ "brokerAddrs": addresses, "brokerName": name, "cluster": group.cluster });
        if self.is_5x {
            broker["enableActingMaster"] = json!(group.acting_master);
        }
        broker
    }
}

fn queues(config: &Value) -> Queues {
    serde_json::from_value(config.clone()).expect("queues")
}
