"""Brokers of the own zone. A 5.x server filters, a 4.x server does not know zones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    AsyncRouteCache,
    EmbeddedNameServer,
    NameServerError,
    RouteCache,
    SyncNameServerClient,
    TopicRouteData,
)


def filled(personality: Literal[4, 5]) -> EmbeddedNameServer:
    """`broker-a` is in zone z, `broker-b` in zone y, `broker-n` in none."""
    server = EmbeddedNameServer(personality=personality)
    server.register("c", "broker-a", "h-a:1", topics={"all": 4, "both": 4}, zone_name="z")
    server.register("c", "broker-b", "h-b:1", topics={"all": 4, "both": 4, "in y": 4}, zone_name="y")
    server.register("c", "broker-n", "h-n:1", topics={"all": 4})
    return server


@pytest.fixture
def server() -> Iterator[EmbeddedNameServer]:
    with filled(5) as server:
        yield server


def brokers(route: object) -> str:
    """The groups by their last letters; their queues are those of the same ones."""
    assert isinstance(route, TopicRouteData), route
    names = sorted(broker.broker_name[-1] for broker in route.broker_data_list)
    assert names == sorted(queue.broker_name[-1] for queue in route.queue_data_list)
    return " ".join(names)


@pytest.mark.parametrize(
    ("topic", "zone", "expected"),
    [
        ("all", None, "a b n"),
        ("all", "z", "a"),
        ("all", "Z", "a"),
        ("both", "y", "b"),
        # Nobody of the zone has the topic.
        ("both", "x", "a b"),
        ("in y", "z", "b"),
    ],
)
async def test_routes_have_the_brokers_of_the_zone_or_all(
    server: EmbeddedNameServer, topic: str, zone: str | None, expected: str
) -> None:
    with SyncNameServerClient(server.address, timeout=20, zone=zone) as client:
        assert brokers(client.query_topic_route_info(topic)) == expected
        assert [brokers(route) for route in client.query_topic_route_infos([topic, topic])] == [expected, expected]
        assert sorted(client.get_broker_cluster_info().broker_addr_table) == ["broker-a", "broker-b", "broker-n"]
        with RouteCache(client=client) as cache:
            assert brokers(cache.get_route(topic)) == expected
        ((_, raw),) = client.query_all("all").answers
        assert brokers(raw) == "a b n"
    async with AsyncNameServerClient(server.address, timeout=20, zone=zone) as aclient:
        assert brokers(await aclient.query_topic_route_info(topic)) == expected
        async with AsyncRouteCache(aclient) as acache:
            assert brokers(await acache.get_route(topic)) == expected


def test_a_4x_server_knows_no_zones_so_all_brokers_are_used() -> None:
    with filled(4) as server, SyncNameServerClient(server.address, timeout=20, zone="z") as client:
        assert brokers(client.query_topic_route_info("all")) == "a b n"


@pytest.mark.parametrize(
    ("environment", "settings", "expected"),
    [
        ({"ROCKETMQ_ZONE": "z", "ROCKETMQ_ZONE_MODE": "true"}, {}, "a b n"),
        ({"ROCKETMQ_ZONE": "z", "ROCKETMQ_ZONE_MODE": "true"}, {"zone_from_env": True}, "a"),
        ({"ROCKETMQ_ZONE": "z", "ROCKETMQ_ZONE_MODE": "false"}, {"zone_from_env": True}, "a b n"),
        ({"ROCKETMQ_ZONE": "z"}, {"zone_from_env": True}, "a b n"),
        ({}, {"zone_from_env": True}, "a b n"),
        ({"ROCKETMQ_ZONE": "z", "ROCKETMQ_ZONE_MODE": "true"}, {"zone": "y"}, "b"),
    ],
)
def test_the_environment_names_the_zone_if_it_is_asked(
    server: EmbeddedNameServer,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    settings: dict[str, Any],
    expected: str,
) -> None:
    for name in ("ROCKETMQ_ZONE", "ROCKETMQ_ZONE_MODE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with SyncNameServerClient(server.address, timeout=20, **settings) as client:
        assert brokers(client.query_topic_route_info("all")) == expected


@pytest.mark.parametrize("zone", ["", " "])
def test_a_blank_zone_is_an_error_when_the_client_is_made(zone: str) -> None:
    with pytest.raises(NameServerError):
        SyncNameServerClient("127.0.0.1:1", zone=zone)


@pytest.mark.parametrize("client", [SyncNameServerClient, AsyncNameServerClient])
@pytest.mark.parametrize("environment", [{}, {"ROCKETMQ_ZONE": "z", "ROCKETMQ_ZONE_MODE": "true"}])
def test_a_zone_is_named_once(
    client: Callable[..., object], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for zone in ("y", ""):
        with pytest.raises(ValueError, match="zone_from_env"):
            client("127.0.0.1:1", zone=zone, zone_from_env=True)
    client("127.0.0.1:1", zone="y", zone_from_env=False)
