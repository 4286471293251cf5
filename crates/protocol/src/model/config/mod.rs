//! The configuration of a NameServer: keys and values, in the two forms that they cross the wire in (`docs/wire.md` §2.9).

mod properties;

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;

use serde::{Deserialize, Serialize};

use super::Name;
use crate::error::{DataParseError, Reason};

/// Settings of a NameServer by name, in the order of their names.
///
/// They are read in one form and written in another: a server answers with [lines](NamesrvConfig::from_lines), in which
/// nothing is escaped, and takes [properties](NamesrvConfig::from_properties), in which backslashes mean something.
///
/// ```
/// use rocketmq_nameserver_protocol::model::NamesrvConfig;
///
/// let config = NamesrvConfig::from_lines(b"listenPort=9876\nrocketmqHome=C:\\rocketmq\n")?;
/// assert_eq!(config.get("rocketmqHome").unwrap(), r"C:\rocketmq");
/// assert_eq!(config.to_properties(), b"listenPort=9876\nrocketmqHome=C:\\\\rocketmq\n");
/// # Ok::<(), rocketmq_nameserver_protocol::error::DataParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NamesrvConfig(BTreeMap<Name, Name>);

impl NamesrvConfig {
    /// The value of a setting. Names are case-sensitive.
    pub fn get(&self, key: &str) -> Option<&Name> {
        self.0.get(key)
    }

    /// Sets a value; returns the one that it had.
    pub fn insert(&mut self, key: impl Into<Name>, value: impl Into<Name>) -> Option<Name> {
        self.0.insert(key.into(), value.into())
    }

    /// All settings, by ascending name.
    pub fn iter(&self) -> Iter<'_, Name, Name> {
        self.0.iter()
    }

    /// How many settings there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what a server answers to 319: UTF-8 lines `key=value`, split at the first `=` and taken as they are. Of two
    /// equal keys the last counts.
    ///
    /// # Errors
    /// [`DataParseError`] with the place of a line without `=`, or of what is not UTF-8.
    pub fn from_lines(body: &[u8]) -> Result<Self, DataParseError> {
        let text = std::str::from_utf8(body)
            .map_err(|error| DataParseError::new(error.valid_up_to(), Reason::NotUtf8, body))?;
        let mut config = NamesrvConfig::default();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let setting = line.strip_suffix('\n').unwrap_or(line).split_once('=');
            let no_setting = || DataParseError::new(offset, Reason::Expected("key=value"), body);
            let (key, value) = setting.ok_or_else(no_setting)?;
            config.insert(key, value);
            offset += line.len();
        }
        Ok(config)
    }

    /// Writes what a server answers to 319. Nothing is escaped, so a key with `=` or a newline in it, or a value with a
    /// newline, does not come back.
    pub fn to_lines(&self) -> Vec<u8> {
        self.iter().flat_map(|(key, value)| format!("{key}={value}\n").into_bytes()).collect()
    }
}

impl<'a> IntoIterator for &'a NamesrvConfig {
    type Item = (&'a Name, &'a Name);
    type IntoIter = Iter<'a, Name, Name>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Of two equal keys the last counts.
impl<K: Into<Name>, V: Into<Name>> FromIterator<(K, V)> for NamesrvConfig {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(settings: I) -> Self {
        NamesrvConfig(settings.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
