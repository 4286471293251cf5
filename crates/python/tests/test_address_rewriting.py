"""Addresses that are used in place of those that brokers advertise: by every way to a route, with and without functions."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import doctest
import gc
import importlib
import pickle
import queue
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AddressesChanged,
    AddressRewriting,
    AdvertisedAddress,
    AsyncNameServerClient,
    AsyncRouteCache,
    BrokerAdded,
    BrokerClusterInfo,
    BrokerData,
    BrokerRemoved,
    EmbeddedNameServer,
    NameServerError,
    OtherChanged,
    QueuesChanged,
    RouteCache,
    RouteChange,
    SyncNameServerClient,
    TopicFound,
    TopicRouteData,
    find_broker_address_in_publish,
)

from .conditions import LIMIT

CONTAINERS = "172.17.0.0/16=127.0.0.1"


def other_clusters(broker: AdvertisedAddress) -> str | None:
    return None


def to_localhost(broker: AdvertisedAddress) -> str | None:
    host, _, port = broker.address.rpartition(":")
    return f"127.0.0.1:{port}" if host.startswith("172.17.") else None


# The same rules in the core, in Python, and in both: with a function among them, all are applied in the caller's thread.
RULES: dict[str, AddressRewriting | str] = {
    "core": AddressRewriting().cidr("172.17.0.0/16", "127.0.0.1"),
    "text": CONTAINERS,
    "function": AddressRewriting().with_(to_localhost),
    "both": AddressRewriting().with_(other_clusters).cidr("172.17.0.0/16", "127.0.0.1"),
}


@pytest.fixture(params=RULES)
def rules(request: pytest.FixtureRequest) -> AddressRewriting | str:
    return RULES[request.param]


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    """`broker-a` is in a container, `broker-b` is not."""
    nameserver.register("c", "broker-a", "172.17.0.2:10911", topics={"orders": 4})
    nameserver.register("c", "broker-a", "172.17.0.3:10921", 1)
    nameserver.register("c", "broker-b", "10.0.0.9:10911", topics={"orders": 4, "payments": 4})
    return nameserver


@pytest.fixture
def client(server: EmbeddedNameServer, rules: AddressRewriting | str) -> Iterator[SyncNameServerClient]:
    with client_of(server, rules) as client:
        yield client


def client_of(server: EmbeddedNameServer, rules: AddressRewriting | str | None) -> SyncNameServerClient:
    return SyncNameServerClient(server.address, timeout=20, rewrite_addresses=rules)


def async_client_of(server: EmbeddedNameServer, rules: AddressRewriting | str | None) -> AsyncNameServerClient:
    return AsyncNameServerClient(server.address, timeout=20, rewrite_addresses=rules)


A = BrokerData(
    "c",
    "broker-a",
    {0: "127.0.0.1:10911", 1: "127.0.0.1:10921"},
    None,
    False,
    {0: "172.17.0.2:10911", 1: "172.17.0.3:10921"},
)
B = BrokerData("c", "broker-b", {0: "10.0.0.9:10911"}, None, False)


def brokers(of: object) -> list[BrokerData]:
    """The groups, by name."""
    assert isinstance(of, (TopicRouteData, BrokerClusterInfo)), of
    groups = of.broker_data_list if isinstance(of, TopicRouteData) else list(of.broker_addr_table.values())
    return sorted(groups, key=lambda group: group.broker_name)


def used(address: str, rules: AddressRewriting | str | None, cluster: str = "c", broker_id: int = 0) -> str:
    """What is used in place of an address."""
    with EmbeddedNameServer() as server:
        server.register(cluster, "broker-a", address, broker_id, topics={"orders": 4})
        with client_of(server, rules) as client:
            (broker,) = client.get_broker_cluster_info().broker_addr_table.values()
            assert broker.advertised == {broker_id: address}
            return broker.broker_addresses[broker_id]


RULE = AddressRewriting()


@pytest.mark.parametrize(
    ("rules", "address", "expected"),
    [
        (RULE, "172.17.0.2:10911", "172.17.0.2:10911"),
        (RULE.exact("172.17.0.2:10911", "localhost:20911"), "172.17.0.2:10911", "localhost:20911"),
        (RULE.exact("172.17.0.2:10911", "localhost"), "172.17.0.2:10911", "localhost:10911"),
        (RULE.exact("172.17.0.2:10911", "localhost"), "172.17.0.2:10912", "172.17.0.2:10912"),
        (RULE.host("broker.internal", "10.0.0.9"), "Broker.Internal:10911", "10.0.0.9:10911"),
        (RULE.host("broker.internal", "[::1]:1"), "broker.internal:10911", "[::1]:1"),
        (RULE.cidr("172.17.0.0/16", "localhost"), "172.17.255.9:10911", "localhost:10911"),
        (RULE.cidr("172.17.0.0/16", "localhost"), "172.18.0.1:10911", "172.18.0.1:10911"),
        (RULE.cidr("fd00::/8", "::1"), "[fd12::1]:10911", "[::1]:10911"),
        ("h=first, h=second", "h:1", "first:1"),
        ("h=first", "g:1", "g:1"),
        ("", "h:1", "h:1"),
        (None, "h:1", "h:1"),
        # Functions have their place among the others, and what one says is not rewritten again.
        (RULE.with_(lambda broker: "first:1").host("h", "second"), "h:1", "first:1"),
        (RULE.host("h", "first").with_(lambda broker: "second:1"), "h:1", "first:1"),
        (RULE.with_(lambda broker: None).host("h", "second"), "h:1", "second:1"),
        (RULE.with_(lambda broker: None).with_(lambda broker: "second:1"), "h:1", "second:1"),
        (RULE.with_(lambda broker: "g:1").host("g", "second"), "h:1", "g:1"),
        # What cannot be used is not.
        (RULE.with_(lambda broker: "no port").host("h", "second"), "h:1", "h:1"),
        (RULE.with_(lambda broker: ""), "h:1", "h:1"),
    ],
)
def test_the_first_rule_that_matches_counts(rules: AddressRewriting | str | None, address: str, expected: str) -> None:
    assert used(address, rules) == expected


def test_a_function_is_told_whose_address_it_is() -> None:
    asked: list[AdvertisedAddress] = []

    def ask(broker: AdvertisedAddress) -> str | None:
        asked.append(broker)
        return None

    used("h:1", AddressRewriting().with_(ask), "cluster-1", 3)
    assert asked == [AdvertisedAddress("cluster-1", "broker-a", 3, "h:1")]


@pytest.mark.parametrize(
    "make",
    [
        lambda: RULE.exact("no-port", "localhost:1"),
        lambda: RULE.exact("h:1", ""),
        lambda: RULE.host("h:1", "localhost"),
        lambda: RULE.cidr("172.17.0.0", "localhost"),
        lambda: RULE.cidr("172.17.0.0/33", "localhost"),
        lambda: RULE.with_(other_clusters).host("h", "a b"),
        lambda: AddressRewriting.parse("h"),
        lambda: SyncNameServerClient("127.0.0.1:1", rewrite_addresses="172.17.0.0/64=h"),
    ],
)
def test_a_rule_that_is_none_is_an_error_where_it_is_made(make: Callable[[], object]) -> None:
    with pytest.raises(NameServerError) as raised:
        make()
    assert type(raised.value) is NameServerError


@pytest.mark.parametrize(
    "make",
    [
        lambda: RULE.with_("localhost:1"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: SyncNameServerClient("h:1", rewrite_addresses=["h=i"]),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: RULE.exact("h:1", 1),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ],
)
def test_what_are_no_rules_is_a_type_error(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        make()


def test_rules_are_not_changed_by_making_others_of_them() -> None:
    first = AddressRewriting().host("h", "first")
    assert first.with_(lambda broker: "second:1") is not first
    first.host("g", "third")
    assert [used(address, first) for address in ("h:1", "g:1")] == ["first:1", "g:1"]


def test_calls_of_a_blocking_client(client: SyncNameServerClient) -> None:
    assert brokers(client.query_topic_route_info("orders")) == [A, B]
    orders, missing, payments = client.query_topic_route_infos(["orders", "missing", "payments"])
    assert (brokers(orders), brokers(payments)) == ([A, B], [B])
    assert isinstance(missing, NameServerError)
    assert brokers(client.get_broker_cluster_info()) == [A, B]
    assert brokers(client.route_to_publish("orders")) == [A, B]


async def test_calls_of_an_asyncio_client(server: EmbeddedNameServer, rules: AddressRewriting | str) -> None:
    async with async_client_of(server, rules) as client:
        assert brokers(await client.query_topic_route_info("orders")) == [A, B]
        orders, missing, payments = await client.query_topic_route_infos(["orders", "missing", "payments"])
        assert (brokers(orders), brokers(payments)) == ([A, B], [B])
        assert isinstance(missing, NameServerError)
        assert brokers(await client.get_broker_cluster_info()) == [A, B]
        assert brokers(await client.route_to_publish("orders")) == [A, B]
        async with AsyncRouteCache(client) as cache:
            assert brokers(await cache.get_route("orders")) == [A, B]
            assert await cache.get_route("orders") is cache.peek("orders")
            assert [brokers(route) for route in await cache.refresh_routes(["orders", "payments"])] == [[A, B], [B]]
            assert cache.report_failure("127.0.0.1:10921") == 1
            assert brokers(await cache.route_to_publish("orders")) == [A, B]


def test_calls_of_a_cache(client: SyncNameServerClient) -> None:
    with RouteCache(client=client) as cache:
        route = cache.get_route("orders")
        assert route is not None
        assert brokers(route) == [A, B]
        assert cache.get_route("orders") is cache.peek("orders") is cache.explain("orders").route is route
        assert cache.refresh_route("orders") is route
        assert [brokers(route) for route in cache.preload(["orders", "payments"])] == [[A, B], [B]]
        assert brokers(cache.route_to_publish("orders")) == [A, B]
        for found in (route, copy.deepcopy(route), cache.route_to_publish("orders")):
            assert find_broker_address_in_publish(found, "broker-a") == "127.0.0.1:10911"
        # A copy knows what was advertised, and it is part of what a route says.
        assert copy.deepcopy(route) == pickle.loads(pickle.dumps(route)) == route
        assert route == client.query_topic_route_info("orders")
        said = client.query_topic_route_info("orders")
        said.broker_data_list = [
            dataclasses.replace(broker, advertised_addresses=None) for broker in said.broker_data_list
        ]
        assert route != said


@pytest.mark.parametrize(
    ("broker", "topics"),
    [("broker-a", 1), ("127.0.0.1:10911", 1), ("127.0.0.1:10921", 1), ("10.0.0.9:10911", 2), ("127.0.0.1:1", 0)],
)
def test_a_failure_is_reported_by_the_address_that_is_used(
    client: SyncNameServerClient, broker: str, topics: int
) -> None:
    with RouteCache(client=client) as cache:
        # What was never handed out counts, too.
        cache.preload(["orders", "payments"])
        assert cache.report_failure(broker) == topics
        assert cache.report_failure(broker) == 0


def test_changes_have_the_addresses_that_are_used(client: SyncNameServerClient, server: EmbeddedNameServer) -> None:
    changes: queue.Queue[RouteChange] = queue.Queue()
    with RouteCache(client=client, scheduled_refresh=False) as cache, cache.watch(["orders"], changes.put):
        found = changes.get(timeout=LIMIT)
        assert isinstance(found, TopicFound)
        assert brokers(found.after) == [A, B]

        server.register("c", "broker-a", "172.17.0.2:10912", topics={"orders": 4})
        cache.refresh_route("orders")
        before = {0: "127.0.0.1:10911", 1: "127.0.0.1:10921"}
        after = {0: "127.0.0.1:10912", 1: "127.0.0.1:10921"}
        assert changes.get(timeout=LIMIT) == AddressesChanged("orders", "broker-a", before, after)

        server.register("c", "broker-c", "172.17.0.5:10931", topics={"orders": 4})
        cache.refresh_route("orders")
        added = changes.get(timeout=LIMIT)
        c = BrokerData("c", "broker-c", {0: "127.0.0.1:10931"}, None, False, {0: "172.17.0.5:10931"})
        assert added == BrokerAdded("orders", c)
        changes.get(timeout=LIMIT)

        server.unregister("broker-c")
        cache.refresh_route("orders")
        assert changes.get(timeout=LIMIT) == BrokerRemoved("orders", c)
        changes.get(timeout=LIMIT)

        server.unregister("broker-a", 1)
        server.register("d", "broker-a", "172.17.0.2:10912", topics={"orders": 4})
        cache.refresh_route("orders")
        assert isinstance(changes.get(timeout=LIMIT), AddressesChanged)


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


def test_what_is_asked_of_every_server_stays_as_it_was_said(client: SyncNameServerClient) -> None:
    ((_, route),) = client.query_all("orders").answers
    assert brokers(route) == [
        dataclasses.replace(A, broker_addresses=A.advertised, advertised_addresses=None),
        B,
    ]


def test_what_is_advertised_is_never_written(client: SyncNameServerClient) -> None:
    route = client.query_topic_route_info("orders")
    assert "172.17" not in str(route.to_dict())
    assert b"172.17" not in route.to_bytes()
    assert {0: "127.0.0.1:10911", 1: "127.0.0.1:10921"} in [
        broker.broker_addresses for broker in TopicRouteData.from_bytes(route.to_bytes()).broker_data_list
    ]


def test_a_broker_in_a_container_is_reached(nameserver: EmbeddedNameServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        nameserver.register("c", "broker-a", f"10.255.0.1:{port}", topics={"orders": 4})
        rules = AddressRewriting().cidr("10.255.0.0/24", "127.0.0.1")
        with client_of(nameserver, rules) as client:
            (group,) = client.query_topic_route_info("orders").broker_data_list
        assert group.master_address is not None
        host, _, number = group.master_address.rpartition(":")
        socket.create_connection((host, int(number)), timeout=LIMIT).close()


def test_examples_in_the_documentation() -> None:
    module = importlib.import_module("pyrocketmq.nameserver.address_rewriting")
    ran = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert ran.attempted
    assert ran.failed == 0
