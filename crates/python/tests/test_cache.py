"""A cache without a client: how long routes count, who is asked when, and what others get meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    AsyncRouteCache,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    QueueData,
    RouteCache,
    SyncNameServerClient,
    TopicRouteData,
)
from pyrocketmq.nameserver.route_store import RouteStore

from .name_servers import TOPIC, NameServer

Answer = TopicRouteData | Exception | Callable[[], Any]


def route(perm: int) -> TopicRouteData:
    return TopicRouteData("", [QueueData("broker-a", 4, 4, perm, 0)])


def not_found() -> NameServerResponseError:
    return NameServerResponseError("not found", code=17, topic="t")


def unreachable() -> NameServerConnectionError:
    return NameServerConnectionError("cannot get it", server="127.0.0.1:1", topic="t")


class Scripted(SyncNameServerClient):
    """A client that gives these answers, one after the other, and notes what it was asked for."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def query_topic_route_info(self, topic: str, *, timeout: float | None = None) -> TopicRouteData:
        self.asked.append(topic)
        answer = self.answers.pop(0)
        given = answer if isinstance(answer, (TopicRouteData, Exception)) else answer()
        if isinstance(given, Exception):
            raise given
        assert isinstance(given, TopicRouteData)
        return given


class AsyncScripted(AsyncNameServerClient):
    """The same for asyncio. An answer that is called may return something to wait for."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def async_query_topic_route_info(self, topic: str, *, timeout: float | None = None) -> TopicRouteData:
        self.asked.append(topic)
        answer = self.answers.pop(0)
        given = answer if isinstance(answer, (TopicRouteData, Exception)) else await answer()
        if isinstance(given, Exception):
            raise given
        assert isinstance(given, TopicRouteData)
        return given


class Clock:
    """The time that caches see. It stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pyrocketmq.nameserver.route_store.monotonic", clock)
    return clock


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as executor:
        yield executor


class ObservedStore(RouteStore):
    """Tells when callers have joined a question."""

    def __init__(self) -> None:
        super().__init__(30, 1000)
        self.begun = 0
        self._more = threading.Condition()

    def _begin(self, topic: str, client: object, joined: Any) -> Any:
        begun = super()._begin(topic, client, joined)
        with self._more:
            self.begun += 1
            self._more.notify_all()
        return begun

    def wait_until_begun(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.begun >= count, 30)


