"""The clients: the same questions, blocking and for asyncio.

What operators and brokers ask stands in `pyrocketmq.nameserver.administration`; its methods are these clients' own.

Both share one Rust core: one connection per server, made by the first call and shared by all calls, threads and tasks; one
limit for the whole call, connecting and other servers included; failover over several servers. Errors are those of
`pyrocketmq.nameserver.errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, cast

from . import _native
from .address_rewriting import AddressRewriting, native_rules
from .administration import SyncAdministration
from .async_administration import AsyncAdministration
from .calls import Calls
from .default_topic import AsyncRouteToPublish, SyncRouteToPublish
from .discovery import Discovery
from .errors import NameServerError
from .models import BrokerClusterInfo, TopicRouteData
from .query_all import AsyncQueryAll, SyncQueryAll
from .upkeep import Logged, end_calls_at_exit

__all__ = [
    "AsyncNameServerClient",
    "ServerStats",
    "SyncNameServerClient",
    "create_async_client",
    "create_sync_client",
]

DEFAULT_TIMEOUT = 30.0
"""How many seconds a call may take in all: the contract's 30."""

DEFAULT_CONNECT_TIMEOUT = 3.0
"""How many seconds opening one connection may take, as the Java client has it."""

DEFAULT_MAX_FRAME_SIZE = 16 * 1024 * 1024
"""The largest answer in bytes, as Java has it."""

Header = Literal["json", "binary"]


@dataclass(frozen=True, slots=True)
class ServerStats:
    """What a client has done with one server so far."""

    server: str
    """`host:port`."""
    state: Literal["idle", "connecting", "connected"]
    """Of its connection; an idle one is made by the next call."""
    age: float | None
    """For how many seconds it has been connected."""
    connects: int
    """How many connections were opened."""
    requests: int
    """How many requests were sent."""
    in_flight: int
    """How many of them wait for their answers."""
    refusals: int
    """How many were answered with a no, such as "topic not found"."""
    errors: int
    """How many attempts got no usable answer."""
    version: str | None
    """Its release as its last answer said, such as `V5_3_3`."""


class _Client:
    """What both clients have in common."""

    def __init__(
        self,
        servers: str | Sequence[str | tuple[str, int]] = (),
        *,
        discovery: Discovery | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        connect_timeout: float = DEFAULT_CONNECT_TIMEOUT,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
        header: Header = "json",
        hedged_reads: bool = True,
        zone: str | None = None,
        zone_from_env: bool = False,
        rewrite_addresses: AddressRewriting | str | None = None,
    ) -> None:
        """Make a client; nothing is connected before the first call.

        `servers` is `"host:port"`, several separated by `;` or `,`, or a sequence of such texts and of (host, port), or a URI,
        `"rocketmq://host,host:port?timeout=3s"`, whose settings come before those here. `discovery` finds them instead.
        Limits are in seconds. With `hedged_reads` a read that is late is asked of a second server too.
        `header` is the form of the headers that are sent; answers are understood in either.

        `zone` is the zone that this program stands in. Routes then have the brokers of that zone and groups without a master,
        with their queues; if no broker of the zone has the topic, they have all brokers. 5.x servers choose themselves, the
        answers of others are filtered here. With `zone_from_env` the environment names the zone, as RocketMQ's own clients
        have it: `ROCKETMQ_ZONE` counts if `ROCKETMQ_ZONE_MODE` is `true`, else there is none. Only one of the two may be given: a
        `ValueError` else. The cluster info has all zones.

        `rewrite_addresses` says which addresses are used in place of those that brokers advertise: rules or their text.

        >>> SyncNameServerClient("ns-1:9876", zone="eu-west-1a", rewrite_addresses="172.17.0.0/16=localhost")
        SyncNameServerClient(['ns-1:9876'])
        """
        if header not in ("json", "binary"):
            raise ValueError(f"header must be 'json' or 'binary', not {header!r}")
        if discovery is not None and not isinstance(discovery, Discovery):
            raise TypeError(f"discovery must be a Discovery, not {discovery!r}")
        if zone is not None and zone_from_env:
            raise ValueError("zone and zone_from_env=True both name a zone: leave out one of them")
        listed = [servers] if isinstance(servers, str) else [_checked_server(server) for server in servers]
        self._servers = listed
        found = None if discovery is None else discovery.native
        flags = (header == "binary", hedged_reads)
        place = (zone, zone_from_env, native_rules(rewrite_addresses))
        self._native = _native.Client(listed, found, timeout, connect_timeout, max_frame_size, flags, place)
        end_calls_at_exit()

    def server_list(self) -> list[str]:
        """The servers that are asked now, `host:port`; with a discovery they change."""
        return self._native.server_list()

    def is_connected(self) -> bool:
        """Whether at least one connection is open."""
        return self._native.is_connected()

    def stats(self) -> list[ServerStats]:
        """What the client has done so far, server by server."""
        return [ServerStats(**server) for server in self._native.stats()]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._servers!r})"


