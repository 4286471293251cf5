//! 103: a broker comes, comes again, or takes another role (`docs/wire.md` §2.4).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{
    DataVersion, MASTER_ID, Name, QueueData, RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper,
    TopicQueueMappingInfo,
};
use rocketmq_nameserver_protocol::request::{RegisterBroker, RegisterBrokerResult};

use super::liveness::DEFAULT_TIMEOUT;
use super::{ConnectionId, Group, Live, Now, Table, without_write};

/// A registration, with what may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) cluster: Name,
    pub(crate) broker_name: Name,
    /// Without one the group is made, and that is all.
    pub(crate) address: Option<Name>,
    pub(crate) broker_id: i64,
    pub(crate) ha_server_addr: Option<Name>,
    pub(crate) heartbeat_timeout: Option<Duration>,
    pub(crate) enable_acting_master: Option<bool>,
    pub(crate) zone_name: Option<Name>,
    pub(crate) body: RegisterBrokerBody,
    /// The server's setting `deleteTopicWithBrokerRegistration` (5.x).
    pub(crate) delete_missing_topics: bool,
}

impl From<RegisterBroker> for Registration {
    fn from(broker: RegisterBroker) -> Self {
        let millis = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        Registration {
            cluster: broker.cluster_name,
            broker_name: broker.broker_name,
            address: Some(broker.broker_addr),
            broker_id: broker.broker_id,
            ha_server_addr: Some(broker.ha_server_addr),
            heartbeat_timeout: broker.heartbeat_timeout_millis.map(millis),
            enable_acting_master: broker.enable_acting_master,
            zone_name: broker.zone_name,
            body: broker.body,
            delete_missing_topics: false,
        }
    }
}

/// A broker whose id is new came with exactly one topic. That is what brokers send when a topic changes, so the rest
/// of its topics would be missing; it comes again with all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SingleTopicRefused;

/// What a registration changes about topics.
struct TopicChange {
    /// Everything is written, whatever is known already.
    all: bool,
    /// A slave that stands in for its master must not be written to.
    read_only: bool,
}

