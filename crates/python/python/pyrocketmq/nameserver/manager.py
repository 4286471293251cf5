"""The managers that programs of the older pure-Python package use: `None` instead of exceptions, on the route cache.

`RouteCache` says more: why there is no route, how old it is, what changes. Here an error is counted and logged
(`pyrocketmq.nameserver.manager`), and what was asked for is `None`. The one for event loops is in `async_manager`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from .cache import RouteCache
from .cached_route import CachedRoute
from .client import SyncNameServerClient
from .errors import NameServerError
from .known_brokers import Clusters, Question, members, subscription_address
from .manager_core import WORTH_ANOTHER_ROUND, ManagerCore, NameServerConfig, Running, found, masters
from .models import TopicRouteData

__all__ = ["NameServerConfig", "NameServerManager", "create_nameserver_manager"]

T = TypeVar("T")

_Running: TypeAlias = Running[SyncNameServerClient, RouteCache]


class NameServerManager(ManagerCore[SyncNameServerClient, RouteCache]):
    """Addresses of brokers and routes of topics, out of a cache, or `None`: never an exception after `start`.

    It is what the older pure-Python package has under this name, on a `RouteCache`:

    * A known route or address is served while servers fail, for an hour if it must be.
    * Whoever wants the same waits for one question. A topic that is not there is not asked for again for three seconds,
      nor the clusters for a broker that is not in them.
    * Each call asks all servers if it must. It is asked again, `max_retry_times` in all, only if none could be reached
      or none answered in time; never if a server says "topic not found" or refuses.
    * `None` and `[]` instead of an answer are explained: `last_error`, `errors`, and the logger
      `pyrocketmq.nameserver.manager`, which has each kind of failure once. A topic that no server knows counts among the
      errors and is logged for debugging only; a broker that no server knows is `None` without an error.

    Any number of threads may share a manager. `with` starts and stops it. A forked child has empty caches, and connects
    anew by itself.

    >>> with create_nameserver_manager("ns1:9876;ns2:9876") as manager:  # doctest: +SKIP
    ...     manager.get_broker_address("broker-a")
    """

    def start(self) -> None:
        """Connect to every server. Raises `NameServerError` if none can be reached, and for addresses that are none.

        One that answers is enough: the others are waited for no longer than a second. A manager that runs already is left
        alone; after `stop` it may be started again.
        """
        if self._current:
            return
        client = SyncNameServerClient(**self._client_arguments())
        running = self._run(client, RouteCache(client=client, **self._cache_rules()))
        try:
            client.connect()
            if len(client.server_list()) > 1:
                self._greet(client)
        except BaseException:
            client.close()
            raise
        if self._current.setdefault("running", running) is not running:
            client.close()

    def _greet(self, client: SyncNameServerClient) -> None:
        try:
            client.query_data_version(**self._greeting())
        except NameServerError as error:
            self._greeted(error)

    def stop(self) -> None:
        """Close all connections and forget everything, at once. Calls that wait bring `None`."""
        running = self._current.pop("running", None)
        if running is not None:
            running.cache.close()
            running.client.close()

    def get_broker_address(self, broker_name: str, topic: str | None = None) -> str | None:
        """Where a broker is: its master, or the member with the smallest id if there is none.

        With a topic its route says so, else the clusters. `None` if there is no such broker or nobody could be asked.
        """
        try:
            running = self._started()
            known = running.brokers.address(broker_name)
            if known is not None:
                return known
            if topic:
                route = self._route(running, topic)
                return self._explained(broker_name, running.brokers.address_in_route(broker_name, route), route)
            clusters = self._clusters(running, broker_name)
            return self._explained(broker_name, running.brokers.address_in_clusters(broker_name, clusters), clusters)
        except NameServerError as error:
            return self._address_without_answer(broker_name, error)

    def get_broker_address_in_subscription(self, broker_name: str, suggestion: int) -> tuple[str, bool] | None:
        """Where a consumer reads that was told to use the member with this id, and whether that is the master (id 0).

        If there is no such member it is the next id's, unless the master was suggested; else the smallest id's. `None` if
        there is no such broker or nobody could be asked.
        """
        try:
            clusters = self._clusters(self._started(), broker_name)
        except NameServerError as error:
            self._failures.note(error)
            return None
        chosen = subscription_address(members(broker_name, clusters), suggestion)
        return self._explained(broker_name, chosen, clusters)

    def get_topic_route(self, topic: str) -> TopicRouteData | None:
        """Where a topic's queues are. `None` if no server knows the topic or nobody could be asked.

        It is a `CachedRoute`, which all who ask share: do not change it.
        """
        try:
            return self._route(self._started(), topic)
        except NameServerError as error:
            self._failures.note(error)
            return None

    def get_all_broker_addresses(self, topic: str) -> list[str]:
        """The addresses of the masters that hold a topic. Empty if there is no route or no master."""
        return masters(self.get_topic_route(topic))

    def get_cache_info(self) -> dict[str, int]:
        """How many there are: `cached_broker_addresses`, `cached_routes` and `connected_nameservers`.

        A server closes a connection that was idle for two minutes; the next call that needs it opens it again.
        """
        return self._cache_info()

    def clear_cache(self) -> None:
        """Forget all addresses and routes: the next calls ask."""
        self._clear_cache()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _route(self, running: _Running, topic: str) -> CachedRoute:
        return found(topic, self._in_rounds(running, lambda: running.cache.get_route(topic)))

    def _clusters(self, running: _Running, broker_name: str) -> Clusters:
        return self._in_rounds(running, lambda: self._ask_clusters(running, broker_name))

    def _ask_clusters(self, running: _Running, broker_name: str) -> Clusters:
        while isinstance(question := running.brokers.clusters(broker_name), Question):
            if question.is_mine():
                with question:
                    question.answered(running.client.get_broker_cluster_info(timeout=self._limit(question)))
                return self._answer(question)
            answer = question.told(question.outcome.result())
            if answer is not None:
                return answer
        return question

    def _in_rounds(self, running: _Running, ask: Callable[[], T]) -> T:
        rounds = 1
        while True:
            try:
                return ask()
            except WORTH_ANOTHER_ROUND:
                if self._is_last_round(running, rounds):
                    raise
            rounds += 1
            time.sleep(self.config.retry_interval)


def create_nameserver_manager(nameserver_addrs: str, **kwargs: Any) -> NameServerManager:
    """A blocking manager of these servers: `host:port`, several separated by `;` or `,`.

    All else are fields of `NameServerConfig`, such as `timeout=5`. Nothing is connected before `start`.
    """
    return NameServerManager(NameServerConfig(nameserver_addrs, **kwargs))
