//! 318 and 319: the server's own settings (`docs/wire.md` §2.9).

use std::sync::PoisonError;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::NamesrvConfig;
use rocketmq_nameserver_protocol::request::{Answer, GetNamesrvConfig, Request, UpdateNamesrvConfig};

use super::{Dispatcher, Refused, lock_file, not_kept};
use crate::settings::BlackListed;

impl Dispatcher {
    pub(super) fn update_namesrv_config(&self, request: &Command) -> Result<Answer, Refused> {
        let update = UpdateNamesrvConfig::from_command(request)
            .map_err(|_| Refused::no(ResponseCode::SYSTEM_ERROR, "string2Properties error"))?;
        let wanted = update.config.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let file = lock_file(self.settings_file.as_ref());
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        settings.update(wanted).map_err(|BlackListed| {
            let v5 = self.personality.is_v5();
            let remark =
                if v5 { "Can not update config in black list." } else { "Can not update config path" };
            Refused::no(ResponseCode::NO_PERMISSION, remark)
        })?;
        self.settings_changed(settings.switches());
        let content = file.is_some().then(|| settings.to_file());
        drop(settings);
        if let (Some(mut file), Some(content)) = (file, content) {
            file.write(content).map_err(|error| not_kept(&error))?;
        }
        Ok(UpdateNamesrvConfig::to_answer(&(), Dialect::Legacy))
    }

    pub(super) fn namesrv_config(&self) -> Result<Answer, Refused> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        let config: NamesrvConfig = settings.iter().collect();
        Ok(GetNamesrvConfig::to_answer(&config, Dialect::Legacy))
    }
}
