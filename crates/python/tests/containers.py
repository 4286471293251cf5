"""Brokers in containers, clients that reach them, and what those see."""

from __future__ import annotations

from pyrocketmq.nameserver import (
    AddressRewriting,
    AdvertisedAddress,
    AsyncNameServerClient,
    BrokerClusterInfo,
    BrokerData,
    EmbeddedNameServer,
    SyncNameServerClient,
    TopicRouteData,
)


def to_localhost(broker: AdvertisedAddress) -> str | None:
    host, _, port = broker.address.rpartition(":")
    return f"127.0.0.1:{port}" if host.startswith("172.17.") else None


def filled(server: EmbeddedNameServer) -> EmbeddedNameServer:
    """`broker-a` is in a container, `broker-b` is not."""
    server.register("c", "broker-a", "172.17.0.2:10911", topics={"orders": 4})
    server.register("c", "broker-a", "172.17.0.3:10921", 1)
    server.register("c", "broker-b", "10.0.0.9:10911", topics={"orders": 4, "payments": 4})
    return server


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
