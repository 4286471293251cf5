"""A NameServer inside this process: for tests that need one, without a JVM."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, cast

from . import _native
from .broker_models import DataVersion, RegisterBrokerResult, TopicConfig
from .models import BrokerClusterInfo, QueueData
from .upkeep import Logged, end_calls_at_exit

__all__ = ["EmbeddedNameServer", "Snapshot"]

DEFAULT_LISTEN = "127.0.0.1:0"
"""Any free port, for this machine only: servers of parallel tests never meet."""

MOST_QUEUES = 2**31 - 1
"""The largest number of queues that the wire has."""


@dataclass
class Snapshot:
    """All that a server knows at one moment."""

    clusters: BrokerClusterInfo
    """Brokers and clusters, as `get_broker_cluster_info` shows them."""
    topics: dict[str, list[QueueData]]
    """Topic to its queues, one entry per broker group."""
    kv: dict[str, dict[str, str]]
    """The KV store: namespace to key to value."""


class EmbeddedNameServer:
    """A NameServer inside this process: any free port, many at a time, up in milliseconds, no JVM.

    It listens when the constructor returns and answers every client, in any process and language, as Java's does. Brokers
    may register over the network; `register` needs none. `with` stops it on leaving.

    >>> from pyrocketmq.nameserver import EmbeddedNameServer, create_sync_client
    >>> with EmbeddedNameServer() as server:
    ...     _ = server.register("cluster-1", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
    ...     with create_sync_client(server.host, server.port) as client:
    ...         route = client.query_topic_route_info("orders")
    >>> [queue.read_queue_nums for queue in route.queue_data_list]
    [8]

    Any number of threads may use one server, and it never needs the GIL. A server that nobody holds any more stops, too. A
    forked child can ask its parent's server over the network and start servers of its own; with its parent's object `stop`
    does nothing there and other methods raise `NameServerError`. The port stays taken while such a child lives.
    """

    def __init__(
        self,
        listen: str = DEFAULT_LISTEN,
        *,
        personality: Literal[4, 5] = 5,
        kv_file: str | os.PathLike[str] | None = None,
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        """Start a server.

        `listen` is `host:port`; port 0 takes any free one. `personality` is the release that it behaves as: 4 is 4.9.7, 5 is
        5.3.3. `kv_file` is where its KV store is kept, in the form of Java's `kvConfig.json`; without it in memory. `settings`
        are the NameServer's own, by the names that `get_namesrv_config` has for them; `True` may stand for `"true"`.

        Raises `ValueError` for an argument that is not one, such as a setting that the release does not have, and `OSError`
        if it cannot listen there or cannot use the file.

        >>> with EmbeddedNameServer(personality=4, settings={"orderMessageEnable": True}) as server:
        ...     server
        EmbeddedNameServer('127.0.0.1:...', personality=4)
        """
        if personality not in (4, 5):
            raise ValueError(f"personality must be 4 or 5, not {personality!r}")
        file = None if kv_file is None else _path(kv_file)
        listed = [] if settings is None else _settings(settings)
        self._personality = personality
        with Logged():
            self._native = _native.EmbeddedNameServer(_text("listen", listen), personality == 5, file, listed)
        self._host, self._port = self._native.address()
        end_calls_at_exit()

    @property
    def address(self) -> str:
        """Where it listens, `host:port`: what clients and brokers take for the NameServer's address."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    @property
    def host(self) -> str:
        """The IP address that it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The port that it listens on, also if any free one was asked for."""
        return self._port

    def register(
        self,
        cluster_name: str,
        broker_name: str,
        broker_addr: str,
        broker_id: int = 0,
        *,
        topics: Mapping[str, int] | Iterable[TopicConfig] = (),
        data_version: DataVersion | None = None,
        ha_server_addr: str | None = None,
        enable_acting_master: bool | None = False,
        zone_name: str | None = None,
    ) -> RegisterBrokerResult:
        """Register a broker that need not exist, as `register_broker` of the clients does.

        `topics` are names with their numbers of queues, or `TopicConfig`. Nothing listens for the broker: it stays, however
        silent, until `unregister` or `stop`, and may have a single topic. As at any NameServer a topic that it had before
        stays, and a slave brings topics only where there is no master and it may act as one (5.x).

        >>> with EmbeddedNameServer() as server:
        ...     server.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8, "refunds": 4})
        ...     server.register("c", "broker-a", "10.0.0.2:10911", 1)
        ...     server.register("c", "broker-b", "10.0.0.3:10911", topics=[TopicConfig("orders", 2, 2, perm=4)])
        ...     orders = server.snapshot().topics["orders"]
        RegisterBrokerResult(ha_server_addr=None, master_addr=None, kv_table=None)
        RegisterBrokerResult(ha_server_addr='10.0.0.1:10911', master_addr='10.0.0.1:10911', kv_table=None)
        RegisterBrokerResult(ha_server_addr=None, master_addr=None, kv_table=None)
        >>> [(queues.broker_name, queues.read_queue_nums, queues.is_writable) for queues in orders]
        [('broker-a', 8, True), ('broker-b', 2, False)]
        """
        return self._native.register(
            _name("cluster_name", cluster_name),
            _name("broker_name", broker_name),
            _name("broker_addr", broker_addr),
            broker_id,
            _topics(topics),
            data_version,
            ha_server_addr,
            enable_acting_master,
            zone_name,
        )

    def unregister(self, broker_name: str, broker_id: int | None = None) -> None:
        """Take a broker out at once: the member of its group with that id, or the whole group.

        Raises `ValueError` if the server does not know it.

        >>> with EmbeddedNameServer() as server:
        ...     _ = server.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
        ...     server.unregister("broker-a")
        ...     server.snapshot().topics
        {}
        """
        if self._native.unregister(_name("broker_name", broker_name), broker_id) == 0:
            member = "" if broker_id is None else f" with the id {broker_id}"
            raise ValueError(f"the server knows no broker {broker_name!r}{member}")

    def snapshot(self) -> Snapshot:
        """All that the server knows at this moment.

        >>> with EmbeddedNameServer() as server:
        ...     _ = server.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
        ...     server.snapshot().clusters.cluster_addr_table
        {'c': ['broker-a']}
        """
        return Snapshot(*self._native.snapshot())

    def set_faults(self, *faults: str) -> None:
        """Have the server do these wrong from now on, and nothing else: for tests of what a program does then.

        Requests take effect in spite of faults, except where it says otherwise:

        - `refuse`: connections are closed instead of an answer; nothing is carried out
        - `go-away`: newer clients are told to go away (code 1500); nothing is carried out
        - `not-ready`: routes are refused with "name server not ready", as after a start
        - `empty`: answers are as if no broker had ever registered
        - `disagree`: routes lack the last of their broker groups, as of a server at odds with another one
        - `silent`: nothing is ever answered
        - `wrong-opaque`: answers name another request than the one that they are for
        - `slow=200ms`: answers are that late; `ns`, `us`, `ms` and `s` are units
        - `half-frame`: connections end within an answer
        - `forget`: once, at once: brokers, topics and a KV store without a file are gone and all connections close, as by a
          restart

        Raises `ValueError` for anything else, and then changes nothing.

        >>> from pyrocketmq.nameserver import NameServerResponseError, create_sync_client
        >>> with EmbeddedNameServer() as server, create_sync_client(server.host, server.port) as client:
        ...     _ = server.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
        ...     server.set_faults("not-ready", "slow=20ms")
        ...     try:
        ...         client.query_topic_route_info("orders")
        ...     except NameServerResponseError as error:
        ...         print(error.is_not_ready)
        ...     server.clear_faults()
        ...     print(len(client.query_topic_route_info("orders").queue_data_list))
        True
        1
        """
        self._native.set_faults([_text("faults", fault) for fault in faults])

    def clear_faults(self) -> None:
        """Have the server do nothing wrong any more; answers that are late leave at once."""
        self._native.set_faults([])

    @property
    def faults(self) -> list[str]:
        """What the server does wrong, in the order of the list at `set_faults`."""
        return self._native.faults()

    def stop(self) -> None:
        """Stop the server: connections are closed and the port is free when this returns. Stopping twice is nothing.

        With the setting `enableShutdownGracefully` (5.x) clients are told to go away first, for at most
        `shutdownWaitTimeSeconds`.
        """
        with Logged():
            self._native.stop()

    def __enter__(self) -> Self:
        self._native.check_running()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        stopped = "" if self._native.is_running() else ", stopped"
        return f"{type(self).__name__}({self.address!r}, personality={self._personality}{stopped})"


def _topics(topics: object) -> list[TopicConfig]:
    if isinstance(topics, Mapping):
        numbers = cast("Mapping[object, object]", topics).items()
        return [_with_queues(_name("topics", topic), queues) for topic, queues in numbers]
    if isinstance(topics, str) or not isinstance(topics, Iterable):
        raise TypeError(f"topics must be a dict of names and numbers of queues or TopicConfigs, not {topics!r}")
    # The core says which one is none.
    return list(cast("Iterable[TopicConfig]", topics))


def _with_queues(topic: str, queues: object) -> TopicConfig:
    if type(queues) is not int:
        raise TypeError(f"the number of queues of {topic!r} must be a whole number, not {queues!r}")
    if not 0 <= queues <= MOST_QUEUES:
        raise ValueError(f"the number of queues of {topic!r} must be 0 to {MOST_QUEUES}, not {queues}")
    return TopicConfig(topic, queues, queues)


def _settings(settings: object) -> list[tuple[str, str]]:
    if not isinstance(settings, Mapping):
        raise TypeError(f"settings must be a dict of names and values, not {settings!r}")
    entries = cast("Mapping[object, object]", settings)
    return [(_text("settings", key), _setting(key, value)) for key, value in entries.items()]


def _setting(key: object, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    raise TypeError(f"the setting {key!r} must be a text, a whole number, True or False, not {value!r}")


def _path(file: str | os.PathLike[str]) -> str:
    return _text("kv_file", file if isinstance(file, str) else os.fspath(file))


def _name(argument: str, value: object) -> str:
    name = _text(argument, value)
    if not name:
        raise ValueError(f"{argument} must not be empty")
    return name


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be text, not {value!r}")
    return value
