//! Names of brokers, clusters and topics, and addresses: short texts that are copied often.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A short text. Up to 24 bytes stand inside it without an allocation, longer ones are shared; a clone never
/// copies a long text. It behaves like `&str` wherever that is wanted.
///
/// ```
/// use rocketmq_nameserver_protocol::model::Name;
///
/// let name = Name::from("broker-a");
/// assert_eq!(name, "broker-a");
/// assert!(name.starts_with("broker"));
/// ```
#[derive(Clone)]
pub struct Name(Repr);

#[derive(Clone)]
enum Repr {
    /// One that needs no allocation: short, or known when the program is compiled.
    Inline(CompactString),
    Shared(Arc<str>),
}

/// How many bytes stand inside a name: its own size.
const INLINE: usize = size_of::<CompactString>();

impl Name {
    /// A name that is known when the program is compiled. Never allocates.
    pub const fn from_static(text: &'static str) -> Name {
        Name(Repr::Inline(CompactString::const_new(text)))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline(text) => text,
            Repr::Shared(text) => text,
        }
    }
}

impl Default for Name {
    fn default() -> Name {
        Name::from_static("")
    }
}

impl PartialEq for Name {
    #[inline]
    fn eq(&self, other: &Name) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// As `str` does it, so that a map of names can be asked for plain text.
impl Hash for Name {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CompactString::deserialize(deserializer).map(|text| Name::from(text.as_str()))
    }
}

impl Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    #[inline]
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Name {
    // Inlined, so that it is made where it is to stay: a move right behind a copy of a few bytes waits for that copy.
    #[inline(always)]
    fn from(text: &str) -> Name {
        Name(if text.len() <= INLINE {
            Repr::Inline(CompactString::new(text))
        } else {
            Repr::Shared(Arc::from(text))
        })
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name::from(text.as_str())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.as_str().to_owned()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_map_of_names_answers_to_plain_text() {
        for text in ["", "broker-a", "一二三四五六七", &"x".repeat(200)] {
            let map = HashMap::from([(Name::from(text), 1)]);
            assert_eq!(map.get(text), Some(&1), "{text}");
        }
    }

    #[test]
    fn twenty_four_bytes_fit_without_an_allocation_and_longer_ones_are_shared() {
        assert_eq!(size_of::<Name>(), 24);
        assert!(matches!(Name::from("a".repeat(24)).0, Repr::Inline(text) if !text.is_heap_allocated()));
        let long = Name::from("a".repeat(25));
        assert!(std::ptr::eq(long.as_str(), long.clone().as_str()));
    }
}
