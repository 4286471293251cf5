"""The embedded server as users have it: what it knows and answers, wrong use, threads, fork, the end of the interpreter."""

from __future__ import annotations

import contextlib
import doctest
import errno
import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    BrokerClusterInfo,
    BrokerData,
    DataVersion,
    EmbeddedNameServer,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    QueueData,
    RegisterBrokerResult,
    Snapshot,
    SyncNameServerClient,
    TopicConfig,
    create_sync_client,
    embedded,
)

from .programs import run_python

BROKER = ("cluster-1", "broker-a", "10.0.0.1:10911")


def ask_for_ever(client: SyncNameServerClient) -> None:
    while True:
        client.get_broker_cluster_info()


def test_the_examples_of_the_documentation_run() -> None:
    ran = doctest.testmod(embedded, optionflags=doctest.ELLIPSIS)
    assert (ran.failed, ran.attempted > 5) == (0, True)


def test_clients_are_answered_from_what_was_registered(nameserver: EmbeddedNameServer) -> None:
    slave = ("cluster-1", "broker-a", "10.0.0.2:10911", 1)
    assert nameserver.register(*BROKER, topics={"orders": 8}) == RegisterBrokerResult()
    expected = RegisterBrokerResult(BROKER[2], BROKER[2])
    assert nameserver.register(*slave, topics={"orders": 8}) == expected, "a slave hears of its master"
    nameserver.register("cluster-2", "broker-b", "10.0.0.3:10911", topics=[TopicConfig("orders", 4, 2, perm=4)])
    with create_sync_client(nameserver.host, nameserver.port) as client:
        route = client.query_topic_route_info("orders")
        clusters = client.get_broker_cluster_info()
        client.put_kv_config("namespace", "key", "value")
    queues = [QueueData("broker-a", 8, 8, 6, 0), QueueData("broker-b", 4, 2, 4, 0)]
    assert sorted(route.queue_data_list, key=lambda queue: queue.broker_name) == queues
    members = {0: BROKER[2], 1: slave[2]}
    assert BrokerData("cluster-1", "broker-a", members, enable_acting_master=False) in route.broker_data_list
    assert nameserver.snapshot() == Snapshot(clusters, {"orders": queues}, {"namespace": {"key": "value"}})


def test_a_new_server_knows_nothing(nameserver: EmbeddedNameServer) -> None:
    assert nameserver.snapshot() == Snapshot(BrokerClusterInfo(), {}, {})
    with SyncNameServerClient(nameserver.address) as client, pytest.raises(NameServerResponseError) as raised:
        client.query_topic_route_info("orders")
    assert raised.value.is_topic_not_found


def test_a_single_topic_is_as_good_as_two(nameserver: EmbeddedNameServer, caplog: pytest.LogCaptureFixture) -> None:
    """Over the network a 5.x server refuses a new broker with exactly one, and says so in its log."""
    for broker_id in (0, 1):
        nameserver.register("c", "broker-a", f"a:{broker_id}", broker_id, topics={"orders": 8})
    nameserver.register("c", "broker-a", "a:0", topics={"payments": 4})
    assert list(nameserver.snapshot().topics) == ["orders", "payments"]
    assert nameserver.snapshot().clusters.broker_addr_table["broker-a"].broker_addresses == {0: "a:0", 1: "a:1"}
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


def test_what_a_broker_says_of_itself_is_kept(nameserver: EmbeddedNameServer) -> None:
    version = DataVersion(counter=7, timestamp=1_700_000_000_000)
    nameserver.register(
        *BROKER, data_version=version, ha_server_addr="10.0.0.1:1", enable_acting_master=True, zone_name="zone-1"
    )
    result = nameserver.register("cluster-1", "broker-a", "10.0.0.2:10911", 1, enable_acting_master=True)
    assert result.ha_server_addr == "10.0.0.1:1"
    with SyncNameServerClient(nameserver.address) as client:
        ((_, known),) = client.query_data_version(*BROKER, 0, version)
    assert (known.changed, known.data_version) == (False, version)
    nameserver.register(*BROKER, enable_acting_master=True, zone_name="zone-1")
    group = nameserver.snapshot().clusters.broker_addr_table["broker-a"]
    assert (group.enable_acting_master, group.zone_name) == (True, "zone-1")


