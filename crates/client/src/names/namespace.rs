//! Namespaces of the first kind: a part of the name of a topic or group, `namespace%topic`.

use super::{
    DLQ_GROUP_TOPIC_PREFIX, RETRY_GROUP_TOPIC_PREFIX, is_dlq_topic, is_retry_topic, is_system_group,
    is_system_topic,
};

/// Stands between a namespace and the name.
const SEPARATOR: char = '%';

/// The name of a topic or group within a namespace: `namespace%resource`. A retry or dead letter topic keeps its prefix in front:
/// `%RETRY%namespace%group`.
///
/// The name stays as it is if it or the namespace is empty, if brokers have it for their own use, and if it is in that namespace
/// already.
///
/// ```
/// use rocketmq_nameserver::wrap_namespace;
///
/// assert_eq!(wrap_namespace("shop", "orders"), "shop%orders");
/// assert_eq!(wrap_namespace("shop", "%RETRY%payers"), "%RETRY%shop%payers");
/// assert_eq!(wrap_namespace("shop", "shop%orders"), "shop%orders");
/// assert_eq!(wrap_namespace("shop", "TBW102"), "TBW102");
/// ```
pub fn wrap_namespace(namespace: &str, resource: &str) -> String {
    if namespace.is_empty() || resource.is_empty() || is_system(resource) || is_within(resource, namespace) {
        return resource.to_owned();
    }
    let (prefix, rest) = split_prefix(resource);
    format!("{prefix}{namespace}{SEPARATOR}{rest}")
}

/// The retry topic of a consumer group within a namespace. `None` if the group is empty.
///
/// ```
/// assert_eq!(rocketmq_nameserver::wrap_namespace_and_retry("shop", "payers").unwrap(), "%RETRY%shop%payers");
/// ```
pub fn wrap_namespace_and_retry(namespace: &str, group: &str) -> Option<String> {
    (!group.is_empty()).then(|| RETRY_GROUP_TOPIC_PREFIX.to_owned() + &wrap_namespace(namespace, group))
}

/// The name of a topic or group without its namespace, whichever that is: what stands behind the first `%`. A retry or dead letter
/// topic keeps its prefix. Names that brokers have for their own use stay as they are.
///
/// ```
/// use rocketmq_nameserver::without_namespace;
///
/// assert_eq!(without_namespace("shop%orders"), "orders");
/// assert_eq!(without_namespace("%RETRY%shop%payers"), "%RETRY%payers");
/// assert_eq!(without_namespace("orders"), "orders");
/// ```
pub fn without_namespace(resource: &str) -> String {
    match split(resource) {
        Some((prefix, _, name)) => format!("{prefix}{name}"),
        None => resource.to_owned(),
    }
}

/// The name of a topic or group without this namespace; the same name if it is in another one or in none.
///
/// ```
/// use rocketmq_nameserver::without_namespace_of;
///
/// assert_eq!(without_namespace_of("shop%orders", "shop"), "orders");
/// assert_eq!(without_namespace_of("shop%orders", "bank"), "shop%orders");
/// ```
pub fn without_namespace_of(resource: &str, namespace: &str) -> String {
    if !namespace.is_empty() && starts_with_namespace(resource, namespace) {
        without_namespace(resource)
    } else {
        resource.to_owned()
    }
}

/// The namespace of a topic or group. `None` if it has none or brokers have it for their own use.
///
/// ```
/// assert_eq!(rocketmq_nameserver::namespace_of("%DLQ%shop%payers"), Some("shop"));
/// assert_eq!(rocketmq_nameserver::namespace_of("orders"), None);
/// ```
pub fn namespace_of(resource: &str) -> Option<&str> {
    split(resource).map(|(_, namespace, _)| namespace)
}

/// Prefix, namespace and name.
fn split(resource: &str) -> Option<(&str, &str, &str)> {
    if is_system(resource) {
        return None;
    }
    let (prefix, rest) = split_prefix(resource);
    let (namespace, name) = rest.split_once(SEPARATOR)?;
    (!namespace.is_empty()).then_some((prefix, namespace, name))
}

