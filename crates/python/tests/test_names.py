"""Names of topics, groups and clients, by the rules of `docs/wire.md` §4.11."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq import nameserver
from pyrocketmq.nameserver import (
    GROUP_MAX_LENGTH,
    TOPIC_MAX_LENGTH,
    NameRuleError,
    check_group,
    check_topic,
    client_id,
    dlq_topic,
    is_dlq_topic,
    is_retry_topic,
    is_system_group,
    is_system_topic,
    namespace_of,
    retry_topic,
    without_namespace,
    without_namespace_of,
    wrap_namespace,
    wrap_namespace_and_retry,
)

EMPTY = ("empty", None, None, None, None)


def too_long(length: int, limit: int) -> tuple[object, ...]:
    return ("too_long", length, limit, None, None)


def wrong_char(position: int, character: str) -> tuple[object, ...]:
    return ("wrong_char", None, None, position, character)


def broken(check: Callable[[str], None], name: str) -> tuple[object, ...] | None:
    """What is wrong with the name."""
    try:
        check(name)
    except NameRuleError as error:
        return (error.reason, error.length, error.limit, error.position, error.character)
    return None


@pytest.mark.parametrize(
    ("name", "topic", "group"),
    [
        ("orders", None, None),
        ("%RETRY%ns%group_1-2|AZ09", None, None),
        ("", EMPTY, EMPTY),
        (" \t\x1c\u3000", EMPTY, EMPTY),
        ("\xa0", wrong_char(0, "\xa0"), wrong_char(0, "\xa0")),
        ("a b", wrong_char(1, " "), wrong_char(1, " ")),
        ("\u4e3b\u9898", wrong_char(0, "\u4e3b"), wrong_char(0, "\u4e3b")),
        ("a\U0001f600.", wrong_char(1, "\U0001f600"), wrong_char(1, "\U0001f600")),
        ("x" * 127, None, None),
        ("x" * 128, too_long(128, 127), None),
        ("%RETRY%" + "x" * 121, too_long(128, 127), None),
        ("x" * 255, too_long(255, 127), None),
        ("x" * 256, too_long(256, 127), too_long(256, 255)),
        # Of UTF-16 units there are two in each.
        ("\U0001f600" * 64, too_long(128, 127), wrong_char(0, "\U0001f600")),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_rule_4_11_names_have_a_length_and_an_alphabet(
    name: str, topic: tuple[object, ...] | None, group: tuple[object, ...] | None
) -> None:
    assert broken(check_topic, name) == topic
    assert broken(check_group, name) == group


def test_the_limits_are_those_that_are_checked() -> None:
    assert (TOPIC_MAX_LENGTH, GROUP_MAX_LENGTH) == (127, 255)


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("again", [copy.copy, pickled])
def test_a_broken_rule_is_a_value_error_that_can_be_copied(again: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match="at 6: take letters") as raised:
        check_topic("orders.v1")
    other = again(raised.value)
    assert type(other) is NameRuleError
    assert (str(other), other.position, other.character) == (str(raised.value), 6, ".")


@pytest.mark.parametrize(
    ("topic", "is_retry", "is_dlq", "is_system"),
    [
        ("TBW102", False, False, True),
        ("tbw102", False, False, False),
        ("TBW1020", False, False, False),
        ("CHECKPOINT_TOPIC", False, False, True),
        ("rmq_sys_", False, False, True),
        ("rmq_sys_SYNC_BROKER_MEMBER_a", False, False, True),
        ("xrmq_sys_", False, False, False),
        ("RMQ_SYS_TRACE_TOPIC", False, False, True),
        ("RMQ_SYS_OTHER", False, False, False),
        ("%RETRY%g", True, False, False),
        ("%RETRY%", True, False, False),
        ("%RETRY", False, False, False),
        ("%DLQ%g", False, True, False),
        ("%retry%g", False, False, False),
        ("%RETRY%TBW102", True, False, False),
        ("DefaultCluster", False, False, False),
        ("", False, False, False),
    ],
)
def test_rule_4_11_topics_are_told_apart_by_name_and_prefix(
    topic: str, is_retry: bool, is_dlq: bool, is_system: bool
) -> None:
    assert (is_retry_topic(topic), is_dlq_topic(topic), is_system_topic(topic)) == (is_retry, is_dlq, is_system)


@pytest.mark.parametrize(("group", "is_system"), [("CID_RMQ_SYS_TRANS", True), ("CID_RMQ_SYS", False), ("", False)])
def test_rule_4_11_system_groups_are_told_apart_by_prefix(group: str, is_system: bool) -> None:
    assert is_system_group(group) is is_system


def test_rule_4_11_retry_and_dead_letter_topics_are_prefixed() -> None:
    assert (retry_topic("g"), dlq_topic("g")) == ("%RETRY%g", "%DLQ%g")
    prefixes = [name for name in nameserver.__all__ if name.endswith("_PREFIX") and "MOCK" not in name]
    assert {name: getattr(nameserver, name) for name in prefixes} == {
        "CID_RMQ_SYS_PREFIX": "CID_RMQ_SYS_",
        "DLQ_GROUP_TOPIC_PREFIX": "%DLQ%",
        "RETRY_GROUP_TOPIC_PREFIX": "%RETRY%",
        "SYSTEM_TOPIC_PREFIX": "rmq_sys_",
    }


@pytest.mark.parametrize(
    ("unit", "stream", "expected"),
    [
        (None, False, "i@n"),
        ("u", False, "i@n@u"),
        ("", False, "i@n"),
        (" \t", False, "i@n"),
        (" u ", False, "i@n@ u "),
        (None, True, "i@n@STREAM"),
        ("u", True, "i@n@u@STREAM"),
    ],
)
def test_rule_4_11_a_client_id_has_a_unit_unless_it_is_blank(unit: str | None, stream: bool, expected: str) -> None:
    assert client_id("i", "n", unit, stream) == expected
    assert client_id(ip="i", instance="n", unit_name=unit, stream=stream) == expected


def test_rule_4_11_a_client_id_has_neither_unit_nor_stream_by_default() -> None:
    assert client_id("i", "n") == "i@n"


@pytest.mark.parametrize(
    ("namespace", "resource", "expected"),
    [
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
        ("\u547d\u540d", "\u4e3b\u9898", "\u547d\u540d%\u4e3b\u9898"),
    ],
)
def test_rule_4_11_names_are_wrapped_once_and_system_names_never(namespace: str, resource: str, expected: str) -> None:
    assert wrap_namespace(namespace, resource) == expected


@pytest.mark.parametrize(
    ("namespace", "group", "expected"),
    [("ns", "", None), ("", "g", "%RETRY%g"), ("ns", "g", "%RETRY%ns%g"), ("ns", "%RETRY%g", "%RETRY%%RETRY%ns%g")],
)
def test_rule_4_11_retry_topics_are_wrapped_behind_their_prefix(
    namespace: str, group: str, expected: str | None
) -> None:
    assert wrap_namespace_and_retry(namespace, group) == expected


@pytest.mark.parametrize(
    ("resource", "namespace", "without"),
    [
        ("ns%t", "ns", "t"),
        ("ns%a%b", "ns", "a%b"),
        ("t", None, "t"),
        ("", None, ""),
        ("%t", None, "%t"),
        ("ns%", "ns", ""),
        ("%RETRY%ns%g", "ns", "%RETRY%g"),
        ("%DLQ%ns%g", "ns", "%DLQ%g"),
        ("%RETRY%g", None, "%RETRY%g"),
        ("%RETRY%%DLQ%g", None, "%RETRY%%DLQ%g"),
        ("rmq_sys_%t", None, "rmq_sys_%t"),
        ("CID_RMQ_SYS_%g", None, "CID_RMQ_SYS_%g"),
        ("TBW102%t", "TBW102", "t"),
    ],
)
def test_rule_4_11_names_are_unwrapped_up_to_the_first_separator(
    resource: str, namespace: str | None, without: str
) -> None:
    assert namespace_of(resource) == namespace
    assert without_namespace(resource) == without
    assert without_namespace_of(resource, "other") == resource
    assert without_namespace_of(resource, "") == resource
    assert without_namespace_of(resource, namespace or "ns") == without


FUNCTIONS: list[Callable[[Any], object]] = [
    check_group,
    check_topic,
    dlq_topic,
    is_dlq_topic,
    is_retry_topic,
    is_system_group,
    is_system_topic,
    namespace_of,
    retry_topic,
    without_namespace,
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("wrong", [None, 1, b"orders"])
def test_a_name_must_be_text(function: Callable[[Any], object], wrong: object) -> None:
    with pytest.raises(TypeError):
        function(wrong)