def test_a_registration_without_a_version_counts_as_changed(nameserver: EmbeddedNameServer) -> None:
    for queues in (8, 4, 16):
        nameserver.register(*BROKER, topics={"orders": queues})
        assert nameserver.snapshot().topics["orders"][0].read_queue_nums == queues


@pytest.mark.parametrize("personality", [4, 5])
def test_brokers_go_one_by_one_or_as_a_group(personality: Any) -> None:
    with EmbeddedNameServer(personality=personality) as server:

        def members() -> dict[str, dict[int, str]]:
            groups = server.snapshot().clusters.broker_addr_table
            return {name: group.broker_addresses for name, group in groups.items()}

        for broker_name in ("broker-a", "broker-b"):
            for broker_id in (0, 1):
                server.register("c", broker_name, f"{broker_name}-{broker_id}:1", broker_id, topics={"orders": 8})
        server.unregister("broker-a", 1)
        server.unregister("broker-b")
        assert members() == {"broker-a": {0: "broker-a-0:1"}}
        assert [queues.broker_name for queues in server.snapshot().topics["orders"]] == ["broker-a"]
        for group, unknown in (("broker-a", 1), ("broker-b", None), ("broker-b", 0)):
            with pytest.raises(ValueError, match=group):
                server.unregister(group, unknown)
        server.unregister("broker-a", 0)
        assert server.snapshot() == Snapshot(BrokerClusterInfo(), {}, {})


def test_both_releases_are_there() -> None:
    for personality, release in ((4, "V4_9_7"), (5, "V5_3_3")):
        with (
            EmbeddedNameServer(personality=personality) as server,  # type: ignore[arg-type]
            SyncNameServerClient(server.address) as client,
        ):
            client.get_broker_cluster_info()
            assert client.stats()[0].version == release
            assert f"personality={personality}" in repr(server)


def test_settings_and_the_kv_file_are_the_servers_own(tmp_path: Path) -> None:
    file = tmp_path / "kvConfig.json"
    settings: dict[str, str | int] = {"orderMessageEnable": True, "shutdownWaitTimeSeconds": 3, "clusterTest": "false"}
    for kv_file, value in ((file, "first"), (str(file), "second")):
        with (
            EmbeddedNameServer(kv_file=kv_file, settings=settings) as server,
            SyncNameServerClient(server.address) as client,
        ):
            if value == "second":
                assert server.snapshot().kv == {"namespace": {"key": "first"}}, "it is read when a server starts"
            client.put_kv_config("namespace", "key", value)
            config = client.get_namesrv_config()
            assert {key: config[key] for key in settings} == {
                "orderMessageEnable": "true",
                "shutdownWaitTimeSeconds": "3",
                "clusterTest": "false",
            }
            with pytest.raises(OSError, match="another NameServer uses it"):
                EmbeddedNameServer(kv_file=file)


def test_it_has_an_address_in_three_forms() -> None:
    with EmbeddedNameServer() as server:
        assert server.address == f"127.0.0.1:{server.port}"
        assert server.host == "127.0.0.1"
        assert server.port > 0
    with EmbeddedNameServer("[::1]:0") as server, create_sync_client(server.host, server.port) as client:
        assert server.address == f"[::1]:{server.port}"
        assert client.is_connected()


def test_many_servers_never_meet() -> None:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(EmbeddedNameServer()) for _ in range(20)]
        for number, server in enumerate(servers):
            server.register(*BROKER, topics={"orders": number})
        assert len({server.port for server in servers}) == 20
        for number, server in enumerate(servers):
            with SyncNameServerClient(server.address) as client:
                assert client.query_topic_route_info("orders").queue_data_list[0].read_queue_nums == number