class Observed(RouteCache):
    """A cache that tells when callers have joined a question."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = self.store = ObservedStore()

    def wait_until_begun(self, count: int) -> None:
        self.store.wait_until_begun(count)


def test_there_is_no_route_until_it_was_refreshed_and_none_after_its_time(clock: Clock) -> None:
    cache = RouteCache(ttl=30)
    client = Scripted(route(6), route(4))
    assert cache.get_route("t") is None
    first = cache.refresh_route("t", client)
    assert first == route(6)
    for age, expected in [(0, first), (29.9, first), (30, None), (31, None)]:
        clock.now = 1000 + age
        assert cache.get_route("t") is expected
    assert cache.refresh_route("t", client) == route(4)
    assert cache.get_route("t") == route(4)
    assert cache.get_route("other") is None
    assert client.asked == ["t", "t"]


def test_an_error_is_raised_and_leaves_the_route_alone(clock: Clock) -> None:
    client = Scripted(route(6), unreachable(), not_found(), RuntimeError("a fault"))
    cache = RouteCache()
    kept = cache.refresh_route("t", client)
    clock.now += 10
    for expected in (NameServerConnectionError, NameServerResponseError, RuntimeError):
        with pytest.raises(expected):
            cache.refresh_route("t", client)
        assert cache.get_route("t") is kept
    clock.now += 20
    assert cache.get_route("t") is None


def test_a_kept_route_grows_older_until_it_does_not_count(clock: Clock) -> None:
    cache = RouteCache(ttl=30)
    kept = cache.refresh_route("t", Scripted(route(6)))
    for age, stale in [(0, False), (29.5, False), (30, True), (100, True)]:
        clock.now = 1000 + age
        assert (kept.age, kept.stale) == (age, stale)
    assert (kept.topic, kept.source, kept.confirmations) == ("t", "", 0)


async def test_event_loops_share_the_store_with_threads(clock: Clock) -> None:
    cache = RouteCache()
    assert await cache.async_get_route("t") is None
    kept = await cache.async_refresh_route("t", AsyncScripted(route(6)))
    assert await cache.async_get_route("t") is kept is cache.get_route("t")
    assert kept == route(6)


@pytest.mark.parametrize(("ttl", "counts"), [(0, False), (0.001, True), (30, True), (float("inf"), True)])
def test_any_time_to_live_from_zero_on(clock: Clock, ttl: float, counts: bool) -> None:
    cache = RouteCache(ttl)
    assert cache.refresh_route("t", Scripted(route(6))) == route(6)
    assert ("t" in cache, len(cache), cache.get_route("t") is not None) == (counts, int(counts), counts)


def test_what_is_wrong_with_arguments_is_named() -> None:
    # None of them is asked anything.
    client, other = SyncNameServerClient("127.0.0.1:1"), SyncNameServerClient("127.0.0.1:1")
    asyncio_client = AsyncNameServerClient("127.0.0.1:1")
    calls: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: RouteCache(ttl=-1), ValueError, "ttl"),
        (lambda: RouteCache(ttl=float("nan")), ValueError, "ttl"),
        (lambda: RouteCache(ttl="30"), TypeError, "ttl"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache(ttl=True), TypeError, "ttl"),
        (lambda: RouteCache(max_topics=0), ValueError, "max_topics"),
        (lambda: RouteCache(max_topics=1.5), TypeError, "max_topics"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache(client=client, max_topics=0), ValueError, "max_topics"),
        (lambda: RouteCache(client=client, max_stale=0, ttl=0), ValueError, "max_stale"),
        (lambda: RouteCache(client=client, negative_ttl=-1), ValueError, "negative_ttl"),
        (lambda: RouteCache(client=client, idle_after=float("nan")), ValueError, "idle_after"),
        (lambda: RouteCache(client=client, refreshes_per_second=0), NameServerError, "refreshes_per_second"),
        (lambda: RouteCache(client=client).refresh_route("t", other), ValueError, "client"),
        (lambda: RouteCache(client=client).get_route(7), TypeError, "topic"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache(client=client).preload("t"), TypeError, "topics"),
        (lambda: RouteCache(client=client).watch("t", print), TypeError, "topics"),
        (lambda: RouteCache(client=client).watch(["t"], None), TypeError, "callback"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache(client=client).wait_for_route("t", timeout=0), ValueError, "timeout"),
        (lambda: RouteCache(client=client).wait_for_route("t", timeout="1"), TypeError, "timeout"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache(client=asyncio_client).preload(["t"]), TypeError, "AsyncRouteCache"),
        (lambda: AsyncRouteCache(client), TypeError, "client"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: AsyncRouteCache(asyncio_client).watch("t"), TypeError, "topics"),
        (lambda: RouteCache().stats(), TypeError, "client"),
        (lambda: RouteCache().explain("t"), TypeError, "client"),
        (lambda: RouteCache().preload(["t"]), TypeError, "client"),
        (lambda: RouteCache(client=Scripted()), TypeError, "client"),
        (lambda: RouteCache(client="localhost:9876"), TypeError, "client"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache().refresh_route("t"), TypeError, "client"),
        (lambda: RouteCache(client=asyncio_client).refresh_route("t"), TypeError, "client"),
        (lambda: RouteCache().refresh_route("t", AsyncScripted()), TypeError, "client"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache().get_route(7), TypeError, "topic"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache().refresh_route(b"t", Scripted()), TypeError, "topic"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: RouteCache().invalidate(None), TypeError, "topic"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: asyncio.run(RouteCache().async_refresh_route("t")), TypeError, "client"),
        (lambda: asyncio.run(RouteCache(client=client).async_refresh_route("t")), TypeError, "client"),
        (lambda: asyncio.run(RouteCache(client=client).async_get_route("t")), TypeError, "SyncNameServerClient"),
    ]
    for call, kind, name in calls:
        with pytest.raises(kind, match=name):
            call()


def test_a_dropped_route_is_gone() -> None:
    cache = RouteCache()
    client = Scripted(*[route(6)] * 3)
    for topic in "abc":
        cache.refresh_route(topic, client)
    assert (len(cache), "a" in cache, "d" in cache, 7 in cache) == (3, True, False, False)
    cache.invalidate("a")
    cache.invalidate("never known")
    assert (len(cache), "a" in cache, cache.get_route("a")) == (2, False, None)
    cache.clear()
    assert (len(cache), cache.get_route("b")) == (0, None)


def test_routes_that_no_longer_count_are_not_counted(clock: Clock) -> None:
    cache = RouteCache(ttl=30)
    for age, topic in [(0, "a"), (10, "b"), (20, "c")]:
        clock.now = 1000 + age
        cache.refresh_route(topic, Scripted(route(6)))
    for age, count in [(29, 3), (30, 2), (45, 1), (60, 0)]:
        clock.now = 1000 + age
        assert len(cache) == count


def test_the_topic_that_was_not_used_for_the_longest_time_goes() -> None:
    cache = RouteCache(max_topics=2)
    client = Scripted(*[route(6)] * 5)
    for topic in "ab":
        cache.refresh_route(topic, client)
    cache.get_route("a")
    cache.refresh_route("c", client)
    assert [topic for topic in "abc" if topic in cache] == ["a", "c"]
    cache.refresh_route("a", client)
    cache.refresh_route("d", client)
    assert [topic for topic in "abcd" if topic in cache] == ["a", "d"]
    assert len(cache) == 2


class Held:
    """An answer that is held back until the test lets it go."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> Answer:
        self.asked.set()
        assert self.let_go.wait(30)
        return self.answer

    async def from_asyncio(self) -> Answer:
        return await asyncio.to_thread(self)