impl Table {
    /// Takes a registration over that connection; `None` is one by hand, which stays until it is taken back.
    ///
    /// The numbers below are the steps of `docs/wire.md` §2.4; a 4.x server has no steps 3, 4, 6, 7 and 14. A refused
    /// registration leaves steps 1 to 5 behind, as on a real server: a group without members.
    pub(crate) fn register(
        &mut self,
        connection: Option<ConnectionId>,
        registration: Registration,
        now: Now,
    ) -> Result<RegisterBrokerResult, SingleTopicRefused> {
        let v5 = self.personality.is_v5();
        let Registration { cluster, broker_name, broker_id, ha_server_addr, body, .. } = registration;
        let TopicConfigSerializeWrapper {
            data_version,
            topic_config_table: topics,
            topic_queue_mapping_info_map: mappings,
        } = body.topic_config_serialize_wrapper;
        let data_version =
            data_version.unwrap_or(DataVersion { timestamp: now.millis, ..DataVersion::default() });
        let acting_master = registration.enable_acting_master.filter(|_| v5);

        // 1, 2: the group goes by its name alone.
        self.clusters.entry(cluster.clone()).or_default().insert(broker_name.clone());
        let mut first = !self.groups.contains_key(&broker_name);
        let group = self.groups.entry(broker_name.clone()).or_insert_with(|| Group {
            cluster: cluster.clone(),
            enable_acting_master: false,
            zone_name: None,
            members: BTreeMap::new(),
        });
        let mut routes_changed = first;
        // 3
        routes_changed |= group.enable_acting_master != (acting_master == Some(true));
        group.enable_acting_master = acting_master == Some(true);
        let zone_name = registration.zone_name.filter(|_| v5);
        routes_changed |= group.zone_name != zone_name;
        group.zone_name = zone_name;
        self.routes_changed |= routes_changed;
        let Some(address) = registration.address else {
            tracing::warn!(%broker_name, broker_id, "a registration without an address only makes its group");
            return Ok(RegisterBrokerResult::default());
        };

        // 4
        let smallest = group.members.keys().next().copied().unwrap_or(0);

        // 5: one address has one role.
        group.members.retain(|id, member| {
            let stays = *id == broker_id || *member != address;
            if !stays {
                tracing::info!(%broker_name, %address, from = id, to = broker_id, "broker changes its role");
                self.routes_changed = true;
            }
            stays
        });
        let holder = group.members.get(&broker_id).cloned();
        let place = self.place(&cluster, &address);

        if v5 {
            // 6: two claim one role, and the one that is there has seen a later election.
            if let Some(holder) = holder.as_ref().filter(|holder| **holder != address) {
                let later = |live: &Live| live.data_version.state_version > data_version.state_version;
                if self.live.get(&self.place(&cluster, holder)).is_some_and(later) {
                    tracing::warn!(%broker_name, broker_id, %address, %holder,
                        "broker dropped: the holder of its id has a larger state version");
                    self.live.remove(&place);
                    return Ok(RegisterBrokerResult::default());
                }
            }
            // 7. Whoever registers a broker by hand says all that there is.
            if connection.is_some() && holder.is_none() && topics.len() == 1 {
                tracing::warn!(%broker_name, broker_id, %address, "registration refused: first, with a single topic");
                return Err(SingleTopicRefused);
            }
        }

        // 8. To a 5.x server an address that is empty is none here.
        first |= holder.as_ref().is_none_or(|holder| v5 && holder.is_empty());
        let Some(group) = self.groups.get_mut(&broker_name) else {
            return Ok(RegisterBrokerResult::default());
        };
        self.routes_changed |= group.members.insert(broker_id, address.clone()).as_ref() != Some(&address);

        // 9
        let is_master = broker_id == MASTER_ID;
        let is_prime_slave =
            acting_master.is_some() && !is_master && group.members.keys().next() == Some(&broker_id);
        let read_only = is_prime_slave && group.enable_acting_master;
        let master = group.members.get(&MASTER_ID).cloned();

        // 10
        if is_master || is_prime_slave {
            let known = self.live.get(&place).map(|live| live.data_version);
            let changed = known.is_none_or(|known| !self.same_version(&known, &data_version));
            let all = first || changed;
            if v5 && registration.delete_missing_topics && mappings.is_empty() {
                self.delete_missing_topics(&broker_name, &topics.keys().collect());
            }
            // A 4.x server takes all or nothing: what was deleted stays away until the version changes.
            if v5 || all {
                self.write_topics(&broker_name, topics, &TopicChange { all, read_only });
            }
            if v5 && all {
                self.merge_mappings(mappings);
            }
        }

        // 14, before 11 takes the address: only what is known by now matters.
        if v5 && broker_id < smallest {
            self.note_newcomer(&broker_name, ha_server_addr.clone());
        }

        // 11
        let timeout = registration.heartbeat_timeout.filter(|_| v5).unwrap_or(DEFAULT_TIMEOUT);
        let live = Live { data_version, ha_server_addr, connection, last_seen: now.uptime, timeout };
        if self.live.insert(place.clone(), live).is_none() {
            tracing::info!(%cluster, %broker_name, broker_id, %address, "broker registered");
        }

        // 12: an explicit null leaves them as they are.
        match body.filter_server_list {
            Some(list) if list.is_empty() => {
                self.routes_changed |= self.filter_servers.remove(&place).is_some();
            }
            Some(list) => {
                let before = self.filter_servers.insert(place.clone(), list);
                self.routes_changed |= before.as_ref() != self.filter_servers.get(&place);
            }
            None => {}
        }

        // 13
        let master = master.filter(|_| !is_master);
        Ok(self.what_a_slave_needs(&cluster, master))
    }

    /// Step 10 a. The keys of the table count here.
    fn delete_missing_topics(&mut self, broker_name: &Name, there: &BTreeSet<&Name>) {
        let routes_changed = &mut self.routes_changed;
        self.topics.retain(|topic, queues| {
            if !there.contains(topic) {
                *routes_changed |= queues.remove(broker_name).is_some();
            }
            !queues.is_empty()
        });
    }

