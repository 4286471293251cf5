"""The route cache for blocking code, and the plain one that knows only what it is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from . import _native
from .async_cache import AsyncRouteCache
from .cached_route import CachedRoute
from .client import DEFAULT_TIMEOUT, AsyncNameServerClient, SyncNameServerClient, texts
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
    checked_max_topics,
    checked_ttl,
    native_cache,
)
from .patience import Patience
from .route_changes import RouteChange
from .route_store import RouteStore, checked_topic
from .route_watch import WatchThread
from .upkeep import Logged

__all__ = ["RouteCache"]

DEFAULT_MAX_TOPICS = 1000
"""How many topics a cache without a client keeps: more than most programs use. So many routes of eight brokers take 7 MB."""


class RouteCache(KnownRoutes):
    """The routes that a program uses, kept fresh behind its back and served while servers fail.

    Made with a blocking client:

    * A route younger than `ttl` seconds is served without asking anybody. It is refreshed some time before that, so that
      a topic which is used never waits.
    * An older one is served at once, marked `stale`, and asked for behind the caller's back.
    * One question per topic at a time, whoever asks: the others wait for its answer. Ctrl-C ends a call that waits.
    * A topic that no server knows is known to be missing for `negative_ttl` seconds.
    * A known route is dropped only if two servers do not know the topic, or if none has confirmed it for `max_stale`.
    * What nobody has wanted for `idle_after` seconds is dropped.

    >>> with SyncNameServerClient("localhost:9876") as client, RouteCache(client=client) as cache:  # doctest: +SKIP
    ...     cache.get_route("orders")

    Made without a client it is a plain store: a route counts for `ttl` seconds after `refresh_route(topic, client)` has
    brought it, then there is none until the next time; where there are more than `max_topics`, the one that was not
    used for the longest time goes.

    >>> RouteCache(ttl=30).get_route("test_topic") is None
    True

    Made with an asyncio client, only `get_route`, which says what is there, and what begins with `async_` are of use:
    `AsyncRouteCache` is made for event loops.

    Any number of threads may share a cache. Routes are shared too, so do not change them. A forked child has an empty
    one, or what is in the snapshot. A cache that is closed, or that nobody holds any more, asks nobody and tells of no changes.
    """

    def __init__(
        self,
        ttl: float = DEFAULT_TTL,
        client: SyncNameServerClient | AsyncNameServerClient | None = None,
        *,
        max_topics: int | None = None,
        max_stale: float = DEFAULT_MAX_STALE,
        negative_ttl: float = DEFAULT_NEGATIVE_TTL,
        idle_after: float = DEFAULT_IDLE_AFTER,
        scheduled_refresh: bool = True,
        refreshes_per_second: int = DEFAULT_REFRESHES_PER_SECOND,
        snapshot: str | os.PathLike[str] | None = None,
    ) -> None:
        """Make a cache, which is empty unless there is a snapshot. Times are in seconds; `max_stale` is at least `ttl`.

        With a `ttl` of 0 no route ever counts, so that each call asks; with `math.inf` each does until it is dropped.
        More than `max_topics` are not kept: 1,000 by default without a client, with one as many as are wanted. Without
        `scheduled_refresh` a route is refreshed when somebody wants it after its `ttl`. `refreshes_per_second` limits
        what is asked behind callers' backs.

        `snapshot` is a file that the routes are kept in, so that a program starts and serves while every server is down.
        Missing folders are made. It is read now: what it has is served fresh or stale by its age, for at most `max_stale` after a
        server has confirmed it, and from the first call on it is asked for again. It is written about a second after a route
        was found, changed or gone, once per `ttl` if routes were only confirmed, and by `close`; see `save_snapshot`. A file that
        cannot be used is a warning of `logging`. Programs that ask different clusters, or stand in different zones, need files
        of their own. Processes may share one,
        forked children too: each reads it when it begins and then writes all that it knows itself. The file is always whole and
        whoever writes last wins, so routes that only the others know come back with their next writing.

        `with client` connects, which fails while every server is down: `with contextlib.closing(client)` does not.

        >>> def start(client: SyncNameServerClient) -> RouteCache:
        ...     cache = RouteCache(client=client, snapshot="/var/lib/orders/routes")
        ...     print(f"{cache.stats().loaded} routes are there already")
        ...     return cache
        """
        if isinstance(ttl, (SyncNameServerClient, AsyncNameServerClient)):
            raise TypeError("the first argument is ttl: pass the client as client=…")
        self._ttl = checked_ttl(ttl)
        self._client = client
        self._asyncio: AsyncRouteCache | None = None
        self._native: _native.RouteCache | None = None
        self._unsaved = []
        if client is None:
            if snapshot is not None:
                raise TypeError("a cache without a client has no snapshot: pass client= for that")
            self._kept = RouteStore(ttl, checked_max_topics(max_topics) or DEFAULT_MAX_TOPICS)
            return
        rules = (max_stale, negative_ttl, idle_after, scheduled_refresh, refreshes_per_second, snapshot)
        self._kept = self._native = native_cache(client, ttl, max_topics, *rules)
        if isinstance(client, AsyncNameServerClient):
            self._asyncio = AsyncRouteCache.around(self._native, ttl)
        elif snapshot is not None:
            self._unsaved.append(self._native)

    def get_route(self, topic: str) -> CachedRoute | None:
        """The topic's route: out of the cache if it can be, else from a server. `None` if the topic is not found.

        Waits only if nothing at all is known of the topic, at most as long as a call of the client. Any other error of
        the question is raised. Without a client nobody is asked: `None` if there is no route that counts.
        """
        native = self._native
        if native is None:
            return self._kept.peek(topic)
        try:
            return native.fresh(topic) or self._get(native, topic)
        except TypeError:
            # Afterwards: it costs those nothing who get it right.
            checked_topic(topic)
            raise

    def _get(self, native: _native.RouteCache, topic: str) -> CachedRoute | None:
        if self._asyncio is not None:
            return native.peek(topic) if self._ttl else None
        try:
            with Logged():
                return native.get_route(topic) if self._ttl else native.refresh_route(topic, None)
        except NameServerError as error:
            if error.is_topic_not_found:
                return None
            raise

    def refresh_route(self, topic: str, client: SyncNameServerClient | None = None) -> CachedRoute:
        """Ask a server now and wait for what it says. `client` may be left out if the cache was made with a blocking one.

        Every error of the question is raised, "topic not found" too; what the cache had is left alone.
        """
        if isinstance(self._kept, RouteStore):
            if client is None or hasattr(client, "async_query_topic_route_info"):
                raise TypeError("client must be a SyncNameServerClient, given here or when the cache was made")
            return self._kept.refresh(topic, client)
        native = self._blocking()
        self._check_own(client)
        with Logged():
            route = native.refresh_route(checked_topic(topic), None)
        # There is no limit that could have been reached.
        assert route is not None
        return route

    async def async_get_route(self, topic: str) -> CachedRoute | None:
        """As `get_route`, for a cache that was made with an asyncio client or with none."""
        if self._asyncio is not None:
            return await self._asyncio.get_route(topic)
        if self._native is not None:
            raise TypeError("this cache was made with a SyncNameServerClient, which would block the event loop")
        return self._kept.peek(topic)

    async def async_refresh_route(self, topic: str, client: AsyncNameServerClient | None = None) -> CachedRoute:
        """As `refresh_route`, of an asyncio client."""
        if isinstance(self._kept, RouteStore):
            if client is None or not hasattr(client, "async_query_topic_route_info"):
                raise TypeError("client must be an AsyncNameServerClient, given here or when the cache was made")
            return await self._kept.async_refresh(topic, client)
        if self._asyncio is None:
            raise TypeError("client must be an AsyncNameServerClient, and this cache was made with a blocking one")
        self._check_own(client)
        return await self._asyncio.refresh_route(topic)

    def route_to_publish(self, topic: str, default_topic_queue_nums: int = DEFAULT_TOPIC_QUEUE_NUMS) -> RouteToPublish:
        """Where to send messages of a topic; see `SyncNameServerClient.route_to_publish`.

        Its own route comes out of the cache if it can, as `get_route` does it. While no server knows the topic, it is asked for
        again every `negative_ttl` seconds; so its own route is used soon after it was made.
        """
        native = self._blocking()
        nums = checked_queue_nums(default_topic_queue_nums)
        route = native.fresh(checked_topic(topic))
        if route is not None:
            return RouteToPublish.of(route)
        with Logged():
            return _native.route_to_publish(native, topic, nums)

    def preload(self, topics: Iterable[str]) -> list[CachedRoute | NameServerError]:
        """Have the routes of these topics ready: ask for those that are not there, all together.

        For each topic its route or its error, in order.
        """
        with Logged():
            return self._blocking().preload(texts("topics", topics))

    def refresh_routes(self, topics: Iterable[str]) -> list[CachedRoute | NameServerError]:
        """Ask for these topics now, all together: for each topic its route or its error, in order."""
        with Logged():
            return self._blocking().refresh_routes(texts("topics", topics))

    def report_failure(self, broker: str) -> int:
        """Tell the cache that a broker, by its name or one of its addresses, cannot be reached.

        The routes in which it stands are refreshed behind the caller's back. Says of how many topics; 0 too if the same
        was reported within the last second.
        """
        return self._blocking().report_failure(broker)

    def wait_for_route(
        self,
        topic: str,
        predicate: Callable[[CachedRoute], object] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> CachedRoute:
        """Ask again and again until the route is as wanted: until a new topic is there, or a broker has left.

        Without a `predicate` any route will do. Pauses grow from 50 ms to 1 s. After `timeout` seconds the error is a
        `NameServerTimeoutError` that says what was there last; other errors are waited out.

        >>> def two_brokers(cache: RouteCache) -> CachedRoute:
        ...     return cache.wait_for_route("orders", lambda route: len(route.broker_data_list) == 2, timeout=10)
        """
        native = self._blocking()
        patience = Patience(topic, predicate, timeout)
        while True:
            answer: CachedRoute | NameServerError | None
            try:
                with Logged():
                    answer = native.refresh_route(topic, patience.left)
            except NameServerError as error:
                answer = error
            if patience.is_over(answer) and isinstance(answer, CachedRoute):
                return answer
            time.sleep(patience.pause())

    def watch(self, topics: Iterable[str], callback: Callable[[RouteChange], object]) -> WatchThread:
        """Call back with each change of these topics, beginning with what they are, on a thread of its own.

        Watched topics are kept fresh whether anybody wants them or not; one without a route is asked for every
        `negative_ttl` seconds.

        >>> def follow(cache: RouteCache) -> None:
        ...     with cache.watch(["orders"], print):
        ...         ...
        """
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        return WatchThread(self._blocking().watch(texts("topics", topics)), callback, self)

    def save_snapshot(self) -> None:
        """Write the snapshot now, with all that the cache knows.

        `close` and the end of a `with` do so, too. Call it before a program ends without them, or if a failure matters: what the
        last second has brought may be missing else. Raises `NameServerError` if the file cannot be written, or the cache has
        none.

        >>> def begin(cache: RouteCache) -> None:
        ...     cache.preload(["orders", "payments"])
        ...     cache.save_snapshot()
        """
        with Logged():
            self._blocking().save_snapshot()

    def close(self) -> None:
        """Stop all that the cache does behind the caller's back, for good; the client is not closed.

        Calls that wait fail, later ones raise `NameServerError`, watches end. A cache without a client has nothing to
        stop. It may be closed again.

        The snapshot, if there is one, is written first, so that a short program leaves a file, too; not by a cache that has
        asked nobody or knows nothing. That it cannot be written is a warning of `logging`. A cache with an asyncio client,
        which must not wait here, writes none: `AsyncRouteCache` does.
        """
        if self._native is None:
            return
        try:
            with Logged(), LastWriting():
                unsaved = self._to_be_saved()
                if unsaved is not None:
                    unsaved.save_snapshot()
        finally:
            self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _blocking(self) -> _native.RouteCache:
        native = self._native_half()
        if self._asyncio is not None:
            raise TypeError(
                "this cache was made with an asyncio client: use AsyncRouteCache, or a SyncNameServerClient"
            )
        return native

    def _check_own(self, client: object) -> None:
        if client is not None and client is not self._client:
            raise ValueError("this cache asks the client that it was made with; make one without to ask others")
