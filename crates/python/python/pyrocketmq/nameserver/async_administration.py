"""What operators and brokers ask of NameServers, for asyncio. What it does stands with `SyncNameServerClient`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._native import Request
from .broker_models import (
    BrokerMemberGroup,
    DataVersion,
    QueryDataVersionResult,
    RegisterBrokerResult,
    TopicConfig,
    TopicList,
)
from .models import QueueData

__all__ = ["AsyncAdministration"]


class AsyncAdministration:
    """The methods of `AsyncNameServerClient` for operators and brokers, each under both names."""

    async def _ask(self, request: Request, timeout: float | None) -> Any:
        raise NotImplementedError

    async def put_kv_config(
        self, namespace: str, key: str, value: str, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Set one value of the KV store at every server: request 100."""
        answers: list[tuple[str, None]] = await self._ask(Request.put_kv_config(namespace, key, value), timeout)
        return answers

    async def get_kv_config(self, namespace: str, key: str, *, timeout: float | None = None) -> str:
        """One value of one server's KV store: request 101."""
        answer: str = await self._ask(Request.get_kv_config(namespace, key), timeout)
        return answer

    async def delete_kv_config(
        self, namespace: str, key: str, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Remove one value of the KV store at every server: request 102."""
        answers: list[tuple[str, None]] = await self._ask(Request.delete_kv_config(namespace, key), timeout)
        return answers

    async def get_kv_list_by_namespace(self, namespace: str, *, timeout: float | None = None) -> dict[str, str]:
        """A whole namespace of one server's KV store: request 219."""
        answer: dict[str, str] = await self._ask(Request.get_kv_list_by_namespace(namespace), timeout)
        return answer

    async def get_all_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """All topics that one server knows, in any order: request 206."""
        answer: list[str] = await self._ask(Request.get_all_topic_list(), timeout)
        return answer

    async def delete_topic_in_namesrv(
        self, topic: str, cluster_name: str | None = None, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Take a topic from the routes of every server, of one cluster's brokers or of all: request 216."""
        answers: list[tuple[str, None]] = await self._ask(Request.delete_topic_in_namesrv(topic, cluster_name), timeout)
        return answers

    async def register_topic_in_namesrv(
        self, topic: str, queues: Iterable[QueueData], *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Add the queues of one topic to the routes of every server: request 217, 5.x only."""
        answers: list[tuple[str, None]] = await self._ask(
            Request.register_topic_in_namesrv(topic, list(queues)), timeout
        )
        return answers

    async def get_topics_by_cluster(self, cluster: str, *, timeout: float | None = None) -> list[str]:
        """The topics that have queues on any broker of a cluster, as one server knows them: request 224."""
        answer: list[str] = await self._ask(Request.get_topics_by_cluster(cluster), timeout)
        return answer

    async def get_system_topic_list(self, *, timeout: float | None = None) -> TopicList:
        """The names of all clusters and brokers, and the address of a broker that knows more: request 304."""
        answer: TopicList = await self._ask(Request.get_system_topic_list(), timeout)
        return answer

    async def get_unit_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """Topics that belong to a unit, flag bit 1 of their first queue entry: request 311."""
        answer: list[str] = await self._ask(Request.get_unit_topic_list(), timeout)
        return answer

    async def get_has_unit_sub_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """Topics that a unit subscribes to, flag bit 2: request 312."""
        answer: list[str] = await self._ask(Request.get_has_unit_sub_topic_list(), timeout)
        return answer

    async def get_has_unit_sub_ununit_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """Topics that a unit subscribes to and that belong to none, flag bit 2 without 1: request 313."""
        answer: list[str] = await self._ask(Request.get_has_unit_sub_ununit_topic_list(), timeout)
        return answer

    async def wipe_write_perm_of_broker(
        self, broker_name: str, *, timeout: float | None = None
    ) -> list[tuple[str, int]]:
        """Take the permission to write from all topics of a broker at every server: request 205."""
        answers: list[tuple[str, int]] = await self._ask(Request.wipe_write_perm_of_broker(broker_name), timeout)
        return answers

    async def add_write_perm_of_broker(
        self, broker_name: str, *, timeout: float | None = None
    ) -> list[tuple[str, int]]:
        """Give all topics of a broker the permission 6, read and write, at every server: request 327, from 4.9.2 on."""
        answers: list[tuple[str, int]] = await self._ask(Request.add_write_perm_of_broker(broker_name), timeout)
        return answers

    async def register_broker(
        self,
        cluster_name: str,
        broker_name: str,
        broker_addr: str,
        broker_id: int = 0,
        *,
        topics: Iterable[TopicConfig] = (),
        data_version: DataVersion | None = None,
        ha_server_addr: str | None = None,
        heartbeat_timeout_millis: int | None = None,
        enable_acting_master: bool | None = False,
        zone_name: str | None = None,
        timeout: float | None = None,
    ) -> list[tuple[str, RegisterBrokerResult]]:
        """Register a broker and its topics at every server: request 103."""
        answers: list[tuple[str, RegisterBrokerResult]] = await self._ask(
            Request.register_broker(
                cluster_name,
                broker_name,
                broker_addr,
                broker_id,
                list(topics),
                data_version,
                ha_server_addr,
                heartbeat_timeout_millis,
                enable_acting_master,
                zone_name,
            ),
            timeout,
        )
        return answers

    async def unregister_broker(
        self, cluster_name: str, broker_name: str, broker_addr: str, broker_id: int = 0, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Take a broker out of the tables of every server: request 104."""
        answers: list[tuple[str, None]] = await self._ask(
            Request.unregister_broker(cluster_name, broker_name, broker_addr, broker_id), timeout
        )
        return answers

    async def query_data_version(
        self,
        cluster_name: str,
        broker_name: str,
        broker_addr: str,
        broker_id: int,
        data_version: DataVersion,
        *,
        timeout: float | None = None,
    ) -> list[tuple[str, QueryDataVersionResult]]:
        """Ask every server whether it has other topics of a broker than the broker itself: request 322."""
        answers: list[tuple[str, QueryDataVersionResult]] = await self._ask(
            Request.query_data_version(cluster_name, broker_name, broker_addr, broker_id, data_version), timeout
        )
        return answers

    async def get_broker_member_group(
        self, cluster_name: str, broker_name: str, *, timeout: float | None = None
    ) -> BrokerMemberGroup:
        """The members of a broker group as one server knows them: request 901, 5.x only."""
        answer: BrokerMemberGroup = await self._ask(Request.get_broker_member_group(cluster_name, broker_name), timeout)
        return answer

    async def broker_heartbeat(
        self, cluster_name: str, broker_name: str, broker_addr: str, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Tell every server that a broker lives: request 904, 5.x only."""
        answers: list[tuple[str, None]] = await self._ask(
            Request.broker_heartbeat(cluster_name, broker_name, broker_addr), timeout
        )
        return answers

    async def update_namesrv_config(
        self, config: Mapping[str, str], *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Change settings of every server; the others stay: request 318."""
        answers: list[tuple[str, None]] = await self._ask(Request.update_namesrv_config(dict(config)), timeout)
        return answers

    async def get_namesrv_config(self, *, timeout: float | None = None) -> dict[str, str]:
        """All settings of one server, the one that works: request 319."""
        answer: dict[str, str] = await self._ask(Request.get_namesrv_config(), timeout)
        return answer

    async_put_kv_config = put_kv_config
    async_get_kv_config = get_kv_config
    async_delete_kv_config = delete_kv_config
    async_get_kv_list_by_namespace = get_kv_list_by_namespace
    async_get_all_topic_list = get_all_topic_list
    async_delete_topic_in_namesrv = delete_topic_in_namesrv
    async_register_topic_in_namesrv = register_topic_in_namesrv
    async_get_topics_by_cluster = get_topics_by_cluster
    async_get_system_topic_list = get_system_topic_list
    async_get_unit_topic_list = get_unit_topic_list
    async_get_has_unit_sub_topic_list = get_has_unit_sub_topic_list
    async_get_has_unit_sub_ununit_topic_list = get_has_unit_sub_ununit_topic_list
    async_wipe_write_perm_of_broker = wipe_write_perm_of_broker
    async_add_write_perm_of_broker = add_write_perm_of_broker
    async_register_broker = register_broker
    async_unregister_broker = unregister_broker
    async_query_data_version = query_data_version
    async_get_broker_member_group = get_broker_member_group
    async_broker_heartbeat = broker_heartbeat
    async_update_namesrv_config = update_namesrv_config
    async_get_namesrv_config = get_namesrv_config