def outcome(future: Future[Any]) -> Any:
    error = future.exception(30)
    return future.result() if error is None else error


def asking(cache: RouteCache, client: Scripted | AsyncScripted, topic: str = "t") -> Callable[[], Any]:
    """A way to ask, as a function for a thread."""
    if isinstance(client, Scripted):
        return lambda: cache.refresh_route(topic, client)
    return lambda: asyncio.run(cache.async_refresh_route(topic, client))


def client_for(how: str, *answers: Answer | Held) -> Scripted | AsyncScripted:
    if how == "blocking":
        return Scripted(*answers)
    return AsyncScripted(*(answer.from_asyncio if isinstance(answer, Held) else answer for answer in answers))


@pytest.mark.parametrize("how", ["blocking", "asyncio"])
@pytest.mark.parametrize("answer", [route(6), unreachable(), not_found()], ids=["route", "error", "not found"])
def test_many_callers_ask_one_question(threads: ThreadPoolExecutor, how: str, answer: Answer) -> None:
    held = Held(answer)
    client = client_for(how, held)
    cache = Observed()
    callers = [threads.submit(asking(cache, client)) for _ in range(8)]
    cache.wait_until_begun(8)
    held.let_go.set()
    outcomes = [outcome(caller) for caller in callers]
    assert client.asked == ["t"]
    if isinstance(answer, TopicRouteData):
        assert all(got is outcomes[0] for got in outcomes)
        assert cache.get_route("t") is outcomes[0] == answer
    else:
        # One asked; the others have copies, so that each can be raised in its place.
        assert len({id(got) for got in outcomes}) == 8
        for got in outcomes:
            assert isinstance(got, NameServerError)
            assert (type(got), str(got), vars(got)) == (type(answer), str(answer), vars(answer))
        assert "t" not in cache


@pytest.mark.parametrize("how", ["blocking", "asyncio"])
def test_topics_and_clients_do_not_wait_for_each_other(threads: ThreadPoolExecutor, how: str) -> None:
    held = Held(route(6))
    client = client_for(how, held, route(4))
    cache = Observed()
    slow = threads.submit(asking(cache, client, "slow"))
    assert held.asked.wait(30)
    assert asking(cache, client, "quick")() == route(4)
    assert cache.refresh_route("slow", Scripted(route(2))) == route(2)
    assert not slow.done()
    held.let_go.set()
    assert outcome(slow) == route(6)


@pytest.mark.parametrize("how", ["blocking", "asyncio"])
def test_a_fault_of_one_caller_is_not_the_others(threads: ThreadPoolExecutor, how: str) -> None:
    held = Held(RuntimeError("a fault"))
    client = client_for(how, held, route(6))
    cache = Observed()
    callers = [threads.submit(asking(cache, client)) for _ in range(4)]
    cache.wait_until_begun(4)
    held.let_go.set()
    outcomes = [outcome(caller) for caller in callers]
    assert sorted(type(got).__name__ for got in outcomes) == [*["CachedRoute"] * 3, "RuntimeError"]
    assert client.asked == ["t", "t"]


