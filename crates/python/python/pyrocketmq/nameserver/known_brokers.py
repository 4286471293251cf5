"""The brokers that a manager knows: addresses by name, and the clusters, which are asked for by one caller at a time.

Nothing here asks a server or waits: `manager` and `async_manager` do.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Generic, TypeAlias, TypeVar

from .broker_address import find_broker_address_in_subscribe
from .cached_route import CachedRoute
from .errors import NameServerError
from .forks import StartsAnew
from .known_routes import DEFAULT_MAX_STALE, DEFAULT_NEGATIVE_TTL, checked_ttl
from .models import BrokerClusterInfo, BrokerData, TopicRouteData

__all__ = ["Clusters", "KnownBrokers", "Question", "members", "subscription_address"]

SHORT_LIMIT = 3.0
"""How many seconds a question may take if there is an older answer: as long as RocketMQ's own clients wait."""

REST = 30.0
"""For how many seconds an older answer is served without another question if one has failed.

That is how often RocketMQ's own clients ask again. With a shorter time to live it is that.
"""

MOST_BROKERS = 10_000
"""How many addresses are kept: more than any cluster has; names that come and go must not fill the memory."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What a server has said, and when, by the monotonic clock."""

    value: T
    came: float


Clusters: TypeAlias = Kept[BrokerClusterInfo]


class _State:
    """What is known. Whoever asks holds it: an answer that comes after `clear` goes into one that nobody uses."""

    def __init__(self, ttl: float, max_stale: float, now: Callable[[], float]) -> None:
        self.ttl = ttl
        self.max_stale = max_stale
        self.now = now
        self.began: float = now()
        self.lock: threading.Lock = threading.Lock()
        self.addresses: dict[str, Kept[str]] = {}
        self.clusters: Clusters | None = None
        self.question: Question | None = None
        self.rests_until: float = self.began

    def last_clusters(self) -> Clusters | None:
        """What was said last, as long as it is better than nothing."""
        known = self.clusters
        return known if known is not None and self.now() - known.came < self.max_stale else None


class Question:
    """One question for the clusters. All who want to know share it; the first who calls `is_mine` asks.

    He does so within `with`, and calls `answered`. If that raises a `NameServerError` and there is an older answer, this
    is the answer, and `failure` says why.
    """

    def __init__(self, state: _State, limit: float | None) -> None:
        self._state = state
        self._taken = False
        self.limit = limit
        """How many seconds it may take; `None` is as long as any call."""
        self.answer: Clusters | None = None
        self.failure: NameServerError | None = None
        # Nothing at all if whoever asked was cancelled: then one of those who wait asks.
        self.outcome: Future[Clusters | NameServerError | None] = Future()
        # So that nobody who waits can cancel it for the others.
        self.outcome.set_running_or_notify_cancel()

    def is_mine(self) -> bool:
        """Whether the caller has to ask."""
        with self._state.lock:
            is_first, self._taken = not self._taken, True
            return is_first

    def answered(self, info: BrokerClusterInfo) -> None:
        """What a server says."""
        self.answer = Kept(info, self._state.now())

    def forget(self) -> None:
        """Nobody shall wait for it any longer."""
        with self._state.lock:
            if self._state.question is self:
                self._state.question = None

    @staticmethod
    def told(outcome: Clusters | NameServerError | None) -> Clusters | None:
        """What those get who have waited. Nothing if it was not asked after all."""
        if isinstance(outcome, NameServerError):
            # One for each: raising writes the stack into it.
            raise copy.copy(outcome)
        return outcome

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        state = self._state
        outcome: Clusters | NameServerError | None
        with state.lock:
            if isinstance(error, NameServerError):
                self.answer, self.failure = state.last_clusters(), error
                state.rests_until = state.now() + min(REST, state.ttl)
                outcome = self.answer or copy.copy(error)
            else:
                outcome = self.answer
                state.clusters = self.answer or state.clusters
            if state.question is self:
                state.question = None
        self.outcome.set_result(outcome)
        return error is not None and isinstance(outcome, Kept)


