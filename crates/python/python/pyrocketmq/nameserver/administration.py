"""What operators and brokers ask of NameServers, blocking. Named as RocketMQ's requests are.

A read asks one server and another one if that fails. A write goes to every server, because each has tables of its own. It
returns a list of (server, answer) in the order in which the servers were given. If it fails at some of them, it raises the
error of the first, whose `results` has that list with an error in place of each answer that is missing: what was done
elsewhere stays done.
"""

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

__all__ = ["SyncAdministration"]


class SyncAdministration:
    """The methods of `SyncNameServerClient` for operators and brokers."""

    def _ask(self, request: Request, timeout: float | None) -> Any:
        raise NotImplementedError

    def put_kv_config(
        self, namespace: str, key: str, value: str, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Set one value of the KV store at every server: request 100.

        It stays until it is deleted, over restarts too. The namespace is made if there is none.
        """
        answers: list[tuple[str, None]] = self._ask(Request.put_kv_config(namespace, key, value), timeout)
        return answers

    def get_kv_config(self, namespace: str, key: str, *, timeout: float | None = None) -> str:
        """One value of one server's KV store: request 101.

        Raises `NameServerResponseError` with `is_not_found` if that server has none.
        """
        answer: str = self._ask(Request.get_kv_config(namespace, key), timeout)
        return answer

    def delete_kv_config(self, namespace: str, key: str, *, timeout: float | None = None) -> list[tuple[str, None]]:
        """Remove one value of the KV store at every server: request 102.

        Whether it was there is not told. A namespace never disappears, not even when it is empty.
        """
        answers: list[tuple[str, None]] = self._ask(Request.delete_kv_config(namespace, key), timeout)
        return answers

    def get_kv_list_by_namespace(self, namespace: str, *, timeout: float | None = None) -> dict[str, str]:
        """A whole namespace of one server's KV store: request 219.

        Raises `NameServerResponseError` with `is_not_found` if that server never had such a namespace.
        """
        answer: dict[str, str] = self._ask(Request.get_kv_list_by_namespace(namespace), timeout)
        return answer

    def get_all_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """All topics that one server knows, in any order: request 206.

        A 5.x server may have this switched off, and then refuses with code 1 and the remark `disable`.
        """
        answer: list[str] = self._ask(Request.get_all_topic_list(), timeout)
        return answer

    def delete_topic_in_namesrv(
        self, topic: str, cluster_name: str | None = None, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Take a topic from the routes of every server, of one cluster's brokers or of all: request 216.

        Whether it was there is not told. It stays on its brokers and comes back with their registrations: at a 5.x server
        with the next one, at a 4.x server with the next one that has changed. Servers before 4.9.4 do not know about
        clusters and take the topic from all of them.
        """
        answers: list[tuple[str, None]] = self._ask(Request.delete_topic_in_namesrv(topic, cluster_name), timeout)
        return answers

    def register_topic_in_namesrv(
        self, topic: str, queues: Iterable[QueueData], *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Add the queues of one topic to the routes of every server: request 217, 5.x only.

        They stay until a registration of their broker says otherwise, the topic is deleted or the broker goes. A server
        stops at the first broker that it does not know and does not tell. A 4.x server's result is an error with
        `is_unsupported`; nothing is sent to it.
        """
        answers: list[tuple[str, None]] = self._ask(Request.register_topic_in_namesrv(topic, list(queues)), timeout)
        return answers

    def get_topics_by_cluster(self, cluster: str, *, timeout: float | None = None) -> list[str]:
        """The topics that have queues on any broker of a cluster, as one server knows them: request 224.

        None for a cluster that it does not know. May be switched off as `get_all_topic_list` may.
        """
        answer: list[str] = self._ask(Request.get_topics_by_cluster(cluster), timeout)
        return answer

    def get_system_topic_list(self, *, timeout: float | None = None) -> TopicList:
        """The names of all clusters and brokers, and the address of a broker that knows more: request 304."""
        answer: TopicList = self._ask(Request.get_system_topic_list(), timeout)
        return answer

    def get_unit_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """Topics that belong to a unit, flag bit 1 of their first queue entry: request 311.

        May be switched off as `get_all_topic_list` may.
        """
        answer: list[str] = self._ask(Request.get_unit_topic_list(), timeout)
        return answer

    def get_has_unit_sub_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """Topics that a unit subscribes to, flag bit 2: request 312.

        May be switched off as `get_all_topic_list` may.
        """
        answer: list[str] = self._ask(Request.get_has_unit_sub_topic_list(), timeout)
        return answer

    def get_has_unit_sub_ununit_topic_list(self, *, timeout: float | None = None) -> list[str]:
        """Topics that a unit subscribes to and that belong to none, flag bit 2 without 1: request 313.

        May be switched off as `get_all_topic_list` may.
        """
        answer: list[str] = self._ask(Request.get_has_unit_sub_ununit_topic_list(), timeout)
        return answer

    def wipe_write_perm_of_broker(self, broker_name: str, *, timeout: float | None = None) -> list[tuple[str, int]]:
        """Take the permission to write from all topics of a broker at every server: request 205.

        The answers are how many topics have the broker, changed or not; 0 where nobody knows it. It lasts, topic by topic,
        until a registration with a changed data version contains the topic, or until the server restarts.
        """
        answers: list[tuple[str, int]] = self._ask(Request.wipe_write_perm_of_broker(broker_name), timeout)
        return answers

    def add_write_perm_of_broker(self, broker_name: str, *, timeout: float | None = None) -> list[tuple[str, int]]:
        """Give all topics of a broker the permission 6, read and write, at every server: request 327, from 4.9.2 on.

        It is 6 whatever it was. The answers and how long it lasts are as with `wipe_write_perm_of_broker`. A server before
        4.9.2 never answers, which is a timeout.
        """
        answers: list[tuple[str, int]] = self._ask(Request.add_write_perm_of_broker(broker_name), timeout)
        return answers

    def register_broker(
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
        """Register a broker and its topics at every server: request 103.

        It holds as long as the connections that it came over, so this client stands for the broker until `disconnect`; use
        one client for each broker. Repeat it: a server forgets a broker that was silent for 120 s, or for
        `heartbeat_timeout_millis` (5.x). Without a `data_version` each registration counts as changed. `ha_server_addr` is
        the broker's own address unless told otherwise. 4.x brokers do not say `enable_acting_master`: pass `None` for that.
        A 5.x server refuses a new broker with exactly one topic.
        """
        answers: list[tuple[str, RegisterBrokerResult]] = self._ask(
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

    def unregister_broker(
        self, cluster_name: str, broker_name: str, broker_addr: str, broker_id: int = 0, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Take a broker out of the tables of every server: request 104.

        A 4.x server goes by its name and id, a 5.x server by its name and address, a moment after it has answered. A broker
        that lives comes back with its next registration.
        """
        answers: list[tuple[str, None]] = self._ask(
            Request.unregister_broker(cluster_name, broker_name, broker_addr, broker_id), timeout
        )
        return answers

    def query_data_version(
        self,
        cluster_name: str,
        broker_name: str,
        broker_addr: str,
        broker_id: int,
        data_version: DataVersion,
        *,
        timeout: float | None = None,
    ) -> list[tuple[str, QueryDataVersionResult]]:
        """Ask every server whether it has other topics of a broker than the broker itself: request 322.

        A server that does not know the broker says that it has changed. The request is a sign of life, too (at a 4.x server
        only if nothing has changed), and lasts for the time that the broker registered with.
        """
        answers: list[tuple[str, QueryDataVersionResult]] = self._ask(
            Request.query_data_version(cluster_name, broker_name, broker_addr, broker_id, data_version), timeout
        )
        return answers

    def get_broker_member_group(
        self, cluster_name: str, broker_name: str, *, timeout: float | None = None
    ) -> BrokerMemberGroup:
        """The members of a broker group as one server knows them: request 901, 5.x only.

        None for a group that it does not know; the cluster is not looked at. Raises `NameServerResponseError` with
        `is_unsupported`, without asking, if all servers that could be reached are of 4.x.
        """
        answer: BrokerMemberGroup = self._ask(Request.get_broker_member_group(cluster_name, broker_name), timeout)
        return answer

    def broker_heartbeat(
        self, cluster_name: str, broker_name: str, broker_addr: str, *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Tell every server that a broker lives: request 904, 5.x only.

        It lasts for the time that the broker registered with. Servers do it whether they know the broker or not, and do not
        tell. A 4.x server's result is an error with `is_unsupported`; nothing is sent to it.
        """
        answers: list[tuple[str, None]] = self._ask(
            Request.broker_heartbeat(cluster_name, broker_name, broker_addr), timeout
        )
        return answers

    def update_namesrv_config(
        self, config: Mapping[str, str], *, timeout: float | None = None
    ) -> list[tuple[str, None]]:
        """Change settings of every server; the others stay: request 318.

        They are stored and outlive a restart; many take effect only with one. What a server does not know it ignores without
        a word. From 4.9.6 on servers refuse with code 16 to change where their files are, and then change nothing; older
        servers do change that.
        """
        answers: list[tuple[str, None]] = self._ask(Request.update_namesrv_config(dict(config)), timeout)
        return answers

    def get_namesrv_config(self, *, timeout: float | None = None) -> dict[str, str]:
        """All settings of one server, the one that works: request 319.

        Each server has its own: for those of a certain one make a client of that one alone.
        """
        answer: dict[str, str] = self._ask(Request.get_namesrv_config(), timeout)
        return answer
