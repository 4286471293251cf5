//! Who says the same. Pure.

use std::cmp::Reverse;

use rocketmq_nameserver_protocol::model::{BrokerData, Name};

/// The servers by what they say: what most say first, and of two that as many say, that of the earlier server.
pub(super) fn grouped<T: PartialEq>(said: impl Iterator<Item = (Name, T)>) -> Vec<(Vec<Name>, T)> {
    let mut groups: Vec<(Vec<Name>, T)> = Vec::new();
    for (server, says) in said {
        match groups.iter_mut().find(|(_, other)| *other == says) {
            Some((servers, _)) => servers.push(server),
            None => groups.push((vec![server], says)),
        }
    }
    groups.sort_by_key(|(servers, _)| Reverse(servers.len()));
    groups
}

/// Whether servers of both generations have described these groups: only 5.x servers say whether a slave may act as master,
/// and they always do (`docs/wire.md` §2.2).
pub(super) fn is_mixed<'a>(brokers: impl Iterator<Item = &'a BrokerData>) -> bool {
    let (mut older, mut newer) = (false, false);
    for broker in brokers {
        older |= broker.enable_acting_master.is_none();
        newer |= broker.enable_acting_master.is_some();
    }
    older && newer
}

/// What servers of both generations can say of a group.
pub(super) fn as_any_release_says(broker: &BrokerData) -> BrokerData {
    BrokerData { enable_acting_master: None, zone_name: None, ..broker.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_servers_come_first_and_of_equals_the_earlier_one() {
        for (said, expected) in [
            ("", ""),
            ("a", "a:0"),
            ("aa", "a:01"),
            ("ab", "a:0 b:1"),
            ("ba", "b:0 a:1"),
            ("abb", "b:12 a:0"),
            ("abcb", "b:13 a:0 c:2"),
            ("abba", "a:03 b:12"),
        ] {
            let said = said.chars().enumerate().map(|(at, says)| (Name::from(at.to_string()), says));
            let shown: Vec<String> = grouped(said)
                .into_iter()
                .map(|(servers, says)| format!("{says}:{}", servers.concat()))
                .collect();
            assert_eq!(shown.join(" "), expected);
        }
    }
}
