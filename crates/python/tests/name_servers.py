"""The NameServers that tests ask: one in this process, and real ones in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from pyrocketmq.nameserver import BrokerData, EmbeddedNameServer, QueueData, TopicConfig

TOPIC = "test_topic"

RELEASES = ("4.9.7", "5.3.3")


@dataclass(frozen=True)
class NameServer:
    """A running NameServer and what it knows."""

    address: str
    #: The groups that hold `TOPIC`.
    brokers: list[BrokerData]
    #: The queues of `TOPIC`.
    queues: list[QueueData]
    #: Cluster name to the names of its groups.
    clusters: dict[str, list[str]]
    #: Of the real ones.
    release: str | None = None

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


def filled(server: EmbeddedNameServer) -> NameServer:
    """Registers two clusters: `TOPIC` is on both groups of the first, `orders` on the second.

    Nobody listens at the brokers' addresses.
    """
    here, there = {TOPIC: 8}, [TopicConfig(TOPIC, 4, 4), TopicConfig("read_only", 4, 4, perm=4)]
    server.register("cluster-1", "broker-a", "127.0.0.1:10911", topics=here)
    server.register("cluster-1", "broker-a", "127.0.0.1:10921", 1, topics=here)
    server.register("cluster-1", "broker-b", "127.0.0.1:10931", topics=there)
    server.register("cluster-2", "broker-c", "127.0.0.1:10941", topics={"orders": 4})
    return NameServer(
        server.address,
        [
            BrokerData("cluster-1", "broker-a", {0: "127.0.0.1:10911", 1: "127.0.0.1:10921"}),
            BrokerData("cluster-1", "broker-b", {0: "127.0.0.1:10931"}),
        ],
        [QueueData("broker-a", 8, 8, 6, 0), QueueData("broker-b", 4, 4, 6, 0)],
        {"cluster-1": ["broker-a", "broker-b"], "cluster-2": ["broker-c"]},
    )


class Real:
    """A real NameServer and a real broker, started by the program that `REAL_SERVERS_BIN` names."""

    def __init__(self, release: str) -> None:
        # Ctrl-C is for the tests; the program ends when its stdin does.
        self._process = subprocess.Popen(
            [os.environ["REAL_SERVERS_BIN"], release],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if not ready:
            self.stop()
            raise RuntimeError(f"no servers {release}; what the program said is on stderr")
        said = json.loads(ready)
        self.name_server = NameServer(
            said["namesrv"],
            [BrokerData("DefaultCluster", "broker-a", {0: said["broker"]})],
            [QueueData("broker-a", 8, 8, 6, 0)],
            {"DefaultCluster": ["broker-a"]},
            release,
        )
        assert said["topic"] == TOPIC

    def stop(self) -> None:
        """Ends the servers and waits until they are gone."""
        try:
            self._process.communicate(timeout=60)
        finally:
            self._process.kill()
            self._process.wait()
