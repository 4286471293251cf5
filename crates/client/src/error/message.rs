//! The one line that an error prints: what failed, each attempt, what the user can do.

use std::fmt;

use super::{ErrorKind, NameServerError};
use crate::failure::Failure;

/// One line: what failed, each attempt, what to do.
impl fmt::Display for NameServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.attempts.is_empty() {
            return f.write_str(&self.0.what);
        }
        if self.is_topic_not_found() {
            write!(f, "not found: {}", self.0.what)?;
        } else {
            write!(f, "cannot {} {}", self.0.verb, self.0.what)?;
        }
        for (at, attempt) in self.0.attempts.iter().enumerate() {
            write!(f, "{} {attempt}", if at == 0 { ":" } else { ";" })?;
        }
        for (at, server) in self.done_at().iter().enumerate() {
            write!(f, "{} {server}", if at == 0 { ". It was done at" } else { "," })?;
        }
        write!(f, ". {}", advice(self))
    }
}

/// The same line, because this is what `fn main() -> Result` prints; with `{:#?}` all parts.
impl fmt::Debug for NameServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        f.debug_struct("NameServerError")
            .field("kind", &self.0.kind)
            .field("what", &self.0.what)
            .field("attempts", &self.0.attempts)
            .finish_non_exhaustive()
    }
}

/// What the user can do about it. What servers say is looked at only where it does not say why itself.
fn advice(error: &NameServerError) -> &'static str {
    let decisive = error.decisive().map(|attempt| &attempt.failure);
    match error.kind() {
        _ if error.is_topic_not_found() => {
            "Check the spelling, create the topic, or see whether its brokers are registered there."
        }
        _ if error.is_not_found() => "Check the spelling; nothing was ever put there, or it was deleted.",
        _ if error.is_not_ready() => "The NameServer has just started; ask again in a few seconds.",
        _ if error.is_busy() => "The NameServer is overloaded; ask again later.",
        _ if error.is_unsupported() => "Only a NameServer of a later release can do this.",
        ErrorKind::Connection if decisive.is_some_and(Failure::is_our_own_doing) => {
            "The connection was closed on this side; a new call connects again."
        }
        ErrorKind::Connection => {
            "Check that a NameServer listens at the address and that nothing blocks the way."
        }
        ErrorKind::Timeout => {
            "Check that the address is a NameServer's and not another service's, or allow more time."
        }
        ErrorKind::Protocol if decisive.is_some_and(Failure::is_limit_too_low) => {
            "The client's setting max_frame_size allows larger frames, if it was told to."
        }
        ErrorKind::Protocol => "Check that the address belongs to a NameServer and not to another service.",
        ErrorKind::Response => match error.remark() {
            Some("register broker failed") => {
                "A 5.x NameServer takes a new broker with no topic or with two and more, but not with exactly one."
            }
            Some("disable") => {
                "The NameServer has such lists switched off: enableTopicList and enableAllTopicList in its configuration."
            }
            _ => "The server's remark says why.",
        },
        ErrorKind::DataParse => "The answer is damaged or from an unknown kind of server; please report it.",
        ErrorKind::Usage => "",
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_nameserver_protocol::model::Name;

    use super::super::tests::attempt;
    use super::*;

    #[test]
    fn the_message_names_the_question_the_attempts_and_what_to_do() {
        let attempts = vec![attempt(Failure::Closed), attempt(Failure::Deadline)];
        let error =
            NameServerError::failed("get", "the route of \"T\"".into(), Some(Name::from("T")), attempts);
        assert_eq!(
            error.to_string(),
            "cannot get the route of \"T\": 127.0.0.1:9876 [wait, 3.0ms] the server closed the connection; 127.0.0.1:9876 \
             [wait, 3.0ms] no answer before the deadline. Check that the address is a NameServer's and not another service's, \
             or allow more time."
        );
    }
}
