"""The cache on a blocking client: what it answers, whom it asks, and what it does while servers fail."""

from __future__ import annotations

import math
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from pyrocketmq.nameserver import (
    AddressRewriting,
    AsyncNameServerClient,
    AsyncRouteCache,
    CachedRoute,
    EmbeddedNameServer,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    RouteCache,
    SyncNameServerClient,
    TopicRouteData,
)

from .conditions import LIMIT, until


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    """A server that knows two brokers with `orders` and one with `payments`."""
    nameserver.register("c", "broker-b", "10.0.0.2:10911", topics={"orders": 8})
    nameserver.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8, "payments": 4})
    return nameserver


@pytest.fixture
def client(server: EmbeddedNameServer) -> Iterator[SyncNameServerClient]:
    with SyncNameServerClient(server.address, timeout=20) as client:
        yield client


@pytest.fixture
def cache(client: SyncNameServerClient) -> Iterator[RouteCache]:
    with RouteCache(client=client) as cache:
        yield cache


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as executor:
        yield executor


def found(cache: RouteCache, topic: str = "orders") -> CachedRoute:
    route = cache.get_route(topic)
    assert route is not None
    return route


def brokers(route: TopicRouteData) -> list[str]:
    return [broker.broker_name for broker in route.broker_data_list]


def test_a_route_is_asked_for_once_and_handed_out_again(cache: RouteCache, client: SyncNameServerClient) -> None:
    route = found(cache)
    for _ in range(10):
        assert cache.get_route("orders") is route
    assert brokers(route) == ["broker-a", "broker-b"]
    assert [server.requests for server in client.stats()] == [1]
    stats = cache.stats()
    assert (stats.topics, stats.hits, stats.misses, stats.questions, stats.decoded) == (1, 10, 1, 1, 1)


def test_a_route_says_where_it_comes_from(cache: RouteCache, server: EmbeddedNameServer) -> None:
    route = found(cache)
    assert (route.topic, route.source, route.stale, route.confirmations) == ("orders", server.address, False, 0)
    assert 0 <= route.age < LIMIT
    # Equal to what a client says, in whatever order the server lists it.
    with SyncNameServerClient(server.address) as client:
        plain = client.query_topic_route_info("orders")
    plain.broker_data_list.reverse()
    assert isinstance(route, TopicRouteData)
    assert route == plain
    assert plain == route


def test_a_confirmed_route_is_the_same_but_young(client: SyncNameServerClient) -> None:
    cache = RouteCache(0.01, client, scheduled_refresh=False)
    route = found(cache)
    until(lambda: route.stale)
    old = route.age
    assert old > 0.01
    assert cache.refresh_route("orders") is route
    assert route.confirmations == 1
    assert route.age < old
    assert cache.stats().unchanged == 1


def test_another_route_is_another_object(cache: RouteCache, server: EmbeddedNameServer) -> None:
    before = found(cache)
    server.unregister("broker-b")
    after = cache.refresh_route("orders")
    assert after is not before
    assert (brokers(before), brokers(after)) == (["broker-a", "broker-b"], ["broker-a"])
    assert cache.get_route("orders") is after
    # It only grows older.
    age = before.age
    assert cache.refresh_route("orders") is after
    assert before.age >= age > after.age
    assert (before.confirmations, after.confirmations) == (0, 1)


def test_a_topic_that_is_not_there_is_none_and_not_asked_for_again(cache: RouteCache) -> None:
    assert cache.get_route("nothing") is None
    assert cache.get_route("nothing") is None
    stats = cache.stats()
    assert (stats.questions, stats.negative_hits, stats.not_found) == (1, 1, 1)
    with pytest.raises(NameServerResponseError) as raised:
        cache.refresh_route("nothing")
    assert raised.value.is_topic_not_found
    assert raised.value.topic == "nothing"
    assert cache.stats().questions == 2


def test_routes_are_refreshed_behind_the_callers_back(client: SyncNameServerClient, server: EmbeddedNameServer) -> None:
    with RouteCache(0.2, client) as cache:
        route = found(cache)
        until(lambda: route.confirmations >= 2)
        server.unregister("broker-b")
        until(lambda: brokers(found(cache)) == ["broker-a"])
        assert cache.stats().background >= 3
        assert cache.stats().misses == 1


