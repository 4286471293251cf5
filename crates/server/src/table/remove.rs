//! 104 and closed connections: a broker goes (`docs/wire.md` §2.5).

use std::collections::BTreeSet;

use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::UnregisterBroker;

use super::{ConnectionId, Place, Table, without_write};

/// A broker's farewell, with what may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) cluster: Option<Name>,
    pub(crate) broker_name: Option<Name>,
    pub(crate) address: Option<Name>,
    pub(crate) broker_id: Option<i64>,
}

impl From<UnregisterBroker> for Farewell {
    fn from(broker: UnregisterBroker) -> Self {
        Farewell {
            cluster: Some(broker.cluster_name),
            broker_name: Some(broker.broker_name),
            address: Some(broker.broker_addr),
            broker_id: Some(broker.broker_id),
        }
    }
}

/// Groups that have lost members, and what is to be done about their topics.
#[derive(Debug, Default)]
struct Touched {
    gone: BTreeSet<Name>,
    smaller: BTreeSet<Name>,
}

impl Table {
    /// Brokers take their leave. All topics are looked at once, however many brokers go.
    ///
    /// By name and address whatever the id on 5.x, by name and id whatever the address on 4.x. Without an id a 5.x server
    /// forgets that the broker lives, and nothing else.
    pub(crate) fn unregister_all(&mut self, farewells: impl IntoIterator<Item = Farewell>) {
        let mut touched = Touched::default();
        for farewell in farewells {
            self.routes_changed = true;
            let Farewell { cluster, broker_name, address, broker_id } = farewell;
            if let Some(address) = &address {
                let place = self.place(&cluster.clone().unwrap_or_default(), address);
                self.filter_servers.remove(&place);
                if self.live.remove(&place).is_some() {
                    tracing::info!(cluster = cluster.as_deref(), broker_name = broker_name.as_deref(), %address,
                        "broker unregistered");
                }
            }
            let Some(broker_name) = broker_name else { continue };
            let by_address = self.personality.is_v5();
            let empty = self.groups.get(&broker_name).is_none_or(|group| group.members.is_empty());
            if broker_id.is_none() && !empty {
                continue;
            }
            let leaves = |id: i64, member: &Name| {
                if by_address { Some(member) == address.as_ref() } else { Some(id) == broker_id }
            };
            self.remove_members(&broker_name, cluster.as_ref(), &mut touched, leaves);
        }
        self.clean_topics(&touched);
    }

    /// A connection is gone, and all brokers that last registered over it with it. One that has registered over a
    /// newer connection since then stays; so does, on 5.x, one whose group belongs to another cluster.
    pub(crate) fn connection_closed(&mut self, closed: ConnectionId) {
        let places: Vec<Place> = self
            .live
            .iter()
            .filter(|(_, live)| live.connection == Some(closed))
            .map(|(place, _)| place.clone())
            .collect();
        let mut farewells = Vec::new();
        for place in places {
            let of_place = self.farewells_of(&place);
            if of_place.is_empty() && self.personality.is_v5() {
                // Nobody finds it, so it is shown as alive until it has been silent for too long.
                continue;
            }
            self.live.remove(&place);
            self.routes_changed |= self.filter_servers.remove(&place).is_some();
            tracing::info!(cluster = %place.cluster, address = %place.address, "broker lost: its connection closed");
            farewells.extend(of_place);
        }
        self.unregister_all(farewells);
    }

    /// Takes members out of a group. Without members the group goes, also from that cluster.
    fn remove_members(
        &mut self,
        broker_name: &Name,
        cluster: Option<&Name>,
        touched: &mut Touched,
        leaves: impl Fn(i64, &Name) -> bool,
    ) {
        let Some(group) = self.groups.get_mut(broker_name) else {
            return;
        };
        let smallest = group.members.iter().next().map(|(id, address)| (*id, address.clone()));
        group.members.retain(|id, address| !leaves(*id, address));
        if !group.members.is_empty() {
            touched.smaller.insert(broker_name.clone());
            let lost = smallest.filter(|(id, _)| !group.members.contains_key(id));
            if let Some((_, address)) = lost {
                self.note_loss(broker_name, address);
            }
            return;
        }
        tracing::info!(cluster = cluster.map(Name::as_str), %broker_name, "broker group removed");
        self.groups.remove(broker_name);
        touched.smaller.remove(broker_name);
        touched.gone.insert(broker_name.clone());
        if let Some(cluster) = cluster
            && let Some(names) = self.clusters.get_mut(cluster)
        {
            names.remove(broker_name);
            if names.is_empty() {
                self.clusters.remove(cluster);
            }
        }
    }

