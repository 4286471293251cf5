"""Asking every NameServer the same, to compare what they say: methods of both clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._native import Request
from .disagreement import AllClusters, AllRoutes, AllTopics

__all__ = ["AsyncQueryAll", "SyncQueryAll"]


class SyncQueryAll:
    """The methods of `SyncNameServerClient` that ask every server. Nobody stands in for one that fails."""

    def _ask(self, request: Request, timeout: float | None) -> Any:
        raise NotImplementedError

    def query_all(self, topic: str, *, timeout: float | None = None) -> AllRoutes:
        """The route of a topic as every server has it: request 105 to all of them at the same time.

        `timeout` limits, in seconds, what each server may take. What a server fails with is in the result; nothing of it is
        raised. One look: brokers tell the servers one after the other, so a difference may be that of a moment. Ask again
        half a second later before somebody is woken up for it.

        >>> def report(client: SyncNameServerClient) -> None:
        ...     for difference in client.query_all("orders").differences:
        ...         print(f"{difference.servers} unlike {difference.than}: {difference.changes}")
        """
        answer: AllRoutes = self._ask(Request.query_all(topic), timeout)
        return answer

    def query_all_many(self, topics: Iterable[str], *, timeout: float | None = None) -> list[AllRoutes]:
        """The routes of many topics as every server has them, pipelined to each server: one result per topic, in order.

        A server that cannot be reached is soon given up, however many topics there are. All routes are held until the last one
        is there: of very many topics ask some thousands at a time.

        >>> def differing(client: SyncNameServerClient, topics: list[str]) -> list[str]:
        ...     return [routes.topic for routes in client.query_all_many(topics) if routes.is_disagreement]
        """
        answer: list[AllRoutes] = self._ask(Request.query_all_many(_topics(topics)), timeout)
        return answer

    def query_all_topics(self, *, timeout: float | None = None) -> AllTopics:
        """All topics as every server lists them: request 206.

        A 5.x server that has the list switched off is asked for the topics of each of its clusters instead (106 and 224),
        which leaves out topics without any broker.

        >>> def missing(client: SyncNameServerClient) -> dict[str, list[str]]:
        ...     return {topic.topic: topic.missing_at for topic in client.query_all_topics().differences}
        """
        answer: AllTopics = self._ask(Request.query_all_topics(), timeout)
        return answer

    def query_all_clusters(self, *, timeout: float | None = None) -> AllClusters:
        """Brokers and clusters as every server knows them: request 106.

        >>> def differing_brokers(client: SyncNameServerClient) -> list[str]:
        ...     return [broker.broker_name for broker in client.query_all_clusters().differences]
        """
        answer: AllClusters = self._ask(Request.query_all_clusters(), timeout)
        return answer


class AsyncQueryAll:
    """The same of `AsyncNameServerClient`, each under both names."""

    async def _ask(self, request: Request, timeout: float | None) -> Any:
        raise NotImplementedError

    async def query_all(self, topic: str, *, timeout: float | None = None) -> AllRoutes:
        """The route of a topic as every server has it; see `SyncNameServerClient.query_all`."""
        answer: AllRoutes = await self._ask(Request.query_all(topic), timeout)
        return answer

    async def query_all_many(self, topics: Iterable[str], *, timeout: float | None = None) -> list[AllRoutes]:
        """The routes of many topics as every server has them; see `SyncNameServerClient.query_all_many`."""
        answer: list[AllRoutes] = await self._ask(Request.query_all_many(_topics(topics)), timeout)
        return answer

    async def query_all_topics(self, *, timeout: float | None = None) -> AllTopics:
        """All topics as every server lists them; see `SyncNameServerClient.query_all_topics`."""
        answer: AllTopics = await self._ask(Request.query_all_topics(), timeout)
        return answer

    async def query_all_clusters(self, *, timeout: float | None = None) -> AllClusters:
        """Brokers and clusters as every server knows them: request 106."""
        answer: AllClusters = await self._ask(Request.query_all_clusters(), timeout)
        return answer

    async_query_all = query_all
    async_query_all_many = query_all_many
    async_query_all_topics = query_all_topics
    async_query_all_clusters = query_all_clusters


def _topics(topics: Iterable[str]) -> list[str]:
    # Each letter of one text would be asked for.
    if isinstance(topics, str):
        raise TypeError(f"topics must be a list of texts, not the text {topics!r}")
    return list(topics)
