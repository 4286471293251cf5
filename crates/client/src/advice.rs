//! What the user can do about an error: the last sentence of its message.

use crate::error::{ErrorKind, NameServerError};
use crate::failure::Failure;

/// Advice on that error. Texts of servers are looked at here only where the text does not say why itself.
pub(crate) fn on(error: &NameServerError) -> &'static str {
    let decisive = error.decisive().map(|attempt| &attempt.failure);
    match error.kind() {
        _ if error.is_topic_not_found() => {
            "Check the spelling, create the topic, or see whether its brokers are registered at this NameServer."
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
