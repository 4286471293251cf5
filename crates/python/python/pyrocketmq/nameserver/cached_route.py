"""A route out of a cache, and what a cache tells of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from .models import TopicRouteData

__all__ = ["CachedRoute", "Explanation", "Happened", "RouteCacheStats"]


class Origin(Protocol):
    """Where a route comes from. Each of these may be another one at another time, but for the first two."""

    @property
    def topic(self) -> str:
        """The topic."""
        ...

    @property
    def source(self) -> str:
        """The server."""
        ...

    @property
    def age(self) -> float:
        """In seconds."""
        ...

    @property
    def stale(self) -> bool:
        """Whether that is more than the cache's `ttl`."""
        ...

    @property
    def confirmations(self) -> int:
        """How many."""
        ...


@dataclass(frozen=True, slots=True)
class _Frozen:
    """What was known when a route was copied or pickled; by default, nothing."""

    topic: str = ""
    source: str = ""
    age: float = float("inf")
    stale: bool = True
    confirmations: int = 0


class CachedRoute(TopicRouteData):
    """A topic's route out of a cache, and how far it can be trusted by now.

    It is a `TopicRouteData` in every other way, and equal to any that says the same: servers list brokers and queues in
    any order, a cache always in one. The cache hands out the same object until the topic has another route, so
    `before is after` tells that nothing has changed. All who ask share it: do not change it. A copy, also out of a
    pickle, keeps what was known when it was made.

    >>> TopicRouteData("broker-a:4") == CachedRoute("broker-a:4")
    True
    """

    _origin: Origin = _Frozen()

    @property
    def topic(self) -> str:
        """The topic."""
        return self._origin.topic

    @property
    def source(self) -> str:
        """The server that said it first, `host:port`. Empty if the cache has no client of its own."""
        return self._origin.source

    @property
    def age(self) -> float:
        """For how many seconds no server has said or confirmed it."""
        return self._origin.age

    @property
    def stale(self) -> bool:
        """Whether `age` is more than the cache's `ttl`: no server has confirmed it in time."""
        return self._origin.stale

    @property
    def confirmations(self) -> int:
        """How often a server has said the same again."""
        return self._origin.confirmations

    @staticmethod
    def of(route: TopicRouteData, origin: Origin) -> CachedRoute:
        """The same route with an origin."""
        fields = (route.order_topic_conf, route.queue_data_list, route.broker_data_list)
        cached = CachedRoute(*fields, route.filter_server_table, route.topic_queue_mapping_by_broker)
        cached._origin = origin
        return cached

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, TopicRouteData):
            return NotImplemented
        return _said(self) == _said(other)

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]

    def __getstate__(self) -> dict[str, Any]:
        origin = self._origin
        known = (origin.topic, origin.source, origin.age, origin.stale, origin.confirmations)
        return self.__dict__ | {"_origin": _Frozen(*known)}


def _said(route: TopicRouteData) -> tuple[object, ...]:
    """What a route says, whatever the order."""
    queues = sorted(route.queue_data_list, key=repr)
    brokers = sorted(((broker.to_dict(), broker.advertised) for broker in route.broker_data_list), key=_name)
    rest = (route.filter_server_table, route.topic_queue_mapping_by_broker)
    return (route.order_topic_conf, queues, brokers, *rest)


def _name(said: tuple[dict[str, Any], dict[int, str]]) -> str:
    # A list of a server names each group once; where one does not, the rest decides.
    broker, _ = said
    return f"{broker['brokerName']}\0{sorted(broker['brokerAddrs'].items())}"


@dataclass(frozen=True, slots=True)
class RouteCacheStats:
    """What a cache has done so far. All but `topics` only grow."""

    topics: int
    """How many topics have a route now."""
    hits: int
    """Calls that were served a fresh route."""
    stale_hits: int
    """Calls that were served a stale route."""
    negative_hits: int
    """Calls that were told at once that no server knows the topic."""
    misses: int
    """Calls that found nothing and asked."""
    joined: int
    """Calls that waited for the question of another call: requests that were saved."""
    questions: int
    """Questions that were asked, behind callers' backs too."""
    background: int
    """Those of them that nobody waited for."""
    unchanged: int
    """Answers that were byte for byte what was known, and were not read."""
    decoded: int
    """Answers that were read. Neither these nor `unchanged`: what another topic had already."""
    changed: int
    """Routes that replaced another one."""
    late: int
    """Answers that were not used, because a later question was answered before."""
    failures: int
    """Questions that brought neither a route nor a believed "not found"."""
    not_found: int
    """Questions that brought "not found", and it was believed."""
    dropped: int
    """Routes that were dropped because two servers did not know them, or because they were too old."""
    evicted: int
    """Routes that were dropped because nobody wanted them."""
    reported: int
    """Reports of failing brokers that were looked at."""
    loaded: int
    """Routes that were taken from the snapshot on disk."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to a topic."""

    ago: float
    """How many seconds ago, the last time."""
    times: int
    """How often in a row."""
    what: str
    """What it was, for people."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a cache knows about a topic and how it came to know it. `str` of it is for people."""

    topic: str
    """The topic."""
    route: CachedRoute | None
    """Its route, if there is one."""
    first_ago: float | None
    """How many seconds ago the route was said first."""
    refreshed_in: float | None
    """In how many seconds a server is asked again, unless somebody does before."""
    loaded_from: str | None
    """The snapshot that the route is from, as long as no server has confirmed it since."""
    asking: bool
    """Whether a server is being asked now."""
    missing_for: float | None
    """For how many seconds callers are told that no server knows the topic."""
    failures: int
    """How many questions in a row have not confirmed the route."""
    history: tuple[Happened, ...]
    """The latest 16 events, oldest first. Steady confirmations are not among them."""
    text: str
    """All of it for people."""

    def __str__(self) -> str:
        return self.text

    @staticmethod
    def of(history: Iterable[tuple[float, int, str]], **told: Any) -> Explanation:
        """What the Rust core tells."""
        return Explanation(history=tuple(Happened(*event) for event in history), **told)
