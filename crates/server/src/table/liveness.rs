//! 322, 904 and silence: a broker shows that it lives, or does not (`docs/wire.md` §2.5).

use std::time::Duration;

use rocketmq_nameserver_protocol::model::{DataVersion, Name};

use super::{ConnectionId, Farewell, Live, Now, Place, Table};

/// For how long a broker may be silent unless it says otherwise, as Java has it.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

impl Table {
    /// 322: whether the broker has another version than the one that it last registered with, and that one. Asking is a
    /// sign of life; on 4.x only if nothing has changed.
    pub(crate) fn query_data_version(
        &mut self,
        cluster: &Name,
        address: &Name,
        version: Option<DataVersion>,
        now: Now,
    ) -> (bool, Option<DataVersion>) {
        let personality = self.personality;
        let Some(live) = self.live.get_mut(&self.place(cluster, address)) else {
            return (true, None);
        };
        let changed = version.is_none_or(|version| !same(personality.is_v5(), &live.data_version, &version));
        if personality.is_v5() || !changed {
            live.last_seen = now.uptime;
        }
        (changed, Some(live.data_version))
    }

    /// 904: a sign of life, over whichever connection. Nobody minds an unknown broker.
    pub(crate) fn heartbeat(&mut self, cluster: &Name, address: &Name, now: Now) {
        let place = self.place(cluster, address);
        if let Some(live) = self.live.get_mut(&place) {
            live.last_seen = now.uptime;
        }
    }

    /// Removes all brokers that were silent for too long. Gives back the connections that nobody lives on any more.
    pub(crate) fn expire(&mut self, now: Now) -> Vec<ConnectionId> {
        let expired: Vec<Place> = self
            .live
            .iter()
            .filter(|(_, live)| live.is_silent(now))
            .map(|(place, _)| place.clone())
            .collect();
        let mut connections = Vec::new();
        let mut farewells = Vec::new();
        for place in expired {
            if let Some(live) = self.live.remove(&place) {
                tracing::warn!(cluster = %place.cluster, address = %place.address, silent_for = ?live.timeout,
                    "broker lost: it was silent for too long");
                connections.extend(live.connection);
            }
            self.routes_changed |= self.filter_servers.remove(&place).is_some();
            farewells.extend(self.farewells_of(&place));
        }
        self.unregister_all(farewells);
        connections.retain(|connection| !self.live.values().any(|live| live.connection == Some(*connection)));
        connections
    }

    /// How the members at a place would take their leave.
    pub(super) fn farewells_of(&self, place: &Place) -> Vec<Farewell> {
        let mut farewells = Vec::new();
        for (broker_name, group) in &self.groups {
            if self.place(&group.cluster, &place.address) != *place {
                continue;
            }
            for (id, address) in &group.members {
                if *address == place.address {
                    farewells.push(Farewell {
                        cluster: Some(group.cluster.clone()),
                        broker_name: Some(broker_name.clone()),
                        address: Some(place.address.clone()),
                        broker_id: Some(*id),
                    });
                }
            }
        }
        farewells
    }

    /// Whether two versions are the same to this server: a 4.x one knows no state version.
    pub(super) fn same_version(&self, one: &DataVersion, other: &DataVersion) -> bool {
        same(self.personality.is_v5(), one, other)
    }
}

fn same(v5: bool, one: &DataVersion, other: &DataVersion) -> bool {
    (one.timestamp, one.counter) == (other.timestamp, other.counter)
        && (!v5 || one.state_version == other.state_version)
}

impl Live {
    fn is_silent(&self, now: Now) -> bool {
        self.connection.is_some() && self.last_seen.saturating_add(self.timeout) < now.uptime
    }
}
