"""The route cache for event loops."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from . import _native
from .cached_route import CachedRoute
from .calls import Calls
from .client import DEFAULT_TIMEOUT, AsyncNameServerClient, texts
from .default_topic import DEFAULT_TOPIC_QUEUE_NUMS, RouteToPublish, checked_queue_nums
from .errors import NameServerError
from .known_routes import (
    DEFAULT_IDLE_AFTER,
    DEFAULT_MAX_STALE,
    DEFAULT_NEGATIVE_TTL,
    DEFAULT_REFRESHES_PER_SECOND,
    DEFAULT_TTL,
    KnownRoutes,
    LastWriting,
    checked_ttl,
    native_cache,
)
from .patience import Patience
from .route_store import checked_topic
from .route_watch import RouteWatch

__all__ = ["AsyncRouteCache"]


class AsyncRouteCache(KnownRoutes):
    """A `RouteCache` for event loops: the same rules, and calls that are waited for with `await`.

    One cache may serve several event loops and any number of tasks. Cancelling a call takes no answer from others. Each
    method has two names: a plain one, and the same with `async_` before it. `async with` closes it on leaving.

    >>> async def brokers(client: AsyncNameServerClient) -> int:
    ...     async with AsyncRouteCache(client) as cache:
    ...         route = await cache.get_route("orders")
    ...         return 0 if route is None else len(route.broker_data_list)
    """

    def __init__(
        self,
        client: AsyncNameServerClient,
        *,
        ttl: float = DEFAULT_TTL,
        max_topics: int | None = None,
        max_stale: float = DEFAULT_MAX_STALE,
        negative_ttl: float = DEFAULT_NEGATIVE_TTL,
        idle_after: float = DEFAULT_IDLE_AFTER,
        scheduled_refresh: bool = True,
        refreshes_per_second: int = DEFAULT_REFRESHES_PER_SECOND,
        snapshot: str | os.PathLike[str] | None = None,
    ) -> None:
        """Make a cache on an asyncio client. The rest is as `RouteCache` has it."""
        if not isinstance(client, AsyncNameServerClient):
            raise TypeError(f"client must be an AsyncNameServerClient, not {type(client).__name__}")
        self._ttl = checked_ttl(ttl)
        rules = (max_stale, negative_ttl, idle_after, scheduled_refresh, refreshes_per_second, snapshot)
        self._kept = self._native = native_cache(client, ttl, max_topics, *rules)
        self._unsaved = [] if snapshot is None else [self._native]

    @classmethod
    def around(cls, native: _native.RouteCache, ttl: float) -> Self:
        """For `RouteCache`, which has an asyncio half."""
        cache = cls.__new__(cls)
        cache._ttl = ttl
        cache._kept = cache._native = native
        cache._unsaved = []
        return cache

    async def get_route(self, topic: str) -> CachedRoute | None:
        """The topic's route: out of the cache if it can be, else from a server. `None` if the topic is not found.

        Waits only if nothing at all is known of the topic, at most as long as a call of the client. Any other error of
        the question is raised.
        """
        try:
            return self._native.fresh(topic) or await self._get(topic)
        except TypeError:
            # Afterwards: it costs those nothing who get it right.
            checked_topic(topic)
            raise

    async def _get(self, topic: str) -> CachedRoute | None:
        try:
            if not self._ttl:
                return await self.refresh_route(topic)
            calls = Calls.of_this_loop()
            started = self._native.start_get_route(calls.completions, topic)
            if isinstance(started, CachedRoute):
                return started
            route: CachedRoute = await calls.result(started)
            return route
        except NameServerError as error:
            if error.is_topic_not_found:
                return None
            raise

    async def refresh_route(self, topic: str) -> CachedRoute:
        """Ask a server now and wait for what it says.

        Every error of the question is raised, "topic not found" too; what the cache had is left alone.
        """
        route: CachedRoute = await self._refresh(topic, None)
        return route

    async def _refresh(self, topic: str, limit: float | None) -> Any:
        calls = Calls.of_this_loop()
        return await calls.result(self._native.start_refresh_route(calls.completions, checked_topic(topic), limit))

    async def route_to_publish(
        self, topic: str, default_topic_queue_nums: int = DEFAULT_TOPIC_QUEUE_NUMS
    ) -> RouteToPublish:
        """Where to send messages of a topic; see `SyncNameServerClient.route_to_publish`.

        Its own route comes out of the cache if it can, as `get_route` does it. While no server knows the topic, it is asked for
        again every `negative_ttl` seconds; so its own route is used soon after it was made.
        """
        nums = checked_queue_nums(default_topic_queue_nums)
        route = self._native.fresh(checked_topic(topic))
        if route is not None:
            return RouteToPublish.of(route)
        calls = Calls.of_this_loop()
        call = _native.start_route_to_publish(self._native, calls.completions, topic, nums)
        found: RouteToPublish = await calls.result(call)
        return found

    async def preload(self, topics: Iterable[str]) -> list[CachedRoute | NameServerError]:
        """Have the routes of these topics ready: ask for those that are not there, all together.

        For each topic its route or its error, in order.
        """
        calls = Calls.of_this_loop()
        call = self._native.start_preload(calls.completions, texts("topics", topics))
        routes: list[CachedRoute | NameServerError] = await calls.result(call)
        return routes

    async def refresh_routes(self, topics: Iterable[str]) -> list[CachedRoute | NameServerError]:
        """Ask for these topics now, all together: for each topic its route or its error, in order."""
        calls = Calls.of_this_loop()
        call = self._native.start_refresh_routes(calls.completions, texts("topics", topics))
        routes: list[CachedRoute | NameServerError] = await calls.result(call)
        return routes

    def report_failure(self, broker: str) -> int:
        """As `RouteCache.report_failure`; there is nothing to wait for."""
        return self._native.report_failure_behind(broker)

    async def wait_for_route(
        self,
        topic: str,
        predicate: Callable[[CachedRoute], object] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> CachedRoute:
        """Ask again and again until the route is as wanted: until a new topic is there, or a broker has left.

        Without a `predicate` any route will do. Pauses grow from 50 ms to 1 s. After `timeout` seconds the error is a
        `NameServerTimeoutError` that says what was there last; other errors are waited out.
        """
        # Here and not above: it would be most of the time that an import of this package takes.
        import asyncio

        patience = Patience(topic, predicate, timeout)
        while True:
            answer: CachedRoute | NameServerError | None
            try:
                answer = await self._refresh(topic, patience.left)
            except NameServerError as error:
                answer = error
            if patience.is_over(answer) and isinstance(answer, CachedRoute):
                return answer
            await asyncio.sleep(patience.pause())

    def watch(self, topics: Iterable[str]) -> RouteWatch:
        """What changes about these topics, beginning with what they are, for `async for`.

        Watched topics are kept fresh whether anybody wants them or not; one without a route is asked for every
        `negative_ttl` seconds.
        """
        return RouteWatch(self._native.watch_behind(texts("topics", topics)), self)

    async def save_snapshot(self) -> None:
        """As `RouteCache.save_snapshot`: write the file now."""
        calls = Calls.of_this_loop()
        await calls.result(self._native.start_save_snapshot(calls.completions))

    async def close(self) -> None:
        """Stop all that the cache does behind the caller's back, for good; the client is not closed.

        Calls that wait fail, later ones raise `NameServerError`, watches end. It may be closed again. The snapshot, if there
        is one, is written first, as `RouteCache.close` does it; that is all that there is to wait for.
        """
        try:
            with LastWriting():
                unsaved = self._to_be_saved()
                if unsaved is not None:
                    calls = Calls.of_this_loop()
                    await calls.result(unsaved.start_save_snapshot(calls.completions))
        finally:
            self._native.close()

    async_get_route = get_route
    async_refresh_route = refresh_route
    async_route_to_publish = route_to_publish
    async_preload = preload
    async_refresh_routes = refresh_routes
    async_wait_for_route = wait_for_route
    async_save_snapshot = save_snapshot
    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
