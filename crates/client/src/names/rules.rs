//! What a topic and a group may be called. The rules are the clients': a NameServer takes any name.

use std::fmt;

use crate::error::NameServerError;

/// How long the name of a topic may be, in UTF-16 units: 127, as in Java's client 5.3.3. Brokers keep the length in one byte.
pub const TOPIC_MAX_LENGTH: usize = 127;

/// How long the name of a group may be, in UTF-16 units: 255, as in Java's client 5.3.3. Its retry topic is longer than a
/// topic may be from 121 on, and later releases refuse that.
pub const GROUP_MAX_LENGTH: usize = 255;

/// Why a name is none for a topic or a group.
///
/// ```
/// use rocketmq_nameserver::{NameRuleError, check_topic};
///
/// assert_eq!(check_topic("orders.v1"), Err(NameRuleError::WrongChar { at: 6, char: '.' }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameRuleError {
    /// There is nothing in it, or nothing but blanks.
    Empty,
    /// It is too long.
    TooLong {
        /// How long it is, in UTF-16 units.
        len: usize,
        /// How long it may be, in UTF-16 units.
        limit: usize,
    },
    /// It has a character that names must not have: they are made of `a` to `z`, `A` to `Z`, `0` to `9`, `_`, `-`, `%` and `|`.
    WrongChar {
        /// Which character it is, from 0.
        at: usize,
        /// The character.
        char: char,
    },
}

impl fmt::Display for NameRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameRuleError::Empty => f.write_str("the name is empty: give one"),
            NameRuleError::TooLong { len, limit } => {
                write!(f, "the name has {len} characters: take {limit} at most")
            }
            NameRuleError::WrongChar { at, char } => {
                write!(
                    f,
                    "the name has {char:?} at {at}: take letters a-z and A-Z, digits, '_', '-', '%' and '|' only"
                )
            }
        }
    }
}

impl std::error::Error for NameRuleError {}

/// A Usage error.
impl From<NameRuleError> for NameServerError {
    fn from(error: NameRuleError) -> NameServerError {
        NameServerError::usage(error.to_string())
    }
}

/// Whether a topic may be called that, as Java's producers and consumers 5.3.3 see it: retry and dead letter topics have the same
/// limit as all others.
///
/// # Errors
/// The first rule that the name breaks: [`NameRuleError`].
pub fn check_topic(topic: &str) -> Result<(), NameRuleError> {
    check(topic, TOPIC_MAX_LENGTH)
}

/// Whether a group of producers or consumers may be called that, as Java's client 5.3.3 sees it.
///
/// # Errors
/// The first rule that the name breaks: [`NameRuleError`].
pub fn check_group(group: &str) -> Result<(), NameRuleError> {
    check(group, GROUP_MAX_LENGTH)
}

fn check(name: &str, limit: usize) -> Result<(), NameRuleError> {
    if is_blank(name) {
        return Err(NameRuleError::Empty);
    }
    let len = name.encode_utf16().count();
    if len > limit {
        return Err(NameRuleError::TooLong { len, limit });
    }
    let is_wrong = |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '%' | '|'));
    match name.chars().enumerate().find(|(_, char)| is_wrong(*char)) {
        Some((at, char)) => Err(NameRuleError::WrongChar { at, char }),
        None => Ok(()),
    }
}

/// Whether there is nothing but what is white space to Java, whose list is a little different.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|char| {
        let is_no_break = matches!(char, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}');
        matches!(char, '\u{1c}'..='\u{1f}') || (char.is_whitespace() && !is_no_break)
    })
}

#[cfg(test)]
mod tests {
    use super::NameRuleError::*;
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn rule_4_11_names_have_a_length_and_an_alphabet() {
        let of = |len: usize| "x".repeat(len);
        let too_long = |len, limit| Err(TooLong { len, limit });
        for (name, topic, group) in [
            ("orders".to_owned(), Ok(()), Ok(())),
            ("%RETRY%ns%group_1-2|AZ09".to_owned(), Ok(()), Ok(())),
            (String::new(), Err(Empty), Err(Empty)),
            (" \t\u{1c}\u{3000}".to_owned(), Err(Empty), Err(Empty)),
            (
                "\u{a0}".to_owned(),
                Err(WrongChar { at: 0, char: '\u{a0}' }),
                Err(WrongChar { at: 0, char: '\u{a0}' }),
            ),
            ("a b".to_owned(), Err(WrongChar { at: 1, char: ' ' }), Err(WrongChar { at: 1, char: ' ' })),
            ("主题".to_owned(), Err(WrongChar { at: 0, char: '主' }), Err(WrongChar { at: 0, char: '主' })),
            ("a😀.".to_owned(), Err(WrongChar { at: 1, char: '😀' }), Err(WrongChar { at: 1, char: '😀' })),
            (of(127), Ok(()), Ok(())),
            (of(128), too_long(128, 127), Ok(())),
            ("%RETRY%".to_owned() + &of(121), too_long(128, 127), Ok(())),
            (of(255), too_long(255, 127), Ok(())),
            (of(256), too_long(256, 127), too_long(256, 255)),
            // Of UTF-16 units there are two in each.
            ("😀".repeat(64), too_long(128, 127), Err(WrongChar { at: 0, char: '😀' })),
        ] {
            assert_eq!(check_topic(&name), topic, "{name}");
            assert_eq!(check_group(&name), group, "{name}");
        }
    }

    #[test]
    fn a_broken_rule_is_a_usage_error_of_a_call() {
        assert_eq!(NameServerError::from(Empty).kind(), ErrorKind::Usage);
    }
}
