//! What may be done with a topic's queues on one broker.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::lex::Parsed;
use crate::json::{FromJson, Reader};

/// Permission bits: read 4, write 2, inherit 1, priority 8 (`docs/wire.md` §2.2). 6 is the usual "read and write",
/// 4 is read only, 2 is write only, 7 is 6 plus inherit (`TBW102`).
///
/// ```
/// use rocketmq_nameserver_protocol::model::Perm;
///
/// assert!(Perm(6).is_readable() && Perm(6).is_writable());
/// assert_eq!(Perm(4).to_string(), "R--");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Perm(pub i32);

impl Perm {
    /// Nothing is allowed.
    pub const NONE: Perm = Perm(0);
    /// Read and write, what topics are created with.
    pub const READ_WRITE: Perm = Perm(6);
    /// Read only: consumers drain it, producers stay away.
    pub const READ_ONLY: Perm = Perm(4);

    /// Whether consumers may read.
    pub fn is_readable(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether producers may write.
    pub fn is_writable(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether new topics inherit from this one.
    pub fn is_inherited(self) -> bool {
        self.0 & 1 != 0
    }
}

/// `RWX`, with `-` for each bit that is not set.
impl fmt::Display for Perm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bit = |set: bool, letter: char| if set { letter } else { '-' };
        let text =
            [bit(self.is_readable(), 'R'), bit(self.is_writable(), 'W'), bit(self.is_inherited(), 'X')];
        f.pad(&text.iter().collect::<String>())
    }
}

impl From<i32> for Perm {
    fn from(bits: i32) -> Perm {
        Perm(bits)
    }
}

impl FromJson for Perm {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        i32::from_json(reader).map(Perm)
    }

    #[inline(always)]
    fn optional(reader: &mut Reader<'_>) -> Parsed<Option<Self>> {
        i32::optional(reader).map(|bits| bits.map(Perm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_prints_its_letters() {
        for (bits, text) in
            [(0, "---"), (1, "--X"), (2, "-W-"), (4, "R--"), (6, "RW-"), (7, "RWX"), (14, "RW-")]
        {
            assert_eq!(Perm(bits).to_string(), text, "{bits}");
        }
    }
}
