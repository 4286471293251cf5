//! What a watch tells, in a few words, for tests that list what they expect.

use rocketmq_nameserver::{Change, Gone};

/// A change in short, such as `+broker-a` or `gone: not found`.
pub fn in_short(change: &Change) -> String {
    match change {
        Change::TopicFound { after } => format!("found {}", after.broker_data_list.len()),
        Change::TopicGone { why: Gone::NotFound, .. } => "gone: not found".to_owned(),
        Change::TopicGone { why: Gone::TooOld, .. } => "gone: too old".to_owned(),
        Change::BrokerAdded { after } => format!("+{}", after.broker_name),
        Change::BrokerRemoved { before } => format!("-{}", before.broker_name),
        Change::QueuesChanged { broker_name, .. } => format!("queues of {broker_name}"),
        Change::Resynced { .. } => "resynced".to_owned(),
        other => format!("{other:?}"),
    }
}
