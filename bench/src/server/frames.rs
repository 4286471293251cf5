//! Ready-made requests: nothing is encoded while anything is measured.

use std::ops::Range;

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::{DataVersion, Perm, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver_protocol::request::{GetRouteInfo, RegisterBroker, Request};

use crate::Outcome;
use crate::rounds::topic;

/// Route queries, one behind the other, for the first topics in turn.
pub(crate) struct Queries {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Queries {
    /// So many queries for so many topics; each carries its own number, from 0 on, as its opaque.
    pub(crate) fn new(count: usize, topics: usize) -> Outcome<Queries> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(count));
        for number in 0..count {
            let mut query = GetRouteInfo::new(topic(1 + number % topics)).to_command();
            query.header.opaque = i32::try_from(number)?;
            bytes.extend_from_slice(&query.to_frame(SerializeType::Json)?);
            ends.push(bytes.len());
        }
        Ok(Queries { bytes, ends })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Those queries in one piece; empty if there are no such.
    pub(super) fn get(&self, numbers: Range<usize>) -> &[u8] {
        let end = |number: usize| match number.checked_sub(1) {
            None => Some(0),
            Some(before) => self.ends.get(before).copied(),
        };
        let range = end(numbers.start).zip(end(numbers.end));
        range.and_then(|(start, end)| self.bytes.get(start..end)).unwrap_or_default()
    }
}

/// What a broker with the first topics sends when it registers. Two tables differ in their versions and in the queues of
/// every topic.
pub(super) fn registration(broker: usize, topics: usize, table: u32) -> Outcome<Vec<u8>> {
    let version = DataVersion { counter: i64::from(table) + 1, ..DataVersion::default() };
    let queues = 8 + table % 2;
    let topics = (1..=topics).map(|number| TopicConfig::new(topic(number), queues, Perm::READ_WRITE));
    let registration = RegisterBroker::new(
        format!("cluster-{}", broker % 2),
        format!("broker-{broker:03}"),
        0,
        format!("10.0.{broker}.1:10911"),
        RegisterBrokerBody::new(version, topics),
    );
    Ok(registration.to_command().to_frame(SerializeType::Json)?.to_vec())
}

#[cfg(test)]
mod tests {
    use rocketmq_nameserver_protocol::command::Command;
    use rocketmq_nameserver_protocol::frame::{DEFAULT_MAX_FRAME_SIZE, cut};

    use super::*;

    fn commands(bytes: &[u8]) -> Vec<Command> {
        let mut bytes = bytes.into();
        let mut commands = Vec::new();
        while let Some(frame) = cut(&mut bytes, DEFAULT_MAX_FRAME_SIZE).unwrap() {
            commands.push(Command::from_frame(frame).unwrap());
        }
        assert!(bytes.is_empty());
        commands
    }

    #[test]
    fn queries_are_numbered_and_ask_for_each_topic_in_turn() {
        let queries = Queries::new(5, 2).unwrap();
        assert_eq!(queries.count(), 5);
        for (range, expected) in [(0..5, 0..5), (0..1, 0..1), (3..5, 3..5), (2..2, 2..2), (4..6, 0..0)] {
            let commands = commands(queries.get(range));
            assert_eq!(commands.len(), expected.len());
            for (command, number) in commands.iter().zip(expected) {
                assert_eq!(command.header.opaque, number as i32);
                let query = GetRouteInfo::from_command(command).unwrap();
                assert_eq!(query.topic, topic(1 + number % 2).as_str());
            }
        }
    }

    #[test]
    fn the_next_table_has_another_version_and_other_queues() {
        let tables = [0, 1].map(|table| {
            let commands = commands(&registration(3, 10, table).unwrap());
            RegisterBroker::from_command(&commands[0]).unwrap().body.topic_config_serialize_wrapper
        });
        let [old, new] = &tables;
        assert!(old.data_version.unwrap().counter < new.data_version.unwrap().counter);
        assert_eq!(old.topic_config_table.len(), 10);
        for (topic, config) in &old.topic_config_table {
            assert_ne!(config.read_queue_nums, new.topic_config_table[topic].read_queue_nums);
        }
    }
}