    /// Step 10 b.
    fn write_topics(
        &mut self,
        broker_name: &Name,
        topics: BTreeMap<Name, TopicConfig>,
        change: &TopicChange,
    ) {
        for config in topics.into_values() {
            // The name inside counts, not the key; without one there is nothing to store it under.
            let Some(topic) = config.topic_name else {
                continue;
            };
            let queues = self.topics.entry(topic).or_default();
            if !change.all && queues.contains_key(broker_name) {
                continue;
            }
            let perm = if change.read_only { without_write(config.perm) } else { config.perm };
            let queue = QueueData {
                broker_name: broker_name.clone(),
                read_queue_nums: config.read_queue_nums,
                write_queue_nums: config.write_queue_nums,
                perm,
                topic_syn_flag: config.topic_sys_flag,
                ..QueueData::default()
            };
            match queues.get_mut(broker_name) {
                Some(known) if *known == queue => {}
                Some(known) => {
                    *known = queue;
                    self.routes_changed = true;
                }
                None => {
                    queues.insert(broker_name.clone(), queue);
                    self.routes_changed = true;
                }
            }
        }
    }

    /// Step 10 c. A mapping goes by the broker name inside it.
    fn merge_mappings(&mut self, mappings: BTreeMap<Name, TopicQueueMappingInfo>) {
        for (topic, mapping) in mappings {
            if let Some(broker_name) = mapping.bname.clone() {
                let known = self.mappings.entry(topic).or_default();
                if known.get(&broker_name) != Some(&mapping) {
                    known.insert(broker_name, mapping);
                    self.routes_changed = true;
                }
            }
        }
    }

