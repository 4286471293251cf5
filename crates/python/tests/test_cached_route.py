"""Routes out of caches: as good as any route, and what they know beside it."""

from __future__ import annotations

import copy
import dataclasses
import doctest
import importlib
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    BrokerData,
    CachedRoute,
    EmbeddedNameServer,
    QueueData,
    RouteCache,
    SyncNameServerClient,
    TopicRouteData,
)

from .conditions import until


def queues(*names: str, perm: int = 6) -> list[QueueData]:
    return [QueueData(name, 4, 4, perm, 0) for name in names]


def groups(*names: str) -> list[BrokerData]:
    return [BrokerData("c", name, {0: "10.0.0.1:1", 1: "10.0.0.2:1"}) for name in names]


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (TopicRouteData("", queues("a", "b"), groups("a", "b")), True),
        (TopicRouteData("", queues("b", "a"), groups("b", "a")), True),
        (CachedRoute("", queues("b", "a"), groups("a", "b")), True),
        (TopicRouteData("a:4", queues("a", "b"), groups("a", "b")), False),
        (TopicRouteData("", queues("a"), groups("a", "b")), False),
        (TopicRouteData("", queues("a", "b", perm=4), groups("a", "b")), False),
        (TopicRouteData("", queues("a", "b"), groups("a", "c")), False),
        (TopicRouteData("", queues("a", "b"), groups("a", "b"), {"x": ["y"]}), False),
        (None, False),
        ("a", False),
    ],
)
def test_a_cached_route_is_equal_to_what_says_the_same(other: object, equal: bool) -> None:
    route = CachedRoute("", queues("a", "b"), groups("a", "b"))
    assert (route == other) is equal
    assert (other == route) is equal
    assert (route != other) is not equal


def test_a_cached_route_is_no_key() -> None:
    with pytest.raises(TypeError):
        hash(CachedRoute())


def pickled(route: Any) -> Any:
    return pickle.loads(pickle.dumps(route))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_keeps_what_was_known(nameserver: EmbeddedNameServer, again: Callable[[Any], Any]) -> None:
    nameserver.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
    with SyncNameServerClient(nameserver.address) as client:
        cache = RouteCache(client=client)
        cache.get_route("orders")
        route = cache.refresh_route("orders")
        other = again(route)
        assert type(other) is CachedRoute
        assert other == route
        assert (other.topic, other.source, other.confirmations) == ("orders", nameserver.address, 1)
        age = other.age
        until(lambda: route.age > age)
        assert (other.age, other.stale) == (age, False)
        cache.refresh_route("orders")
        assert (other.confirmations, route.confirmations) == (1, 2)


def test_what_is_made_by_hand_is_not_trusted() -> None:
    route = CachedRoute()
    assert (route.topic, route.source, route.age, route.stale, route.confirmations) == ("", "", float("inf"), True, 0)


def test_a_cached_route_is_read_and_written_like_any() -> None:
    plain = TopicRouteData("", queues("a"), groups("a"))
    route = CachedRoute("", queues("a"), groups("a"))
    assert route.to_dict() == plain.to_dict()
    assert route.to_bytes() == plain.to_bytes()
    assert dataclasses.asdict(route) == dataclasses.asdict(plain)
    assert dataclasses.replace(route, order_topic_conf="a:4") == dataclasses.replace(plain, order_topic_conf="a:4")


@pytest.mark.parametrize(
    "module", ["async_cache", "cache", "cached_route", "client", "models", "query_all", "route_watch"]
)
def test_the_examples_are_right(module: str) -> None:
    ran = doctest.testmod(importlib.import_module(f"pyrocketmq.nameserver.{module}"))
    assert ran.attempted > 0
    assert ran.failed == 0
