//! Registrations to test with, steps to do with them, and a table as lines to compare.

use std::time::Duration;

use rocketmq_nameserver_protocol::model::{
    DataVersion, Perm, RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper,
};
use rocketmq_nameserver_protocol::request::{RegisterBroker, RegisterBrokerResult, UnregisterBroker};

use super::register::SingleTopicRefused;
use super::{ConnectionId, Farewell, Now, Table};
use crate::personality::Personality;

/// The time at which all samples register.
pub(super) const NOW: Now = Now { millis: 1_700_000_000_000, uptime: Duration::ZERO };

/// A change of a table.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Over that connection.
    Register(u64, RegisterBroker),
    Unregister(UnregisterBroker),
    Close(u64),
}

/// A 5.x broker of cluster `c` at `<name>-<id>` with two topics, `T1` and `T2`, of 8 queues, at version 1.
pub(super) fn broker(name: &str, id: i64) -> RegisterBroker {
    RegisterBroker {
        cluster_name: "c".into(),
        broker_name: name.into(),
        broker_addr: format!("{name}-{id}").into(),
        broker_id: id,
        ha_server_addr: format!("ha-{name}-{id}").into(),
        enable_acting_master: Some(false),
        body: RegisterBrokerBody {
            filter_server_list: Some(Vec::new()),
            topic_config_serialize_wrapper: topics(1, &["T1", "T2"], 6),
        },
        ..RegisterBroker::default()
    }
}

/// Topics of 8 queues with that permission, at that version.
pub(super) fn topics(counter: i64, names: &[&str], perm: i32) -> TopicConfigSerializeWrapper {
    let version = DataVersion { counter, ..DataVersion::default() };
    let configs = names.iter().map(|name| TopicConfig::new(*name, 8, Perm(perm)));
    TopicConfigSerializeWrapper::new(version, configs)
}

/// What a registration has that a sample does not.
pub(super) trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl With for RegisterBroker {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl With for UnregisterBroker {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// The farewell of a sample broker.
pub(super) fn leaving(name: &str, id: i64) -> UnregisterBroker {
    UnregisterBroker {
        cluster_name: "c".into(),
        broker_name: name.into(),
        broker_addr: format!("{name}-{id}").into(),
        broker_id: id,
    }
}

/// A 5.x table after those steps, and what the last registration was told.
pub(super) fn after(steps: &[Step]) -> (Table, Result<RegisterBrokerResult, SingleTopicRefused>) {
    after_on(Personality::V5, steps)
}

/// A table of that generation after those steps, and what the last registration was told.
pub(super) fn after_on(
    personality: Personality,
    steps: &[Step],
) -> (Table, Result<RegisterBrokerResult, SingleTopicRefused>) {
    let mut table = Table::new(personality);
    let mut last = Ok(RegisterBrokerResult::default());
    for step in steps {
        match step.clone() {
            Step::Register(connection, broker) => {
                last = table.register(Some(ConnectionId(connection)), broker.into(), NOW);
            }
            Step::Unregister(leaving) => table.unregister_all([Farewell::from(leaving)]),
            Step::Close(connection) => table.connection_closed(ConnectionId(connection)),
        }
    }
    (table, last)
}

/// The table's clusters, groups and topics, a line for each.
pub(super) fn lines(table: &Table) -> Vec<String> {
    let mut lines = Vec::new();
    for (cluster, names) in &table.clusters {
        lines.push(format!("cluster {cluster}: {names:?}"));
    }
    for (name, group) in &table.groups {
        lines.push(format!("group {name}: {:?}", table.to_data(name, group).broker_addresses));
    }
    let mut topics = table.topics.iter().collect::<Vec<_>>();
    topics.sort_by_key(|(topic, _)| *topic);
    for (topic, queues) in topics {
        for (broker_name, queue) in queues {
            assert_eq!(*broker_name, queue.broker_name);
            lines.push(format!("{topic} on {broker_name}: {}", queue.perm));
        }
    }
    lines
}

/// The steps lead to those lines.
#[track_caller]
pub(super) fn check(steps: &[Step], expected: &[&str]) {
    let (table, _) = after(steps);
    assert_eq!(lines(&table), expected, "after {steps:#?}");
}
