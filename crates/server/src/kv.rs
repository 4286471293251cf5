//! The KV store: namespace → key → value (`docs/wire.md` §2.8). It lives in memory, and in a file if wanted.
//!
//! The file has the shape of Java's `kvConfig.json`, so either server can go on with what the other has left.

mod file;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
use rocketmq_nameserver_protocol::model::{KvConfigTable, Name};

use crate::whole_file::WholeFile;

/// The namespace that holds the order configuration of topics: topic → `broker:queues;…`.
pub(crate) const ORDER_TOPIC_CONFIG: &str = "ORDER_TOPIC_CONFIG";

/// Namespace → key → value. A namespace never goes, even when it is empty.
#[derive(Debug, Default)]
pub(crate) struct KvStore(KvConfigTable);

impl KvStore {
    /// The store that a file keeps, and the file, taken for this server alone.
    ///
    /// # Errors
    /// The file is in use or cannot be read, or neither it nor its copy `.bak` holds a store; the file is named.
    pub(crate) fn open(path: &Path) -> io::Result<(KvStore, WholeFile)> {
        file::open(path).map(|(file, table)| (KvStore(table), file))
    }

    /// 101
    pub(crate) fn get(&self, namespace: &Name, key: &Name) -> Option<&Name> {
        self.0.config_table.get(namespace)?.get(key)
    }

    /// 219: the values of a namespace that there ever was.
    pub(crate) fn list(&self, namespace: &Name) -> Option<&BTreeMap<Name, Name>> {
        self.0.config_table.get(namespace)
    }

    pub(crate) fn tables(&self) -> &BTreeMap<Name, BTreeMap<Name, Name>> {
        &self.0.config_table
    }

    /// 100: a put without a value removes the key, as far as anybody can see (Java stores a null).
    pub(crate) fn put(&mut self, namespace: Name, key: Name, value: Option<Name>) {
        let table = self.0.config_table.entry(namespace).or_default();
        match value {
            Some(value) => table.insert(key, value),
            None => table.remove(&key),
        };
    }

    /// 102: a key that is not there does no harm.
    pub(crate) fn delete(&mut self, namespace: &Name, key: &Name) {
        if let Some(table) = self.0.config_table.get_mut(namespace) {
            table.remove(key);
        }
    }

    /// The content of the file that keeps it.
    pub(crate) fn to_file(&self) -> Vec<u8> {
        to_bytes(&KvConfigTable { config_table: self.0.config_table.clone() }, Dialect::Legacy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_and_go_and_their_namespace_stays() {
        let mut store = KvStore::default();
        let (namespace, key) = (Name::from("n"), Name::from("k"));
        assert_eq!((store.get(&namespace, &key), store.list(&namespace)), (None, None));
        store.delete(&namespace, &key);
        assert_eq!(store.list(&namespace), None, "a delete makes no namespace");
        store.put(namespace.clone(), key.clone(), Some("".into()));
        assert_eq!(store.get(&namespace, &key), Some(&"".into()), "an empty value is one");
        store.put(namespace.clone(), "none".into(), None);
        assert_eq!(store.get(&namespace, &"none".into()), None);
        assert_eq!(store.list(&namespace), Some(&BTreeMap::from([(key.clone(), "".into())])));
        store.delete(&namespace, &key);
        assert_eq!(store.list(&namespace), Some(&BTreeMap::new()));
        assert_eq!(store.to_file(), br#"{"configTable":{"n":{}}}"#);
    }
}
