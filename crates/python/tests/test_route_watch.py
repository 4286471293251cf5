"""Watches: what they tell, for event loops and for threads, and how they end."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from pyrocketmq.nameserver import (
    AddressesChanged,
    AsyncNameServerClient,
    AsyncRouteCache,
    BrokerAdded,
    BrokerData,
    BrokerRemoved,
    EmbeddedNameServer,
    NameServerResponseError,
    OrderConfChanged,
    OtherChanged,
    PermChanged,
    QueueCounts,
    QueuesChanged,
    Resynced,
    RouteCache,
    RouteChange,
    RouteWatch,
    SyncNameServerClient,
    TopicConfig,
    TopicFound,
    TopicGone,
)

from .conditions import LIMIT, async_until, until


@pytest.fixture
def server() -> Iterator[EmbeddedNameServer]:
    """A server that knows one broker with `orders`."""
    with EmbeddedNameServer(personality=4, settings={"orderMessageEnable": True}) as server:
        broker(server, "broker-a")
        yield server


@pytest.fixture
async def cache(server: EmbeddedNameServer) -> AsyncIterator[AsyncRouteCache]:
    async with AsyncNameServerClient(server.address, timeout=20) as client, AsyncRouteCache(client) as cache:
        yield cache


@pytest.fixture
def blocking(server: EmbeddedNameServer) -> Iterator[RouteCache]:
    with SyncNameServerClient(server.address, timeout=20) as client, RouteCache(client=client) as cache:
        yield cache


def broker(
    server: EmbeddedNameServer, name: str, broker_id: int = 0, *, queues: int = 4, perm: int = 6, flag: int = 0
) -> None:
    """Registers a broker group's member with `orders` as told."""
    topics = [TopicConfig("orders", queues, 4, perm, flag)] if broker_id == 0 else []
    server.register("c", name, f"10.0.{broker_id}.{ord(name[-1])}:1", broker_id, topics=topics)


def another_broker(server: EmbeddedNameServer) -> None:
    broker(server, "broker-b")


def a_slave(server: EmbeddedNameServer) -> None:
    broker(server, "broker-a", 1)


def more_queues(server: EmbeddedNameServer) -> None:
    broker(server, "broker-a", queues=8)


def read_only(server: EmbeddedNameServer) -> None:
    broker(server, "broker-a", perm=4)


def ordered(server: EmbeddedNameServer) -> None:
    with SyncNameServerClient(server.address) as client:
        client.put_kv_config("ORDER_TOPIC_CONFIG", "orders", "broker-a:4")


async def following(watch: RouteWatch) -> RouteChange:
    async with asyncio.timeout(LIMIT):
        return await anext(watch)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            another_broker,
            [
                BrokerAdded("orders", BrokerData("c", "broker-b", {0: "10.0.0.98:1"})),
                QueuesChanged("orders", "broker-b", None, QueueCounts(4, 4)),
            ],
        ),
        (
            a_slave,
            [AddressesChanged("orders", "broker-a", {0: "10.0.0.97:1"}, {0: "10.0.0.97:1", 1: "10.0.1.97:1"})],
        ),
        (
            more_queues,
            [QueuesChanged("orders", "broker-a", QueueCounts(4, 4), QueueCounts(8, 4))],
        ),
        (read_only, [PermChanged("orders", "broker-a", 6, 4)]),
        (ordered, [OrderConfChanged("orders", "", "broker-a:4")]),
    ],
)
async def test_what_changes_is_told(
    cache: AsyncRouteCache,
    server: EmbeddedNameServer,
    change: Callable[[EmbeddedNameServer], None],
    told: list[RouteChange],
) -> None:
    watch = cache.watch(["orders"])
    before = await cache.refresh_route("orders")
    assert await following(watch) == TopicFound("orders", before)
    change(server)
    await cache.refresh_route("orders")
    assert [await following(watch) for _ in told] == told


async def test_a_broker_that_leaves_and_what_has_no_class_of_its_own(
    cache: AsyncRouteCache, server: EmbeddedNameServer
) -> None:
    broker(server, "broker-b")
    async with cache.watch(["orders", "orders"]) as watch:
        assert isinstance(await following(watch), TopicFound)
        server.unregister("broker-b")
        before = await cache.refresh_route("orders")
        gone = BrokerData("c", "broker-b", {0: "10.0.0.98:1"})
        assert await following(watch) == BrokerRemoved("orders", gone)
        assert await following(watch) == QueuesChanged("orders", "broker-b", QueueCounts(4, 4), None)
        broker(server, "broker-a", flag=1)
        after = await cache.refresh_route("orders")
        assert await following(watch) == OtherChanged("orders", before, after)


