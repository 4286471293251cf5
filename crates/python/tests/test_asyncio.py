"""The asyncio client: loops, tasks, cancellation, uvloop."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    SyncNameServerClient,
    TopicRouteData,
    create_async_client,
)

from .peers import closed_port, silent_peer


async def test_both_names_of_every_method_ask_the_same(address: str) -> None:
    host, port = address.rsplit(":", 1)
    client = await create_async_client(host, int(port))
    await client.async_connect()
    assert client.is_connected()
    plain = await client.query_topic_route_info("test_topic")
    assert plain == await client.async_query_topic_route_info("test_topic")
    assert plain.broker_data_list
    assert await client.get_broker_cluster_info() == await client.async_get_broker_cluster_info()
    (route, missing) = await client.async_query_topic_route_infos(["test_topic", "missing"])
    assert route == plain
    assert isinstance(missing, NameServerResponseError)
    await client.async_disconnect()
    assert not client.is_connected()
    await client.connect()
    await client.disconnect()
    await client.aclose()
    with pytest.raises(NameServerError, match="closed"):
        await client.query_topic_route_info("test_topic")


async def test_async_and_blocking_clients_agree(address: str) -> None:
    async with AsyncNameServerClient(address) as client:
        route = await client.query_topic_route_info("test_topic")
    with SyncNameServerClient(address) as blocking:
        assert blocking.query_topic_route_info("test_topic") == route


async def test_a_thousand_tasks_share_one_connection(address: str) -> None:
    async with AsyncNameServerClient(address) as client:
        routes = await asyncio.gather(*(client.query_topic_route_info("test_topic") for _ in range(1000)))
        assert len(routes) == 1000
        assert all(route == routes[0] for route in routes)
        (server,) = client.stats()
        assert (server.connects, server.requests, server.in_flight) == (1, 1000, 0)


async def test_a_thousand_cancelled_calls_leave_nothing() -> None:
    with silent_peer() as address:
        client = AsyncNameServerClient(address, timeout=60)
        await client.connect()
        tasks = [asyncio.create_task(client.query_topic_route_info(f"t{number}")) for number in range(1000)]
        while client.stats()[0].in_flight < 1000:  # noqa: ASYNC110 - the core has no event to wait for
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError)
        deadline = time.monotonic() + 20
        while client.stats()[0].in_flight > 0:
            assert time.monotonic() < deadline, "cancelled calls are forgotten by the core, too"
            await asyncio.sleep(0.01)
        await client.close()


async def test_cancelling_while_answers_arrive_harms_nobody(address: str) -> None:
    async with AsyncNameServerClient(address) as client:
        for _ in range(1000):
            task = asyncio.create_task(client.query_topic_route_info("test_topic"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await client.query_topic_route_info("test_topic")).broker_data_list


async def test_errors_are_raised_where_they_are_awaited() -> None:
    with pytest.raises(NameServerConnectionError) as refused:
        await AsyncNameServerClient(closed_port()).query_topic_route_info("test_topic")
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)
    with silent_peer() as address:
        client = AsyncNameServerClient(address)
        with pytest.raises(NameServerTimeoutError):
            await client.query_topic_route_info("test_topic", timeout=0.1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get_broker_cluster_info(), 0.1)
        with pytest.raises(ValueError, match="timeout"):
            await client.get_broker_cluster_info(timeout=0)
        with pytest.raises(TypeError, match="topic"):
            await client.query_topic_route_info(None)  # type: ignore[arg-type]
        await client.close()


async def test_disconnect_ends_calls_in_flight_and_is_quick() -> None:
    with silent_peer() as address:
        client = AsyncNameServerClient(address, timeout=60)
        await client.connect()
        call = asyncio.create_task(client.query_topic_route_info("test_topic"))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await client.disconnect()
        with pytest.raises(NameServerConnectionError):
            await call
        assert time.monotonic() - started < 2


def test_asyncio_run_twice_and_a_client_that_serves_both_loops(address: str) -> None:
    client = AsyncNameServerClient(address)

    async def ask() -> TopicRouteData:
        return await client.query_topic_route_info("test_topic")

    assert asyncio.run(ask()) == asyncio.run(ask())
    assert client.stats()[0].connects == 1, "the connection belongs to no loop"
    asyncio.run(client.close())


def test_several_loops_in_several_threads(address: str) -> None:
    client = AsyncNameServerClient(address)
    failures: list[BaseException] = []

    async def ask() -> None:
        for _ in range(100):
            routes = await asyncio.gather(*(client.query_topic_route_info("test_topic") for _ in range(4)))
            assert all(route.broker_data_list for route in routes)

    def run() -> None:
        try:
            asyncio.run(ask())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    asyncio.run(client.close())


def test_uvloop_works_as_well(address: str) -> None:
    async def ask() -> None:
        async with AsyncNameServerClient(address) as client:
            routes = await asyncio.gather(*(client.query_topic_route_info("test_topic") for _ in range(200)))
            assert all(route.broker_data_list for route in routes)
            task = asyncio.create_task(client.query_topic_route_info("test_topic"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    for _ in range(2):
        uvloop.run(ask())


def test_a_loop_that_cannot_watch_sockets_is_a_clear_error(address: str) -> None:
    class Proactor(asyncio.SelectorEventLoop):
        def add_reader(self, fd: object, callback: object, *args: object) -> None:
            raise NotImplementedError

    async def ask() -> None:
        with pytest.raises(NameServerError, match="Proactor cannot watch sockets"):
            await AsyncNameServerClient(address).query_topic_route_info("test_topic")

    with asyncio.Runner(loop_factory=Proactor) as runner:
        runner.run(ask())


def test_a_loop_that_is_gone_takes_its_descriptors_with_it(address: str) -> None:
    client = AsyncNameServerClient(address)

    async def ask() -> None:
        await client.query_topic_route_info("test_topic")

    asyncio.run(ask())
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        asyncio.run(ask())
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
    asyncio.run(client.close())


def test_a_client_dropped_with_a_call_in_flight_is_no_crash() -> None:
    async def ask(address: str) -> None:
        client = AsyncNameServerClient(address, timeout=60)
        call = asyncio.create_task(client.query_topic_route_info("test_topic"))
        await asyncio.sleep(0.05)
        del client
        gc.collect()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    with silent_peer() as address:
        asyncio.run(ask(address))


def test_outside_of_a_loop_it_is_a_clear_error(address: str) -> None:
    call = AsyncNameServerClient(address).query_topic_route_info("test_topic")
    with pytest.raises(RuntimeError, match="loop"):
        call.send(None)
    call.close()


def test_a_signal_handler_that_raises_costs_no_answers(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupt(BaseException):
        pass

    client = AsyncNameServerClient(address, timeout=20)
    loop = asyncio.new_event_loop()
    call_soon = loop.call_soon
    interrupts = iter([Interrupt])

    def interrupted(*arguments: Any, **options: Any) -> Any:
        """As a signal handler interrupts once, in the middle of a delivery."""
        handed: Any = call_soon(*arguments, **options)
        if "_finish" in {frame.name for frame in traceback.extract_stack()}:
            for interrupt in interrupts:
                raise interrupt
        return handed

    async def ask() -> None:
        routes = await asyncio.gather(*(client.query_topic_route_info("test_topic") for _ in range(100)))
        assert all(route.broker_data_list for route in routes)

    monkeypatch.setattr(loop, "call_soon", interrupted)
    # The loop reports what was raised in one of its callbacks.
    raised: list[object] = []
    loop.set_exception_handler(lambda _, context: raised.append(context.get("exception")))
    loop.run_until_complete(asyncio.wait_for(ask(), 30))
    assert [type(error) for error in raised] == [Interrupt]
    loop.run_until_complete(client.close())
    loop.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_loops_that_were_closed_with_calls_under_way_are_freed() -> None:
    with silent_peer() as address:
        client = AsyncNameServerClient(address, timeout=20)
        for _ in range(30):
            loop = asyncio.new_event_loop()
            task = loop.create_task(client.query_topic_route_info("test_topic"))
            loop.run_until_complete(asyncio.sleep(0.01))
            loop.close()
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            del loop, task
        gc.collect()
        before = len(list(Path("/proc/self/fd").iterdir()))
        asyncio.run(client.close())
        gc.collect()
        assert before < 60, "thirty loops alone would have five each"
