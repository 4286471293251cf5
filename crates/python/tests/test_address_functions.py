"""Functions that say which addresses are used: when they are called, and what becomes of what they raise."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AddressRewriting,
    AdvertisedAddress,
    AsyncRouteCache,
    EmbeddedNameServer,
    OtherChanged,
    QueuesChanged,
    RouteCache,
    RouteChange,
    TopicFound,
)

from .conditions import LIMIT
from .containers import A, B, async_client_of, brokers, client_of, filled, to_localhost


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    return filled(nameserver)


RULE = AddressRewriting()


def test_a_function_is_told_whose_address_it_is() -> None:
    asked: list[AdvertisedAddress] = []

    def ask(broker: AdvertisedAddress) -> str | None:
        asked.append(broker)
        return None

    with EmbeddedNameServer() as server:
        server.register("cluster-1", "broker-a", "h:1", 3, topics={"orders": 4})
        with client_of(server, RULE.with_(ask)) as client:
            client.get_broker_cluster_info()
    assert asked == [AdvertisedAddress("cluster-1", "broker-a", 3, "h:1")]


def test_a_function_of_a_watch_is_told_the_cluster_of_changed_addresses(server: EmbeddedNameServer) -> None:
    asked: list[AdvertisedAddress] = []

    def ask(broker: AdvertisedAddress) -> str | None:
        asked.append(broker)
        return None

    changes: queue.Queue[RouteChange] = queue.Queue()
    rules = AddressRewriting().with_(ask)
    with (
        client_of(server, rules) as client,
        RouteCache(client=client, scheduled_refresh=False) as cache,
        cache.watch(["orders"], changes.put),
    ):
        changes.get(timeout=LIMIT)
        server.register("c", "broker-a", "172.17.0.2:10912", topics={"orders": 4})
        cache.refresh_route("orders")
        changes.get(timeout=LIMIT)
    assert {broker.cluster for broker in asked} == {"c"}
    assert "172.17.0.2:10912" in {broker.address for broker in asked}


def test_an_advertised_address_that_changes_nothing_here_is_told_as_other_or_not_at_all(
    server: EmbeddedNameServer,
) -> None:
    for rules in (AddressRewriting().host("172.17.0.2", "h").host("172.17.0.7", "h"), RULE.with_(lambda _: "h:1")):
        changes: queue.Queue[RouteChange] = queue.Queue()
        server.register("c", "broker-a", "172.17.0.2:10911", topics={"orders": 4})
        with (
            client_of(server, rules) as client,
            RouteCache(client=client, scheduled_refresh=False) as cache,
            cache.watch(["orders"], changes.put),
        ):
            changes.get(timeout=LIMIT)
            server.register("c", "broker-a", "172.17.0.7:10911", topics={"orders": 4})
            cache.refresh_route("orders")
            server.register("c", "broker-a", "172.17.0.7:10911", topics={"orders": 8})
            cache.refresh_route("orders")
            told = changes.get(timeout=LIMIT)
            if isinstance(told, OtherChanged):
                told = changes.get(timeout=LIMIT)
            assert isinstance(told, QueuesChanged)


class FunctionError(Exception):
    """What a function raises."""


def fault(broker: AdvertisedAddress) -> str | None:
    raise FunctionError(broker.address)


def no_text(broker: AdvertisedAddress) -> Any:
    return 10911


@pytest.mark.parametrize(("function", "error"), [(fault, FunctionError), (no_text, TypeError)])
async def test_what_a_function_raises_is_raised_by_the_call(
    server: EmbeddedNameServer, function: Callable[[AdvertisedAddress], str | None], error: type[Exception]
) -> None:
    rules = AddressRewriting().host("10.0.0.9", "localhost").with_(function)
    with client_of(server, rules) as client, RouteCache(client=client) as cache:
        for call in (
            lambda: client.query_topic_route_info("orders"),
            lambda: client.query_topic_route_infos(["payments", "orders"]),
            client.get_broker_cluster_info,
            lambda: cache.get_route("orders"),
            lambda: cache.report_failure("broker-a"),
        ):
            with pytest.raises(error):
                call()
        # Nothing is left of it.
        assert brokers(cache.get_route("payments"))[0].broker_addresses == {0: "localhost:10911"}
    async with async_client_of(server, rules) as aclient, AsyncRouteCache(aclient) as acache:
        for acall in (
            lambda: aclient.query_topic_route_info("orders"),
            lambda: aclient.query_topic_route_infos(["payments", "orders"]),
            aclient.get_broker_cluster_info,
            lambda: acache.get_route("orders"),
        ):
            with pytest.raises(error):
                await acall()


async def test_what_a_function_raises_in_a_watch_is_logged_and_the_change_is_told(
    server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture
) -> None:
    rules = AddressRewriting().with_(fault)
    changes: queue.Queue[RouteChange] = queue.Queue()
    with (
        client_of(server, rules) as client,
        RouteCache(client=client) as cache,
        cache.watch(["payments"], changes.put) as watch,
    ):
        found = changes.get(timeout=LIMIT)
        assert isinstance(found, TopicFound)
        assert brokers(found.after) == [B]
        assert not watch.has_ended
    async with (
        async_client_of(server, rules) as aclient,
        AsyncRouteCache(aclient) as acache,
        acache.watch(["payments"]) as awatch,
    ):
        found = await asyncio.wait_for(anext(awatch), LIMIT)
        assert isinstance(found, TopicFound)
        assert brokers(found.after) == [B]
    faults = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert faults == [FunctionError, FunctionError]


async def test_functions_are_called_in_the_thread_of_the_caller(server: EmbeddedNameServer) -> None:
    threads: set[int] = set()

    def ask(broker: AdvertisedAddress) -> str | None:
        threads.add(threading.get_ident())
        return None

    rules = AddressRewriting().with_(ask)
    with client_of(server, rules) as client:
        client.query_topic_route_info("orders")
        with RouteCache(0.001, client) as cache:
            for _ in range(20):
                cache.get_route("orders")
            cache.report_failure("broker-a")
    async with async_client_of(server, rules) as aclient:
        await aclient.query_topic_route_info("orders")
    assert threads == {threading.get_ident()}


def test_a_function_is_called_once_for_each_address_of_a_route_that_a_cache_hands_out(
    server: EmbeddedNameServer,
) -> None:
    asked: list[str] = []

    def ask(broker: AdvertisedAddress) -> str | None:
        asked.append(broker.address)
        return None

    with client_of(server, RULE.with_(ask)) as client, RouteCache(client=client) as cache:
        for _ in range(3):
            cache.get_route("orders")
            cache.refresh_route("orders")
    assert sorted(asked) == ["10.0.0.9:10911", "172.17.0.2:10911", "172.17.0.3:10921"]


def test_a_function_may_ask_something_itself(server: EmbeddedNameServer) -> None:
    with client_of(server, RULE.with_(to_localhost)) as other:

        def ask(broker: AdvertisedAddress) -> str | None:
            known = brokers(other.get_broker_cluster_info())
            return next(
                group.broker_addresses[broker.broker_id] for group in known if group.broker_name == broker.broker_name
            )

        with client_of(server, RULE.with_(ask)) as client:
            assert brokers(client.query_topic_route_info("orders")) == [A, B]


def test_a_client_and_a_function_that_hold_each_other_go_together(server: EmbeddedNameServer) -> None:
    class Holder:
        def __init__(self) -> None:
            rules = AddressRewriting().with_(self.ask)
            self.client = client_of(server, rules)
            self.cache = RouteCache(client=self.client)

        def ask(self, broker: AdvertisedAddress) -> str | None:
            return to_localhost(broker)

    holder = Holder()
    assert brokers(holder.cache.get_route("orders")) == [A, B]
    holder.cache.close()
    holder.client.close()
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
