//! `nsctl route TOPIC`: where a topic is.

use rocketmq_nameserver::{AsyncNameServerClient, BrokerData, QueueData, TopicRouteData};

use super::{Failed, advertised, printed};
use crate::args::Format;
use crate::out::{counted, table};

pub(crate) async fn run(
    client: &AsyncNameServerClient,
    topic: &str,
    format: Format,
) -> Result<String, Failed> {
    let route = client.query_topic_route_info(topic).await?;
    printed(&advertised::Route(&route), format, |route| route_table(topic, route.0))
}

/// One row per broker group that has queues or addresses, and a line of totals.
pub(crate) fn route_table(topic: &str, route: &TopicRouteData) -> String {
    let mut rows: Vec<[String; 6]> = route
        .queue_data_list
        .iter()
        .map(|queue| row(Some(queue), route.broker(&queue.broker_name).map(AsRef::as_ref)))
        .collect();
    let without_queues = |broker: &&std::sync::Arc<BrokerData>| {
        !route.queue_data_list.iter().any(|queue| queue.broker_name == broker.broker_name)
    };
    rows.extend(route.broker_data_list.iter().filter(without_queues).map(|broker| row(None, Some(broker))));
    rows.sort();
    let (read, write) = route.queue_data_list.iter().fold((0_u64, 0_u64), |(read, write), queue| {
        (read + u64::from(queue.read_queue_nums), write + u64::from(queue.write_queue_nums))
    });
    let mut text = format!(
        "Topic {topic}: {}, {read} read queues, {write} write queues\n",
        counted(rows.len(), "broker")
    );
    if !route.order_topic_conf.is_empty() {
        text += &format!("Ordered: {}\n", route.order_topic_conf);
    }
    if !route.topic_queue_mapping_by_broker.is_empty() {
        text += &format!(
            "Static topic, mapped on {}\n",
            counted(route.topic_queue_mapping_by_broker.len(), "broker")
        );
    }
    text + &table(["CLUSTER", "BROKER", "PERM", "READ", "WRITE", "ADDRESSES"], rows)
}

/// What one of the lists does not have stands as '-'.
fn row(queue: Option<&QueueData>, broker: Option<&BrokerData>) -> [String; 6] {
    let dash = || "-".to_owned();
    let of_queue = |field: fn(&QueueData) -> String| queue.map_or_else(dash, field);
    let name = queue.map(|queue| &queue.broker_name).or(broker.map(|broker| &broker.broker_name));
    [
        broker.map_or_else(dash, |broker| broker.cluster.to_string()),
        name.map_or_else(dash, ToString::to_string),
        of_queue(|queue| queue.perm.to_string()),
        of_queue(|queue| queue.read_queue_nums.to_string()),
        of_queue(|queue| queue.write_queue_nums.to_string()),
        broker.map_or_else(dash, addresses),
    ]
}

fn addresses(broker: &BrokerData) -> String {
    let members: Vec<String> = broker
        .broker_addresses
        .iter()
        .map(|(id, used)| format!("{id}={}", advertised::address(broker, id, used)))
        .collect();
    if members.is_empty() { "(none)".to_owned() } else { members.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_that_only_one_list_knows_have_their_row_too() {
        let body = br#"{"brokerDatas":[{"brokerAddrs":{1:"h:2",0:"h:1"},"brokerName":"a","cluster":"C"},
            {"brokerAddrs":{},"brokerName":"c","cluster":"C"}],"orderTopicConf":"a:4",
            "queueDatas":[{"brokerName":"b","perm":4,"readQueueNums":2,"writeQueueNums":1},
            {"brokerName":"a","perm":6,"readQueueNums":8,"writeQueueNums":4}]}"#;
        let text = route_table("T", &TopicRouteData::from_bytes(body).unwrap());
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "Topic T: 3 brokers, 10 read queues, 5 write queues",
                "Ordered: a:4",
                "CLUSTER BROKER PERM READ WRITE ADDRESSES",
                "- b R-- 2 1 -",
                "C a RW- 8 4 0=h:1 1=h:2",
                "C c - - - (none)",
            ]
        );
    }
}
