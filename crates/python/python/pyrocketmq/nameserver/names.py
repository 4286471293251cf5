"""Names of topics, groups and clients, by the rules of Java's client 5.3.3.

A namespace is a part of the name, `namespace%topic`. What brokers have for their own use is in no namespace.
"""

from __future__ import annotations

from typing import Final, Literal, cast

from . import _native

__all__ = [
    "CID_RMQ_SYS_PREFIX",
    "DLQ_GROUP_TOPIC_PREFIX",
    "GROUP_MAX_LENGTH",
    "RETRY_GROUP_TOPIC_PREFIX",
    "SYSTEM_TOPIC_PREFIX",
    "TOPIC_MAX_LENGTH",
    "NameRuleError",
    "check_group",
    "check_topic",
    "client_id",
    "dlq_topic",
    "is_dlq_topic",
    "is_retry_topic",
    "is_system_group",
    "is_system_topic",
    "namespace_of",
    "retry_topic",
    "without_namespace",
    "without_namespace_of",
    "wrap_namespace",
    "wrap_namespace_and_retry",
]

TOPIC_MAX_LENGTH: Final[int] = _native.TOPIC_MAX_LENGTH
"""How long the name of a topic may be, in UTF-16 units: 127. Brokers keep the length in one byte."""

GROUP_MAX_LENGTH: Final[int] = _native.GROUP_MAX_LENGTH
"""How long the name of a group may be, in UTF-16 units: 255.

Its retry topic is longer than a topic may be from 121 on, and later releases than 5.3.3 refuse that.
"""

RETRY_GROUP_TOPIC_PREFIX: Final[str] = _native.RETRY_GROUP_TOPIC_PREFIX
"""How the topics begin from which a consumer group gets messages again that it could not handle."""

DLQ_GROUP_TOPIC_PREFIX: Final[str] = _native.DLQ_GROUP_TOPIC_PREFIX
"""How the topics begin that hold what a consumer group could not handle however often it got it: dead letters."""

SYSTEM_TOPIC_PREFIX: Final[str] = _native.SYSTEM_TOPIC_PREFIX
"""How the names of further system topics begin."""

CID_RMQ_SYS_PREFIX: Final[str] = _native.CID_RMQ_SYS_PREFIX
"""How the names of system groups begin."""

Reason = Literal["empty", "too_long", "wrong_char", "other"]


class NameRuleError(ValueError):
    """Why a name is none for a topic or a group. `str` of it says what to do."""

    reason: Reason
    """`empty`: nothing, or nothing but blanks. `too_long`. `wrong_char`. `other`: what a later release may find."""
    length: int | None
    """Of a name that is too long: how long it is, in UTF-16 units."""
    limit: int | None
    """Of a name that is too long: how long it may be, in UTF-16 units."""
    position: int | None
    """Of a wrong character: which one it is, from 0."""
    character: str | None
    """The wrong character. Names are made of `a` to `z`, `A` to `Z`, `0` to `9`, `_`, `-`, `%` and `|`."""

    def __init__(
        self,
        message: str = "",
        reason: Reason = "other",
        length: int | None = None,
        limit: int | None = None,
        position: int | None = None,
        character: str | None = None,
    ) -> None:
        """Make an error. What is not given does not matter."""
        super().__init__(message)
        self.reason = reason
        self.length = length
        self.limit = limit
        self.position = position
        self.character = character


def check_topic(topic: str) -> None:
    """Raise `NameRuleError` for the first rule that the name of a topic breaks. A NameServer takes any name; clients do not.

    >>> check_topic("orders.v1")
    Traceback (most recent call last):
    pyrocketmq.nameserver.names.NameRuleError: ...
    """
    _raise(_native.check_topic(topic))


def check_group(group: str) -> None:
    """Raise `NameRuleError` for the first rule that the name of a group of producers or consumers breaks.

    >>> check_group("payers")
    """
    _raise(_native.check_group(group))


