//! The comparison for programs: one object, routes and brokers with the names of the wire.

use rocketmq_nameserver::{
    AllRoutes, BrokerOpinion, Change, ClusterDifference, Difference, ListDifference, Name, Opinion,
    QueueCounts,
};
use serde_json::{Value, json};

use super::{Failure, Report};
use crate::cmd::Failed;
use crate::out::error_json;

pub(super) fn text(report: &Report) -> Result<String, Failed> {
    let value = json!({
        "servers": report.servers,
        "agree": report.agree(),
        "topics": {
            "compared": report.topics,
            "differ": report.routes.iter().map(of_routes).collect::<Vec<_>>(),
            "unknown": report.unknown,
        },
        "lists": report.list_differences.iter().map(of_list).collect::<Vec<_>>(),
        "brokers": {
            "compared": report.brokers,
            "differ": report.broker_differences.iter().map(of_broker).collect::<Vec<_>>(),
        },
        "failed": report.failed.iter().map(of_failure).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&value).map_err(|error| Failed::System(error.to_string()))
}

fn of_routes(routes: &AllRoutes) -> Value {
    let opinion = |opinion: Opinion| json!({"servers": opinion.servers, "route": opinion.route});
    let difference = |difference: Difference| {
        let changes: Vec<Value> = difference.changes.iter().map(of_change).collect();
        json!({"servers": difference.servers, "than": difference.than, "changes": changes})
    };
    json!({
        "topic": routes.topic(),
        "opinions": routes.opinions().into_iter().map(opinion).collect::<Vec<_>>(),
        "differences": routes.differences().into_iter().map(difference).collect::<Vec<_>>(),
        "failed": routes.failed().map(|(server, _)| server).collect::<Vec<_>>(),
    })
}

/// `before` is what `than` say, `after` what `servers` say.
fn of_change(change: &Change) -> Value {
    match change {
        Change::TopicFound { .. } => json!({"kind": "topicFound"}),
        Change::TopicGone { .. } => json!({"kind": "topicGone"}),
        Change::BrokerAdded { after } => {
            json!({"kind": "brokerAdded", "brokerName": after.broker_name, "after": after})
        }
        Change::BrokerRemoved { before } => {
            json!({"kind": "brokerRemoved", "brokerName": before.broker_name, "before": before})
        }
        Change::AddressesChanged { broker_name, before, after } => {
            json!({"kind": "addressesChanged", "brokerName": broker_name, "before": before, "after": after})
        }
        Change::QueuesChanged { broker_name, before, after } => json!({
            "kind": "queuesChanged",
            "brokerName": broker_name,
            "before": of_queues(*before),
            "after": of_queues(*after),
        }),
        Change::PermChanged { broker_name, before, after } => {
            json!({"kind": "permChanged", "brokerName": broker_name, "before": before, "after": after})
        }
        Change::OrderConfChanged { before, after } => {
            json!({"kind": "orderConfChanged", "before": before, "after": after})
        }
        // Both routes stand under opinions.
        _ => json!({"kind": "otherChanged"}),
    }
}

fn of_queues(counts: Option<QueueCounts>) -> Value {
    counts.map_or(
        Value::Null,
        |QueueCounts { read, write }| json!({"readQueueNums": read, "writeQueueNums": write}),
    )
}

fn of_list(difference: &ListDifference) -> Value {
    json!({
        "topic": difference.topic,
        "listedAt": difference.listed_at,
        "missingAt": difference.missing_at,
    })
}

fn of_broker(difference: &ClusterDifference) -> Value {
    let opinion = |BrokerOpinion { servers, broker, listed_in }: &BrokerOpinion| {
        let clusters: &Vec<Name> = listed_in;
        json!({"servers": servers, "broker": broker, "listedIn": clusters})
    };
    json!({
        "brokerName": difference.broker_name,
        "opinions": difference.opinions.iter().map(opinion).collect::<Vec<_>>(),
    })
}

fn of_failure(failure: &Failure) -> Value {
    json!({
        "server": failure.server,
        "topicList": failure.list,
        "clusterInfo": failure.brokers,
        "routes": failure.routes,
        "error": error_json(&failure.error),
    })
}