@pytest.mark.parametrize("everything", [False, True])
def test_an_answer_from_before_a_drop_is_not_kept(threads: ThreadPoolExecutor, everything: bool) -> None:
    held = Held(route(6))
    client = Scripted(held, route(4))
    cache = Observed()
    early = threads.submit(cache.refresh_route, "t", client)
    assert held.asked.wait(30)
    if everything:
        cache.clear()
    else:
        cache.invalidate("t")
    # Nor is it waited for.
    assert cache.refresh_route("t", client) == route(4)
    held.let_go.set()
    assert outcome(early) == route(6)
    assert cache.get_route("t") == route(4)


async def test_cancelling_one_caller_cancels_nothing_for_the_others() -> None:
    asked: asyncio.Queue[None] = asyncio.Queue()
    go_on = asyncio.Event()

    async def held() -> TopicRouteData:
        asked.put_nowait(None)
        await go_on.wait()
        return route(6)

    cache, client = Observed(), AsyncScripted(held, held)
    tasks = [asyncio.create_task(cache.async_refresh_route("t", client)) for _ in range(4)]
    # The first one asks. The others run up to where they wait before the test goes on.
    await asyncio.wait_for(asked.get(), 30)
    await asyncio.sleep(0)
    assert cache.store.begun == 4
    tasks[2].cancel()
    await asyncio.wait([tasks[2]], timeout=30)
    assert asked.empty()
    # Without the one who asks, another one does.
    tasks[0].cancel()
    await asyncio.wait_for(asked.get(), 30)
    go_on.set()
    assert [await tasks[1], await tasks[3]] == [route(6)] * 2
    assert [task.cancelled() for task in tasks] == [True, False, True, False]
    assert asked.empty()


class Abandoned:
    """Something that is never done."""

    def __await__(self) -> Iterator[None]:
        yield


def test_nobody_waits_for_ever_for_a_question_that_was_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrocketmq.nameserver.route_store.WAIT_LIMIT", 0.01)
    client = AsyncScripted(Abandoned, route(6))
    cache = RouteCache()
    # Its event loop stopped in the middle, and nobody runs it again.
    coroutine = cache.async_refresh_route("t", client)
    coroutine.send(None)
    assert asyncio.run(cache.async_refresh_route("t", client)) == route(6)
    coroutine.close()
    assert cache.get_route("t") == route(6)
    assert client.asked == ["t", "t"]


def test_nobody_waits_for_ever_for_another_thread(monkeypatch: pytest.MonkeyPatch, threads: ThreadPoolExecutor) -> None:
    monkeypatch.setattr("pyrocketmq.nameserver.route_store.WAIT_LIMIT", 0.01)
    held = Held(route(6))
    client = Scripted(held, route(4))
    cache = Observed()
    slow = threads.submit(cache.refresh_route, "t", client)
    assert held.asked.wait(30)
    assert cache.refresh_route("t", client) == route(4)
    held.let_go.set()
    # The newer question's answer stays.
    assert (outcome(slow), cache.get_route("t")) == (route(6), route(4))


def test_the_contract_s_way_to_use_it(embedded: NameServer) -> None:
    with SyncNameServerClient(embedded.address) as client:
        cache = RouteCache(ttl=30)
        found = cache.refresh_route(TOPIC, client)
        assert cache.get_route(TOPIC) is found
        assert found == client.query_topic_route_info(TOPIC)
        with pytest.raises(NameServerResponseError) as raised:
            cache.refresh_route("no_such_topic", client)
        assert raised.value.is_topic_not_found
        assert [server.requests for server in client.stats()] == [3]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_an_empty_cache_that_works(address: str) -> None:
    with SyncNameServerClient(address, timeout=20) as client:
        cache = Observed()
        expected = cache.refresh_route("test_topic", client)
        # As if another thread were in the cache at this moment.
        with cache.store._lock:  # pyright: ignore[reportPrivateUsage]
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    if len(cache) == 0 and cache.refresh_route("test_topic", client) == expected:
                        code = 0
                finally:
                    os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert cache.get_route("test_topic") is expected