def test_stopping_closes_connections_and_frees_the_port() -> None:
    server = EmbeddedNameServer()
    with SyncNameServerClient(server.address) as client:
        server.stop()
        server.stop()
        with pytest.raises(NameServerConnectionError):
            client.get_broker_cluster_info()
    with EmbeddedNameServer(server.address) as again, SyncNameServerClient(server.address) as client:
        assert again.address == server.address
        client.get_broker_cluster_info()
    assert "stopped" in repr(server)
    calls: list[Callable[[], object]] = [
        server.snapshot,
        lambda: server.register(*BROKER),
        lambda: server.unregister("broker-a"),
        lambda: server.set_faults("silent"),
        lambda: server.faults,
        server.__enter__,
    ]
    for call in calls:
        with pytest.raises(NameServerError, match="the server has stopped"):
            call()


def test_a_server_that_nobody_holds_stops() -> None:
    server = EmbeddedNameServer()
    with SyncNameServerClient(server.address) as client:
        del server
        gc.collect()
        with pytest.raises(NameServerConnectionError):
            ask_for_ever(client)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("refuse", NameServerConnectionError, "orders"),
        ("go-away", NameServerConnectionError, "shutting down"),
        ("not-ready", NameServerResponseError, "not ready"),
        ("empty", NameServerResponseError, "orders"),
        ("disagree", NameServerResponseError, "orders"),
        ("silent", NameServerTimeoutError, "no answer"),
        ("wrong-opaque", NameServerTimeoutError, "no answer"),
        ("slow=60s", NameServerTimeoutError, "no answer"),
        ("half-frame", NameServerConnectionError, "orders"),
        ("forget", NameServerResponseError, "orders"),
    ],
)
def test_a_client_sees_each_fault(
    nameserver: EmbeddedNameServer,
    nameserver_client: SyncNameServerClient,
    fault: str,
    error: type[Exception],
    says: str,
) -> None:
    nameserver.register(*BROKER, topics={"orders": 8})
    expected = nameserver_client.query_topic_route_info("orders")
    nameserver.set_faults(fault)
    assert nameserver.faults == ([] if fault == "forget" else [fault])
    with pytest.raises(error, match=says):
        nameserver_client.query_topic_route_info("orders", timeout=1)
    nameserver.clear_faults()
    assert nameserver.faults == []
    nameserver.register(*BROKER, topics={"orders": 8})
    assert nameserver_client.query_topic_route_info("orders") == expected


def test_faults_are_set_together_or_not_at_all(nameserver: EmbeddedNameServer) -> None:
    nameserver.set_faults("slow=2000ms", "empty")
    assert nameserver.faults == ["empty", "slow=2s"]
    wrong: list[tuple[Any, type[Exception], str]] = [
        (("silent", "sleepy"), ValueError, "sleepy.*not-ready"),
        (("slow",), ValueError, "slow=200ms"),
        ((["silent"],), TypeError, "faults"),
    ]
    for faults, error, says in wrong:
        with pytest.raises(error, match=says):
            nameserver.set_faults(*faults)
        assert nameserver.faults == ["empty", "slow=2s"]
    nameserver.set_faults("silent")
    assert nameserver.faults == ["silent"]
    nameserver.set_faults()
    assert nameserver.faults == []


async def test_it_serves_the_event_loop_that_it_was_started_in(nameserver: EmbeddedNameServer) -> None:
    with EmbeddedNameServer() as inside:
        inside.register(*BROKER, topics={"orders": 8})
        nameserver.register(*BROKER, topics={"orders": 8})
        async with AsyncNameServerClient(inside.address) as one, AsyncNameServerClient(nameserver.address) as other:
            assert await one.query_topic_route_info("orders") == await other.query_topic_route_info("orders")