async def test_a_topic_that_two_servers_do_not_know_any_more_is_gone(server: EmbeddedNameServer) -> None:
    with EmbeddedNameServer(personality=4) as other:
        broker(other, "broker-a")
        async with AsyncNameServerClient([server.address, other.address]) as client, AsyncRouteCache(client) as cache:
            watch = cache.watch(["orders"])
            found = await following(watch)
            assert isinstance(found, TopicFound)
            for one in (server, other):
                one.unregister("broker-a")
            with pytest.raises(NameServerResponseError):
                await cache.refresh_route("orders")
            assert await following(watch) == TopicGone("orders", found.after, "not-found")
            broker(server, "broker-a")
            broker(other, "broker-a")
            again = await cache.refresh_route("orders")
            assert await following(watch) == TopicFound("orders", again)


async def test_a_topic_that_nobody_confirms_is_gone(server: EmbeddedNameServer) -> None:
    async with (
        AsyncNameServerClient(server.address, timeout=0.1) as client,
        AsyncRouteCache(client, ttl=0.02, max_stale=0.05) as cache,
    ):
        watch = cache.watch(["orders"])
        assert isinstance(await following(watch), TopicFound)
        server.set_faults("silent")
        changes = [await following(watch)]
        while not isinstance(changes[-1], TopicGone):
            changes.append(await following(watch))
        assert changes[-1].reason == "too-old"


async def test_who_is_slow_is_told_of_the_gap(cache: AsyncRouteCache, server: EmbeddedNameServer) -> None:
    watch = cache.watch(["orders"])
    assert isinstance(await following(watch), TopicFound)
    for queues in (5, 6, 7):
        broker(server, "broker-a", queues=queues)
        await cache.refresh_route("orders")
    assert await following(watch) == Resynced("orders", await cache.get_route("orders"))
    assert await following(watch) == QueuesChanged("orders", "broker-a", QueueCounts(4, 4), QueueCounts(7, 4))


