"""Addresses that are used in place of those that brokers advertise: by every way to a route, with and without functions."""

from __future__ import annotations

import copy
import dataclasses
import doctest
import importlib
import pickle
import queue
import socket
from collections.abc import Callable, Iterator

import pytest

from pyrocketmq.nameserver import (
    AddressesChanged,
    AddressRewriting,
    AdvertisedAddress,
    AsyncRouteCache,
    BrokerAdded,
    BrokerData,
    BrokerRemoved,
    EmbeddedNameServer,
    NameServerError,
    RouteCache,
    RouteChange,
    SyncNameServerClient,
    TopicFound,
    TopicRouteData,
    find_broker_address_in_publish,
)

from .conditions import LIMIT
from .containers import A, B, async_client_of, brokers, client_of, filled, to_localhost

CONTAINERS = "172.17.0.0/16=127.0.0.1"


def other_clusters(broker: AdvertisedAddress) -> str | None:
    return None


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
    return filled(nameserver)


@pytest.fixture
def client(server: EmbeddedNameServer, rules: AddressRewriting | str) -> Iterator[SyncNameServerClient]:
    with client_of(server, rules) as client:
        yield client


def used(address: str, rules: AddressRewriting | str | None) -> str:
    """What is used in place of an address."""
    with EmbeddedNameServer() as server:
        server.register("c", "broker-a", address, topics={"orders": 4})
        with client_of(server, rules) as client:
            (broker,) = client.get_broker_cluster_info().broker_addr_table.values()
            assert broker.advertised == {0: address}
            return broker.broker_addresses[0]


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
