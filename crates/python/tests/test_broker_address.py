"""Which address of a broker is talked to, by the rules of `docs/wire.md` §4.7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    BrokerData,
    EmbeddedNameServer,
    FindBrokerResult,
    NameServerDataParseError,
    RouteCache,
    SyncNameServerClient,
    TopicRouteData,
    find_broker_addr_by_topic,
    find_broker_address_in_admin,
    find_broker_address_in_publish,
    find_broker_address_in_subscribe,
    select_broker_addr,
)

OFTEN = 1_000
"""Each of three that are picked at random is missed as often in a row once in 10^176 runs."""


def group(name: str, *ids: int) -> BrokerData:
    return BrokerData("C", name, {member: f"{name}{member}" for member in ids})


def route(*groups: BrokerData) -> TopicRouteData:
    return TopicRouteData("", [], list(groups))


def shown(found: FindBrokerResult | None) -> str:
    """`a1s` for a slave, `a0m` for a master, nothing for nothing."""
    return "" if found is None else f"{found.broker_addr}{'s' if found.slave else 'm'}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", "a0"), ("b", None), ("c", None), ("d", None), ("x", None), ("", None)],
)
def test_rule_4_7_in_publish_the_master_alone_will_do(name: str, expected: str | None) -> None:
    asked = route(group("a", 0, 1), group("b", 1), group("c"), group("d", 0), group("d", 1))
    assert find_broker_address_in_publish(asked, name) == expected


@pytest.mark.parametrize(
    ("ids", "wanted", "only_this", "otherwise"),
    [
        ((0, 1), 0, "a0m", "a0m"),
        ((0, 1), 1, "a1s", "a1s"),
        ((0, 2), 1, "a2s", "a2s"),
        ((0, 3), 1, "", "a0m"),
        ((1, 2), 0, "", "a1s"),
        ((2,), 0, "", "a2s"),
        ((0,), -1, "a0s", "a0s"),
        ((), 0, "", ""),
        ((), 1, "", ""),
        ((0,), 2**63 - 1, "", "a0m"),
        ((-(2**63),), 2**63 - 1, "a-9223372036854775808s", "a-9223372036854775808s"),
    ],
)
def test_rule_4_7_in_subscribe_the_wanted_then_the_next_then_the_first(
    ids: tuple[int, ...], wanted: int, only_this: str, otherwise: str
) -> None:
    asked = route(group("a", *ids))
    assert shown(find_broker_address_in_subscribe(asked, "a", wanted, True)) == only_this
    assert shown(find_broker_address_in_subscribe(asked, "a", broker_id=wanted)) == otherwise


def test_rule_4_7_in_subscribe_a_master_is_wanted_where_nobody_says_which() -> None:
    assert find_broker_address_in_subscribe(route(group("a", 0, 1)), "a") == FindBrokerResult("a0", slave=False)
    assert find_broker_address_in_subscribe(route(group("b", 0)), "a") is None


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ((0, 1, 2), "a0m"),
        ((2, 7), "a2s"),
        # 17 stands in the bucket of 1, -3 in that of 2.
        ((3, 17), "a17s"),
        ((-3, 1), "a1s"),
        ((-3, 3), "a-3s"),
        ((), ""),
    ],
)
def test_rule_4_7_in_admin_the_first_of_javas_hash_table(ids: tuple[int, ...], expected: str) -> None:
    assert shown(find_broker_address_in_admin(route(group("a", *ids)), "a")) == expected


def test_rule_4_7_the_master_is_selected_else_any_slave() -> None:
    assert {select_broker_addr(group("a", 1, 0)) for _ in range(OFTEN)} == {"a0"}
    assert {select_broker_addr(group("a", 3, 1, 2)) for _ in range(OFTEN)} == {"a1", "a2", "a3"}
    assert select_broker_addr(group("a")) is None


def test_rule_4_7_by_topic_any_group_with_members_is_picked() -> None:
    asked = route(group("a", 0), group("b"), group("c", 1, 2))
    assert {find_broker_addr_by_topic(asked) for _ in range(OFTEN)} == {"a0", "c1", "c2"}
    assert find_broker_addr_by_topic(route()) is None
    assert find_broker_addr_by_topic(route(group("a"), group("b"))) is None


def test_a_route_of_a_cache_is_asked_like_any(nameserver: EmbeddedNameServer) -> None:
    nameserver.register("C", "a", "a:1", topics={"T": 4})
    nameserver.register("C", "a", "a:2", 1, topics={"T": 4})
    with SyncNameServerClient(nameserver.address) as client, RouteCache(client=client) as cache:
        cached = cache.get_route("T")
        assert cached is not None
        assert find_broker_address_in_publish(cached, "a") == "a:1"
        assert find_broker_address_in_subscribe(cached, "a", 1) == FindBrokerResult("a:2", slave=True)
        assert find_broker_address_in_admin(cached, "a") == FindBrokerResult("a:1", slave=False)
        assert find_broker_addr_by_topic(cached) == "a:1"


FUNCTIONS: list[Callable[[Any], object]] = [
    lambda asked: find_broker_address_in_publish(asked, "a"),
    lambda asked: find_broker_address_in_subscribe(asked, "a"),
    lambda asked: find_broker_address_in_admin(asked, "a"),
    find_broker_addr_by_topic,
    select_broker_addr,
]


@pytest.mark.parametrize("find", FUNCTIONS)
@pytest.mark.parametrize("wrong", [None, {}, "a", [group("a", 0)]])
def test_what_is_neither_route_nor_broker_is_a_type_error(find: Callable[[Any], object], wrong: object) -> None:
    with pytest.raises(TypeError):
        find(wrong)


def test_ids_that_no_server_could_send_are_an_error() -> None:
    with pytest.raises(NameServerDataParseError):
        select_broker_addr(group("a", 2**63))
    with pytest.raises(NameServerDataParseError):
        find_broker_addr_by_topic(route(group("a", 2**63)))
    with pytest.raises(OverflowError):
        find_broker_address_in_subscribe(route(group("a", 0)), "a", 2**63)