/// The prefix of a retry or dead letter topic, and what stands behind it.
fn split_prefix(resource: &str) -> (&str, &str) {
    let prefix = if is_retry_topic(resource) {
        RETRY_GROUP_TOPIC_PREFIX
    } else if is_dlq_topic(resource) {
        DLQ_GROUP_TOPIC_PREFIX
    } else {
        ""
    };
    (prefix, resource.strip_prefix(prefix).unwrap_or(resource))
}

fn is_within(resource: &str, namespace: &str) -> bool {
    !is_system(resource) && starts_with_namespace(resource, namespace)
}

fn starts_with_namespace(resource: &str, namespace: &str) -> bool {
    let (_, rest) = split_prefix(resource);
    rest.strip_prefix(namespace).is_some_and(|rest| rest.starts_with(SEPARATOR))
}

fn is_system(resource: &str) -> bool {
    is_system_topic(resource) || is_system_group(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_4_11_names_are_wrapped_once_and_system_names_never() {
        for (namespace, resource, expected) in [
            ("ns", "t", "ns%t"),
            ("", "t", "t"),
            ("ns", "", ""),
            ("ns", "ns%t", "ns%t"),
            ("ns", "other%t", "ns%other%t"),
            ("ns", "ns", "ns%ns"),
            ("ns", "nsx%t", "ns%nsx%t"),
            ("ns", "%RETRY%g", "%RETRY%ns%g"),
            ("ns", "%DLQ%g", "%DLQ%ns%g"),
            ("ns", "%RETRY%ns%g", "%RETRY%ns%g"),
            ("ns", "%RETRY%%DLQ%g", "%RETRY%ns%%DLQ%g"),
            ("ns", "%RETRY%", "%RETRY%ns%"),
            ("ns", "TBW102", "TBW102"),
            ("ns", "%RETRY%TBW102", "%RETRY%ns%TBW102"),
            ("ns", "rmq_sys_x", "rmq_sys_x"),
            ("ns", "CID_RMQ_SYS_x", "CID_RMQ_SYS_x"),
            ("命名", "主题", "命名%主题"),
        ] {
            assert_eq!(wrap_namespace(namespace, resource), expected, "{namespace} {resource}");
        }
        assert_eq!(wrap_namespace_and_retry("ns", "").as_deref(), None);
        assert_eq!(wrap_namespace_and_retry("", "g").as_deref(), Some("%RETRY%g"));
        assert_eq!(wrap_namespace_and_retry("ns", "%RETRY%g").as_deref(), Some("%RETRY%%RETRY%ns%g"));
    }

    #[test]
    fn rule_4_11_names_are_unwrapped_up_to_the_first_separator() {
        for (resource, namespace, without) in [
            ("ns%t", Some("ns"), "t"),
            ("ns%a%b", Some("ns"), "a%b"),
            ("t", None, "t"),
            ("", None, ""),
            ("%t", None, "%t"),
            ("ns%", Some("ns"), ""),
            ("%RETRY%ns%g", Some("ns"), "%RETRY%g"),
            ("%DLQ%ns%g", Some("ns"), "%DLQ%g"),
            ("%RETRY%g", None, "%RETRY%g"),
            ("%RETRY%%DLQ%g", None, "%RETRY%%DLQ%g"),
            ("rmq_sys_%t", None, "rmq_sys_%t"),
            ("CID_RMQ_SYS_%g", None, "CID_RMQ_SYS_%g"),
            ("TBW102%t", Some("TBW102"), "t"),
        ] {
            assert_eq!(namespace_of(resource), namespace, "{resource}");
            assert_eq!(without_namespace(resource), without, "{resource}");
            assert_eq!(without_namespace_of(resource, "other"), resource, "{resource}");
            assert_eq!(without_namespace_of(resource, ""), resource, "{resource}");
            assert_eq!(without_namespace_of(resource, namespace.unwrap_or("ns")), without, "{resource}");
        }
    }
}
