//! Servers from an environment variable.

use std::env;

use super::source::{Source, read_list};

pub(super) fn source(variable: String) -> Source {
    let name = format!("environment variable {variable}");
    Source::once(name, move || match env::var(&variable) {
        Ok(list) => read_list(&list),
        Err(env::VarError::NotPresent) => Err("it is not set".to_owned()),
        Err(env::VarError::NotUnicode(_)) => Err("it is not valid Unicode".to_owned()),
    })
}
