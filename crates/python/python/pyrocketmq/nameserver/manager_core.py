"""What the managers have in common: their config, and all of them that waits for nobody."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypedDict, TypeVar

from .address_rewriting import AddressRewriting, native_rules
from .async_cache import AsyncRouteCache
from .broker_models import DataVersion
from .cache import RouteCache
from .cached_route import CachedRoute
from .client import AsyncNameServerClient, SyncNameServerClient
from .errors import (
    TOPIC_NOT_EXIST,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
)
from .known_brokers import Clusters, KnownBrokers, Question
from .known_routes import DEFAULT_IDLE_AFTER
from .models import TopicRouteData
from .query_failures import QueryFailures, log

__all__ = ["WORTH_ANOTHER_ROUND", "ManagerCore", "NameServerConfig", "Running", "found", "masters"]

GREETING_LIMIT = 1.0
"""How many seconds `start` waits for the other servers once it has one: enough for all that work, little for a start."""

WORTH_ANOTHER_ROUND = (NameServerConnectionError, NameServerTimeoutError)
"""What may be over by the next round. A refusal is not."""

T = TypeVar("T")
ClientT = TypeVar("ClientT", bound=SyncNameServerClient | AsyncNameServerClient)
CacheT = TypeVar("CacheT", bound=RouteCache | AsyncRouteCache)


@dataclass
class NameServerConfig:
    """Where the NameServers are and how to ask them. All times are in seconds; defaults are those of the older package.

    A field that cannot be right is a `TypeError` or `ValueError`, which names it, when this is made.
    """

    nameserver_addrs: str
    """`host:port`, several separated by `;` or `,`."""
    timeout: float = 30.0
    """How long one question may take in all, connecting and other servers included."""
    connect_timeout: float = 10.0
    """How long opening one connection may take."""
    broker_cache_ttl: int | float = 300
    """For how long addresses of brokers and the clusters count. With 0 each call asks."""
    route_cache_ttl: int | float = 300
    """For how long routes count. With 0 each call asks."""
    max_retry_times: int = 3
    """How often a question is asked if no server can be reached or none answers in time. Each time asks all servers."""
    retry_interval: float = 1.0
    """How long to wait before it is asked again."""
    zone: str | None = field(default=None, kw_only=True)
    """The zone that this program stands in; see `SyncNameServerClient`. Routes have its brokers, the clusters have all."""
    rewrite_addresses: AddressRewriting | str | None = field(default=None, kw_only=True)
    """Which addresses are used in place of those that brokers advertise, in Docker for one: rules or their text."""

    def __post_init__(self) -> None:
        _check_servers(self.nameserver_addrs)
        for name in ("timeout", "connect_timeout"):
            if not 0 < _number(name, getattr(self, name)) < math.inf:
                raise ValueError(f"{name} must be a number of seconds above 0, not {getattr(self, name)}")
        for name in ("broker_cache_ttl", "route_cache_ttl"):
            if not _number(name, getattr(self, name)) >= 0:
                raise ValueError(f"{name} must be 0 or more seconds, not {getattr(self, name)}")
        times: object = self.max_retry_times
        if isinstance(times, bool) or not isinstance(times, int):
            raise TypeError(f"max_retry_times must be a whole number, not {times!r}")
        if times < 0:
            raise ValueError(f"max_retry_times must be 0 or more, not {times}")
        if not 0 <= _number("retry_interval", self.retry_interval) < math.inf:
            raise ValueError(f"retry_interval must be 0 or more seconds, not {self.retry_interval}")
        _check_zone(self.zone)
        try:
            native_rules(self.rewrite_addresses)
        except NameServerError as error:
            raise ValueError(f"rewrite_addresses cannot be understood: {error}") from error


def _check_servers(servers: object) -> None:
    if not isinstance(servers, str):
        raise TypeError(f"nameserver_addrs must be text, host:port;host:port, not {servers!r}")
    if not servers.strip(" \t\r\n;,"):
        raise ValueError(f"nameserver_addrs must have at least one host:port, not {servers!r}")


def _check_zone(zone: object) -> None:
    if zone is None:
        return
    if not isinstance(zone, str):
        raise TypeError(f"zone must be text, not {zone!r}")
    if not zone.strip():
        raise ValueError("zone must be the name that brokers register with, or left out; it is blank")


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    return value


class _Rules(TypedDict):
    """What a cache is made with."""

    ttl: float
    idle_after: float


@dataclass(frozen=True, slots=True)
class Running(Generic[ClientT, CacheT]):
    """What a manager has between `start` and `stop`."""

    client: ClientT
    cache: CacheT
    brokers: KnownBrokers


class ManagerCore(Generic[ClientT, CacheT]):
    """What both managers have in common: all that waits for nobody."""

    def __init__(self, config: NameServerConfig) -> None:
        """Make a manager; nothing is connected before `start`."""
        if not isinstance(config, NameServerConfig):
            raise TypeError(f"config must be a NameServerConfig, not {type(config).__name__}")
        self.config = config
        self._failures = QueryFailures()
        # One entry at most. `setdefault` and `pop` of a dict are one step each, so no thread starts or stops it twice.
        self._current: dict[str, Running[ClientT, CacheT]] = {}

    @property
    def errors(self) -> dict[str, int]:
        """How many queries have brought nothing so far, by the name of the error's class.

        "Topic not found" is a `NameServerResponseError`. A broker that is not where it was looked for is a `NameServerError`, as
        is a manager that was not started.
        """
        return self._failures.counts

    @property
    def last_error(self) -> NameServerError | None:
        """Why the latest query that brought nothing did so; `None` if each has. A later success does not take it away."""
        return self._failures.last

    def __repr__(self) -> str:
        started = "started" if self._current else "not started"
        return f"{type(self).__name__}({self.config.nameserver_addrs!r}, {started})"

    def _client_arguments(self) -> dict[str, Any]:
        config = self.config
        return {
            "servers": config.nameserver_addrs,
            "timeout": config.timeout,
            "connect_timeout": config.connect_timeout,
            "zone": config.zone,
            "rewrite_addresses": config.rewrite_addresses,
        }

    def _cache_rules(self) -> _Rules:
        ttl = self.config.route_cache_ttl
        # A topic stays for its whole time, wanted or not.
        return {"ttl": ttl, "idle_after": max(DEFAULT_IDLE_AFTER, ttl)}

    def _run(self, client: ClientT, cache: CacheT) -> Running[ClientT, CacheT]:
        return Running(client, cache, KnownBrokers(self.config.broker_cache_ttl))

    def _greeting(self) -> dict[str, Any]:
        """A question that each server is asked and that changes nothing, so that each has a connection."""
        nobody: dict[str, Any] = {"cluster_name": "", "broker_name": "", "broker_addr": "", "broker_id": 0}
        return nobody | {"data_version": DataVersion(), "timeout": min(GREETING_LIMIT, self.config.timeout)}

    def _greeted(self, error: NameServerError) -> None:
        """Not every server has answered as one would wish. Those that said no are there all the same."""
        missing = [server for server, answer in error.results if isinstance(answer, WORTH_ANOTHER_ROUND)]
        if missing:
            log.warning("started without %s: %s", ", ".join(missing), error)

    def _started(self) -> Running[ClientT, CacheT]:
        running = self._current.get("running")
        if running is None:
            raise NameServerError("the manager is not running, so there is nobody to ask: call start() first")
        return running

    def _is_last_round(self, running: Running[ClientT, CacheT], done: int) -> bool:
        return done >= self.config.max_retry_times or self._current.get("running") is not running

    def _address_without_answer(self, broker_name: str, error: NameServerError) -> str | None:
        """What is served in spite of an error."""
        self._failures.note(error)
        running = self._current.get("running")
        return None if running is None or error.is_topic_not_found else running.brokers.last_address(broker_name)

    def _explained(self, broker_name: str, found: T | None, source: CachedRoute | Clusters) -> T | None:
        """What was found of a broker. If that is nothing, it is said where it is not.

        The age, because while servers fail that is an old answer.
        """
        if found is not None:
            return found
        if isinstance(source, CachedRoute):
            topic, place, age = source.topic, f"the route of topic {source.topic!r}", source.age
        else:
            topic, place, age = None, "the clusters", monotonic() - source.came
        what = f"broker {broker_name!r} is not in {place}, which a server has sent {age:.1f} s ago"
        why = f"{what}; see whether that is its name and it is registered"
        self._failures.note(NameServerError(why, topic=topic), is_answer=True)
        return None

    def _limit(self, question: Question) -> float | None:
        return None if question.limit is None else min(question.limit, self.config.timeout)

    def _answer(self, question: Question) -> Clusters:
        """What a question that was asked has brought."""
        if question.failure is not None:
            self._failures.note(question.failure)
        # What brings none raises.
        assert question.answer is not None
        return question.answer

    def _cache_info(self) -> dict[str, int]:
        running = self._current.get("running")
        if running is None:
            return {"cached_broker_addresses": 0, "cached_routes": 0, "connected_nameservers": 0}
        connected = [server for server in running.client.stats() if server.state == "connected"]
        return {
            "cached_broker_addresses": len(running.brokers),
            "cached_routes": len(running.cache),
            "connected_nameservers": len(connected),
        }

    def _clear_cache(self) -> None:
        running = self._current.get("running")
        if running is not None:
            running.brokers.clear()
            running.cache.clear()


def found(topic: str, route: CachedRoute | None) -> CachedRoute:
    """The route, or the error that there is none."""
    if route is None:
        raise NameServerResponseError(f"no server knows topic {topic!r}", code=TOPIC_NOT_EXIST, topic=topic)
    return route


def masters(route: TopicRouteData | None) -> list[str]:
    """The addresses of a route's masters."""
    addresses = [] if route is None else [broker.master_address for broker in route.broker_data_list]
    return [address for address in addresses if address is not None]
