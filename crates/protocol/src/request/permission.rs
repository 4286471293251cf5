//! 205 and 327: whether producers may write to a broker (`docs/wire.md` §2.6).
//!
//! The effect ends, topic by topic, with the next registration that contains the topic and has a changed data version, and
//! with a restart of the NameServer. Each NameServer has its own tables, so this is sent to every one.

use super::{Answer, Reach, Request, number, required};
use crate::code::RequestCode;
use crate::command::Command;
use crate::error::DataParseError;
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::Name;

const BROKER_NAME: &str = "brokerName";

macro_rules! write_perm_request {
    ($(#[$doc:meta])* $request:ident, $code:ident, $count:literal) => {
        $(#[$doc])*
        ///
        /// The answer is how many topics have the broker, changed or not; 0 if nobody knows the broker.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $request {
            /// The broker group.
            pub broker_name: Name,
        }

        impl Request for $request {
            const CODE: RequestCode = RequestCode::$code;
            const REACH: Reach = Reach::Every;
            type Response = u32;

            fn to_command(&self) -> Command {
                let mut fields = ExtFields::new();
                fields.set(Name::from_static(BROKER_NAME), self.broker_name.clone());
                Command::request(Self::CODE, fields, "")
            }

            fn from_command(command: &Command) -> Result<Self, DataParseError> {
                Ok($request { broker_name: required(&command.header.ext_fields, BROKER_NAME)? })
            }

            fn to_answer(count: &u32, _: Dialect) -> Answer {
                let mut ext_fields = ExtFields::new();
                ext_fields.set(Name::from_static($count), count.to_string());
                Answer { ext_fields, ..Answer::default() }
            }

            fn from_answer(answer: &Answer) -> Result<u32, DataParseError> {
                number(&answer.ext_fields, $count)?.ok_or(DataParseError::missing($count))
            }
        }
    };
}

write_perm_request! {
    /// 205: takes the permission to write from all topics of a broker, 4.x and 5.x.
    WipeWritePermOfBroker, WIPE_WRITE_PERM_OF_BROKER, "wipeTopicCount"
}

write_perm_request! {
    /// 327: gives all topics of a broker the permission 6, read and write, whatever they had; the inherit bit of `TBW102` is
    /// lost. From 4.9.2 on.
    AddWritePermOfBroker, ADD_WRITE_PERM_OF_BROKER, "addTopicCount"
}