class SyncNameServerClient(_Client, SyncAdministration, SyncQueryAll, SyncRouteToPublish):
    """Asks NameServers and blocks until the answer is there, without the GIL; Ctrl-C ends a call.

    Any number of threads may use one client. `with` connects on entering and closes on leaving. In a coroutine a call
    blocks the event loop, and `asyncio.run` keeps Ctrl-C from it until it is done: use `AsyncNameServerClient` there.

    >>> with SyncNameServerClient("localhost:9876") as client:  # doctest: +SKIP
    ...     route = client.query_topic_route_info("test_topic", timeout=5)
    """

    def connect(self, *, timeout: float | None = None) -> None:
        """Open a connection now; calls do this by themselves."""
        with Logged():
            self._native.connect(timeout)

    def disconnect(self) -> None:
        """Close all connections at once; the next call connects again."""
        with Logged():
            self._native.disconnect()

    def close(self) -> None:
        """Close all connections for good; later calls raise `NameServerError`."""
        with Logged():
            self._native.close()

    def query_topic_route_info(self, topic: str, *, timeout: float | None = None) -> TopicRouteData:
        """Where a topic's queues are.

        Raises `NameServerResponseError` with `is_topic_not_found` if no server knows the topic.
        """
        with Logged():
            return self._native.query_topic_route_info(topic, timeout)

    def query_topic_route_infos(
        self, topics: Iterable[str], *, timeout: float | None = None
    ) -> list[TopicRouteData | NameServerError]:
        """The routes of many topics, asked for together: for each topic its route or its error, in order."""
        with Logged():
            return self._native.query_topic_route_infos(texts("topics", topics), timeout)

    def get_broker_cluster_info(self, *, timeout: float | None = None) -> BrokerClusterInfo:
        """Which brokers there are, and which of them form which cluster."""
        with Logged():
            return self._native.get_broker_cluster_info(timeout)

    def _ask(self, request: _native.Request, timeout: float | None) -> Any:
        with Logged():
            return self._native.ask(request, timeout)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncNameServerClient(_Client, AsyncAdministration, AsyncQueryAll, AsyncRouteToPublish):
    """Asks NameServers from asyncio code. Cancelling a call forgets it at once.

    One client may serve several event loops and any number of tasks. `async with` connects on entering and closes on
    leaving. Each method has two names: a plain one, and the contract's with `async_` before it.

    >>> async def brokers() -> int:
    ...     async with AsyncNameServerClient("localhost:9876") as client:
    ...         return len((await client.query_topic_route_info("test_topic")).broker_data_list)
    """

    async def connect(self, *, timeout: float | None = None) -> None:
        """Open a connection now; calls do this by themselves."""
        calls = Calls.of_this_loop()
        await calls.result(self._native.start_connect(calls.completions, timeout))

    async def disconnect(self) -> None:
        """Close all connections at once; the next call connects again."""
        calls = Calls.of_this_loop()
        await calls.result(self._native.start_disconnect(calls.completions))

    async def close(self) -> None:
        """Close all connections for good; later calls raise `NameServerError`."""
        calls = Calls.of_this_loop()
        await calls.result(self._native.start_close(calls.completions))

    async def query_topic_route_info(self, topic: str, *, timeout: float | None = None) -> TopicRouteData:
        """Where a topic's queues are.

        Raises `NameServerResponseError` with `is_topic_not_found` if no server knows the topic.
        """
        calls = Calls.of_this_loop()
        call = self._native.start_query_topic_route_info(calls.completions, topic, timeout)
        route: TopicRouteData = await calls.result(call, self._native)
        return route

    async def query_topic_route_infos(
        self, topics: Iterable[str], *, timeout: float | None = None
    ) -> list[TopicRouteData | NameServerError]:
        """The routes of many topics, asked for together: for each topic its route or its error, in order."""
        calls = Calls.of_this_loop()
        call = self._native.start_query_topic_route_infos(calls.completions, texts("topics", topics), timeout)
        routes: list[TopicRouteData | NameServerError] = await calls.result(call, self._native)
        return routes

    async def get_broker_cluster_info(self, *, timeout: float | None = None) -> BrokerClusterInfo:
        """Which brokers there are, and which of them form which cluster."""
        calls = Calls.of_this_loop()
        call = self._native.start_get_broker_cluster_info(calls.completions, timeout)
        info: BrokerClusterInfo = await calls.result(call, self._native)
        return info

    async def _ask(self, request: _native.Request, timeout: float | None) -> Any:
        calls = Calls.of_this_loop()
        return await calls.result(self._native.start_ask(calls.completions, request, timeout), self._native)

    async_connect = connect
    async_disconnect = disconnect
    async_query_topic_route_info = query_topic_route_info
    async_query_topic_route_infos = query_topic_route_infos
    async_get_broker_cluster_info = get_broker_cluster_info
    aclose = close

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def create_sync_client(host: str, port: int, timeout: float = DEFAULT_TIMEOUT) -> SyncNameServerClient:
    """A blocking client of one server. `timeout` limits each call in all, in seconds."""
    return SyncNameServerClient([_checked(host, port)], timeout=timeout)