def test_threads_share_a_server(nameserver: EmbeddedNameServer) -> None:
    def broker(number: int) -> None:
        name = f"broker-{number}"
        nameserver.register("c", name, f"{name}:1", topics={"orders": number, name: 1})
        assert name in nameserver.snapshot().topics
        with SyncNameServerClient(nameserver.address) as client:
            (queues,) = client.query_topic_route_info(name).queue_data_list
            assert queues == QueueData(name, 1, 1, 6, 0)
        if number % 2:
            nameserver.unregister(name)

    with ThreadPoolExecutor(16) as threads:
        assert len(list(threads.map(broker, range(200)))) == 200
    assert len(nameserver.snapshot().topics["orders"]) == 100


def test_all_who_stop_a_server_see_it_stopped() -> None:
    def stop(server: EmbeddedNameServer, together: threading.Barrier) -> None:
        together.wait()
        server.stop()
        with pytest.raises(NameServerConnectionError):
            SyncNameServerClient(server.address).connect()

    with ThreadPoolExecutor(4) as threads:
        for _ in range(20):
            server, together = EmbeddedNameServer(), threading.Barrier(4)
            for stopped in [threads.submit(stop, server, together) for _ in range(4)]:
                stopped.result()


def test_other_threads_run_while_a_server_stops() -> None:
    """It waits for its clients here, without the GIL."""
    settings = {"enableShutdownGracefully": True, "shutdownWaitTimeSeconds": 30}
    server = EmbeddedNameServer(settings=settings)
    with SyncNameServerClient(server.address) as client:
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while "stopped" not in repr(server):
            pass
        client.disconnect()
        stopping.join(20)
        assert not stopping.is_alive()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_leaves_its_parents_server_alone_and_starts_its_own(nameserver: EmbeddedNameServer) -> None:
    nameserver.register(*BROKER, topics={"orders": 8})

    def child() -> None:
        with SyncNameServerClient(nameserver.address, timeout=20) as client:
            assert len(client.query_topic_route_info("orders").queue_data_list) == 1
        for call in (nameserver.snapshot, lambda: nameserver.register(*BROKER)):
            with pytest.raises(NameServerError, match="fork"):
                call()
        nameserver.stop()
        with EmbeddedNameServer() as server, SyncNameServerClient(server.address, timeout=20) as client:
            server.register(*BROKER, topics={"payments": 4})
            assert client.get_all_topic_list() == ["payments"]

    forked = os.fork()
    if forked == 0:
        code = 1
        try:
            child()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(forked, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with SyncNameServerClient(nameserver.address) as client:
        assert client.get_all_topic_list() == ["orders"]
    assert list(nameserver.snapshot().topics) == ["orders"]


def test_a_forked_child_may_end_like_any_program() -> None:
    script = """
import os, sys
from pyrocketmq.nameserver import EmbeddedNameServer, SyncNameServerClient
server = EmbeddedNameServer()
client = SyncNameServerClient(server.address, timeout=20)
client.connect()
if os.fork() == 0:
    del server
    sys.exit()
_, status = os.wait()
client.get_broker_cluster_info()
server.stop()
print("ended", os.waitstatus_to_exitcode(status))
"""
    ended = run_python(script)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended 0\n", "")


@pytest.mark.parametrize("daemon", [True, False])
def test_the_interpreter_ends_with_a_server_that_runs(daemon: bool) -> None:
    script = """
import sys, threading, time
from pyrocketmq.nameserver import EmbeddedNameServer, SyncNameServerClient
server = EmbeddedNameServer()
client = SyncNameServerClient(server.address, timeout=20)
started = time.monotonic()
def use():
    while time.monotonic() < started + 0.5 or sys.argv[1] == "True":
        server.register("c", "broker-a", "a:1", topics={"orders": 8})
        client.query_topic_route_info("orders")
        with EmbeddedNameServer() as other:
            other.snapshot()
for _ in range(8):
    threading.Thread(target=use, daemon=sys.argv[1] == "True").start()
time.sleep(0.2)
print("ending", flush=True)
"""
    for _ in range(3):
        ended = run_python(script, str(daemon))
        assert (ended.returncode, ended.stdout) == (0, "ending\n"), ended.stderr


def test_the_last_words_of_a_program_may_be_to_its_server() -> None:
    script = """
import atexit
from pyrocketmq.nameserver import EmbeddedNameServer, SyncNameServerClient
def last():
    with SyncNameServerClient(server.address) as client:
        print(len(client.get_all_topic_list()))
    server.stop()
atexit.register(last)
server = EmbeddedNameServer()
server.register("c", "broker-a", "a:1", topics={"orders": 8})
"""
    ended = run_python(script)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"listen": 9876}, TypeError, "listen"),
        ({"listen": "nonsense"}, ValueError, "nonsense"),
        ({"listen": "127.0.0.1:65536"}, ValueError, "65536"),
        ({"listen": "192.0.2.1:0"}, OSError, "192.0.2.1"),
        ({"personality": 3}, ValueError, "personality"),
        ({"personality": "5"}, ValueError, "personality"),
        ({"kv_file": 5}, TypeError, "PathLike"),
        ({"kv_file": b"kv.json"}, TypeError, "kv_file"),
        ({"kv_file": f"{__file__}/kv.json"}, OSError, "kv.json"),
        ({"settings": ["clusterTest"]}, TypeError, "settings"),
        ({"settings": {5: "true"}}, TypeError, "settings"),
        ({"settings": {"clusterTest": None}}, TypeError, "clusterTest"),
        ({"settings": {"clusterTest": "maybe"}}, ValueError, "clusterTest"),
        ({"settings": {"noSuchSetting": "1"}}, ValueError, "noSuchSetting"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        EmbeddedNameServer(**arguments)


def test_a_port_that_is_taken_is_an_error_with_its_number(nameserver: EmbeddedNameServer) -> None:
    with pytest.raises(OSError, match=nameserver.address) as taken:
        EmbeddedNameServer(nameserver.address)
    assert taken.value.errno == errno.EADDRINUSE
    assert "os error" not in str(taken.value), "it is told once"


@pytest.mark.parametrize(
    ("broker", "more", "error", "says"),
    [
        (("", "b", "a:1"), {}, ValueError, "cluster_name"),
        (("c", "", "a:1"), {}, ValueError, "broker_name"),
        (("c", "b", ""), {}, ValueError, "broker_addr"),
        (("c", 5, "a:1"), {}, TypeError, "broker_name"),
        (("c", "b", "a:1", "0"), {}, TypeError, "broker_id"),
        (("c", "b", "a:1"), {"topics": "orders"}, TypeError, "topics"),
        (("c", "b", "a:1"), {"topics": ["orders"]}, TypeError, "topics: expected TopicConfig"),
        (("c", "b", "a:1"), {"topics": {"": 8}}, ValueError, "topic"),
        (("c", "b", "a:1"), {"topics": {"orders": "8"}}, TypeError, "orders"),
        (("c", "b", "a:1"), {"topics": {"orders": True}}, TypeError, "orders"),
        (("c", "b", "a:1"), {"topics": {"orders": -1}}, ValueError, "orders"),
        (("c", "b", "a:1"), {"topics": {"orders": 2**31}}, ValueError, "orders"),
        (("c", "b", "a:1"), {"data_version": 7}, TypeError, "data_version"),
    ],
)
def test_wrong_brokers_are_named(
    nameserver: EmbeddedNameServer,
    broker: tuple[Any, ...],
    more: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        nameserver.register(*broker, **more)
    assert nameserver.snapshot() == Snapshot(BrokerClusterInfo(), {}, {})