    /// Step 13: where the master is, if it is alive.
    fn what_a_slave_needs(&self, cluster: &Name, master: Option<Name>) -> RegisterBrokerResult {
        let alive = master.and_then(|address| {
            let live = self.live.get(&self.place(cluster, &address))?;
            Some((address, live.ha_server_addr.clone()))
        });
        let (master_addr, ha_server_addr) = alive.unzip();
        RegisterBrokerResult { ha_server_addr: ha_server_addr.flatten(), master_addr, kv_table: None }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rocketmq_nameserver_protocol::model::{Perm, TopicQueueMappingInfo};

    use super::super::sample::Step::{Close, Register, Unregister};
    use super::super::sample::{NOW, With, after, broker, check, leaving, lines, topics};
    use super::*;

    fn at_version(broker: RegisterBroker, counter: i64, names: &[&str], perm: i32) -> RegisterBroker {
        broker.with(|broker| broker.body.topic_config_serialize_wrapper = topics(counter, names, perm))
    }

    fn acting(broker: RegisterBroker, enabled: Option<bool>) -> RegisterBroker {
        broker.with(|broker| broker.enable_acting_master = enabled)
    }

    fn at_state(broker: RegisterBroker, address: &str, state_version: i64) -> RegisterBroker {
        broker.with(|broker| {
            broker.broker_addr = address.into();
            broker.body.topic_config_serialize_wrapper.data_version =
                Some(DataVersion { state_version, ..DataVersion::default() });
        })
    }

    #[test]
    fn a_master_brings_its_topics_and_a_slave_only_itself() {
        check(
            &[Register(1, broker("a", 0)), Register(2, at_version(broker("a", 1), 5, &["S1", "S2"], 6))],
            &[r#"cluster c: {"a"}"#, r#"group a: {0: "a-0", 1: "a-1"}"#, "T1 on a: RW-", "T2 on a: RW-"],
        );
        check(
            &[Register(1, at_version(broker("a", 0), 1, &[], 6)), Register(2, broker("b", 0))],
            &[
                r#"cluster c: {"a", "b"}"#,
                r#"group a: {0: "a-0"}"#,
                r#"group b: {0: "b-0"}"#,
                "T1 on b: RW-",
                "T2 on b: RW-",
            ],
        );
    }

    #[test]
    fn without_a_master_the_slave_with_the_smallest_id_brings_topics_if_it_is_a_5x_broker() {
        let cluster = r#"cluster c: {"a"}"#;
        for (enabled, perm) in [(Some(false), "RW-"), (Some(true), "R--")] {
            check(
                &[
                    Register(1, acting(broker("a", 1), enabled)),
                    Register(2, acting(at_version(broker("a", 2), 1, &["S1", "S2"], 6), enabled)),
                ],
                &[
                    cluster,
                    r#"group a: {1: "a-1", 2: "a-2"}"#,
                    &format!("T1 on a: {perm}"),
                    &format!("T2 on a: {perm}"),
                ],
            );
        }
        check(&[Register(1, acting(broker("a", 1), None))], &[cluster, r#"group a: {1: "a-1"}"#]);
    }

    #[test]
    fn an_address_has_one_role_and_the_newest_registration_says_which() {
        let promoted = broker("a", 0).with(|broker| broker.broker_addr = "a-1".into());
        check(
            &[Register(1, broker("a", 0)), Register(2, broker("a", 1)), Register(2, promoted)],
            &[r#"cluster c: {"a"}"#, r#"group a: {0: "a-1"}"#, "T1 on a: RW-", "T2 on a: RW-"],
        );
    }

    #[test]
    fn of_two_addresses_with_one_id_the_larger_state_version_stays() {
        for (there, comes, stays) in [(2, 1, "old"), (2, 2, "new"), (2, 3, "new")] {
            let (table, answer) = after(&[
                Register(1, at_state(broker("a", 0), "old", there)),
                Register(2, at_state(broker("a", 0), "new", comes)),
            ]);
            assert_eq!(lines(&table)[1], format!("group a: {{0: {stays:?}}}"), "{there} {comes}");
            assert_eq!(answer, Ok(RegisterBrokerResult::default()));
        }
        // A holder that is not alive any more has no say. It is alive in one cluster only.
        let elsewhere = at_state(broker("a", 0), "new", 1).with(|broker| broker.cluster_name = "d".into());
        let (table, _) = after(&[Register(1, at_state(broker("a", 0), "old", 2)), Register(2, elsewhere)]);
        assert_eq!(lines(&table)[2], r#"group a: {0: "new"}"#);
    }

    #[test]
    fn a_first_registration_with_a_single_topic_is_refused_and_leaves_an_empty_group() {
        let single = at_version(broker("a", 0), 2, &["T3"], 6);
        let (table, answer) = after(&[Register(1, single.clone())]);
        assert_eq!(answer, Err(SingleTopicRefused));
        assert_eq!(lines(&table), [r#"cluster c: {"a"}"#, "group a: {}"]);

        // Slaves too, even those that bring no topics.
        let slave = at_version(broker("a", 1), 2, &["T3"], 6);
        let (_, answer) = after(&[Register(1, broker("a", 0)), Register(2, slave)]);
        assert_eq!(answer, Err(SingleTopicRefused));

        // The group outlives the connection; the full table fills it, and then a single topic is welcome.
        let steps =
            [Register(1, single.clone()), Close(1), Register(2, broker("a", 0)), Register(2, single.clone())];
        assert_eq!(after(&steps).1, Ok(RegisterBrokerResult::default()));
        check(
            &steps,
            &[
                r#"cluster c: {"a"}"#,
                r#"group a: {0: "a-0"}"#,
                "T1 on a: RW-",
                "T2 on a: RW-",
                "T3 on a: RW-",
            ],
        );
        check(&[Register(1, single), Unregister(leaving("a", 0))], &[]);
    }

    #[test]
    fn known_topics_are_rewritten_only_with_a_new_data_version() {
        let expected = |perm: &str| {
            [
                r#"cluster c: {"a"}"#.to_owned(),
                r#"group a: {0: "a-0"}"#.to_owned(),
                format!("T1 on a: {perm}"),
                format!("T2 on a: {perm}"),
                "T3 on a: R--".to_owned(),
            ]
        };
        for (counter, perm) in [(1, "RW-"), (2, "R--")] {
            let steps = [
                Register(1, broker("a", 0)),
                Register(1, at_version(broker("a", 0), counter, &["T1", "T2", "T3"], 4)),
            ];
            assert_eq!(lines(&after(&steps).0), expected(perm), "version {counter}");
        }
    }

    #[test]
    fn a_missing_data_version_is_now() {
        let unversioned =
            broker("a", 0).with(|broker| broker.body.topic_config_serialize_wrapper.data_version = None);
        let (table, _) = after(&[Register(1, unversioned)]);
        let stored = table.live.values().next().map(|live| live.data_version);
        assert_eq!(stored, Some(DataVersion { timestamp: NOW.millis, ..DataVersion::default() }));
    }

    #[test]
    fn the_name_inside_a_topic_counts_and_one_without_is_skipped() {
        let renamed = broker("a", 0).with(|broker| {
            let table = &mut broker.body.topic_config_serialize_wrapper.topic_config_table;
            *table = BTreeMap::from([
                ("key".into(), TopicConfig::new("inner", 1, Perm::READ_WRITE)),
                ("T2".into(), TopicConfig::default()),
            ]);
        });
        check(&[Register(1, renamed)], &[r#"cluster c: {"a"}"#, r#"group a: {0: "a-0"}"#, "inner on a: RW-"]);
    }

    #[test]
    fn the_first_cluster_sticks_and_the_rest_is_as_the_last_registration_said() {
        let zoned = broker("a", 0).with(|broker| {
            broker.zone_name = Some("z".into());
            broker.enable_acting_master = Some(true);
        });
        let moved = broker("a", 1).with(|broker| broker.cluster_name = "d".into());
        for (steps, zone, acting, clusters) in [
            (vec![Register(1, zoned.clone())], Some("z"), true, vec!["c"]),
            (vec![Register(1, zoned), Register(2, moved)], None, false, vec!["c", "d"]),
        ] {
            let info = after(&steps).0.cluster_info();
            let group = &info.broker_addr_table["a"];
            assert_eq!(group.cluster, "c");
            assert_eq!(group.zone_name.as_deref(), zone);
            assert_eq!(group.enable_acting_master, Some(acting));
            assert_eq!(info.cluster_addr_table.into_keys().collect::<Vec<_>>(), clusters);
        }
    }

    #[test]
    fn filter_servers_are_set_removed_by_an_empty_list_and_kept_by_null() {
        let with_list =
            |list: Option<Vec<Name>>| broker("a", 0).with(|broker| broker.body.filter_server_list = list);
        for (then, expected) in
            [(Some(vec!["f2".into()]), vec!["f2"]), (Some(vec![]), vec![]), (None, vec!["f1"])]
        {
            let steps = [Register(1, with_list(Some(vec!["f1".into()]))), Register(1, with_list(then))];
            let route = after(&steps).0.route(&"T1".into(), false).unwrap();
            let found = route.filter_server_table.get("a-0").cloned().unwrap_or_default();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn mappings_are_merged_by_broker_and_stay_when_the_topic_goes() {
        let mapped = |name: &str, counter: i64, queues: u32| {
            let info = TopicQueueMappingInfo {
                bname: Some(name.into()),
                total_queues: queues,
                ..TopicQueueMappingInfo::default()
            };
            at_version(broker(name, 0), counter, &["T1", "T2"], 6).with(|broker| {
                let wrapper = &mut broker.body.topic_config_serialize_wrapper;
                wrapper.topic_queue_mapping_info_map = BTreeMap::from([("T1".into(), info)]);
            })
        };
        let mapping = |steps: &[_]| {
            let route = after(steps).0.route(&"T1".into(), false).unwrap();
            let by_broker = route.topic_queue_mapping_by_broker.into_iter();
            by_broker.map(|(name, info)| (name.to_string(), info.total_queues)).collect::<Vec<_>>()
        };
        let mut steps = vec![Register(1, mapped("a", 1, 4)), Register(2, mapped("b", 1, 4))];
        assert_eq!(mapping(&steps), [("a".to_owned(), 4), ("b".to_owned(), 4)]);
        // The same version changes nothing, a new one does.
        steps.push(Register(1, mapped("a", 1, 8)));
        assert_eq!(mapping(&steps), [("a".to_owned(), 4), ("b".to_owned(), 4)]);
        steps.push(Register(1, mapped("a", 2, 8)));
        assert_eq!(mapping(&steps), [("a".to_owned(), 8), ("b".to_owned(), 4)]);
        steps.extend([Close(1), Close(2), Register(3, broker("n", 0))]);
        assert_eq!(mapping(&steps), [("a".to_owned(), 8), ("b".to_owned(), 4)]);
    }

    #[test]
    fn a_slave_is_told_where_its_master_is_if_that_is_alive() {
        let told = |steps: &[_]| {
            let result = after(steps).1.unwrap();
            (result.master_addr, result.ha_server_addr)
        };
        let slave = Register(2, broker("a", 1));
        assert_eq!(
            told(&[Register(1, broker("a", 0)), slave.clone()]),
            (Some("a-0".into()), Some("ha-a-0".into()))
        );
        assert_eq!(told(&[Register(1, broker("a", 0))]), (None, None));
        assert_eq!(told(std::slice::from_ref(&slave)), (None, None));
        assert_eq!(told(&[Register(1, broker("a", 0)), slave.clone(), Close(1), slave]), (None, None));
        // Alive in another cluster is not alive here.
        let elsewhere = broker("a", 1).with(|broker| broker.cluster_name = "d".into());
        assert_eq!(told(&[Register(1, broker("a", 0)), Register(2, elsewhere)]), (None, None));
    }
}