async def create_async_client(host: str, port: int, timeout: float = DEFAULT_TIMEOUT) -> AsyncNameServerClient:
    """An asyncio client of one server. `timeout` limits each call in all, in seconds."""
    return AsyncNameServerClient([_checked(host, port)], timeout=timeout)


def native_of(client: object) -> _native.Client:
    """The client's Rust half, for what is built on it."""
    if isinstance(client, _Client) and hasattr(client, "_native"):
        return client._native  # pyright: ignore[reportPrivateUsage] # of this file
    raise TypeError(f"client must be a client of this package, not {type(client).__name__}")


def _checked_server(server: object) -> str | tuple[str, int]:
    if isinstance(server, str):
        return server
    if isinstance(server, tuple):
        pair = cast("tuple[object, ...]", server)
        if len(pair) == 2:
            return _checked(*pair)
    raise TypeError(f"servers must be texts or pairs of host and port, not {server!r}")


def _checked(host: object, port: object) -> tuple[str, int]:
    if not isinstance(host, str):
        raise TypeError(f"host must be text, not {host!r}")
    if type(port) is not int:
        raise TypeError(f"port must be a whole number, not {port!r}")
    if not 0 < port < 65536:
        raise ValueError(f"port must be 1 to 65535, not {port}")
    return host, port


def texts(argument: str, values: Iterable[str]) -> list[str]:
    """A list of texts; one text alone is a mistake, as each of its letters would be asked for."""
    if isinstance(values, str):
        raise TypeError(f"{argument} must be a list of texts, not the text {values!r}")
    return list(values)