def test_stale_routes_are_served_while_the_server_is_silent(server: EmbeddedNameServer) -> None:
    with SyncNameServerClient(server.address, timeout=0.3) as client, RouteCache(0.05, client) as cache:
        route = found(cache)
        server.set_faults("silent")
        until(lambda: route.stale)
        for _ in range(3):
            assert cache.get_route("orders") is route
        assert route.stale
        assert cache.stats().stale_hits >= 3
        until(lambda: cache.stats().failures)
        assert cache.get_route("orders") is route
        server.clear_faults()
        until(lambda: not found(cache).stale)
        assert cache.get_route("orders") is route


def test_a_route_is_kept_while_its_server_knows_nothing(cache: RouteCache, server: EmbeddedNameServer) -> None:
    route = found(cache)
    server.set_faults("empty")
    with pytest.raises(NameServerResponseError) as raised:
        cache.refresh_route("orders")
    assert raised.value.is_topic_not_found
    assert cache.get_route("orders") is route
    assert any("kept" in event.what for event in cache.explain("orders").history)


def test_a_route_that_is_too_old_is_not_served(server: EmbeddedNameServer) -> None:
    with SyncNameServerClient(server.address, timeout=0.3) as client:
        cache = RouteCache(0.01, client, max_stale=0.02)
        route = found(cache)
        server.set_faults("silent")
        until(lambda: route.age > 0.02 and "orders" not in cache)
        assert cache.peek("orders") is None
        with pytest.raises(NameServerTimeoutError):
            cache.get_route("orders")


def test_errors_are_those_of_the_question() -> None:
    with EmbeddedNameServer() as server:
        gone = server.address
    cache = RouteCache(client=SyncNameServerClient(gone))
    with pytest.raises(ConnectionError) as raised:
        cache.get_route("orders")
    assert isinstance(raised.value, NameServerError)
    assert [attempt.server for attempt in raised.value.attempts] == [gone]


def test_many_callers_ask_one_question(
    cache: RouteCache, server: EmbeddedNameServer, threads: ThreadPoolExecutor
) -> None:
    server.set_faults("slow=60s")
    callers = [threads.submit(cache.get_route, "orders") for _ in range(8)]
    until(lambda: cache.stats().joined == 7)
    # What is late leaves at once.
    server.clear_faults()
    routes = [caller.result(LIMIT) for caller in callers]
    assert routes[0] is not None
    assert all(route is routes[0] for route in routes)
    assert cache.stats().questions == 1


def test_many_topics_at_once(cache: RouteCache, server: EmbeddedNameServer) -> None:
    orders, nothing, payments = cache.preload(["orders", "nothing", "payments"])
    assert isinstance(nothing, NameServerResponseError)
    assert nothing.is_topic_not_found
    assert orders is cache.get_route("orders")
    assert payments is cache.get_route("payments")
    assert cache.preload(topic for topic in ["orders"]) == [orders]
    assert cache.stats().questions == 3
    server.unregister("broker-b")
    assert [
        brokers(route) for route in cache.refresh_routes(["orders", "payments"]) if isinstance(route, CachedRoute)
    ] == [
        ["broker-a"],
        ["broker-a"],
    ]
    assert cache.stats().questions == 5
    assert cache.preload([]) == []


def test_what_is_known_is_told_without_asking(cache: RouteCache) -> None:
    assert (cache.peek("orders"), "orders" in cache, len(cache), cache.topics()) == (None, False, 0, [])
    route = found(cache)
    found(cache, "payments")
    assert cache.peek("orders") is route
    assert ("orders" in cache, "nothing" in cache, 7 in cache, len(cache)) == (True, False, False, 2)
    assert sorted(cache.topics()) == ["orders", "payments"]
    assert cache.stats().questions == 2


def test_a_forgotten_topic_is_asked_for_again(cache: RouteCache) -> None:
    route = found(cache)
    found(cache, "payments")
    assert cache.invalidate("orders")
    assert not cache.invalidate("orders")
    assert cache.topics() == ["payments"]
    again = found(cache)
    assert again == route
    cache.clear()
    assert len(cache) == 0
    assert cache.stats().questions == 3


@pytest.mark.parametrize(("broker", "topics"), [("broker-a", 2), ("10.0.0.2:10911", 1), ("broker-z", 0)])
def test_a_report_refreshes_the_topics_of_a_broker(cache: RouteCache, broker: str, topics: int) -> None:
    routes = [found(cache), found(cache, "payments")]
    assert cache.report_failure(broker) == topics
    until(lambda: sum(route.confirmations for route in routes) == topics)
    assert cache.report_failure(broker) == 0, "reported a moment ago"
    assert cache.stats().background == topics


