"""The contract's examples run as they stand, on the embedded server and on real ones.

Host and port are filled in where an example has them. Every other name that an example takes from outside is passed to
it by its test.
"""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    NameServerConnectionError,
    NameServerError,
    NameServerTimeoutError,
    QueueData,
    SyncNameServerClient,
    create_async_client,
    create_sync_client,
)

from .contract import PAGE, block
from .name_servers import TOPIC, NameServer
from .peers import closed_port, silent_peer


def compiled(number: int, filled_in: dict[str, object]) -> CodeType:
    text = block(number)
    for placeholder, value in filled_in.items():
        assert placeholder in text
        text = text.replace(placeholder, repr(value))
    # `dont_inherit`: this file's own __future__ is not the example's.
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: CodeType = compile(text, str(PAGE), "exec", flags=flags, dont_inherit=True)
    return code


def run(number: int, filled_in: dict[str, object] | None = None, **names: object) -> tuple[dict[str, Any], str]:
    """The names that an example leaves behind, and what it prints."""
    namespace: dict[str, Any] = dict(names)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compiled(number, filled_in or {}), namespace)
    return namespace, printed.getvalue()


async def run_async(number: int, filled_in: dict[str, object], **names: object) -> tuple[dict[str, Any], str]:
    """The same for an example with `await` outside of a function."""
    namespace: dict[str, Any] = dict(names)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        await eval(compiled(number, filled_in), namespace)
    return namespace, printed.getvalue()


def where(server: NameServer) -> dict[str, object]:
    """What stands in the examples for host and port."""
    return {'"localhost"': server.host, "9876": server.port}


@pytest.fixture
def client(any_nameserver: NameServer) -> Iterator[SyncNameServerClient]:
    with create_sync_client(any_nameserver.host, any_nameserver.port) as client:
        yield client


def check_route(server: NameServer, route: Any) -> None:
    """The route of the topic, without what a release adds to it."""
    brokers = [(broker.cluster, broker.broker_name, broker.broker_addresses) for broker in route.broker_data_list]
    expected = [(broker.cluster, broker.broker_name, broker.broker_addresses) for broker in server.brokers]
    assert sorted(brokers) == sorted(expected)
    assert sorted(route.queue_data_list, key=by_name) == server.queues
    assert route.order_topic_conf == ""


def by_name(queues: QueueData) -> str:
    return queues.broker_name


def test_6_the_sync_client_finds_a_topic(any_nameserver: NameServer) -> None:
    names, printed = run(6, where(any_nameserver))
    with names["client"] as client:
        assert client.is_connected()
    assert printed == f"Found {len(any_nameserver.brokers)} brokers\n"
    check_route(any_nameserver, names["route_data"])


async def test_7_the_async_client_finds_a_topic(any_nameserver: NameServer) -> None:
    names, printed = await run_async(7, where(any_nameserver))
    async with names["client"] as client:
        assert client.is_connected()
    assert printed == f"Found {len(any_nameserver.brokers)} brokers\n"
    check_route(any_nameserver, names["route_data"])


def test_12_a_producer_sends_to_every_broker(any_nameserver: NameServer, client: SyncNameServerClient) -> None:
    sent: list[tuple[str, bytes]] = []

    def send_message_to_broker(address: str, message: bytes) -> None:
        sent.append((address, message))

    run(
        12,
        name_server_client=client,
        topic=TOPIC,
        message=b"hello",
        send_message_to_broker=send_message_to_broker,
    )
    addresses = [address for broker in any_nameserver.brokers for address in broker.broker_addresses.values()]
    assert sorted(sent) == [(address, b"hello") for address in sorted(addresses)]


def test_13_a_consumer_starts_on_every_broker(any_nameserver: NameServer, client: SyncNameServerClient) -> None:
    started: dict[str, QueueData] = {}

    def start_consume_from_queue(broker_name: str, queue_data: QueueData) -> None:
        started[broker_name] = queue_data

    run(13, name_server_client=client, topic=TOPIC, start_consume_from_queue=start_consume_from_queue)
    assert started == {queues.broker_name: queues for queues in any_nameserver.queues}


