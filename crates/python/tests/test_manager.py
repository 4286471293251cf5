"""The blocking manager: what it answers, whom it asks, and what it does while servers fail."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

import pytest

from pyrocketmq.nameserver import (
    AddressRewriting,
    AsyncNameServerManager,
    BrokerClusterInfo,
    BrokerData,
    CachedRoute,
    EmbeddedNameServer,
    NameServerConfig,
    NameServerError,
    NameServerManager,
    NameServerResponseError,
    SyncNameServerClient,
    TopicRouteData,
    create_async_nameserver_manager,
    create_nameserver_manager,
)

from .conditions import LIMIT, until
from .peers import ROUTE, Answer, Asked, closed_port, scripted_peer, silent_peer

CLUSTERS = 106

EMPTY = {"cached_broker_addresses": 0, "cached_routes": 0, "connected_nameservers": 0}


def fill(server: EmbeddedNameServer) -> None:
    """`orders` has a master with two slaves, one without, and a broker that is only a slave."""
    server.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
    server.register("c", "broker-a", "10.0.0.2:10911", 1)
    server.register("c", "broker-a", "10.0.0.3:10911", 2)
    server.register("c", "broker-b", "10.0.0.4:10911", topics={"orders": 8, "payments": 4})
    server.register("c", "broker-s", "10.0.0.5:10911", 3)


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    fill(nameserver)
    return nameserver


@pytest.fixture
def second() -> Iterator[EmbeddedNameServer]:
    with EmbeddedNameServer() as server:
        fill(server)
        yield server


@pytest.fixture
def manager(server: EmbeddedNameServer) -> Iterator[NameServerManager]:
    with create_nameserver_manager(server.address, timeout=20) as manager:
        yield manager


@pytest.mark.parametrize("personality", [4, 5])
def test_what_is_known_is_told(personality: Literal[4, 5]) -> None:
    with EmbeddedNameServer(personality=personality) as server:
        fill(server)
        with create_nameserver_manager(server.address) as manager:
            expected: list[tuple[tuple[str, str | None], str | None]] = [
                (("broker-a", None), "10.0.0.1:10911"),
                (("broker-s", None), "10.0.0.5:10911"),
                (("nobody", None), None),
                (("broker-b", "payments"), "10.0.0.4:10911"),
                (("broker-c", "payments"), None),
                (("broker-b", ""), "10.0.0.4:10911"),
                (("nobody", "nothing"), None),
            ]
            for arguments, address in expected:
                assert manager.get_broker_address(*arguments) == address
            suggested = [
                (("broker-a", 0), ("10.0.0.1:10911", True)),
                (("broker-a", 1), ("10.0.0.2:10911", False)),
                (("broker-a", 7), ("10.0.0.1:10911", True)),
                (("broker-s", 2), ("10.0.0.5:10911", False)),
                (("broker-s", 0), ("10.0.0.5:10911", False)),
                (("nobody", 0), None),
            ]
            for (name, suggestion), chosen in suggested:
                assert manager.get_broker_address_in_subscription(name, suggestion) == chosen
            assert manager.get_all_broker_addresses("orders") == ["10.0.0.1:10911", "10.0.0.4:10911"]
            assert manager.get_all_broker_addresses("nothing") == []
            with SyncNameServerClient(server.address) as client:
                assert manager.get_topic_route("orders") == client.query_topic_route_info("orders")
            assert manager.get_topic_route("nothing") is None


def test_a_broker_of_another_topic_is_not_in_the_route(manager: NameServerManager) -> None:
    assert manager.get_broker_address("broker-a", "payments") is None
    assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"


def test_what_was_asked_is_kept_until_it_is_cleared(manager: NameServerManager, server: EmbeddedNameServer) -> None:
    route = manager.get_topic_route("orders")
    assert isinstance(route, CachedRoute)
    assert manager.get_broker_address("broker-b", "payments") == "10.0.0.4:10911"
    assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
    assert manager.get_cache_info() == {"cached_broker_addresses": 2, "cached_routes": 2, "connected_nameservers": 1}
    server.unregister("broker-a")
    assert manager.get_topic_route("orders") is route
    assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
    manager.clear_cache()
    assert manager.get_cache_info() == EMPTY | {"connected_nameservers": 1}
    assert manager.get_broker_address("broker-a") is None
    assert manager.get_all_broker_addresses("orders") == ["10.0.0.4:10911"]
    # Nothing of that was an error but that the broker is gone.
    assert manager.errors == {"NameServerError": 1}


def answer(asked: Asked) -> Answer:
    """One broker, with `orders`."""
    broker = BrokerData("c", "broker-a", {0: "10.0.0.1:10911"})
    if asked.code == CLUSTERS:
        return Answer(body=BrokerClusterInfo({"broker-a": broker}).to_bytes().decode())
    if asked.fields["topic"] == "orders":
        return Answer(body=TopicRouteData(broker_data_list=[broker]).to_bytes().decode())
    return Answer(code=17, remark="No topic route info")


@pytest.fixture
def requests() -> list[int]:
    return []


@pytest.fixture
def counted(requests: list[int]) -> Iterator[str]:
    """A server that answers as `answer` says, and counts."""

    def script(asked: Asked) -> Answer:
        requests.append(asked.code)
        return answer(asked)

    with scripted_peer(script) as address:
        yield address


def use(manager: NameServerManager) -> None:
    manager.get_broker_address("broker-a")
    manager.get_broker_address_in_subscription("broker-a", 0)
    manager.get_broker_address("broker-a", "orders")
    manager.get_topic_route("orders")
    manager.get_all_broker_addresses("orders")
    manager.get_topic_route("nothing")


@pytest.mark.parametrize(
    ("ttls", "expected"),
    [
        pytest.param({}, [CLUSTERS, ROUTE, ROUTE], id="each thing is asked for once"),
        pytest.param({"broker_cache_ttl": math.inf, "route_cache_ttl": math.inf}, [CLUSTERS, ROUTE, ROUTE], id="ever"),
        pytest.param({"route_cache_ttl": 0}, [CLUSTERS, *[ROUTE] * 6], id="each call asks for routes"),
        pytest.param({"broker_cache_ttl": 0}, [*[CLUSTERS] * 4, ROUTE, ROUTE], id="each call asks for clusters"),
    ],
)
def test_what_is_asked_twice_is_asked_for_once(
    ttls: dict[str, float], expected: list[int], counted: str, requests: list[int]
) -> None:
    with create_nameserver_manager(counted, **ttls) as manager:
        use(manager)
        use(manager)
    assert sorted(requests) == sorted(expected)


@pytest.mark.parametrize("call", [NameServerManager.get_topic_route, NameServerManager.get_broker_address])
def test_many_threads_ask_one_question(
    call: Callable[[NameServerManager, str], object], server: EmbeddedNameServer
) -> None:
    with create_nameserver_manager(server.address) as manager, ThreadPoolExecutor(8) as threads:
        argument = "orders" if call is NameServerManager.get_topic_route else "broker-a"
        server.set_faults("slow=60s")
        calls = [threads.submit(call, manager, argument) for _ in range(8)]
        until(lambda: in_flight(manager))
        server.clear_faults()
        answers = [call.result(LIMIT) for call in calls]
        assert answers[0] is not None
        assert answers == answers[:1] * 8
        assert sent(manager) == 1


def stats(manager: NameServerManager) -> Any:
    (server,) = manager._started().client.stats()  # pyright: ignore[reportPrivateUsage]
    return server


def in_flight(manager: NameServerManager) -> bool:
    return bool(stats(manager).in_flight)


def sent(manager: NameServerManager) -> int:
    requests: int = stats(manager).requests
    return requests


def test_a_manager_that_is_not_running_knows_nothing(
    server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture
) -> None:
    manager = create_nameserver_manager(server.address)
    for _ in range(2):
        assert manager.get_broker_address("broker-a") is None
        assert manager.get_broker_address("broker-a", "orders") is None
        assert manager.get_broker_address_in_subscription("broker-a", 0) is None
        assert manager.get_topic_route("orders") is None
        assert manager.get_all_broker_addresses("orders") == []
        assert manager.get_cache_info() == EMPTY
        manager.clear_cache()
        manager.stop()
        assert repr(manager) == f"NameServerManager('{server.address}', not started)"
        manager.start()
        manager.start()
        assert repr(manager) == f"NameServerManager('{server.address}', started)"
        assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        assert manager.get_topic_route("orders") is not None
        manager.stop()
    # Whoever forgets to start it is told so, once.
    assert manager.errors == {"NameServerError": 10}
    assert len(caplog.records) == 1


def test_start_connects_to_all_servers(server: EmbeddedNameServer, second: EmbeddedNameServer) -> None:
    for separator in (";", " ; ", ",", ";;"):
        with create_nameserver_manager(f"{server.address}{separator}{second.address}") as manager:
            assert manager.get_cache_info()["connected_nameservers"] == 2


@pytest.mark.parametrize("down_first", [True, False])
def test_one_server_is_enough(down_first: bool, server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture) -> None:
    addresses = [closed_port(), server.address] if down_first else [server.address, closed_port()]
    with create_nameserver_manager(";".join(addresses)) as manager:
        assert manager.get_cache_info()["connected_nameservers"] == 1
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        assert manager.get_topic_route("orders") is not None
        assert manager.errors == {}


def test_start_does_not_wait_for_a_silent_server(server: EmbeddedNameServer) -> None:
    with silent_peer() as silent, create_nameserver_manager(f"{silent};{server.address}", timeout=60) as manager:
        assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        assert manager.get_topic_route("orders") is not None


@pytest.mark.parametrize(
    ("config", "error"),
    [
        pytest.param({}, ConnectionError, id="nobody is there"),
        pytest.param({"nameserver_addrs": "no address:at all"}, NameServerError, id="bad address"),
    ],
)
def test_start_says_what_is_wrong(config: dict[str, Any], error: type[Exception]) -> None:
    manager = create_nameserver_manager(**{"nameserver_addrs": closed_port()} | config)
    with pytest.raises(error):
        manager.start()
    assert manager.get_topic_route("orders") is None


SECONDS: list[tuple[object, type[Exception]]] = [
    ("1", TypeError),
    (None, TypeError),
    (True, TypeError),
    (-1, ValueError),
    (math.nan, ValueError),
]
POSITIVE: list[tuple[object, type[Exception]]] = [(0, ValueError), (math.inf, ValueError)]


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        *[("nameserver_addrs", value, TypeError) for value in (None, 9876, ["ns:9876"], b"ns:9876")],
        *[("nameserver_addrs", value, ValueError) for value in ("", " ", " ; ", ",")],
        *[("timeout", *case) for case in SECONDS + POSITIVE],
        *[("connect_timeout", *case) for case in SECONDS + POSITIVE],
        *[("broker_cache_ttl", *case) for case in SECONDS],
        *[("route_cache_ttl", *case) for case in SECONDS],
        *[("retry_interval", *case) for case in [*SECONDS, POSITIVE[1]]],
        *[("max_retry_times", value, TypeError) for value in ("3", None, True, 1.5, 3.0)],
        ("max_retry_times", -1, ValueError),
        *[("zone", *case) for case in [(5, TypeError), ("", ValueError), (" ", ValueError)]],
        *[("rewrite_addresses", *case) for case in [(5, TypeError), ("no rule", ValueError)]],
    ],
)
def test_a_field_that_cannot_be_right_is_named(field: str, value: object, error: type[Exception]) -> None:
    fields: dict[str, Any] = {"nameserver_addrs": "ns:9876", field: value}
    for make in (NameServerConfig, create_nameserver_manager, create_async_nameserver_manager):
        with pytest.raises(error, match=rf"\A{field}\b"):
            make(**fields)


def test_the_limits_of_fields_are_right() -> None:
    NameServerConfig("ns:9876", 0.001, 1, 0, 0, 0, 0)
    NameServerConfig("rocketmq://ns:9876", 1, 1, math.inf, math.inf, 10**6, 0.5)


async def test_managers_work_in_containers_and_zones() -> None:
    rules = AddressRewriting().host("172.17.0.2", "localhost")
    with EmbeddedNameServer() as server:
        server.register("c", "broker-a", "172.17.0.2:10911", topics={"orders": 8}, zone_name="z")
        server.register("c", "broker-b", "172.17.0.3:10911", topics={"orders": 8}, zone_name="y")
        both, of_zone = ["172.17.0.2:10911", "172.17.0.3:10911"], ["172.17.0.2:10911"]
        cases: list[tuple[dict[str, Any], list[str]]] = [
            ({}, both),
            ({"zone": "z"}, of_zone),
            ({"rewrite_addresses": rules}, ["localhost:10911", both[1]]),
            ({"rewrite_addresses": "172.17.0.0/16=localhost", "zone": "z"}, ["localhost:10911"]),
        ]
        for fields, masters in cases:
            with create_nameserver_manager(server.address, **fields) as manager:
                assert manager.get_all_broker_addresses("orders") == masters
                assert manager.get_broker_address("broker-a") == masters[0]
                assert manager.get_broker_address_in_subscription("broker-a", 0) == (masters[0], True)
            async with create_async_nameserver_manager(server.address, **fields) as amanager:
                assert await amanager.get_all_broker_addresses("orders") == masters
                assert await amanager.get_broker_address("broker-a", "orders") == masters[0]


def test_stop_ends_calls_that_wait(server: EmbeddedNameServer) -> None:
    manager = create_nameserver_manager(server.address, timeout=60)
    manager.start()
    server.set_faults("silent")
    with ThreadPoolExecutor(4) as threads:
        calls: list[Future[Any]] = [
            threads.submit(manager.get_topic_route, "orders"),
            threads.submit(manager.get_broker_address, "broker-a"),
            threads.submit(manager.get_broker_address, "broker-b"),
            threads.submit(manager.get_broker_address_in_subscription, "broker-b", 0),
        ]
        until(lambda: stats(manager).in_flight == 2)
        manager.stop()
        assert [call.result(LIMIT) for call in calls] == [None] * 4


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_ctrl_c_leaves_the_question_to_the_others(server: EmbeddedNameServer) -> None:
    with create_nameserver_manager(server.address, timeout=60) as manager, ThreadPoolExecutor(2) as threads:
        server.set_faults("slow=60s")

        def interrupt() -> Future[str | None]:
            until(lambda: in_flight(manager))
            other = threads.submit(manager.get_broker_address, "broker-a")
            until(other.running)
            signal.raise_signal(signal.SIGINT)
            return other

        interrupter = threads.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            manager.get_broker_address("broker-a")
        other = interrupter.result(LIMIT)
        until(lambda: sent(manager) == 2)
        server.clear_faults()
        assert other.result(LIMIT) == "10.0.0.1:10911"
        assert manager.errors == {}


def test_threads_may_start_and_stop_it_at_once(server: EmbeddedNameServer) -> None:
    manager = create_nameserver_manager(server.address)
    for act in (manager.start, manager.stop, manager.start):
        threads = [threading.Thread(target=act) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        is_there = act == manager.start
        assert (manager.get_broker_address("broker-a") == "10.0.0.1:10911") is is_there
    manager.stop()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_empty_caches_and_asks_for_itself(server: EmbeddedNameServer) -> None:
    with create_nameserver_manager(server.address, timeout=20) as manager, ThreadPoolExecutor(1) as threads:
        assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        assert manager.get_topic_route("nothing") is None
        manager.clear_cache()
        # A question is under way, of a thread that the child does not have.
        server.set_faults("slow=60s")
        asking = threads.submit(manager.get_broker_address, "broker-a")
        until(lambda: in_flight(manager))
        child = os.fork()
        if child == 0:
            code = 1
            try:
                is_empty = (manager.get_cache_info(), manager.errors) == (EMPTY, {})
                address = manager.get_broker_address("broker-a")
                route = manager.get_topic_route("orders")
                code = 0 if is_empty and address == "10.0.0.1:10911" and route is not None else 2
            finally:
                os._exit(code)
        server.clear_faults()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert asking.result(LIMIT) == "10.0.0.1:10911"
        assert manager.errors == {"NameServerResponseError": 1}


def test_a_route_stays_for_its_ttl_though_nobody_wants_it() -> None:
    for ttl, idle_after in [(0, 600), (300, 600), (3600, 3600), (math.inf, math.inf)]:
        rules = create_nameserver_manager("ns:9876", route_cache_ttl=ttl)._cache_rules()  # pyright: ignore[reportPrivateUsage]
        assert rules == {"ttl": ttl, "idle_after": idle_after}


def test_topics_that_are_not_there_are_counted_and_no_warning(
    manager: NameServerManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "pyrocketmq.nameserver.manager")
    for _ in range(2):
        assert manager.get_topic_route("nothing") is None
    assert manager.errors == {"NameServerResponseError": 2}
    assert isinstance(manager.last_error, NameServerResponseError)
    assert (manager.last_error.is_topic_not_found, manager.last_error.topic) == (True, "nothing")
    records = [record for record in caplog.records if record.name == "pyrocketmq.nameserver.manager"]
    assert [record.levelno for record in records] == [logging.DEBUG] * 2


@pytest.mark.parametrize(
    ("call", "arguments", "topic"),
    [
        ("get_broker_address", ("broker-a", "payments"), "payments"),
        ("get_broker_address", ("nobody",), None),
        ("get_broker_address", ("nobody", ""), None),
        ("get_broker_address_in_subscription", ("nobody", 0), None),
    ],
)
async def test_a_broker_that_is_not_there_is_explained(
    call: str,
    arguments: tuple[Any, ...],
    topic: str | None,
    server: EmbeddedNameServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "pyrocketmq.nameserver.manager")

    def check(manager: NameServerManager | AsyncNameServerManager, times: int) -> None:
        error = manager.last_error
        assert type(error) is NameServerError
        assert (error.topic, error.is_topic_not_found, error.is_retryable) == (topic, False, False)
        assert (f"topic '{topic}'" if topic else "the clusters") in str(error)
        assert ("'broker-a'" if topic else "'nobody'") in str(error)
        assert manager.errors == {"NameServerError": times}
        records = [record for record in caplog.records if record.name == "pyrocketmq.nameserver.manager"]
        assert [record.levelno for record in records] == [logging.DEBUG] * times
        assert records[-1].getMessage() == str(error)
        if times == 2:
            caplog.clear()

    with create_nameserver_manager(server.address, timeout=20) as manager:
        assert manager.get_broker_address("broker-a") == "10.0.0.1:10911"
        assert manager.last_error is None
        manager.clear_cache()
        for times in (1, 2):
            assert getattr(manager, call)(*arguments) is None
            check(manager, times)
    async with create_async_nameserver_manager(server.address, timeout=20) as amanager:
        for times in (1, 2):
            assert await getattr(amanager, call)(*arguments) is None
            check(amanager, times)


def test_the_config_is_that_of_the_older_package() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(NameServerConfig)}
    assert fields.pop("nameserver_addrs") is dataclasses.MISSING
    assert list(fields.items()) == [
        ("timeout", 30.0),
        ("connect_timeout", 10.0),
        ("broker_cache_ttl", 300),
        ("route_cache_ttl", 300),
        ("max_retry_times", 3),
        ("retry_interval", 1.0),
        # Of this package.
        ("zone", None),
        ("rewrite_addresses", None),
    ]
    assert [field.name for field in dataclasses.fields(NameServerConfig) if field.kw_only] == [
        "zone",
        "rewrite_addresses",
    ]
    config = NameServerConfig("ns:9876", 1, 2, 3, 4, 5, 6)
    assert NameServerManager(config).config is config
    assert create_nameserver_manager("ns:9876", timeout=5).config == NameServerConfig("ns:9876", timeout=5)
    rules = AddressRewriting().with_(str)
    in_docker = NameServerConfig("ns:9876", rewrite_addresses=rules)
    assert dataclasses.asdict(in_docker)["rewrite_addresses"] is rules
    assert copy.copy(rules) is rules
    assert dataclasses.replace(in_docker) == in_docker
    with pytest.raises(TypeError):
        create_nameserver_manager("ns:9876", time_out=5)
    with pytest.raises(TypeError):
        NameServerManager("ns:9876")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert list(inspect.signature(create_nameserver_manager).parameters) == ["nameserver_addrs", "kwargs"]
