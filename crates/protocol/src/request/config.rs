//! 318 and 319: the configuration of a NameServer (`docs/wire.md` §2.9).
//!
//! Each NameServer has its own, so it is changed at every one and read from one.

use super::{Answer, Reach, Request};
use crate::code::RequestCode;
use crate::command::Command;
use crate::error::{DataParseError, Reason};
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::NamesrvConfig;

/// 318: changes settings, 4.x and 5.x. They are stored and outlive a restart; many take effect only with one.
///
/// Keys that the server does not know are ignored, as are numbers that it cannot read. Refused with
/// [`NO_PERMISSION`](crate::code::ResponseCode::NO_PERMISSION), and then nothing is changed, if one of the keys must not be
/// changed: `configStorePath` and `kvConfigPath` from 4.9.6 on, `configBlackList` and `rocketmqHome` with newer servers.
///
/// Characters beyond ASCII travel as escapes, so that the server reads them as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateNamesrvConfig {
    /// The settings to change; the others stay.
    pub config: NamesrvConfig,
}

impl Request for UpdateNamesrvConfig {
    const CODE: RequestCode = RequestCode::UPDATE_NAMESRV_CONFIG;
    const REACH: Reach = Reach::Every;
    type Response = ();

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, ExtFields::new(), self.config.to_properties())
    }

    /// The body may be missing: then nothing is to be changed.
    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        Ok(UpdateNamesrvConfig { config: NamesrvConfig::from_properties(&command.body)? })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}

/// 319: reads all settings, 4.x and 5.x. It changes nothing.
///
/// A 5.x server has twice as many as a 4.x one. A value with a newline in it cannot be told from two broken lines, and is an
/// error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetNamesrvConfig;

impl Request for GetNamesrvConfig {
    const CODE: RequestCode = RequestCode::GET_NAMESRV_CONFIG;
    const REACH: Reach = Reach::One;
    type Response = NamesrvConfig;

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, ExtFields::new(), "")
    }

    fn from_command(_: &Command) -> Result<Self, DataParseError> {
        Ok(GetNamesrvConfig)
    }

    fn to_answer(config: &NamesrvConfig, _: Dialect) -> Answer {
        Answer { body: config.to_lines().into(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<NamesrvConfig, DataParseError> {
        // Every server has settings.
        if answer.body.is_empty() {
            return Err(DataParseError::new(0, Reason::Empty, &answer.body));
        }
        NamesrvConfig::from_lines(&answer.body)
    }
}