    /// Takes groups that are gone out of every topic; where a slave may stand in for a lost master its queues become read
    /// only.
    fn clean_topics(&mut self, touched: &Touched) {
        let read_only: Vec<&Name> = touched
            .smaller
            .iter()
            .filter(|name| {
                self.groups.get(*name).is_some_and(|group| group.enable_acting_master && group.lacks_master())
            })
            .collect();
        if touched.gone.is_empty() && read_only.is_empty() {
            return;
        }
        self.topics.retain(|_, queues| {
            queues.retain(|broker_name, _| !touched.gone.contains(broker_name));
            for broker_name in &read_only {
                if let Some(queue) = queues.get_mut(*broker_name) {
                    queue.perm = without_write(queue.perm);
                }
            }
            !queues.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Step::{Close, Register, Unregister};
    use super::super::sample::{With, after, broker, check, leaving};

    const CLUSTER_OF_A: &str = r#"cluster c: {"a"}"#;
    const ONLY_A: [&str; 4] = [CLUSTER_OF_A, r#"group a: {0: "a-0"}"#, "T1 on a: RW-", "T2 on a: RW-"];

    #[test]
    fn the_last_member_takes_the_group_its_cluster_and_its_topics_along() {
        for goes in [Unregister(leaving("a", 0)), Close(1)] {
            check(&[Register(1, broker("a", 0)), goes], &[]);
        }
        for goes in [Unregister(leaving("b", 0)), Close(2)] {
            check(&[Register(1, broker("a", 0)), Register(2, broker("b", 0)), goes], &ONLY_A);
        }
    }

    #[test]
    fn a_farewell_counts_by_name_and_address() {
        let both = [Register(1, broker("a", 0)), Register(2, broker("a", 1))];
        let slave = leaving("a", 1);
        let master_only = &ONLY_A[..];
        let unchanged = &[CLUSTER_OF_A, r#"group a: {0: "a-0", 1: "a-1"}"#, "T1 on a: RW-", "T2 on a: RW-"];
        for (leaving, expected) in [
            (slave.clone(), master_only),
            (slave.clone().with(|leaving| leaving.broker_id = 7), master_only),
            (slave.clone().with(|leaving| leaving.cluster_name = "d".into()), master_only),
            (slave.clone().with(|leaving| leaving.broker_addr = "x".into()), unchanged),
            (slave.with(|leaving| leaving.broker_name = "x".into()), unchanged),
        ] {
            check(&[&both[..], &[Unregister(leaving)]].concat(), expected);
        }
    }

    #[test]
    fn a_farewell_from_the_wrong_cluster_leaves_the_name_in_the_right_one() {
        let wrong = leaving("a", 0).with(|leaving| leaving.cluster_name = "d".into());
        let steps = [Register(1, broker("a", 0)), Unregister(wrong)];
        check(&steps, &[CLUSTER_OF_A]);
    }

    #[test]
    fn without_a_master_the_queues_become_read_only_if_a_slave_may_stand_in() {
        for (enabled, perm) in [(true, "R--"), (false, "RW-")] {
            for goes in [Unregister(leaving("a", 0)), Close(1)] {
                let acting = |id| broker("a", id).with(|broker| broker.enable_acting_master = Some(enabled));
                check(
                    &[Register(1, acting(0)), Register(2, acting(1)), goes],
                    &[
                        CLUSTER_OF_A,
                        r#"group a: {1: "a-1"}"#,
                        &format!("T1 on a: {perm}"),
                        &format!("T2 on a: {perm}"),
                    ],
                );
            }
        }
    }

    #[test]
    fn a_closed_connection_takes_all_its_brokers_along() {
        let elsewhere = broker("a", 1).with(|broker| broker.cluster_name = "d".into());
        check(
            &[
                Register(2, broker("b", 0)),
                Register(1, broker("a", 0)),
                Register(2, broker("b", 1)),
                Register(2, broker("d", 0)),
                Close(2),
            ],
            &ONLY_A,
        );
        // But one that registered in another cluster than its group's is not found, as on a real server.
        check(
            &[Register(1, broker("a", 0)), Register(2, elsewhere), Close(2)],
            &[CLUSTER_OF_A, r#"cluster d: {"a"}"#, r#"group a: {0: "a-0", 1: "a-1"}"#, ONLY_A[2], ONLY_A[3]],
        );
    }

    #[test]
    fn a_newer_connection_takes_its_brokers_over() {
        let (old, new) = (Register(1, broker("a", 0)), Register(2, broker("a", 0)));
        check(&[old.clone(), new.clone(), Close(1)], &ONLY_A);
        check(&[old.clone(), new.clone(), Close(1), Close(2)], &[]);
        check(&[old.clone(), new, Close(2), Close(1)], &[]);
        // One address is one process, in however many groups it is.
        let shared = broker("b", 0).with(|broker| broker.broker_addr = "a-0".into());
        check(&[old, Register(2, shared), Close(2)], &[]);
    }

    #[test]
    fn nothing_is_left_of_a_broker_that_goes() {
        let filtered = broker("a", 0).with(|broker| broker.body.filter_server_list = Some(vec!["f".into()]));
        for goes in [Unregister(leaving("a", 0)), Close(1)] {
            let (table, _) = after(&[Register(1, filtered.clone()), goes]);
            assert!(table.live.is_empty() && table.filter_servers.is_empty(), "{table:?}");
        }
    }
}