def test_an_explanation_is_for_people_and_programs(cache: RouteCache, server: EmbeddedNameServer) -> None:
    unknown = cache.explain("orders")
    assert (unknown.route, unknown.first_ago, unknown.refreshed_in, unknown.history) == (None, None, None, ())
    route = found(cache)
    server.unregister("broker-b")
    changed = cache.refresh_route("orders")
    told = cache.explain("orders")
    assert told.route is changed is not route
    assert (told.topic, told.asking, told.missing_for, told.failures) == ("orders", False, None, 0)
    assert told.first_ago is not None
    assert told.refreshed_in is not None
    assert 0 <= told.first_ago < told.refreshed_in <= 30
    assert [event.times for event in told.history] == [1]
    assert server.address in str(told)
    assert str(told) == told.text
    assert cache.get_route("nothing") is None
    missing = cache.explain("nothing").missing_for
    assert missing is not None
    assert 0 < missing <= 3


class TestWaiting:
    def test_until_the_route_is_as_wanted(self, cache: RouteCache, server: EmbeddedNameServer) -> None:
        seen: list[list[str]] = []

        def is_wanted(route: CachedRoute) -> bool:
            seen.append(brokers(route))
            if len(seen) == 1:
                server.unregister("broker-b")
            return len(seen[-1]) == 1

        assert brokers(cache.wait_for_route("orders", is_wanted, LIMIT)) == ["broker-a"]
        assert seen == [["broker-a", "broker-b"], ["broker-a"]]

    def test_until_there_is_any(
        self, cache: RouteCache, server: EmbeddedNameServer, threads: ThreadPoolExecutor
    ) -> None:
        waiting = threads.submit(cache.wait_for_route, "new", timeout=LIMIT)
        until(lambda: cache.stats().not_found)
        server.register("c", "broker-a", "10.0.0.1:10911", topics={"new": 1})
        assert waiting.result(LIMIT) is cache.peek("new")

    @pytest.mark.parametrize(("topic", "said", "attempts"), [("orders", "2 brokers", 0), ("nothing", "not found", 1)])
    def test_no_longer_than_the_limit(self, cache: RouteCache, topic: str, said: str, attempts: int) -> None:
        with pytest.raises(NameServerTimeoutError, match=said) as raised:
            cache.wait_for_route(topic, lambda route: False, timeout=0.1)
        assert raised.value.topic == topic
        assert len(raised.value.attempts) == attempts
        assert cache.stats().questions >= 2

    def test_a_silent_server_is_not_waited_for(self, cache: RouteCache, server: EmbeddedNameServer) -> None:
        server.set_faults("silent")
        with pytest.raises(NameServerTimeoutError, match="no server has answered"):
            cache.wait_for_route("orders", timeout=0.1)

    def test_what_waiting_does_not_mend_is_raised(self, cache: RouteCache) -> None:
        def fault(route: CachedRoute) -> bool:
            raise LookupError("a fault of the caller")

        with pytest.raises(LookupError):
            cache.wait_for_route("orders", fault)
        cache.close()
        with pytest.raises(NameServerError, match="closed"):
            cache.wait_for_route("orders")


def test_the_topic_that_was_not_used_for_the_longest_time_goes(client: SyncNameServerClient) -> None:
    cache = RouteCache(client=client, max_topics=1)
    found(cache)
    found(cache, "payments")
    assert cache.topics() == ["payments"]
    two = RouteCache(client=client, max_topics=2)
    for topic in ("orders", "payments", "orders", "SELF_TEST_TOPIC"):
        two.get_route(topic)
    assert two.get_route("orders") is two.peek("orders")
    assert len(two) <= 2


@pytest.mark.parametrize("ttl", [math.inf, 1e300, 7200])
def test_a_route_may_be_fresh_for_ever(client: SyncNameServerClient, ttl: float) -> None:
    cache = RouteCache(ttl, client, max_stale=1)
    route = found(cache)
    assert cache.get_route("orders") is route
    assert not route.stale
    assert cache.stats().questions == 1


def test_where_no_route_counts_each_call_asks(client: SyncNameServerClient) -> None:
    cache = RouteCache(0, client)
    assert found(cache) == found(cache)
    assert cache.get_route("nothing") is None
    assert cache.stats().questions == 3
    assert cache.stats().background == 0