async def test_watched_topics_are_asked_for_until_they_are_there(server: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(server.address) as client, AsyncRouteCache(client, negative_ttl=0.02) as cache:
        watch = cache.watch(["new"])
        waiting = asyncio.create_task(following(watch))
        await async_until(lambda: cache.stats().not_found >= 2)
        server.register("c", "broker-a", "10.0.0.97:1", topics={"new": 1})
        found = await waiting
        assert (type(found), found.topic) == (TopicFound, "new")


async def test_cancelling_who_waits_loses_nothing(cache: AsyncRouteCache, server: EmbeddedNameServer) -> None:
    watch = cache.watch(["orders"])
    told: list[RouteChange] = [await following(watch)]
    for number in range(1, 30):
        waiting = asyncio.ensure_future(anext(watch))
        broker(server, f"broker-{number % 10}", queues=number)
        await cache.refresh_route("orders")
        # Just when the change comes, or just before or after.
        waiting.cancel()
        try:
            told.append(await waiting)
        except asyncio.CancelledError:
            told.append(await following(watch))
        while not isinstance(told[-1], QueuesChanged):
            told.append(await following(watch))
        assert told[-1].after == QueueCounts(number, 4)
    assert not any(isinstance(change, Resynced) for change in told)


@pytest.mark.parametrize("end", ["watch", "cache", "leaving"])
async def test_a_watch_ends_with_itself_or_its_cache(cache: AsyncRouteCache, end: str) -> None:
    watch = cache.watch(["orders"])
    changes: list[RouteChange] = []

    async def follow() -> None:
        async for change in watch:
            changes.append(change)  # noqa: PERF401 # what has come is looked at while it runs

    follower = asyncio.create_task(follow())
    await async_until(lambda: changes)
    if end == "watch":
        watch.close()
        await watch.aclose()
    elif end == "cache":
        await cache.close()
    else:
        await watch.__aexit__(None, None, None)
    async with asyncio.timeout(LIMIT):
        await follower
    assert [change async for change in watch] == []
    assert [type(change) for change in changes] == [TopicFound]


async def test_a_watch_holds_its_cache(server: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(server.address) as client:
        watch = AsyncRouteCache(client).watch(["orders"])
        gc.collect()
        assert isinstance(await following(watch), TopicFound)


def test_a_callback_is_told_on_a_thread_of_its_own(blocking: RouteCache, server: EmbeddedNameServer) -> None:
    changes: queue.Queue[tuple[RouteChange, threading.Thread]] = queue.Queue()
    with blocking.watch(["orders"], lambda change: changes.put((change, threading.current_thread()))) as watch:
        found, thread = changes.get(timeout=LIMIT)
        assert found == TopicFound("orders", blocking.refresh_route("orders"))
        assert thread is not threading.main_thread()
        assert thread.daemon
        broker(server, "broker-a", perm=4)
        blocking.refresh_route("orders")
        assert changes.get(timeout=LIMIT) == (PermChanged("orders", "broker-a", 6, 4), thread)
        assert thread.is_alive()
    assert watch.has_ended
    broker(server, "broker-a", perm=6)
    blocking.refresh_route("orders")
    assert changes.empty()
    watch.close()


def test_changes_are_told_without_anybody_asking(server: EmbeddedNameServer) -> None:
    changes: queue.Queue[RouteChange] = queue.Queue()
    with SyncNameServerClient(server.address) as client, RouteCache(0.05, client) as cache:
        cache.watch(["orders"], changes.put)
        assert isinstance(changes.get(timeout=LIMIT), TopicFound)
        broker(server, "broker-a", perm=4)
        assert changes.get(timeout=LIMIT) == PermChanged("orders", "broker-a", 6, 4)


def test_a_fault_of_the_callback_is_logged(
    blocking: RouteCache, server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture
) -> None:
    changes: queue.Queue[RouteChange] = queue.Queue()

    def fault(change: RouteChange) -> None:
        changes.put(change)
        raise LookupError("a fault of the callback")

    with blocking.watch(["orders"], fault) as watch:
        changes.get(timeout=LIMIT)
        broker(server, "broker-a", perm=4)
        blocking.refresh_route("orders")
        changes.get(timeout=LIMIT)
        assert not watch.has_ended
    errors = [record for record in caplog.records if record.exc_info]
    assert [str(record.exc_info[1]) for record in errors if record.exc_info] == ["a fault of the callback"] * 2


def test_a_callback_may_end_its_watch_or_its_cache(blocking: RouteCache) -> None:
    made = threading.Event()

    def end(change: RouteChange) -> None:
        assert made.wait(LIMIT)
        watch.close()

    watch = blocking.watch(["orders"], end)
    made.set()
    until(lambda: watch.has_ended)
    other = blocking.watch(["orders"], lambda change: blocking.close())
    until(lambda: other.has_ended)


def test_closing_waits_until_the_callback_has_returned(blocking: RouteCache) -> None:
    running, go_on, returned = threading.Event(), threading.Event(), threading.Event()

    def slow(change: RouteChange) -> None:
        running.set()
        assert go_on.wait(LIMIT)
        returned.set()

    watch = blocking.watch(["orders"], slow)
    assert running.wait(LIMIT)
    go_on.set()
    watch.close()
    assert returned.is_set()


@pytest.mark.parametrize("held", ["cache", "watch", "nothing"])
def test_a_watch_that_nobody_holds_goes_on_while_its_cache_is_there(server: EmbeddedNameServer, held: str) -> None:
    changes: queue.Queue[RouteChange] = queue.Queue()
    with SyncNameServerClient(server.address) as client:
        cache = RouteCache(0.05, client)
        watch = cache.watch(["orders"], changes.put)
        assert isinstance(changes.get(timeout=LIMIT), TopicFound)
        thread = watch._thread  # pyright: ignore[reportPrivateUsage]
        if held != "watch":
            del watch
        if held != "cache":
            del cache
        gc.collect()
        if held == "nothing":
            thread.join(LIMIT)
            assert not thread.is_alive()
        else:
            broker(server, "broker-a", perm=4)
            # Where the machine is busy for longer than the ttl, there is a gap, which is told of first.
            before = set(iter(lambda: type(changes.get(timeout=LIMIT)), PermChanged))
            assert before <= {Resynced}
