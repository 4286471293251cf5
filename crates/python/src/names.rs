//! Names of topics, groups and clients, by the rules of the core.

use pyo3::prelude::*;
use rocketmq_nameserver as core;
use rocketmq_nameserver::NameRuleError;

/// What is wrong with a name: for people, and in a word; length, limit, position and character where they matter.
type Broken = (String, &'static str, Option<usize>, Option<usize>, Option<usize>, Option<char>);

#[pyfunction]
pub(crate) fn check_topic(topic: &str) -> Option<Broken> {
    core::check_topic(topic).err().map(broken)
}

#[pyfunction]
pub(crate) fn check_group(group: &str) -> Option<Broken> {
    core::check_group(group).err().map(broken)
}

fn broken(error: NameRuleError) -> Broken {
    let message = error.to_string();
    match error {
        NameRuleError::Empty => (message, "empty", None, None, None, None),
        NameRuleError::TooLong { len, limit } => (message, "too_long", Some(len), Some(limit), None, None),
        NameRuleError::WrongChar { at, char } => (message, "wrong_char", None, None, Some(at), Some(char)),
        _ => (message, "other", None, None, None, None),
    }
}

#[pyfunction]
pub(crate) fn client_id(ip: &str, instance: &str, unit_name: Option<&str>, stream: bool) -> String {
    core::client_id(ip, instance, unit_name, stream)
}

#[pyfunction]
pub(crate) fn namespace_of(resource: &str) -> Option<&str> {
    core::namespace_of(resource)
}

#[pyfunction]
pub(crate) fn wrap_namespace_and_retry(namespace: &str, group: &str) -> Option<String> {
    core::wrap_namespace_and_retry(namespace, group)
}

/// Functions of texts whose arguments are the core's.
macro_rules! of_texts {
    ($($function:ident($($argument:ident),*) -> $result:ty;)*) => {
        $(#[pyfunction]
        pub(crate) fn $function($($argument: &str),*) -> $result {
            core::$function($($argument),*)
        })*
    };
}

of_texts! {
    dlq_topic(group) -> String;
    is_dlq_topic(topic) -> bool;
    is_retry_topic(topic) -> bool;
    is_system_group(group) -> bool;
    is_system_topic(topic) -> bool;
    retry_topic(group) -> String;
    without_namespace(resource) -> String;
    without_namespace_of(resource, namespace) -> String;
    wrap_namespace(namespace, resource) -> String;
}
