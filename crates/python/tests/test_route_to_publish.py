"""Where messages of a topic go that does not exist yet, by the rules of `docs/wire.md` §4.5: the same of each client."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AUTO_CREATE_TOPIC_KEY_TOPIC,
    DEFAULT_TOPIC_QUEUE_NUMS,
    AsyncNameServerClient,
    AsyncRouteCache,
    CachedRoute,
    EmbeddedNameServer,
    NameServerDataParseError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    QueueData,
    RouteCache,
    RouteToPublish,
    SyncNameServerClient,
    TopicConfig,
    TopicRouteData,
    default_topic_route,
    publish_queues,
)

Find = Callable[..., RouteToPublish]
"""One of the clients' calls: server, topic, and what else the method takes."""


def sync(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    with SyncNameServerClient(server.address) as client:
        return client.route_to_publish(*arguments)


def of_loop(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    async def ask() -> RouteToPublish:
        async with AsyncNameServerClient(server.address) as client:
            return await client.route_to_publish(*arguments)

    return asyncio.run(ask())


def async_named(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    async def ask() -> RouteToPublish:
        async with AsyncNameServerClient(server.address) as client:
            return await client.async_route_to_publish(*arguments)

    return asyncio.run(ask())


def cache(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    with SyncNameServerClient(server.address) as client, RouteCache(client=client) as cache:
        return cache.route_to_publish(*arguments)


def warm_cache(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    with SyncNameServerClient(server.address) as client, RouteCache(client=client) as cache:
        cache.preload([arguments[0], AUTO_CREATE_TOPIC_KEY_TOPIC])
        return cache.route_to_publish(*arguments)


def cache_that_always_asks(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    with SyncNameServerClient(server.address) as client, RouteCache(0, client) as cache:
        return cache.route_to_publish(*arguments)


def async_cache(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    async def ask() -> RouteToPublish:
        async with AsyncNameServerClient(server.address) as client, AsyncRouteCache(client) as cache:
            return await cache.route_to_publish(*arguments)

    return asyncio.run(ask())


def async_warm_cache(server: EmbeddedNameServer, *arguments: Any) -> RouteToPublish:
    async def ask() -> RouteToPublish:
        async with AsyncNameServerClient(server.address) as client, AsyncRouteCache(client) as cache:
            await cache.preload([arguments[0], AUTO_CREATE_TOPIC_KEY_TOPIC])
            return await cache.async_route_to_publish(*arguments)

    return asyncio.run(ask())


each_client = pytest.mark.parametrize(
    "find",
    [sync, of_loop, async_named, cache, warm_cache, cache_that_always_asks, async_cache, async_warm_cache],
    ids=lambda find: find.__name__,
)


@pytest.mark.parametrize(
    ("topics", "topic", "queues", "is_default"),
    [
        pytest.param({"orders": 8, "TBW102": 8}, "orders", 8, False, id="its own route"),
        pytest.param({"TBW102": 8}, "orders", 4, True, id="missing"),
        pytest.param({"TBW102": 2}, "orders", 2, True, id="missing, and brokers with fewer queues"),
        pytest.param({"TBW102": 8}, "TBW102", 8, False, id="the default topic itself"),
    ],
)
@each_client
def test_rule_4_5_a_topic_that_no_server_knows_is_published_by_the_default_topic(
    nameserver: EmbeddedNameServer, find: Find, topics: dict[str, int], topic: str, queues: int, is_default: bool
) -> None:
    nameserver.register("C", "a", "a:1", topics=topics)
    route = find(nameserver, topic)
    assert type(route) is RouteToPublish
    assert route.is_default is is_default
    assert [str(queue) for queue in publish_queues(topic, route)] == [f"{topic}@a:{number}" for number in range(queues)]
    assert [broker.broker_addresses for broker in route.broker_data_list] == [{0: "a:1"}]


@each_client
def test_rule_4_5_a_topic_with_a_route_keeps_it_also_without_queues_to_publish_to(
    nameserver: EmbeddedNameServer, find: Find
) -> None:
    topics = [TopicConfig("orders", 4, 4, perm=4), TopicConfig("TBW102", 8, 8, perm=7)]
    nameserver.register("C", "a", "a:1", topics=topics)
    route = find(nameserver, "orders")
    assert (publish_queues("orders", route), route.is_default) == ([], False)


@pytest.mark.parametrize(("nums", "queues"), [(0, 0), (2, 2), (16, 8), (2**31 - 1, 8)])
@each_client
def test_rule_4_5_the_number_of_queues_is_the_callers(
    nameserver: EmbeddedNameServer, find: Find, nums: int, queues: int
) -> None:
    nameserver.register("C", "a", "a:1", topics={"TBW102": 8})
    route = find(nameserver, "orders", nums)
    assert (len(publish_queues("orders", route)), route.is_default) == (queues, True)


@pytest.mark.parametrize("topic", ["orders", "TBW102"])
@each_client
def test_rule_4_5_the_error_is_about_the_topic_if_neither_is_found(
    nameserver: EmbeddedNameServer, find: Find, topic: str
) -> None:
    with pytest.raises(NameServerResponseError) as raised:
        find(nameserver, topic)
    assert (raised.value.is_topic_not_found, raised.value.topic) == (True, topic)


@each_client
def test_other_failures_are_no_reason_to_send_elsewhere(nameserver: EmbeddedNameServer, find: Find) -> None:
    nameserver.register("C", "a", "a:1", topics={"TBW102": 8})
    nameserver.set_faults("not-ready")
    with pytest.raises(NameServerResponseError) as raised:
        find(nameserver, "orders")
    assert raised.value.is_not_ready


@pytest.mark.parametrize(
    ("nums", "error"),
    [
        (-1, ValueError),
        (2**31, ValueError),
        (2**80, ValueError),
        (True, TypeError),
        (4.0, TypeError),
        (None, TypeError),
    ],
)
@each_client
def test_a_number_of_queues_that_there_cannot_be_is_an_error(
    nameserver: EmbeddedNameServer, find: Find, nums: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="default_topic_queue_nums"):
        find(nameserver, "orders", nums)
    with pytest.raises(error, match="default_topic_queue_nums"):
        default_topic_route(TopicRouteData(), nums)


def test_both_routes_come_out_of_the_cache(nameserver: EmbeddedNameServer) -> None:
    nameserver.register("C", "a", "a:1", topics={"TBW102": 8})
    with SyncNameServerClient(nameserver.address) as client:
        cache = RouteCache(client=client, negative_ttl=600)
        for nums in (4, 2, 16):
            assert len(publish_queues("orders", cache.route_to_publish("orders", nums))) == min(nums, 8)
        assert cache.stats().questions == 2
        with pytest.raises(NameServerResponseError):
            client.query_topic_route_info("orders")
        nameserver.register("C", "a", "a:1", topics={"TBW102": 8, "orders": 8})
        cache.refresh_route("orders")
        assert cache.route_to_publish("orders").is_default is False


@pytest.mark.parametrize("topic", ["orders", "TBW102"])
def test_where_no_route_is_ever_fresh_each_call_asks(nameserver: EmbeddedNameServer, topic: str) -> None:
    with SyncNameServerClient(nameserver.address) as client, RouteCache(0, client) as cache:
        for address in ("a:1", "a:2"):
            nameserver.register("C", "a", address, topics={topic: 4})
            route = cache.route_to_publish("orders")
            assert route.broker_data_list[0].broker_addresses == {0: address}
            assert route.is_default is (topic != "orders")


def test_a_cached_topic_is_found_without_asking_and_shares_its_parts(nameserver: EmbeddedNameServer) -> None:
    nameserver.register("C", "a", "a:1", topics={"orders": 8})
    with SyncNameServerClient(nameserver.address) as client, RouteCache(client=client) as cache:
        cached = cache.get_route("orders")
        nameserver.set_faults("silent")
        route = cache.route_to_publish("orders")
        assert route == RouteToPublish.of(TopicRouteData.from_bytes(route.to_bytes()))
        assert cached is not None
        assert route.queue_data_list is cached.queue_data_list
        assert len(publish_queues("orders", route)) == 8
        assert cached == route


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("again", [copy.deepcopy, pickled])
def test_a_copy_is_its_holders_to_change(nameserver: EmbeddedNameServer, again: Callable[[Any], Any]) -> None:
    nameserver.register("C", "a", "a:1", topics={"orders": 8, "TBW102": 8})
    with SyncNameServerClient(nameserver.address) as client, RouteCache(client=client) as cache:
        cache.preload(["orders"])
        for topic, is_default in (("orders", False), ("payments", True)):
            route = cache.route_to_publish(topic)
            changed = again(route)
            assert (type(changed), changed == route, changed.is_default) == (RouteToPublish, True, is_default)
            changed.queue_data_list[0].write_queue_nums = 1
            assert len(publish_queues(topic, changed)) == 1
            assert len(publish_queues(topic, route)) > 1


def test_the_limit_of_a_call_is_the_callers(nameserver: EmbeddedNameServer) -> None:
    nameserver.set_faults("silent")
    with SyncNameServerClient(nameserver.address) as client, pytest.raises(NameServerTimeoutError):
        client.route_to_publish("orders", timeout=0.05)


async def test_an_asyncio_call_can_be_limited_and_cancelled(nameserver: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(nameserver.address) as client, AsyncRouteCache(client) as cache:
        nameserver.set_faults("silent")
        with pytest.raises(NameServerTimeoutError):
            await client.route_to_publish("orders", timeout=0.05)
        call = asyncio.create_task(cache.route_to_publish("orders"))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


def test_a_cache_that_cannot_ask_says_so(nameserver: EmbeddedNameServer) -> None:
    with pytest.raises(TypeError, match="client="):
        RouteCache().route_to_publish("orders")
    with pytest.raises(TypeError, match="AsyncRouteCache"):
        RouteCache(client=AsyncNameServerClient(nameserver.address)).route_to_publish("orders")
    with SyncNameServerClient(nameserver.address) as client:
        for ttl in (0, 30):
            cache = RouteCache(ttl, client)
            cache.close()
            with pytest.raises(NameServerError, match="closed"):
                cache.route_to_publish("orders")


@pytest.mark.parametrize(
    ("read", "write", "nums", "expected"),
    [(8, 8, 4, 4), (2, 8, 4, 2), (8, 2, 4, 4), (0, 8, 4, 0), (4, 4, 4, 4), (8, 8, 0, 0), (3, 3, 2**31 - 1, 3)],
)
def test_rule_4_5_each_broker_has_at_most_the_default_number_and_what_it_lets_be_read(
    read: int, write: int, nums: int, expected: int
) -> None:
    route = CachedRoute("", [QueueData("a", read, write, 7, 0)])
    made = default_topic_route(route, nums)
    assert (type(made), made) == (TopicRouteData, TopicRouteData("", [QueueData("a", expected, expected, 7, 0)]))
    assert route.queue_data_list == [QueueData("a", read, write, 7, 0)]


def test_the_default_number_is_that_of_javas_producer() -> None:
    assert (AUTO_CREATE_TOPIC_KEY_TOPIC, DEFAULT_TOPIC_QUEUE_NUMS) == ("TBW102", 4)
    made = default_topic_route(TopicRouteData("", [QueueData("a", 8, 8, 7, 0)]))
    assert made.queue_data_list == [QueueData("a", 4, 4, 7, 0)]


def test_what_no_server_could_send_is_an_error_and_so_is_what_is_no_route() -> None:
    wrong: Any = {}
    with pytest.raises(TypeError, match="route"):
        default_topic_route(wrong)
    with pytest.raises(NameServerDataParseError):
        default_topic_route(TopicRouteData("", [QueueData("a", -1, 0, 7, 0)]))