def test_14_the_cluster_overview_is_printed(any_nameserver: NameServer, client: SyncNameServerClient) -> None:
    names, printed = run(14, name_server_client=client)
    expected = [f"Cluster {name}: {len(brokers)} brokers" for name, brokers in any_nameserver.clusters.items()]
    assert sorted(printed.splitlines()) == expected
    clusters = {name: sorted(brokers) for name, brokers in names["cluster_info"].cluster_addr_table.items()}
    assert clusters == any_nameserver.clusters
    groups = [name for brokers in any_nameserver.clusters.values() for name in brokers]
    assert sorted(names["cluster_info"].broker_addr_table) == groups


def test_15_a_client_connects_and_disconnects(any_nameserver: NameServer) -> None:
    names, _ = run(
        15,
        create_sync_client=create_sync_client,
        nameserver_host=any_nameserver.host,
        nameserver_port=any_nameserver.port,
    )
    client = names["client"]
    (server,) = client.stats()
    assert (server.connects, client.is_connected()) == (1, False)


async def test_16_an_async_client_connects_asks_and_disconnects(any_nameserver: NameServer) -> None:
    made: list[AsyncNameServerClient] = []

    async def create_and_keep(host: str, port: int) -> AsyncNameServerClient:
        made.append(await create_async_client(host, port))
        return made[-1]

    names, _ = run(
        16,
        create_async_client=create_and_keep,
        nameserver_host=any_nameserver.host,
        nameserver_port=any_nameserver.port,
        topic=TOPIC,
    )
    check_route(any_nameserver, await names["with_nameserver"]())
    (client,) = made
    (server,) = client.stats()
    assert (server.connects, server.requests, client.is_connected()) == (1, 1, False)


def test_17_every_error_reaches_its_own_handler(any_nameserver: NameServer) -> None:
    def check(address: str, topic: str, expected: list[object], timeout: float = 30) -> None:
        handled: list[object] = []

        def log_error_and_alert(error: NameServerError) -> None:
            handled.append(("log_error_and_alert", error.code, error.topic))

        # Not `with client`, which connects: the example's call is to fail.
        with contextlib.closing(SyncNameServerClient(address, timeout=timeout)) as client:
            names, _ = run(
                17,
                NameServerConnectionError=NameServerConnectionError,
                NameServerError=NameServerError,
                NameServerTimeoutError=NameServerTimeoutError,
                client=client,
                log_error_and_alert=log_error_and_alert,
                reconnect_client=lambda: handled.append("reconnect_client"),
                retry_with_backoff=lambda: handled.append("retry_with_backoff"),
                topic=topic,
            )
        assert handled == expected
        assert ("route_data" in names) == (not expected)

    check(any_nameserver.address, TOPIC, [])
    check(any_nameserver.address, "missing_topic", [("log_error_and_alert", 17, "missing_topic")])
    check(closed_port(), TOPIC, ["reconnect_client"])
    with silent_peer() as silent:
        check(silent, TOPIC, ["retry_with_backoff"], timeout=0.2)


def test_real_answers_of_both_releases_are_read_whole(real_nameserver: NameServer) -> None:
    # 4.x does not send the field (docs/wire.md §3.1); its answers have integers for keys, those of 5.x have false.
    acting_master = {"4.9.7": None, "5.3.3": False}[str(real_nameserver.release)]
    for header in ("json", "binary"):
        with SyncNameServerClient(real_nameserver.address, header=header) as client:
            route = client.query_topic_route_info(TOPIC)
            check_route(real_nameserver, route)
            assert [broker.enable_acting_master for broker in route.broker_data_list] == [acting_master]
            info = client.get_broker_cluster_info()
            (broker,) = info.broker_addr_table.values()
            assert broker == route.broker_data_list[0]
            (server,) = client.stats()
            assert server.version == f"V{real_nameserver.release}".replace(".", "_")
