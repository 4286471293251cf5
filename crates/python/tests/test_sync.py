"""The blocking client: threads, limits, Ctrl-C, fork, the end of the interpreter."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyrocketmq.nameserver import (
    NameServerConnectionError,
    NameServerDataParseError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    SyncNameServerClient,
    TopicRouteData,
    create_sync_client,
)

from .peers import closed_port, silent_peer
from .programs import run_python


@pytest.fixture
def client(address: str) -> Iterator[SyncNameServerClient]:
    with SyncNameServerClient(address, timeout=30) as client:
        yield client


def test_a_client_connects_asks_and_disconnects_at_once(address: str) -> None:
    host, port = address.rsplit(":", 1)
    client = create_sync_client(host, int(port))
    assert not client.is_connected()
    client.connect()
    assert client.is_connected()
    route = client.query_topic_route_info("test_topic")
    assert {broker.broker_name for broker in route.broker_data_list} == {"broker-a", "broker-b"}
    info = client.get_broker_cluster_info()
    assert sorted(info.cluster_addr_table) == ["cluster-1", "cluster-2"]
    started = time.monotonic()
    client.disconnect()
    assert time.monotonic() - started < 1
    assert not client.is_connected()
    assert client.query_topic_route_info("test_topic") == route, "the next call connects again"
    client.close()


def test_a_batch_has_a_route_or_an_error_for_each_topic_in_order(client: SyncNameServerClient) -> None:
    topics = ["test_topic", "missing", "orders"] * 100
    results = client.query_topic_route_infos(topics)
    assert len(results) == 300
    for topic, result in zip(topics, results, strict=True):
        if topic == "missing":
            assert isinstance(result, NameServerResponseError)
            assert result.topic == "missing"
            assert result.is_topic_not_found
        else:
            assert isinstance(result, TopicRouteData)
    (server,) = client.stats()
    assert (server.connects, server.state, server.errors) == (1, "connected", 0)


def test_many_threads_share_one_client(client: SyncNameServerClient) -> None:
    def ask(_: int) -> int:
        return len(client.query_topic_route_info("test_topic").broker_data_list)

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(ask, range(2000))) == {2}
    assert client.stats()[0].connects == 1


def test_calls_release_the_gil() -> None:
    with silent_peer() as address:
        client = SyncNameServerClient(address, timeout=1)
        ended = threading.Event()

        def ask() -> None:
            with pytest.raises(NameServerTimeoutError):
                client.query_topic_route_info("test_topic")
            ended.set()

        thread = threading.Thread(target=ask)
        thread.start()
        counted = 0
        while not ended.is_set():
            counted += 1
        thread.join()
        assert counted > 1000, "this thread went on while the other one waited"


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(0, ValueError), (-1, ValueError), (float("nan"), ValueError), (float("inf"), ValueError), ("5", TypeError)],
)
def test_a_limit_must_be_a_number_of_seconds(
    client: SyncNameServerClient, timeout: float, error: type[Exception]
) -> None:
    with pytest.raises(error, match="timeout"):
        client.query_topic_route_info("test_topic", timeout=timeout)


def test_errors_say_what_where_and_why(client: SyncNameServerClient, address: str) -> None:
    with pytest.raises(NameServerResponseError) as not_found:
        client.query_topic_route_info("missing")
    error = not_found.value
    assert (error.code, error.topic, error.server) == (17, "missing", address)
    assert error.remark is not None
    assert "missing" in error.remark
    assert (error.is_topic_not_found, error.is_retryable) == (True, False)

    down = closed_port()
    with pytest.raises(NameServerConnectionError) as refused:
        SyncNameServerClient(down).query_topic_route_info("test_topic")
    (attempt,) = refused.value.attempts
    assert (attempt.server, attempt.phase) == (down, "connect")
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)
    assert refused.value.is_retryable
    with pytest.raises(ConnectionError):
        SyncNameServerClient(down).connect()

    with silent_peer() as silent:
        started = time.monotonic()
        with pytest.raises(NameServerTimeoutError) as late:
            SyncNameServerClient(silent).query_topic_route_info("test_topic", timeout=0.2)
        assert 0.1 < time.monotonic() - started < 5
        assert late.value.is_timeout
        with pytest.raises(TimeoutError):
            SyncNameServerClient(silent, timeout=0.1).get_broker_cluster_info()

    with silent_peer(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n") as http, pytest.raises(NameServerError, match="HTTP"):
        SyncNameServerClient(http).get_broker_cluster_info()


def test_hostile_bytes_are_a_data_parse_error_with_their_place() -> None:
    with pytest.raises(NameServerDataParseError) as broken:
        TopicRouteData.from_bytes(b'{"brokerDatas":7}')
    assert broken.value.offset == 15
    with pytest.raises(ValueError, match="byte 15"):
        TopicRouteData.from_bytes(b'{"brokerDatas":7}')


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("127.0.0.1", 0), ValueError, "port"),
        (("127.0.0.1", 65536), ValueError, "port"),
        (("127.0.0.1", "9876"), TypeError, "port"),
        ((None, 9876), TypeError, "host"),
        (("a b", 9876), NameServerError, "a b"),
        (("http://ns", 9876), NameServerError, "http"),
        (("ns", 9876, 0), ValueError, "timeout"),
        (("ns", 9876, "5"), TypeError, "timeout"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[object, ...], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        create_sync_client(*arguments)  # type: ignore[arg-type]


def test_wrong_topics_are_named(client: SyncNameServerClient) -> None:
    with pytest.raises(TypeError, match="topic"):
        client.query_topic_route_info(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="topics"):
        client.query_topic_route_infos("test_topic")


def test_several_servers_are_tried_in_order(address: str) -> None:
    for servers in (f"{closed_port()};{address}", [closed_port(), address]):
        with SyncNameServerClient(servers) as client:
            assert client.query_topic_route_info("test_topic").broker_data_list
            assert [server.state for server in client.stats()] == ["idle", "connected"]


def test_after_close_every_call_is_an_error(address: str) -> None:
    client = SyncNameServerClient(address)
    client.close()
    client.close()
    for call in (client.connect, client.get_broker_cluster_info, lambda: client.query_topic_route_info("x")):
        with pytest.raises(NameServerError, match="closed"):
            call()
    assert not client.is_connected()


def test_binary_headers_work_as_well(address: str) -> None:
    with SyncNameServerClient(address, header="binary") as client:
        assert client.query_topic_route_info("test_topic").broker_data_list


def test_the_end_of_a_connection_is_logged(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "pyrocketmq.nameserver")
    with pytest.raises(NameServerConnectionError):
        SyncNameServerClient(closed_port()).connect()
    assert any("no connection" in record.message for record in caplog.records)


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    """Python leaves SIGINT alone where its parent ignores it, as a shell does for what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_ctrl_c_ends_a_call() -> None:
    with silent_peer() as address:
        client = SyncNameServerClient(address, timeout=60)
        timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.query_topic_route_info("test_topic")
        assert time.monotonic() - started < 0.3 + 2, "50 ms are meant; ten times that would be the limit"
        timer.join()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_asks_over_a_connection_of_its_own(client: SyncNameServerClient) -> None:
    expected = client.query_topic_route_info("test_topic")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if client.query_topic_route_info("test_topic", timeout=20) == expected:
                code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert client.query_topic_route_info("test_topic") == expected
    assert client.stats()[0].connects == 1, "the parent keeps its connection"