def test_a_closed_cache_asks_nobody(
    cache: RouteCache, client: SyncNameServerClient, server: EmbeddedNameServer, threads: ThreadPoolExecutor
) -> None:
    found(cache)
    server.set_faults("silent")
    waiting = threads.submit(cache.get_route, "payments")
    until(lambda: cache.stats().questions == 2)
    cache.close()
    error = waiting.exception(LIMIT)
    assert type(error) is NameServerError
    calls: list[Callable[[], object]] = [
        lambda: cache.get_route("orders"),
        lambda: cache.refresh_route("orders"),
        lambda: cache.preload(["orders"]),
        lambda: cache.report_failure("broker-a"),
        lambda: cache.watch(["orders"], print),
    ]
    for call in calls:
        with pytest.raises(NameServerError, match="closed"):
            call()
    cache.close()
    server.clear_faults()
    assert client.query_topic_route_info("orders").broker_data_list, "the client is not closed"


def test_a_cache_that_nobody_holds_stops_asking(client: SyncNameServerClient, server: EmbeddedNameServer) -> None:
    cache = RouteCache(0.02, client)
    route = found(cache)
    until(lambda: route.confirmations)
    del cache
    # It grows old: nobody confirms it any more.
    confirmations = route.confirmations
    until(lambda: route.age > 0.2)
    assert route.confirmations <= confirmations + 1


async def test_with_an_asyncio_client_only_event_loops_ask(server: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(server.address) as client:
        cache = RouteCache(client=client)
        assert cache.get_route("orders") is None
        route = await cache.async_get_route("orders")
        assert route is not None
        assert await cache.async_get_route("orders") is route is cache.get_route("orders")
        assert await cache.async_get_route("nothing") is None
        assert await cache.async_refresh_route("orders", client) is route
        with pytest.raises(ValueError, match="client"):
            await cache.async_refresh_route("orders", AsyncNameServerClient("127.0.0.1:1"))
        assert cache.stats().questions == 3
        never = RouteCache(ttl=0, client=client)
        assert await never.async_get_route("orders") == route
        assert never.get_route("orders") is None


def test_threads_may_use_one_cache_while_it_changes(client: SyncNameServerClient, server: EmbeddedNameServer) -> None:
    with RouteCache(0.005, client) as cache, ThreadPoolExecutor(8) as threads:
        done = threading.Event()

        def use() -> int:
            count = 0
            while not done.is_set() or count < 100:
                route = found(cache)
                assert route.broker_data_list
                assert route.age >= 0
                count += 1
            return count

        users = [threads.submit(use) for _ in range(6)]
        try:
            for number in range(30):
                server.register("c", f"broker-{number}", f"10.0.1.{number}:10911", topics={"orders": 1})
                cache.refresh_route("orders")
                cache.invalidate("orders")
        finally:
            done.set()
        assert all(user.result(LIMIT) >= 100 for user in users)
        assert len(cache.refresh_route("orders").broker_data_list) == 32


def test_a_client_by_position_is_told_where_it_belongs() -> None:
    for client in (SyncNameServerClient("127.0.0.1:1"), AsyncNameServerClient("127.0.0.1:1")):
        with pytest.raises(TypeError, match="client="):
            RouteCache(cast("Any", client))


TOPICS: list[object] = [None, 7, b"orders", ["orders"]]


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("ttl", [0, 30])
def test_what_is_no_topic_is_named(topic: Any, ttl: float, client: SyncNameServerClient) -> None:
    cache = RouteCache(ttl, client)
    calls: list[Callable[[Any], object]] = [
        RouteCache(ttl).get_route,
        cache.get_route,
        cache.refresh_route,
        cache.route_to_publish,
        cache.wait_for_route,
        cache.peek,
        cache.invalidate,
        cache.explain,
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"\Atopic must be str"):
            call(topic)


@pytest.mark.parametrize("topic", TOPICS)
async def test_what_is_no_topic_is_named_for_event_loops_too(topic: Any, server: EmbeddedNameServer) -> None:
    async with AsyncNameServerClient(server.address) as client:
        cache = AsyncRouteCache(client)
        calls: list[Callable[[Any], Awaitable[object]]] = [
            RouteCache(client=client).async_get_route,
            cache.get_route,
            AsyncRouteCache(client, ttl=0).get_route,
            cache.refresh_route,
            cache.route_to_publish,
            cache.wait_for_route,
        ]
        for call in calls:
            with pytest.raises(TypeError, match=r"\Atopic must be str"):
                await call(topic)


def test_a_type_error_of_a_function_stays_what_it_is(server: EmbeddedNameServer) -> None:
    def wrong(broker: object) -> str | None:
        raise TypeError("of the function")

    rules = AddressRewriting().with_(wrong)
    with SyncNameServerClient(server.address, rewrite_addresses=rules) as client:
        cache = RouteCache(client=client)
        for _ in range(2):
            with pytest.raises(TypeError, match="of the function"):
                cache.get_route("orders")
