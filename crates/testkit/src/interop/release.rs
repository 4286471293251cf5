//! The releases that this project is tested with.

use std::fmt;

use rocketmq_nameserver_protocol::code::Version;

/// A release of the Java servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// The last 4.x whose servers are all published.
    V4_9_7,
    /// The 5.x that the captures come from.
    V5_3_3,
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Release; 2] = [Release::V4_9_7, Release::V5_3_3];

    /// What its servers say in the `version` of a header.
    pub fn version(self) -> Version {
        match self {
            Release::V4_9_7 => Version::V4_9_7,
            Release::V5_3_3 => Version::V5_3_3,
        }
    }
}

/// `4.9.7`, as Maven and the captures spell it.
impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Release::V4_9_7 => "4.9.7",
            Release::V5_3_3 => "5.3.3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_print_as_maven_spells_them_and_know_their_version() {
        for (release, text, version) in [(Release::V4_9_7, "4.9.7", 407), (Release::V5_3_3, "5.3.3", 479)] {
            assert_eq!((release.to_string().as_str(), release.version().0), (text, version));
        }
    }
}
