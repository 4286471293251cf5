//! What this client makes of a route, in the shape in which the Java program prints it.

use std::collections::BTreeSet;

use rocketmq_nameserver::{
    AsyncNameServerClient, DEFAULT_TOPIC_QUEUE_NUMS, FindBrokerResult, MessageQueue, TopicRouteData,
    default_topic_route, find_broker_address_in_admin, find_broker_address_in_publish,
    find_broker_address_in_subscribe, physical_broker, publish_queues, select_broker_addr,
    static_topic_endpoints, subscribe_queues,
};
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_testkit::scripted_peer::in_memory;
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

use crate::routes::{Case, text};

/// As in the Java program.
const BROKER_IDS: [i64; 11] = [0, 1, 2, 3, 6, 7, 15, 16, -1, -2, i64::MAX];
const NUMS: [u32; 4] = [0, 1, 4, 1000];
const MOCK_BROKERS: [&str; 4] = ["__syslo__global__", "__syslo__scope-a", "__syslo__b", "__syslo__other"];
const QUEUE_IDS: [u32; 6] = [0, 1, 5, 12, 18, 30];

pub(crate) fn derived(case: &Case) -> Value {
    let (topic, route) = (&*case.topic, &case.route);
    let endpoints = static_topic_endpoints(topic, route);
    let endpoints =
        endpoints.map(|(queue, broker)| json!([queue.topic, queue.broker_name, queue.queue_id, broker]));
    let mut all = json!({
        "publish": published(topic, route),
        "subscribe": queues(subscribe_queues(topic, route)),
        "endpoints": endpoints.collect::<Vec<_>>(),
        "selected": selected(route),
        "capped": NUMS.iter().map(|nums| (nums.to_string(), capped(route, *nums))).collect::<Map<_, _>>(),
        "found": found(topic, Some(&text(route)), &text(&case.default)),
        "foundByDefault": found(topic, None, &text(route)),
    });
    for (field, value) in addresses(topic, route) {
        all[field] = value;
    }
    all
}

fn published(topic: &str, route: &TopicRouteData) -> Value {
    let publish = publish_queues(topic, route);
    json!({"isOrderTopic": publish.is_order_topic(), "queues": queues(publish)})
}

fn queues(queues: impl Iterator<Item = MessageQueue>) -> Value {
    queues.map(|queue| json!([queue.topic, queue.broker_name, queue.queue_id])).collect()
}

fn addresses(topic: &str, route: &TopicRouteData) -> [(&'static str, Value); 4] {
    let mut names = BTreeSet::from(["absent"]);
    names.extend(route.broker_data_list.iter().map(|broker| broker.broker_name.as_str()));
    let [mut in_publish, mut in_subscribe, mut in_admin] = [Map::new(), Map::new(), Map::new()];
    for name in &names {
        in_publish.insert((*name).to_owned(), json!(find_broker_address_in_publish(route, name)));
        in_admin.insert((*name).to_owned(), shown(find_broker_address_in_admin(route, name)));
        for id in BROKER_IDS {
            for only_this in [false, true] {
                let found = find_broker_address_in_subscribe(route, name, id, only_this);
                in_subscribe.insert(format!("{name} {id} {only_this}"), shown(found));
            }
        }
    }
    names.extend(MOCK_BROKERS);
    let mut physical = Map::new();
    for name in names {
        for queue_id in QUEUE_IDS {
            let queue = MessageQueue { topic: topic.into(), broker_name: name.into(), queue_id };
            physical.insert(format!("{name} {queue_id}"), json!(physical_broker(route, &queue)));
        }
    }
    [
        ("inPublish", in_publish.into()),
        ("inSubscribe", in_subscribe.into()),
        ("inAdmin", in_admin.into()),
        ("physical", physical.into()),
    ]
}

fn shown(found: Option<FindBrokerResult>) -> Value {
    found.map_or(Value::Null, |found| json!([found.broker_addr, found.slave]))
}

fn selected(route: &TopicRouteData) -> Value {
    let mut selected = Map::new();
    for broker in &route.broker_data_list {
        let addresses = &broker.broker_addresses;
        let is_by_chance = addresses.master().is_none() && addresses.len() > 1;
        let address = select_broker_addr(broker);
        assert!(addresses.is_empty() || addresses.iter().any(|(_, known)| Some(known) == address));
        let shown = if is_by_chance { json!("by chance") } else { json!(address) };
        selected.insert(broker.broker_name.to_string(), shown);
    }
    selected.into()
}

fn capped(route: &TopicRouteData, nums: u32) -> Value {
    let capped = default_topic_route(route, nums);
    let queues = capped.queue_data_list.iter();
    queues
        .map(|queue| json!([queue.broker_name, queue.perm.0, queue.read_queue_nums, queue.write_queue_nums]))
        .collect()
}

/// What a producer sends by whose NameServer knows these bodies of the topic and of `TBW102`.
fn found(topic: &str, body: Option<&str>, default_body: &str) -> Value {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bodies = (body.map(str::to_owned), default_body.to_owned());
    runtime.block_on(async {
        let serve = in_memory(move |mut peer| {
            let (body, default_body) = bodies.clone();
            async move {
                while let Some((opaque, topic)) = peer.topic().await {
                    match if topic == "TBW102" { Some(&default_body) } else { body.as_ref() } {
                        Some(body) => peer.answer(opaque, body).await,
                        None => {
                            peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
                        }
                    }
                }
            }
        });
        let client =
            AsyncNameServerClient::builder().servers("ns").connector(serve).build().expect("a client");
        let route = client.route_to_publish(topic, DEFAULT_TOPIC_QUEUE_NUMS).await.expect("a route");
        published(topic, &route)
    })
}