def retry_topic(group: str) -> str:
    """The topic from which a consumer group gets messages again.

    >>> retry_topic("payers")
    '%RETRY%payers'
    """
    return _native.retry_topic(group)


def dlq_topic(group: str) -> str:
    """The topic of a consumer group's dead letters.

    >>> dlq_topic("payers")
    '%DLQ%payers'
    """
    return _native.dlq_topic(group)


def is_retry_topic(topic: str) -> bool:
    """Whether a consumer group gets messages again from this topic."""
    return _native.is_retry_topic(topic)


def is_dlq_topic(topic: str) -> bool:
    """Whether this topic holds dead letters."""
    return _native.is_dlq_topic(topic)


def is_system_topic(topic: str) -> bool:
    """Whether brokers have this topic for their own use.

    That is `TBW102` and nine more, and what begins with `SYSTEM_TOPIC_PREFIX`. Topics that a broker registers under its own and
    its cluster's name are not among them.
    """
    return _native.is_system_topic(topic)


def is_system_group(group: str) -> bool:
    """Whether brokers have this group for their own use: it begins with `CID_RMQ_SYS_PREFIX`."""
    return _native.is_system_group(group)


def wrap_namespace(namespace: str, resource: str) -> str:
    """The name of a topic or group within a namespace: `namespace%resource`.

    A retry or dead letter topic keeps its prefix in front. The name stays as it is if it or the namespace is empty, if brokers
    have it for their own use, and if it is in that namespace already.

    >>> wrap_namespace("shop", "orders"), wrap_namespace("shop", "%RETRY%payers"), wrap_namespace("shop", "shop%orders")
    ('shop%orders', '%RETRY%shop%payers', 'shop%orders')
    """
    return _native.wrap_namespace(namespace, resource)


def wrap_namespace_and_retry(namespace: str, group: str) -> str | None:
    """The retry topic of a consumer group within a namespace. `None` if the group is empty.

    >>> wrap_namespace_and_retry("shop", "payers")
    '%RETRY%shop%payers'
    """
    return _native.wrap_namespace_and_retry(namespace, group)


def without_namespace(resource: str) -> str:
    """The name of a topic or group without its namespace, whichever that is: what stands behind the first `%`.

    A retry or dead letter topic keeps its prefix. Names that brokers have for their own use stay as they are.

    >>> without_namespace("shop%orders"), without_namespace("%RETRY%shop%payers"), without_namespace("orders")
    ('orders', '%RETRY%payers', 'orders')
    """
    return _native.without_namespace(resource)


def without_namespace_of(resource: str, namespace: str) -> str:
    """The name of a topic or group without this namespace; the same name if it is in another one or in none.

    >>> without_namespace_of("shop%orders", "shop"), without_namespace_of("shop%orders", "bank")
    ('orders', 'shop%orders')
    """
    return _native.without_namespace_of(resource, namespace)


def namespace_of(resource: str) -> str | None:
    """The namespace of a topic or group. `None` if it has none or brokers have it for their own use.

    >>> namespace_of("%DLQ%shop%payers")
    'shop'
    """
    return _native.namespace_of(resource)


def client_id(ip: str, instance: str, unit_name: str | None = None, stream: bool = False) -> str:
    """The id under which a client appears at brokers: `ip@instance`, then `@unit_name`, then `@STREAM` if it asks for streams.

    Java's clients take the instance name of the process id and a time, `4711#1234567890`, unless one is given. A unit name of
    blanks is none.

    >>> client_id("10.0.0.9", "4711#12", "cn-1")
    '10.0.0.9@4711#12@cn-1'
    """
    return _native.client_id(ip, instance, unit_name, stream)


def _raise(broken: tuple[str, str, int | None, int | None, int | None, str | None] | None) -> None:
    if broken is not None:
        message, reason, *details = broken
        length, limit, position, character = cast("tuple[int | None, int | None, int | None, str | None]", details)
        raise NameRuleError(message, cast("Reason", reason), length, limit, position, character)
