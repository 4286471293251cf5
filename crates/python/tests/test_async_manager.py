"""The manager for event loops: what differs from the blocking one, and that the rest does not."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerManager,
    CachedRoute,
    EmbeddedNameServer,
    NameServerConfig,
    NameServerError,
    NameServerManager,
    SyncNameServerClient,
    create_async_nameserver_manager,
    create_nameserver_manager,
)

from .conditions import LIMIT, async_until
from .peers import Answer, Asked, closed_port, scripted_peer, silent_peer
from .test_manager import CLUSTERS, EMPTY, answer, fill

Call = Callable[[AsyncNameServerManager], Awaitable[object]]


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    fill(nameserver)
    return nameserver


@pytest.fixture
async def manager(server: EmbeddedNameServer) -> AsyncIterator[AsyncNameServerManager]:
    async with create_async_nameserver_manager(server.address, timeout=20) as manager:
        yield manager


def broker(manager: AsyncNameServerManager) -> Awaitable[object]:
    return manager.get_broker_address("broker-a")


def member(manager: AsyncNameServerManager) -> Awaitable[object]:
    return manager.get_broker_address_in_subscription("broker-a", 1)


def broker_of_topic(manager: AsyncNameServerManager) -> Awaitable[object]:
    return manager.get_broker_address("broker-b", "payments")


def route(manager: AsyncNameServerManager) -> Awaitable[object]:
    return manager.get_topic_route("orders")


CALLS = [broker, member, broker_of_topic, route]


@pytest.mark.parametrize("personality", [4, 5])
async def test_both_managers_say_the_same(personality: Literal[4, 5]) -> None:
    with EmbeddedNameServer(personality=personality) as server:
        fill(server)
        with create_nameserver_manager(server.address) as blocking:
            async with create_async_nameserver_manager(server.address) as manager:
                for name in ("broker-a", "broker-b", "broker-s", "nobody"):
                    for topic in (None, "orders", "payments", "nothing"):
                        expected = blocking.get_broker_address(name, topic)
                        assert await manager.get_broker_address(name, topic) == expected
                    for suggestion in range(-1, 5):
                        chosen = blocking.get_broker_address_in_subscription(name, suggestion)
                        assert await manager.get_broker_address_in_subscription(name, suggestion) == chosen
                for topic in ("orders", "payments", "nothing"):
                    assert await manager.get_topic_route(topic) == blocking.get_topic_route(topic)
                    masters = blocking.get_all_broker_addresses(topic)
                    assert await manager.get_all_broker_addresses(topic) == masters
                info = await manager.get_cache_info()
                assert info == blocking.get_cache_info()
                assert info == {"cached_broker_addresses": 3, "cached_routes": 2, "connected_nameservers": 1}
                assert manager.errors == blocking.errors


def test_both_managers_have_the_same_methods() -> None:
    methods = {name: method for name, method in vars(NameServerManager).items() if inspect.isfunction(method)}
    assert len([name for name in methods if not name.startswith("_")]) == 8
    for name, method in methods.items():
        if not name.startswith("_"):
            twin = getattr(AsyncNameServerManager, name)
            assert inspect.iscoroutinefunction(twin)
            assert inspect.signature(twin) == inspect.signature(method)


async def test_it_may_be_started_again(server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture) -> None:
    manager = AsyncNameServerManager(NameServerConfig(server.address))
    for _ in range(2):
        for call in CALLS:
            assert await call(manager) is None
        assert await manager.get_all_broker_addresses("orders") == []
        assert await manager.get_cache_info() == EMPTY
        await manager.clear_cache()
        await manager.stop()
        await asyncio.gather(*(manager.start() for _ in range(4)))
        assert repr(manager) == f"AsyncNameServerManager('{server.address}', started)"
        assert await manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        assert isinstance(await manager.get_topic_route("orders"), CachedRoute)
        await manager.clear_cache()
        assert await manager.get_cache_info() == EMPTY | {"connected_nameservers": 1}
        await asyncio.gather(*(manager.stop() for _ in range(4)))
    assert manager.errors == {"NameServerError": 10}
    assert len(caplog.records) == 1


async def test_start_connects_to_all_servers_that_are_there(
    server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedNameServer() as second:
        async with create_async_nameserver_manager(f"{server.address} ; {second.address}") as manager:
            assert (await manager.get_cache_info())["connected_nameservers"] == 2
    assert caplog.records == []
    async with create_async_nameserver_manager(f"{closed_port()};{server.address}") as manager:
        assert (await manager.get_cache_info())["connected_nameservers"] == 1
        assert await manager.get_broker_address("broker-a") == "10.0.0.1:10911"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    for addresses, error in [(closed_port(), ConnectionError), ("no address:at all", NameServerError)]:
        manager = create_async_nameserver_manager(addresses)
        with pytest.raises(error):
            await manager.start()
        assert await manager.get_cache_info() == EMPTY
    with pytest.raises(TypeError):
        create_async_nameserver_manager("ns:9876", time_out=5)


@pytest.mark.parametrize("call", CALLS)
async def test_tasks_share_a_question(call: Call, server: EmbeddedNameServer) -> None:
    async with create_async_nameserver_manager(server.address, timeout=60) as manager:
        server.set_faults("slow=60s")
        tasks = [asyncio.ensure_future(call(manager)) for _ in range(20)]
        await async_until(lambda: in_flight(manager))
        # Whoever is cancelled, he who asks too, takes no answer from the others.
        for task in tasks[:5]:
            task.cancel()
        await async_until(lambda: all(task.done() for task in tasks[:5]))
        await async_until(lambda: in_flight(manager))
        server.clear_faults()
        answers = await asyncio.gather(*tasks[5:])
        assert answers[0] is not None
        assert answers == answers[:1] * 15
        assert manager.errors == {}


def in_flight(manager: AsyncNameServerManager) -> int:
    (server,) = manager._started().client.stats()  # pyright: ignore[reportPrivateUsage]
    return server.in_flight


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refuse", "NameServerConnectionError"),
        ("silent", "NameServerTimeoutError"),
        ("half-frame", "NameServerConnectionError"),
    ],
)
async def test_what_cannot_be_had_is_none_and_what_is_known_is_served(
    call: Call, fault: str, error: str, server: EmbeddedNameServer
) -> None:
    rules = {"timeout": 0.3, "max_retry_times": 2, "retry_interval": 0.001}
    server.set_faults(fault)
    async with create_async_nameserver_manager(
        server.address, broker_cache_ttl=0.001, route_cache_ttl=60, **rules
    ) as manager:
        assert await call(manager) is None
        assert manager.errors == {error: 1}
        server.clear_faults()
        known = await call(manager)
        assert known is not None
        server.set_faults(fault)
        for _ in range(2):
            assert await call(manager) == known


async def test_not_ready_is_no_reason_to_ask_again(server: EmbeddedNameServer) -> None:
    async with create_async_nameserver_manager(server.address, retry_interval=3600) as manager:
        server.set_faults("not-ready")
        assert await manager.get_topic_route("orders") is None
        assert manager.last_error is not None
        assert manager.last_error.is_not_ready
        assert await manager.get_topic_route("nothing") is None
        assert manager.errors == {"NameServerResponseError": 2}


async def test_another_round_may_succeed() -> None:
    asked: list[int] = []

    def script(request: Asked) -> Answer | None:
        asked.append(request.code)
        # A connection that ends is tried once more by itself.
        return None if len(asked) <= 2 else answer(request)

    with scripted_peer(script) as address:
        async with create_async_nameserver_manager(address, retry_interval=0) as manager:
            assert await manager.get_broker_address("broker-a") == "10.0.0.1:10911"
            assert manager.errors == {}
    assert asked == [CLUSTERS] * 3


async def test_stop_ends_calls_that_wait() -> None:
    with silent_peer() as address:
        manager = create_async_nameserver_manager(address, timeout=60)
        await manager.start()
        tasks = [asyncio.ensure_future(call(manager)) for call in CALLS]
        # The clusters and two routes.
        await async_until(lambda: in_flight(manager) == 3)
        await manager.stop()
        async with asyncio.timeout(LIMIT):
            assert await asyncio.gather(*tasks) == [None] * 4


def test_one_manager_serves_several_event_loops(server: EmbeddedNameServer) -> None:
    manager = create_async_nameserver_manager(server.address, timeout=20)
    asyncio.run(manager.start())

    async def many() -> list[object]:
        return [await call(manager) for _ in range(20) for call in CALLS]

    with ThreadPoolExecutor(4) as threads:
        loops = [threads.submit(asyncio.run, many()) for _ in range(4)]
        answers = [loop.result(LIMIT) for loop in loops]
    with SyncNameServerClient(server.address) as client:
        orders = client.query_topic_route_info("orders")
    assert answers == [["10.0.0.1:10911", ("10.0.0.2:10911", False), "10.0.0.4:10911", orders] * 20] * 4
    asyncio.run(manager.stop())


def test_a_loop_that_nobody_runs_keeps_nobody_waiting(server: EmbeddedNameServer) -> None:
    manager = create_async_nameserver_manager(server.address, timeout=0.3)
    server.set_faults("slow=60s")
    left = asyncio.new_event_loop()
    left.run_until_complete(manager.start())
    asking = left.create_task(manager.get_broker_address("broker-a"))
    left.run_until_complete(async_until(lambda: in_flight(manager)))
    server.clear_faults()

    async def ask() -> None:
        async with asyncio.timeout(LIMIT):
            assert await manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        await manager.stop()

    asyncio.run(ask())
    assert left.run_until_complete(asking) in (None, "10.0.0.1:10911")
    left.close()
