//! The order in which Java walks a hash map of names. It shows where only the first or the last one counts: the flags of a
//! topic (311 to 313), and an address that two groups of a route have.

use std::collections::BTreeMap;

use rocketmq_nameserver_protocol::model::Name;

/// How many buckets a map starts with; it doubles when three quarters are taken.
const BUCKETS: u32 = 16;

/// The entries as Java walks a hash map that has grown to them. Names in one bucket come in their own order here, and in that
/// of their arrival in Java.
pub(super) fn in_hash_order<T>(entries: &BTreeMap<Name, T>) -> Vec<(&Name, &T)> {
    let mut buckets = BUCKETS;
    while entries.len() > (buckets / 4 * 3) as usize {
        buckets = buckets.saturating_mul(2);
    }
    let mut ordered: Vec<(&Name, &T)> = entries.iter().collect();
    if ordered.len() > 1 {
        ordered.sort_by_key(|(name, _)| bucket(name, buckets));
    }
    ordered
}

fn bucket(name: &Name, buckets: u32) -> u32 {
    let hash =
        name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & (buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_as_java_walks_them() {
        // As JDK 17 prints the keys of a HashMap with these.
        let numbered = |numbers: &[u32]| numbers.iter().map(|number| format!("broker-{number:03}")).collect();
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let expected: [Vec<String>; 3] = [
            text(&["broker-b", "broker-a", "broker-ü"]),
            text(&["a", "q", "b"]),
            numbered(&[5, 4, 7, 6, 9, 8, 10, 1, 12, 0, 11, 3, 2]),
        ];
        for expected in expected {
            let map: BTreeMap<Name, ()> = expected.iter().map(|name| (name.as_str().into(), ())).collect();
            let found: Vec<&str> = in_hash_order(&map).into_iter().map(|(name, ())| name.as_str()).collect();
            assert_eq!(found, expected);
        }
    }
}