@pytest.mark.parametrize("daemon", [True, False])
def test_the_interpreter_ends_with_clients_open_and_calls_in_flight(daemon: bool) -> None:
    script = """
import sys, threading, time
from pyrocketmq.nameserver import SyncNameServerClient
clients = [SyncNameServerClient(sys.argv[1], timeout=2) for _ in range(4)]
def ask(client):
    try:
        client.query_topic_route_info("test_topic")
    except Exception:
        pass
for client in clients:
    threading.Thread(target=ask, args=(client,), daemon=sys.argv[2] == "True").start()
time.sleep(0.2)
print("ending", flush=True)
"""
    with silent_peer() as address:
        for _ in range(3):
            ended = run_python(script, address, str(daemon))
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ending\n", "")


def test_importing_does_no_work() -> None:
    script = """
import threading, time
before = threading.active_count()
started = time.perf_counter()
import pyrocketmq.nameserver
print(time.perf_counter() - started, threading.active_count() - before)
"""
    seconds, threads = run_python(script).stdout.split()
    assert threads == "0"
    assert float(seconds) < 5, "50 ms are meant"


def test_the_socket_module_agrees_on_ipv6() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
            port = server.getsockname()[1]
    except OSError:
        pytest.fail("this machine has no IPv6 loopback")
    with pytest.raises(NameServerConnectionError) as refused:
        create_sync_client("::1", port).connect()
    assert refused.value.server == f"[::1]:{port}"


def test_the_interpreter_ends_while_daemon_threads_make_objects(address: str) -> None:
    script = """
import sys, threading, time
from pyrocketmq.nameserver import SyncNameServerClient
client = SyncNameServerClient(sys.argv[1], timeout=20)
def ask():
    while True:
        client.query_topic_route_infos(["test_topic"] * 200)
for _ in range(20):
    threading.Thread(target=ask, daemon=True).start()
time.sleep(0.3)
print("ending", flush=True)
"""
    for _ in range(6):
        ended = run_python(script, address)
        assert (ended.returncode, ended.stdout) == (0, "ending\n"), ended.stderr


def test_the_last_words_of_a_program_may_be_questions(address: str) -> None:
    script = """
import atexit, sys
from pyrocketmq.nameserver import SyncNameServerClient
def last():
    print(len(client.query_topic_route_info("test_topic").broker_data_list))
atexit.register(last)
client = SyncNameServerClient(sys.argv[1], timeout=20)
"""
    ended = run_python(script, address)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "2\n", "")


@pytest.mark.parametrize(
    ("servers", "error"),
    [
        (5, TypeError),
        ([b"ns:1"], TypeError),
        ([("ns", 70000)], ValueError),
        ([("ns", 1, 2)], TypeError),
        ([], NameServerError),
    ],
)
def test_wrong_servers_are_named(servers: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        SyncNameServerClient(servers)  # type: ignore[arg-type]
