//! Orders in which Java's client goes through things, where a choice depends on them: `String.compareTo`, and that of a
//! `java.util.HashMap`.

use std::cmp::Ordering;

/// The capacity that a hash table starts with.
const FIRST_CAPACITY: u64 = 16;

/// Which of two texts comes first: by UTF-16 code units. Not the order of `str` where one has a character from U+E000 to U+FFFF
/// and the other one beyond.
pub(crate) fn compare_texts(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

/// In which bucket of a table of so many entries the key stands. Tables are walked by bucket; entries of one bucket in the
/// order in which they came.
pub(crate) fn bucket_of_text(key: &str, entries: usize) -> u64 {
    bucket(
        key.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit))),
        entries,
    )
}

/// As [`bucket_of_text`], for a `Long`.
pub(crate) fn bucket_of_long(key: i64, entries: usize) -> u64 {
    let bits = key.cast_unsigned();
    // The lower half is what a Java int keeps.
    bucket(u32::try_from((bits ^ (bits >> 32)) & u64::from(u32::MAX)).unwrap_or_default(), entries)
}

fn bucket(hash: u32, entries: usize) -> u64 {
    let entries = u64::try_from(entries).unwrap_or(u64::MAX);
    let mut capacity = FIRST_CAPACITY;
    // A table doubles when it is more than three quarters full. No table of Java's has more than 2^30 buckets.
    while entries > capacity / 4 * 3 && capacity < 1 << 30 {
        capacity *= 2;
    }
    u64::from(hash ^ (hash >> 16)) & (capacity - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_by_utf_16_units() {
        for (one, other, expected) in [
            ("a", "b", Ordering::Less),
            ("a", "a", Ordering::Equal),
            ("a", "aa", Ordering::Less),
            ("B", "a", Ordering::Less),
            // A surrogate pair begins with U+D83D, which is less than U+FF21 and U+E000.
            ("😀", "Ａ", Ordering::Less),
            ("😀", "\u{e000}", Ordering::Less),
            ("😀", "中", Ordering::Greater),
        ] {
            assert_eq!(compare_texts(one, other), expected, "{one} {other}");
            assert_eq!(compare_texts(other, one), expected.reverse(), "{other} {one}");
        }
    }

    #[test]
    fn buckets_are_those_of_a_java_hash_map() {
        // What `"broker-a".hashCode()` is.
        let hash = 372_697_965_u32;
        assert_eq!(bucket_of_text("broker-a", 1), u64::from((hash ^ (hash >> 16)) & 15));
        for (key, entries, expected) in [
            (0, 1, 0),
            (15, 1, 15),
            (16, 12, 0),
            (16, 13, 16),
            (31, 24, 31),
            (32, 25, 32),
            (-1, 1, 0),
            (-2, 1, 1),
            (1 << 32, 1, 1),
            (i64::MAX, 1, 0),
        ] {
            assert_eq!(bucket_of_long(key, entries), expected, "{key} of {entries}");
        }
    }
}
