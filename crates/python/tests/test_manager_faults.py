"""The blocking manager while servers fail: what is none, what is served, and when it is asked again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import EmbeddedNameServer, create_nameserver_manager

from .conditions import until
from .peers import Answer, Asked, scripted_peer
from .test_manager import answer, fill


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    fill(nameserver)
    return nameserver


def faulty(*faults: str) -> Callable[[EmbeddedNameServer], None]:
    return lambda server: server.set_faults(*faults)


FAULTS = [
    pytest.param(EmbeddedNameServer.stop, "NameServerConnectionError", id="down"),
    pytest.param(faulty("refuse"), "NameServerConnectionError", id="refuse"),
    pytest.param(faulty("silent"), "NameServerTimeoutError", id="silent"),
]

NO_ROUTES = pytest.param(faulty("not-ready"), "NameServerResponseError", id="not ready")


@pytest.mark.parametrize(("break_it", "error"), [*FAULTS, NO_ROUTES])
def test_routes_that_cannot_be_had_are_none_and_explained(
    break_it: Callable[[EmbeddedNameServer], None],
    error: str,
    server: EmbeddedNameServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with create_nameserver_manager(server.address, timeout=0.3, max_retry_times=1) as manager:
        break_it(server)
        assert manager.get_topic_route("orders") is None
        assert manager.get_all_broker_addresses("orders") == []
        assert manager.get_broker_address("broker-a", "orders") is None
        assert manager.errors == {error: 3}
        assert type(manager.last_error).__name__ == error
        assert [(record.name, record.levelno) for record in caplog.records] == [
            ("pyrocketmq.nameserver.manager", logging.WARNING)
        ]


@pytest.mark.parametrize(("break_it", "error"), FAULTS)
def test_brokers_that_cannot_be_had_are_none_and_explained(
    break_it: Callable[[EmbeddedNameServer], None], error: str, server: EmbeddedNameServer
) -> None:
    with create_nameserver_manager(server.address, timeout=0.3, max_retry_times=1) as manager:
        break_it(server)
        assert manager.get_broker_address("broker-a") is None
        assert manager.get_broker_address_in_subscription("broker-a", 0) is None
        assert manager.errors == {error: 2}


@pytest.mark.parametrize(("break_it", "error"), FAULTS)
def test_brokers_that_are_known_are_served_while_servers_fail(
    break_it: Callable[[EmbeddedNameServer], None], error: str, server: EmbeddedNameServer
) -> None:
    ttls = {"broker_cache_ttl": 0.001, "route_cache_ttl": 0.001}
    with create_nameserver_manager(server.address, timeout=0.3, **ttls) as manager:
        known = ["10.0.0.1:10911", ("10.0.0.2:10911", False), "10.0.0.4:10911"]

        def ask() -> list[object]:
            return [
                manager.get_broker_address("broker-a"),
                manager.get_broker_address_in_subscription("broker-a", 1),
                manager.get_broker_address("broker-b", "payments"),
            ]

        assert ask() == known
        break_it(server)
        until(lambda: ask() == known and manager.errors)
        assert set(manager.errors) == {error}
        if break_it is not EmbeddedNameServer.stop:
            server.clear_faults()
            server.unregister("broker-a")
            until(lambda: manager.get_broker_address("broker-a") is None)


def test_an_address_outlives_its_route_but_not_if_the_topic_is_gone(server: EmbeddedNameServer) -> None:
    rules = {"broker_cache_ttl": 0.001, "route_cache_ttl": 0, "max_retry_times": 1}
    with create_nameserver_manager(server.address, **rules) as manager:
        assert manager.get_broker_address("broker-b", "payments") == "10.0.0.4:10911"
        server.set_faults("empty")
        until(lambda: manager.get_broker_address("broker-b", "payments") is None)
        assert manager.last_error is not None
        assert manager.last_error.is_topic_not_found
        server.stop()
        # That route asks in vain, but its broker was there.
        assert manager.get_broker_address("broker-b", "payments") == "10.0.0.4:10911"


@pytest.mark.parametrize("fault", ["refuse", "silent", "not-ready"])
def test_one_of_two_servers_may_fail(fault: str, server: EmbeddedNameServer) -> None:
    with EmbeddedNameServer() as second:
        fill(second)
        with create_nameserver_manager(f"{server.address};{second.address}", timeout=20) as manager:
            server.set_faults(fault)
            assert manager.get_topic_route("orders") is not None
            assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
            assert manager.errors == {}


def rounds(script: Callable[[Asked], Answer | None], **config: Any) -> int:
    """How many requests a route takes that cannot be had."""
    requests: list[Asked] = []

    def counted(asked: Asked) -> Answer | None:
        requests.append(asked)
        return script(asked)

    with (
        scripted_peer(counted) as address,
        create_nameserver_manager(address, retry_interval=0.001, **config) as manager,
    ):
        assert manager.get_topic_route("orders") is None
        assert manager.errors.popitem()[1] == 1
    return len(requests)


@pytest.mark.parametrize(
    ("answer", "is_asked_again"),
    [
        pytest.param(None, True, id="a connection that ends"),
        pytest.param(Answer(code=17), False, id="topic not found"),
        pytest.param(Answer(code=1, remark="name server not ready"), False, id="not ready"),
        pytest.param(Answer(code=3), False, id="a refusal"),
        pytest.param(Answer(body="{"), False, id="what is no route"),
    ],
)
def test_only_connections_and_times_that_are_over_are_worth_another_round(
    answer: Answer | None, is_asked_again: bool
) -> None:
    once = rounds(lambda asked: answer, max_retry_times=1)
    assert once > 0
    for config, more in [({"max_retry_times": 0}, 0), ({"max_retry_times": 4}, 3), ({}, 2)]:
        assert rounds(lambda asked: answer, **config) == once + (more if is_asked_again else 0)


def test_another_round_may_succeed() -> None:
    requests: list[int] = []
    once = rounds(lambda asked: None, max_retry_times=1)

    def script(asked: Asked) -> Answer | None:
        requests.append(asked.code)
        return None if len(requests) <= once else answer(asked)

    with scripted_peer(script) as address, create_nameserver_manager(address, retry_interval=0) as manager:
        assert manager.get_topic_route("orders") is not None
        assert manager.errors == {}
