//! 905: the smallest id of a group is another one, and its members want to know (`docs/wire.md` §2.5).

use rocketmq_nameserver_protocol::model::Name;

use super::Table;

/// What the members of a group are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MinBrokerIdChange {
    pub(crate) broker_name: Name,
    pub(crate) min_broker_id: i64,
    pub(crate) min_broker_addr: Name,
    /// The broker that is gone, if it was one.
    pub(crate) offline_broker_addr: Option<Name>,
    /// Where the newcomer's copies are to be had from, if it is one.
    pub(crate) ha_broker_addr: Option<Name>,
    /// Who is told.
    pub(crate) receivers: Vec<Name>,
}

/// That the smallest id of a group has changed, and by whom.
#[derive(Debug)]
pub(super) struct Note {
    broker_name: Name,
    offline_broker_addr: Option<Name>,
    ha_broker_addr: Option<Name>,
}

impl Table {
    /// What has been noted since the last time, as its groups are now; if nobody wants to know, it is forgotten.
    pub(crate) fn take_min_broker_id_changes(&mut self, wanted: bool) -> Vec<MinBrokerIdChange> {
        let notes = std::mem::take(&mut self.min_broker_id_notes);
        if !wanted {
            return Vec::new();
        }
        notes.into_iter().filter_map(|note| self.min_broker_id_change(note)).collect()
    }

    /// A member has come with an id below all others: they are told, or it is if it is alone.
    pub(super) fn note_newcomer(&mut self, broker_name: &Name, ha_broker_addr: Option<Name>) {
        let note = Note { broker_name: broker_name.clone(), offline_broker_addr: None, ha_broker_addr };
        self.min_broker_id_notes.push(note);
    }

    /// The member with the smallest id is gone: the others are told, if one of them stands in for a master.
    pub(super) fn note_loss(&mut self, broker_name: &Name, offline_broker_addr: Name) {
        if self.groups.get(broker_name).is_some_and(|group| group.enable_acting_master) {
            let offline_broker_addr = Some(offline_broker_addr);
            let note = Note { broker_name: broker_name.clone(), offline_broker_addr, ha_broker_addr: None };
            self.min_broker_id_notes.push(note);
        }
    }

    fn min_broker_id_change(&self, note: Note) -> Option<MinBrokerIdChange> {
        let group = self.groups.get(&note.broker_name)?;
        let (min_broker_id, min_broker_addr) = group.members.iter().next()?;
        let all = note.offline_broker_addr.is_some() || group.members.len() == 1;
        let told = group.members.iter().filter(|(id, _)| all || *id != min_broker_id);
        Some(MinBrokerIdChange {
            min_broker_id: *min_broker_id,
            min_broker_addr: min_broker_addr.clone(),
            receivers: told.map(|(_, address)| address.clone()).collect(),
            broker_name: note.broker_name,
            offline_broker_addr: note.offline_broker_addr,
            ha_broker_addr: note.ha_broker_addr,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Step::{self, Close, Register, Unregister};
    use super::super::sample::{With, after, broker, leaving};
    use super::*;

    #[test]
    fn members_are_told_when_the_smallest_id_is_another_one() {
        let acting = |id: i64| {
            Register(id.unsigned_abs(), broker("a", id).with(|b| b.enable_acting_master = Some(true)))
        };
        let plain = |id: i64| Register(id.unsigned_abs(), broker("a", id));
        type Told<'a> = (i64, &'a str, Option<&'a str>, Option<&'a str>, Vec<&'a str>);
        let rows: Vec<(&str, Vec<Step>, Vec<Told<'_>>)> = vec![
            ("a first member with an id above 0 is none", vec![acting(1)], vec![]),
            ("a second with a larger id", vec![acting(1), acting(2)], vec![]),
            ("a smaller id", vec![acting(2), acting(1)], vec![(1, "a-1", None, Some("ha-a-1"), vec!["a-2"])]),
            (
                "a smaller id, without acting masters",
                vec![plain(2), plain(1)],
                vec![(1, "a-1", None, Some("ha-a-1"), vec!["a-2"])],
            ),
            (
                "the smallest leaves",
                vec![acting(0), acting(1), acting(2), Unregister(leaving("a", 0))],
                vec![(1, "a-1", Some("a-0"), None, vec!["a-1", "a-2"])],
            ),
            (
                "its connection ends",
                vec![acting(1), acting(2), Close(1)],
                vec![(2, "a-2", Some("a-1"), None, vec!["a-2"])],
            ),
            (
                "it leaves, without acting masters",
                vec![plain(0), plain(1), Unregister(leaving("a", 0))],
                vec![],
            ),
            ("another leaves", vec![acting(0), acting(1), Unregister(leaving("a", 1))], vec![]),
            ("the last leaves", vec![acting(0), Unregister(leaving("a", 0))], vec![]),
            ("the same comes again", vec![acting(1), acting(2), acting(1)], vec![]),
        ];
        for (name, steps, expected) in rows {
            let changes = after(&steps).0.take_min_broker_id_changes(true);
            let found: Vec<_> = changes
                .iter()
                .map(|change| {
                    let told: Vec<&str> = change.receivers.iter().map(Name::as_str).collect();
                    let (offline, ha) =
                        (change.offline_broker_addr.as_deref(), change.ha_broker_addr.as_deref());
                    (change.min_broker_id, change.min_broker_addr.as_str(), offline, ha, told)
                })
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
