"""The cache for event loops: what differs from the blocking one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    AsyncRouteCache,
    CachedRoute,
    EmbeddedNameServer,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    SyncNameServerClient,
)

from .conditions import LIMIT, async_until


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    """A server that knows two brokers with `orders`."""
    nameserver.register("c", "broker-b", "10.0.0.2:10911", topics={"orders": 8})
    nameserver.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
    return nameserver


@pytest.fixture
async def cache(server: EmbeddedNameServer) -> AsyncIterator[AsyncRouteCache]:
    async with AsyncNameServerClient(server.address, timeout=20) as client, AsyncRouteCache(client) as cache:
        yield cache


async def found(cache: AsyncRouteCache, topic: str = "orders") -> CachedRoute:
    route = await cache.get_route(topic)
    assert route is not None
    return route


async def test_both_names_of_every_method_do_the_same(cache: AsyncRouteCache) -> None:
    route = await cache.get_route("orders")
    assert await cache.async_get_route("orders") is route
    assert await cache.refresh_route("orders") is await cache.async_refresh_route("orders") is route
    assert await cache.preload(["orders"]) == await cache.async_preload(["orders"]) == [route]
    assert await cache.refresh_routes(["orders"]) == await cache.async_refresh_routes(["orders"]) == [route]
    assert await cache.wait_for_route("orders") is await cache.async_wait_for_route("orders") is route
    assert cache.stats().questions == 7
    await cache.aclose()
    await cache.close()
    with pytest.raises(NameServerError, match="closed"):
        await cache.get_route("orders")


async def test_tasks_share_a_question_and_its_route(cache: AsyncRouteCache, server: EmbeddedNameServer) -> None:
    server.set_faults("slow=60s")
    tasks = [asyncio.create_task(found(cache)) for _ in range(50)]
    await async_until(lambda: cache.stats().joined == 49)
    # Whoever is cancelled takes no answer from the others.
    for task in tasks[:10]:
        task.cancel()
    server.clear_faults()
    routes = await asyncio.gather(*tasks[10:])
    assert all(route is routes[0] for route in routes)
    assert (routes[0].source, routes[0].stale) == (server.address, False)
    assert cache.stats().questions == 1
    assert await found(cache) is routes[0]


async def test_what_goes_wrong_is_told_as_by_the_blocking_cache(
    cache: AsyncRouteCache, server: EmbeddedNameServer
) -> None:
    assert await cache.get_route("nothing") is None
    assert await cache.get_route("nothing") is None
    assert (cache.stats().questions, cache.stats().negative_hits) == (1, 1)
    with pytest.raises(NameServerResponseError) as raised:
        await cache.refresh_route("nothing")
    assert raised.value.is_topic_not_found
    orders, nothing = await cache.preload(["orders", "nothing"])
    assert orders is cache.peek("orders")
    assert isinstance(nothing, NameServerResponseError)
    with pytest.raises(TypeError, match="topics"):
        await cache.preload("orders")
    server.stop()
    with pytest.raises(ConnectionError):
        await cache.refresh_route("orders")
    assert await cache.get_route("orders") is orders


async def test_stale_routes_are_served_at_once_while_the_server_is_silent(server: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(server.address, timeout=0.3) as client, AsyncRouteCache(client, ttl=0.05) as cache:
        route = await found(cache)
        server.set_faults("silent")
        await async_until(lambda: route.stale)
        for _ in range(3):
            # Nobody has to wait: the coroutine ends without the event loop.
            with pytest.raises(StopIteration) as ended:
                cache.get_route("orders").send(None)
            assert ended.value.value is route
        await async_until(lambda: cache.stats().failures)
        assert await cache.get_route("orders") is route
        server.clear_faults()
        await async_until(lambda: not route.stale)


async def test_a_report_refreshes_the_topics_of_a_broker(cache: AsyncRouteCache) -> None:
    route = await found(cache)
    assert cache.report_failure("broker-a") == 1
    await async_until(lambda: route.confirmations == 1)


async def test_waiting_until_the_route_is_as_wanted(cache: AsyncRouteCache, server: EmbeddedNameServer) -> None:
    waiting = asyncio.create_task(cache.wait_for_route("new", timeout=LIMIT))
    await async_until(lambda: cache.stats().not_found)
    server.register("c", "broker-a", "10.0.0.1:10911", topics={"new": 1})
    assert await waiting is cache.peek("new")
    for topic, said in [("orders", "2 brokers"), ("nothing", "not found")]:
        with pytest.raises(NameServerTimeoutError, match=said):
            await cache.wait_for_route(topic, lambda route: False, timeout=0.1)
    server.set_faults("silent")
    with pytest.raises(NameServerTimeoutError, match="no server has answered"):
        await cache.wait_for_route("other", timeout=0.1)


async def test_where_no_route_counts_each_call_asks(server: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(server.address) as client, AsyncRouteCache(client, ttl=0) as cache:
        assert await found(cache) == await found(cache)
        assert await cache.get_route("nothing") is None
        assert cache.stats().questions == 3


async def test_closing_ends_calls_that_wait(cache: AsyncRouteCache, server: EmbeddedNameServer) -> None:
    server.set_faults("silent")
    waiting = asyncio.create_task(cache.get_route("orders"))
    await async_until(lambda: cache.stats().questions)
    await cache.close()
    with pytest.raises(NameServerError, match="closed"):
        await waiting


def test_one_cache_serves_several_event_loops(server: EmbeddedNameServer) -> None:
    client = AsyncNameServerClient(server.address)
    cache = AsyncRouteCache(client)

    async def many() -> list[CachedRoute]:
        routes = [await found(cache) for _ in range(20)]
        return [*routes, await cache.refresh_route("orders")]

    with ThreadPoolExecutor(4) as threads:
        loops = [threads.submit(asyncio.run, many()) for _ in range(4)]
        routes = [route for loop in loops for route in loop.result(LIMIT)]
    assert all(route is routes[0] for route in routes)
    asyncio.run(client.close())


async def test_both_caches_agree(cache: AsyncRouteCache, server: EmbeddedNameServer) -> None:
    with SyncNameServerClient(server.address) as client:
        assert await found(cache) == client.query_topic_route_info("orders")
