"""Routes that somebody else asks for: what a `RouteCache` without a client of its own is.

Each counts for some seconds after its answer came, and no longer. A client is asked for a topic once at a time.
"""

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
from typing import TYPE_CHECKING, ClassVar

from .cached_route import CachedRoute
from .errors import NameServerError
from .models import TopicRouteData

if TYPE_CHECKING:
    from .client import AsyncNameServerClient, SyncNameServerClient

__all__ = ["RouteStore", "checked_topic"]

WAIT_LIMIT = 60.0
"""For how many seconds a caller waits for the same question of another caller.

Twice what a call may take as a rule. Whoever asked was not slow then but is gone, with an event loop that nobody runs.
"""


class RouteStore:
    """Routes by topic. Any number of threads and event loops may share a store, and a client."""

    def __init__(self, ttl: float, max_topics: int) -> None:
        self._ttl = ttl
        self._max_topics = max_topics
        self._start()
        self._survive_fork()

    _all: ClassVar[weakref.WeakSet[RouteStore]] = weakref.WeakSet()
    _hooked: ClassVar[bool] = False

    def _survive_fork(self) -> None:
        """In a forked child a lock may be held by a thread that is not there, and so may questions: stores start anew."""
        if not RouteStore._hooked and hasattr(os, "register_at_fork"):
            RouteStore._hooked = True
            os.register_at_fork(after_in_child=RouteStore._start_all)
        RouteStore._all.add(self)

    @staticmethod
    def _start_all() -> None:
        for store in list(RouteStore._all):
            store._start()

    def _start(self) -> None:
        """Know nothing, and hold no lock."""
        self._lock = threading.Lock()
        # What was used last stands last.
        self._routes: OrderedDict[str, CachedRoute] = OrderedDict()
        # By topic and the client's id, which stays its own because the question holds the client.
        self._questions: dict[tuple[str, int], _Question] = {}

    def peek(self, topic: str) -> CachedRoute | None:
        """The route that counts; marks it as used."""
        with self._lock:
            route = self._routes.get(checked_topic(topic))
            if route is None:
                return None
            if route.stale:
                del self._routes[topic]
                return None
            self._routes.move_to_end(topic)
            return route

    def contains(self, topic: str) -> bool:
        """Whether there is one."""
        return self.peek(topic) is not None

    def topics(self) -> list[str]:
        """The topics whose routes count."""
        with self._lock:
            for topic in [topic for topic, route in self._routes.items() if route.stale]:
                del self._routes[topic]
            return list(self._routes)

    def invalidate(self, topic: str) -> bool:
        """Drop the topic's route. An answer to a question that is under way is not kept either."""
        with self._lock:
            dropped = self._routes.pop(checked_topic(topic), None)
            for key in [key for key in self._questions if key[0] == topic]:
                del self._questions[key]
            return dropped is not None

    def clear(self) -> None:
        """Drop all routes, as `invalidate` does."""
        with self._lock:
            self._routes.clear()
            self._questions.clear()

    def refresh(self, topic: str, client: SyncNameServerClient) -> CachedRoute:
        """Ask, unless somebody asks just now, and keep what comes. A route that was kept is left alone by an error."""
        joined: _Question | None = None
        while True:
            question, is_ours = self._begin(topic, client, joined)
            if is_ours:
                with self._answering(question):
                    return question.answered(client.query_topic_route_info(topic), self._ttl)
            try:
                outcome = question.outcome.result(WAIT_LIMIT)
            except TimeoutError:
                outcome = None
                self._forget(question)
            answer = _answer(outcome)
            if answer is not None:
                return answer
            joined = question

    async def async_refresh(self, topic: str, client: AsyncNameServerClient) -> CachedRoute:
        """The same for event loops."""
        # Here and not above: it would be most of the time that an import of this package takes.
        import asyncio

        joined: _Question | None = None
        while True:
            question, is_ours = self._begin(topic, client, joined)
            if is_ours:
                with self._answering(question):
                    return question.answered(await client.async_query_topic_route_info(topic), self._ttl)
            try:
                outcome = await asyncio.wait_for(asyncio.wrap_future(question.outcome), WAIT_LIMIT)
            except TimeoutError:
                outcome = None
                self._forget(question)
            answer = _answer(outcome)
            if answer is not None:
                return answer
            joined = question

    def _begin(self, topic: str, client: object, joined: _Question | None) -> tuple[_Question, bool]:
        """The question to ask or to wait for, and whether it is the caller's to ask. `joined` brought nothing."""
        with self._lock:
            key = (checked_topic(topic), id(client))
            if joined is not None and joined.next is not None:
                # Another one who had joined it was quicker: that question is as new as his own would be.
                return joined.next, False
            question = self._questions.get(key)
            if question is not None:
                return question, False
            question = self._questions[key] = _Question(key, client)
            if joined is not None:
                joined.next = question
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

    def _keep(self, topic: str, route: CachedRoute) -> None:
        """Under the lock."""
        self._routes[topic] = route
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

    __slots__ = ("client", "key", "next", "outcome", "route")

    def __init__(self, key: tuple[str, int], client: object) -> None:
        self.key = key
        self.client = client
        self.route: CachedRoute | None = None
        # What those ask instead who have joined it and got nothing.
        self.next: _Question | None = None
        # Nothing at all if it did not end but was cancelled: then one of those who wait asks.
        self.outcome: Future[CachedRoute | NameServerError | None] = Future()
        # So that nobody who waits can cancel it for the others.
        self.outcome.set_running_or_notify_cancel()

    def answered(self, route: TopicRouteData, ttl: float) -> CachedRoute:
        """The answer, as all get it."""
        self.route = CachedRoute.of(route, _Kept(self.key[0], ttl))
        return self.route


class _Kept:
    """Where a kept route comes from: from somebody else's client."""

    __slots__ = ("_came", "_ttl", "topic")
    source = ""
    confirmations = 0

    def __init__(self, topic: str, ttl: float) -> None:
        self.topic = topic
        self._ttl = ttl
        self._came = monotonic()

    @property
    def age(self) -> float:
        return monotonic() - self._came

    @property
    def stale(self) -> bool:
        return self.age >= self._ttl


def _answer(outcome: CachedRoute | NameServerError | None) -> CachedRoute | None:
    if isinstance(outcome, NameServerError):
        # One for each: raising writes the stack into it.
        raise copy.copy(outcome)
    return outcome


def checked_topic(topic: str) -> str:
    """The name of a topic, which must be text."""
    if not isinstance(topic, str):
        raise TypeError(f"topic must be str, not {type(topic).__name__}")
    return topic