class KnownBrokers(StartsAnew):
    """Addresses by name and the clusters, each for `ttl` seconds; for `max_stale` while servers fail.

    With a `ttl` of 0 nothing is kept. Any number of threads and event loops may share it. A forked child knows nothing.
    """

    def __init__(self, ttl: float, max_stale: float = DEFAULT_MAX_STALE, now: Callable[[], float] = monotonic) -> None:
        self._rules = (checked_ttl(ttl), max(max_stale, ttl) if ttl else 0.0, now)
        super().__init__()

    def _start(self) -> None:
        self._state = _State(*self._rules)

    def clear(self) -> None:
        """Forget all that was said so far."""
        self._start()

    def __len__(self) -> int:
        """How many addresses are known."""
        return len(self._state.addresses)

    def address(self, broker_name: str) -> str | None:
        """The address that was handed out last, if it still counts."""
        state = self._state
        return self._address(state, broker_name, state.ttl)

    def last_address(self, broker_name: str) -> str | None:
        """The address that was handed out last, as long as it is better than none."""
        state = self._state
        return self._address(state, broker_name, state.max_stale)

    @staticmethod
    def _address(state: _State, broker_name: str, limit: float) -> str | None:
        kept = state.addresses.get(broker_name)
        return kept.value if kept is not None and state.now() - kept.came < limit else None

    def address_in_route(self, broker_name: str, route: CachedRoute) -> str | None:
        """The broker's address as a topic's route has it, which is kept."""
        groups = (broker.broker_addresses for broker in route.broker_data_list if broker.broker_name == broker_name)
        addresses: Mapping[int, str] | None = next(groups, None)
        state = self._state
        return self._keep(state, broker_name, addresses or {}, state.now() - route.age)

    def address_in_clusters(self, broker_name: str, clusters: Clusters) -> str | None:
        """The broker's address as the clusters have it, which is kept."""
        return self._keep(self._state, broker_name, members(broker_name, clusters), clusters.came)

    @staticmethod
    def _keep(state: _State, broker_name: str, addresses: Mapping[int, str], came: float) -> str | None:
        address = _publish_address(addresses)
        with state.lock:
            # What was learnt last stands last.
            state.addresses.pop(broker_name, None)
            if address is not None and state.ttl and came >= state.began:
                state.addresses[broker_name] = Kept(address, came)
                if len(state.addresses) > MOST_BROKERS:
                    del state.addresses[next(iter(state.addresses))]
        return address

    def clusters(self, broker_name: str) -> Clusters | Question:
        """The clusters, if what is known of them will do for a broker; else the question, to ask or to wait for.

        A broker that is not in them may be new: then they count no longer than a missing topic is known to be missing.
        """
        state = self._state
        with state.lock:
            known = state.clusters = state.last_clusters()
            if known is not None:
                has_it = broker_name in known.value.broker_addr_table
                counts = state.ttl if has_it else min(state.ttl, DEFAULT_NEGATIVE_TTL)
                if state.now() - known.came < counts or state.now() < state.rests_until:
                    return known
            if state.question is None:
                state.question = Question(state, None if known is None else SHORT_LIMIT)
            return state.question


def members(broker_name: str, clusters: Clusters) -> Mapping[int, str]:
    """A group's addresses by id; none if there is no such group."""
    group = clusters.value.broker_addr_table.get(broker_name)
    return {} if group is None else group.broker_addresses


def _publish_address(addresses: Mapping[int, str]) -> str | None:
    """The master's address, else that of the smallest id."""
    return addresses[0 if 0 in addresses else min(addresses)] if addresses else None


def subscription_address(addresses: Mapping[int, str], suggestion: int) -> tuple[str, bool] | None:
    """Where a consumer reads that was told to use a broker id, and whether that is the master (docs/wire.md §4.7)."""
    group = BrokerData("", "", dict(addresses))
    found = find_broker_address_in_subscribe(TopicRouteData("", [], [group]), group.broker_name, suggestion)
    # Java calls a master a slave that was found by the id below its own.
    return None if found is None else (found.broker_addr, not found.slave or found.broker_addr == group.master_address)
