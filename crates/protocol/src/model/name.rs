//! Names of brokers, clusters and topics, and addresses: short texts that are copied often.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A short text. Up to 23 bytes stand inside it without an allocation, longer ones are shared; a clone never
/// copies a long text. It behaves like `&str` wherever that is wanted.
///
/// ```
/// use rocketmq_nameserver_protocol::model::Name;
///
/// let name = Name::from("broker-a");
/// assert_eq!(name, "broker-a");
/// assert!(name.starts_with("broker"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(SmolStr);

impl Name {
    /// A name that is known when the program is compiled. Never allocates.
    pub const fn from_static(text: &'static str) -> Name {
        Name(SmolStr::new_static(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Name {
    type Target = str;

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
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(SmolStr::new(text))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(SmolStr::from(text))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        String::from(name.0)
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
    fn twenty_three_bytes_fit_without_an_allocation() {
        assert_eq!(size_of::<Name>(), 24);
        assert!(!Name::from("a".repeat(23)).0.is_heap_allocated());
        assert!(Name::from("a".repeat(24)).0.is_heap_allocated());
    }
}
