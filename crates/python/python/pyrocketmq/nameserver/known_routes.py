"""What caches say without asking anybody: `RouteCache` and `AsyncRouteCache` have it in common."""

from __future__ import annotations

import logging
import os
from types import TracebackType

from . import _native
from .cached_route import CachedRoute, Explanation, RouteCacheStats
from .client import native_of
from .errors import NameServerError
from .route_store import RouteStore, checked_topic
from .upkeep import Logged

__all__ = ["KnownRoutes"]

DEFAULT_TTL = 30.0
"""For how many seconds a route counts: the contract's 30, and how often RocketMQ's own clients ask again."""

DEFAULT_MAX_STALE = 3600.0
"""For how many seconds a route is served that no server confirms: an hour, longer than outages last."""

DEFAULT_NEGATIVE_TTL = 3.0
"""For how many seconds a topic is known to be missing: a loop over one is no load, a new topic is there soon."""

DEFAULT_IDLE_AFTER = 600.0
"""After how many seconds a topic is dropped that nobody wants: it stays through a job of every few minutes."""

DEFAULT_REFRESHES_PER_SECOND = 1000
"""How many refreshes behind callers' backs start per second at most: a server answers tens of thousands."""


_log = logging.getLogger("pyrocketmq.nameserver")


class KnownRoutes:
    """What both caches have in common."""

    _kept: RouteStore | _native.RouteCache
    # An entry if `close` has to write the snapshot. `pop` is one step, so of all that close it one writes.
    _unsaved: list[_native.RouteCache]

    def peek(self, topic: str) -> CachedRoute | None:
        """What there is of the topic now, fresh or stale, without asking anybody."""
        return self._kept.peek(checked_topic(topic))

    def invalidate(self, topic: str) -> bool:
        """Forget the topic: the next call asks, and an answer that is on its way is not kept. Was there a route?"""
        return self._kept.invalidate(checked_topic(topic))

    def clear(self) -> None:
        """Forget all topics, as `invalidate` does."""
        if isinstance(self._kept, RouteStore):
            self._kept.clear()
            return
        for topic in self._kept.topics():
            self._kept.invalidate(topic)

    def topics(self) -> list[str]:
        """The topics that have a route now, in no order."""
        return self._kept.topics()

    def explain(self, topic: str) -> Explanation:
        """What is known about the topic and how it came to be known."""
        return Explanation.of(**self._native_half().explain(checked_topic(topic)))

    def stats(self) -> RouteCacheStats:
        """What the cache has done so far."""
        return RouteCacheStats(**self._native_half().stats())

    def __contains__(self, topic: object) -> bool:
        """Whether the topic has a route that could be served. Nobody is asked."""
        return isinstance(topic, str) and self._kept.contains(topic)

    def __len__(self) -> int:
        """How many topics have a route."""
        return len(self._kept.topics())

    def __bool__(self) -> bool:
        """A cache is one even if it is empty."""
        return True

    def _native_half(self) -> _native.RouteCache:
        if isinstance(self._kept, RouteStore):
            raise TypeError("this cache was made without a client: pass client= for that")
        return self._kept

    def _to_be_saved(self) -> _native.RouteCache | None:
        """What has to write its snapshot before it is closed: nothing if it was closed before or has learnt nothing.

        A cache that has asked nobody knows what it has read, which another process may have replaced meanwhile. One that has
        no routes and had none would empty a file that may not even be its own.
        """
        try:
            native = self._unsaved.pop()
        except IndexError:
            return None
        stats = native.stats()
        return native if stats["questions"] and (stats["topics"] or stats["loaded"]) else None


class LastWriting:
    """Around what writes a snapshot before the cache is closed: a failure is a warning, and the cache is closed all the same."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        # The second is what a call becomes in a thread that outlives the interpreter.
        if not isinstance(error, (NameServerError, RuntimeError)):
            return False
        _log.warning("a cache is closed without its snapshot, which lacks what was learnt last: %s", error)
        return True


def checked_ttl(ttl: float) -> float:
    """A time to live, which may be 0 or endless."""
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
        raise TypeError(f"ttl must be a number of seconds, not {type(ttl).__name__}")
    if not ttl >= 0:
        raise ValueError(f"ttl must be 0 or more seconds, not {ttl}")
    return ttl


def checked_max_topics(max_topics: int | None) -> int | None:
    """A limit, if there is one."""
    if max_topics is None:
        return None
    if isinstance(max_topics, bool) or not isinstance(max_topics, int):
        raise TypeError(f"max_topics must be an int, not {type(max_topics).__name__}")
    if max_topics < 1:
        raise ValueError(f"max_topics must be at least 1, not {max_topics}")
    return max_topics


def checked_path(path: str | os.PathLike[str]) -> str:
    """The name of a snapshot's file."""
    text = path if isinstance(path, str) else os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"snapshot must be the text or path of a file, not {path!r}")
    return text


def native_cache(
    client: object,
    ttl: float,
    max_topics: int | None,
    max_stale: float,
    negative_ttl: float,
    idle_after: float,
    scheduled_refresh: bool,
    refreshes_per_second: int,
    snapshot: str | os.PathLike[str] | None,
) -> _native.RouteCache:
    """The Rust cache on a client."""
    # A snapshot that cannot be used is something to say.
    with Logged():
        return _native.RouteCache(
            native_of(client),
            ttl,
            max(max_stale, ttl),
            negative_ttl,
            idle_after,
            scheduled_refresh,
            refreshes_per_second,
            checked_max_topics(max_topics),
            None if snapshot is None else checked_path(snapshot),
        )
