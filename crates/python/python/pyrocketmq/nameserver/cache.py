"""A plain cache of topic routes: each counts for some seconds after its answer came, and no longer."""

from __future__ import annotations

import copy
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from .errors import NameServerError
from .models import TopicRouteData

if TYPE_CHECKING:
    from .client import AsyncNameServerClient, SyncNameServerClient

__all__ = ["RouteCache"]

DEFAULT_TTL = 30.0
"""For how many seconds a route counts: the contract's 30, and how often RocketMQ's own clients ask again."""

DEFAULT_MAX_TOPICS = 1000
"""How many topics are kept: more than most programs use. So many routes of eight brokers take 7 MB."""

WAIT_LIMIT = 60.0
"""For how many seconds a caller waits for the same question of another caller.

Twice what a call may take as a rule. Whoever asked was not slow then but is gone, with an event loop that nobody runs.
"""


class RouteCache:
    """Routes by topic. A route counts for `ttl` seconds after its answer came; then there is none until the next one.

    Made with `client=`, a cache reads through: `get_route` asks that client where it has no route, `async_get_route`
    does if it is an asyncio client. A client is asked for a topic once at a time: whoever wants the same meanwhile waits
    and gets the same route, or a copy of the same error. Any number of threads and event loops may share a cache.

    Routes are shared too, so do not change them. Where there are more than `max_topics`, the one that was not used for
    the longest time goes.

    >>> RouteCache(ttl=30).get_route("test_topic") is None
    True
    """

    def __init__(
        self,
        ttl: float = DEFAULT_TTL,
        client: SyncNameServerClient | AsyncNameServerClient | None = None,
        *,
        max_topics: int = DEFAULT_MAX_TOPICS,
    ) -> None:
        """Make an empty cache. With a `ttl` of 0 no route ever counts; with `math.inf` each does until it is dropped."""
        if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
            raise TypeError(f"ttl must be a number of seconds, not {type(ttl).__name__}")
        if not ttl >= 0:
            raise ValueError(f"ttl must be 0 or more seconds, not {ttl}")
        if isinstance(max_topics, bool) or not isinstance(max_topics, int):
            raise TypeError(f"max_topics must be an int, not {type(max_topics).__name__}")
        if max_topics < 1:
            raise ValueError(f"max_topics must be at least 1, not {max_topics}")
        self._ttl = ttl
        is_async = client is not None and _is_async(client)
        self._sync_client = None if is_async else cast("SyncNameServerClient | None", client)
        self._async_client = cast("AsyncNameServerClient", client) if is_async else None
        self._max_topics = max_topics
        self._start()
        self._survive_fork()

    _all: ClassVar[weakref.WeakSet[RouteCache]] = weakref.WeakSet()
    _hooked: ClassVar[bool] = False

    def _survive_fork(self) -> None:
        """In a forked child a lock may be held by a thread that is not there, and so may questions: caches start anew."""
        if not RouteCache._hooked and hasattr(os, "register_at_fork"):
            RouteCache._hooked = True
            os.register_at_fork(after_in_child=RouteCache._start_all)
        RouteCache._all.add(self)

    @staticmethod
    def _start_all() -> None:
        for cache in list(RouteCache._all):
            cache._start()

    def _start(self) -> None:
        """Know nothing, and hold no lock."""
        self._lock = threading.Lock()
        # Each with the time when it came; what was used last stands last.
        self._routes: OrderedDict[str, tuple[TopicRouteData, float]] = OrderedDict()
        # By topic and the client's id, which stays its own because the question holds the client.
        self._questions: dict[tuple[str, int], _Question] = {}

    def get_route(self, topic: str) -> TopicRouteData | None:
        """The topic's route, or `None` if there is none that counts.

        A cache that was made with a blocking client asks it then, and says `None` only if the topic is not found. Any
        other error of the question is raised.
        """
        route = self._known(topic)
        if route is not None or self._sync_client is None:
            return route
        try:
            return self._ask(topic, self._sync_client, anew=False)
        except NameServerError as error:
            if error.is_topic_not_found:
                return None
            raise

    def refresh_route(self, topic: str, client: SyncNameServerClient | None = None) -> TopicRouteData:
        """Ask for the topic's route and keep it. `client` may be left out if the cache was made with a blocking one.

        Every error of the question is raised, "topic not found" too; a route that was kept before is left alone.
        """
        asked = self._sync_client if client is None else client
        if asked is None or _is_async(asked):
            raise TypeError("client must be a SyncNameServerClient, given here or when the cache was made")
        return self._ask(topic, asked, anew=True)

    async def async_get_route(self, topic: str) -> TopicRouteData | None:
        """As `get_route`, for a cache that was made with an asyncio client or with none."""
        route = self._known(topic)
        if route is not None:
            return route
        if self._async_client is None:
            if self._sync_client is None:
                return None
            raise TypeError("this cache was made with a SyncNameServerClient, which would block the event loop")
        try:
            return await self._async_ask(topic, self._async_client, anew=False)
        except NameServerError as error:
            if error.is_topic_not_found:
                return None
            raise

    async def async_refresh_route(self, topic: str, client: AsyncNameServerClient | None = None) -> TopicRouteData:
        """As `refresh_route`, of an asyncio client."""
        asked = self._async_client if client is None else client
        if asked is None or not _is_async(asked):
            raise TypeError("client must be an AsyncNameServerClient, given here or when the cache was made")
        return await self._async_ask(topic, asked, anew=True)

    def invalidate(self, topic: str) -> None:
        """Drop the topic's route. An answer to a question that is under way is not kept either."""
        with self._lock:
            self._routes.pop(_checked(topic), None)
            for key in [key for key in self._questions if key[0] == topic]:
                del self._questions[key]

    def clear(self) -> None:
        """Drop all routes, as `invalidate` does."""
        with self._lock:
            self._routes.clear()
            self._questions.clear()

    def __contains__(self, topic: object) -> bool:
        """Whether there is a route of the topic that counts. Nobody is asked."""
        return isinstance(topic, str) and self._known(topic) is not None

    def __len__(self) -> int:
        """How many routes count."""
        with self._lock:
            now = monotonic()
            for topic in [topic for topic, (_, came) in self._routes.items() if now - came >= self._ttl]:
                del self._routes[topic]
            return len(self._routes)

    def _known(self, topic: str) -> TopicRouteData | None:
        with self._lock:
            return self._counting(_checked(topic))

    def _counting(self, topic: str) -> TopicRouteData | None:
        """The route that counts; marks it as used. Under the lock."""
        entry = self._routes.get(topic)
        if entry is None:
            return None
        route, came = entry
        if monotonic() - came >= self._ttl:
            del self._routes[topic]
            return None
        self._routes.move_to_end(topic)
        return route

    def _ask(self, topic: str, client: SyncNameServerClient, *, anew: bool) -> TopicRouteData:
        while True:
            question, is_ours = self._begin(topic, client, anew)
            if is_ours:
                with self._answering(question):
                    question.route = route = client.query_topic_route_info(topic)
                    return route
            try:
                outcome = question.outcome.result(WAIT_LIMIT)
            except TimeoutError:
                outcome = None
                self._forget(question)
            answer = _answer(outcome)
            if answer is not None:
                return answer

    async def _async_ask(self, topic: str, client: AsyncNameServerClient, *, anew: bool) -> TopicRouteData:
        # Here and not above: it would be most of the time that an import of this package takes.
        import asyncio

        while True:
            question, is_ours = self._begin(topic, client, anew)
            if is_ours:
                with self._answering(question):
                    question.route = route = await client.async_query_topic_route_info(topic)
                    return route
            try:
                outcome = await asyncio.wait_for(asyncio.wrap_future(question.outcome), WAIT_LIMIT)
            except TimeoutError:
                outcome = None
                self._forget(question)
            answer = _answer(outcome)
            if answer is not None:
                return answer

    def _begin(self, topic: str, client: object, anew: bool) -> tuple[_Question, bool]:
        """The question to ask or to wait for, and whether it is the caller's to ask."""
        with self._lock:
            key = (_checked(topic), id(client))
            known = None if anew else self._counting(topic)
            if known is not None:
                # Its answer came since the caller looked for it.
                return _Question(key, client, known), False
            question = self._questions.get(key)
            if question is not None:
                return question, False
            question = self._questions[key] = _Question(key, client)
            return question, True

    @contextmanager
    def _answering(self, question: _Question) -> Generator[None]:
        """Keeps the answer and tells those who wait how the question ended, however it did."""
        error: NameServerError | None = None
        try:
            yield
        except NameServerError as raised:
            # A copy: what is raised holds the stack of the one who asked.
            error = copy.copy(raised)
            raise
        finally:
            with self._lock:
                if self._questions.get(question.key) is question:
                    del self._questions[question.key]
                    if question.route is not None:
                        self._keep(question.key[0], question.route)
            question.outcome.set_result(question.route if error is None else error)

    def _keep(self, topic: str, route: TopicRouteData) -> None:
        """Under the lock."""
        self._routes[topic] = (route, monotonic())
        self._routes.move_to_end(topic)
        if len(self._routes) > self._max_topics:
            self._routes.popitem(last=False)

    def _forget(self, question: _Question) -> None:
        """Nobody shall wait for it any longer."""
        with self._lock:
            if self._questions.get(question.key) is question:
                del self._questions[question.key]


class _Question:
    """One question of one caller, and how it ends for all who wait for it."""

    __slots__ = ("client", "key", "outcome", "route")

    def __init__(self, key: tuple[str, int], client: object, route: TopicRouteData | None = None) -> None:
        self.key = key
        self.client = client
        self.route = route
        # Nothing at all if it did not end but was cancelled: then one of those who wait asks.
        self.outcome: Future[TopicRouteData | NameServerError | None] = Future()
        # So that nobody who waits can cancel it for the others.
        self.outcome.set_running_or_notify_cancel()
        if route is not None:
            self.outcome.set_result(route)


def _answer(outcome: TopicRouteData | NameServerError | None) -> TopicRouteData | None:
    if isinstance(outcome, NameServerError):
        # One for each: raising writes the stack into it.
        raise copy.copy(outcome)
    return outcome


def _checked(topic: str) -> str:
    if not isinstance(topic, str):
        raise TypeError(f"topic must be str, not {type(topic).__name__}")
    return topic


def _is_async(client: object) -> bool:
    if not hasattr(client, "query_topic_route_info"):
        raise TypeError(f"client must be a client of this package, not {type(client).__name__}")
    return hasattr(client, "async_query_topic_route_info")
