//! 100 to 102 and 219: the KV store (`docs/wire.md` §2.8).

use std::sync::{PoisonError, RwLockReadGuard};

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::{KvTable, Name};
use rocketmq_nameserver_protocol::request::{
    Answer, DeleteKvConfig, GetKvConfig, GetKvListByNamespace, PutKvConfig, Request,
};

use super::{Dispatcher, Refused, lock_file, not_kept};
use crate::kv::KvStore;

const NAMESPACE: &str = "namespace";
const KEY: &str = "key";
const VALUE: &str = "value";

impl Dispatcher {
    pub(super) fn put_kv_config(&self, request: &Command) -> Result<Answer, Refused> {
        let fields = &request.header.ext_fields;
        let (Some(namespace), Some(key)) = (fields.get(NAMESPACE), fields.get(KEY)) else {
            return Err(Refused::no(ResponseCode::SYSTEM_ERROR, "namespace or key is null"));
        };
        let value = fields.get(VALUE).cloned();
        self.change_kv(|kv| kv.put(namespace.clone(), key.clone(), value))?;
        Ok(PutKvConfig::to_answer(&(), Dialect::Legacy))
    }

    pub(super) fn kv_config(&self, request: &Command) -> Result<Answer, Refused> {
        if let Ok(get) = GetKvConfig::from_command(request)
            && let Some(value) = self.read_kv().get(&get.namespace, &get.key)
        {
            return Ok(GetKvConfig::to_answer(value, Dialect::Legacy));
        }
        let remark = format!(
            "No config item, Namespace: {} Key: {}",
            or_null(request, NAMESPACE),
            or_null(request, KEY)
        );
        Err(Refused::No(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark), ExtFields::shown()))
    }

    pub(super) fn delete_kv_config(&self, request: &Command) -> Result<Answer, Refused> {
        let fields = &request.header.ext_fields;
        if let (Some(namespace), Some(key)) = (fields.get(NAMESPACE), fields.get(KEY)) {
            self.change_kv(|kv| kv.delete(namespace, key))?;
        }
        Ok(DeleteKvConfig::to_answer(&(), Dialect::Legacy))
    }

    pub(super) fn kv_list(&self, request: &Command) -> Result<Answer, Refused> {
        let namespace = request.header.ext_fields.get(NAMESPACE);
        let table = namespace.and_then(|namespace| self.read_kv().list(namespace).cloned());
        let table = table.ok_or_else(|| {
            let namespace = or_null(request, NAMESPACE);
            Refused::no(ResponseCode::QUERY_NOT_FOUND, format!("No config item, Namespace: {namespace}"))
        })?;
        Ok(GetKvListByNamespace::to_answer(&KvTable { table }, Dialect::Legacy))
    }

    pub(super) fn read_kv(&self) -> RwLockReadGuard<'_, KvStore> {
        self.kv.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the store, and then its file, while others read the store.
    fn change_kv(&self, change: impl FnOnce(&mut KvStore)) -> Result<(), Refused> {
        let file = lock_file(self.kv_file.as_ref());
        let mut kv = self.kv.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut kv);
        self.ready_routes.changed();
        let Some(mut file) = file else {
            return Ok(());
        };
        let content = kv.to_file();
        drop(kv);
        file.write(content).map_err(|error| not_kept(&error))
    }
}

/// As Java puts a missing text into a sentence.
fn or_null<'a>(request: &'a Command, field: &str) -> &'a str {
    request.header.ext_fields.get(field).map_or("null", Name::as_str)
}
