"""The manager for event loops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from .async_cache import AsyncRouteCache
from .cached_route import CachedRoute
from .client import AsyncNameServerClient
from .errors import NameServerError
from .known_brokers import Clusters, Question, members, subscription_address
from .manager_core import WORTH_ANOTHER_ROUND, ManagerCore, NameServerConfig, Running, found, masters
from .models import TopicRouteData

__all__ = ["AsyncNameServerManager", "create_async_nameserver_manager"]

T = TypeVar("T")

_Running: TypeAlias = Running[AsyncNameServerClient, AsyncRouteCache]


class AsyncNameServerManager(ManagerCore[AsyncNameServerClient, AsyncRouteCache]):
    """A `NameServerManager` for event loops: the same rules, and calls that are waited for with `await`.

    That is every method, `get_cache_info` and `clear_cache` too; `last_error` and `errors` are attributes.

    One manager may serve several event loops and any number of tasks. Cancelling a call takes no answer from others.
    `async with` starts and stops it.

    >>> async def broker() -> str | None:
    ...     async with create_async_nameserver_manager("ns1:9876;ns2:9876") as manager:
    ...         return await manager.get_broker_address("broker-a")
    """

    async def start(self) -> None:
        """Connect to every server. Raises `NameServerError` if none can be reached, and for addresses that are none.

        One that answers is enough: the others are waited for no longer than a second. A manager that runs already is left
        alone; after `stop` it may be started again.
        """
        if self._current:
            return
        client = AsyncNameServerClient(**self._client_arguments())
        running = self._run(client, AsyncRouteCache(client, **self._cache_rules()))
        try:
            await client.connect()
            if len(client.server_list()) > 1:
                await self._greet(client)
        except BaseException:
            await client.close()
            raise
        if self._current.setdefault("running", running) is not running:
            await client.close()

    async def _greet(self, client: AsyncNameServerClient) -> None:
        try:
            await client.query_data_version(**self._greeting())
        except NameServerError as error:
            self._greeted(error)

    async def stop(self) -> None:
        """Close all connections and forget everything, at once. Calls that wait bring `None`."""
        running = self._current.pop("running", None)
        if running is not None:
            await running.cache.close()
            await running.client.close()

    async def get_broker_address(self, broker_name: str, topic: str | None = None) -> str | None:
        """Where a broker is: its master, or the member with the smallest id if there is none.

        With a topic its route says so, else the clusters. `None` if there is no such broker or nobody could be asked.
        """
        try:
            running = self._started()
            known = running.brokers.address(broker_name)
            if known is not None:
                return known
            if topic:
                route = await self._route(running, topic)
                return self._explained(broker_name, running.brokers.address_in_route(broker_name, route), route)
            clusters = await self._clusters(running, broker_name)
            return self._explained(broker_name, running.brokers.address_in_clusters(broker_name, clusters), clusters)
        except NameServerError as error:
            return self._address_without_answer(broker_name, error)

    async def get_broker_address_in_subscription(self, broker_name: str, suggestion: int) -> tuple[str, bool] | None:
        """Where a consumer reads that was told to use the member with this id, and whether that is the master (id 0).

        If there is no such member it is the next id's, unless the master was suggested; else the smallest id's. `None` if
        there is no such broker or nobody could be asked.
        """
        try:
            clusters = await self._clusters(self._started(), broker_name)
        except NameServerError as error:
            self._failures.note(error)
            return None
        chosen = subscription_address(members(broker_name, clusters), suggestion)
        return self._explained(broker_name, chosen, clusters)

    async def get_topic_route(self, topic: str) -> TopicRouteData | None:
        """Where a topic's queues are. `None` if no server knows the topic or nobody could be asked.

        It is a `CachedRoute`, which all who ask share: do not change it.
        """
        try:
            return await self._route(self._started(), topic)
        except NameServerError as error:
            self._failures.note(error)
            return None

    async def get_all_broker_addresses(self, topic: str) -> list[str]:
        """The addresses of the masters that hold a topic. Empty if there is no route or no master."""
        return masters(await self.get_topic_route(topic))

    async def get_cache_info(self) -> dict[str, int]:
        """How many there are: `cached_broker_addresses`, `cached_routes` and `connected_nameservers`.

        A server closes a connection that was idle for two minutes; the next call that needs it opens it again.
        """
        return self._cache_info()

    async def clear_cache(self) -> None:
        """Forget all addresses and routes: the next calls ask."""
        self._clear_cache()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def _route(self, running: _Running, topic: str) -> CachedRoute:
        return found(topic, await self._in_rounds(running, lambda: running.cache.get_route(topic)))

    async def _clusters(self, running: _Running, broker_name: str) -> Clusters:
        return await self._in_rounds(running, lambda: self._ask_clusters(running, broker_name))

    async def _ask_clusters(self, running: _Running, broker_name: str) -> Clusters:
        # Here and not above: it would be most of the time that an import of this package takes.
        import asyncio

        while isinstance(question := running.brokers.clusters(broker_name), Question):
            if question.is_mine():
                with question:
                    question.answered(await running.client.get_broker_cluster_info(timeout=self._limit(question)))
                return self._answer(question)
            try:
                outcome = await asyncio.wait_for(asyncio.wrap_future(question.outcome), 2 * self.config.timeout)
            except TimeoutError:
                # Whoever asks was not slow then but is gone, with an event loop that nobody runs.
                outcome = None
                question.forget()
            answer = question.told(outcome)
            if answer is not None:
                return answer
        return question

    async def _in_rounds(self, running: _Running, ask: Callable[[], Awaitable[T]]) -> T:
        # Here and not above: it would be most of the time that an import of this package takes.
        import asyncio

        rounds = 1
        while True:
            try:
                return await ask()
            except WORTH_ANOTHER_ROUND:
                if self._is_last_round(running, rounds):
                    raise
            rounds += 1
            await asyncio.sleep(self.config.retry_interval)


def create_async_nameserver_manager(nameserver_addrs: str, **kwargs: Any) -> AsyncNameServerManager:
    """A manager of these servers for event loops: `host:port`, several separated by `;` or `,`.

    All else are fields of `NameServerConfig`, such as `timeout=5`. Nothing is connected before `start`.
    """
    return AsyncNameServerManager(NameServerConfig(nameserver_addrs, **kwargs))
