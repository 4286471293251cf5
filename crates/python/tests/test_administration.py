"""What operators and brokers ask: each method of both clients sends what it should and reads its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    BrokerMemberGroup,
    DataVersion,
    QueryDataVersionResult,
    QueueData,
    RegisterBrokerResult,
    SyncNameServerClient,
    TopicConfig,
    TopicList,
)
from pyrocketmq.nameserver.administration import SyncAdministration
from pyrocketmq.nameserver.async_administration import AsyncAdministration

from .peers import ROUTE, Answer, Asked, scripted_peer

TOPICS = Answer(body='{"topicList":["orders","付款"]}')

BROKER = ("c", "broker-a", "10.0.0.1:10911")
IDENTITY = {"clusterName": "c", "brokerName": "broker-a", "brokerAddr": "10.0.0.1:10911"}

ROUTE_OF_ORDERS: dict[str, Any] = {
    "queueDatas": [{"brokerName": "broker-a", "perm": 6, "readQueueNums": 8, "topicSysFlag": 0, "writeQueueNums": 4}],
    "brokerDatas": [],
    "filterServerTable": {},
}

# Method, arguments, what is sent, what is answered, what comes of it. Of a write the last is one server's answer.
READS: list[tuple[str, tuple[Any, ...], Asked, Answer, Any]] = [
    ("get_kv_config", ("n", "k"), Asked(101, {"namespace": "n", "key": "k"}), Answer({"value": "v"}), "v"),
    (
        "get_kv_list_by_namespace",
        ("n",),
        Asked(219, {"namespace": "n"}),
        Answer(body='{"table":{"k":"v","e":""}}'),
        {"k": "v", "e": ""},
    ),
    ("get_all_topic_list", (), Asked(206), TOPICS, ["orders", "付款"]),
    ("get_topics_by_cluster", ("c",), Asked(224, {"cluster": "c"}), TOPICS, ["orders", "付款"]),
    (
        "get_system_topic_list",
        (),
        Asked(304),
        Answer(body='{"brokerAddr":"10.0.0.1:10911","topicList":["c","broker-a"]}'),
        TopicList(["c", "broker-a"], "10.0.0.1:10911"),
    ),
    ("get_unit_topic_list", (), Asked(311), TOPICS, ["orders", "付款"]),
    ("get_has_unit_sub_topic_list", (), Asked(312), TOPICS, ["orders", "付款"]),
    ("get_has_unit_sub_ununit_topic_list", (), Asked(313), Answer(body='{"topicList":[]}'), []),
    (
        "get_broker_member_group",
        ("c", "broker-a"),
        Asked(901, {"clusterName": "c", "brokerName": "broker-a"}),
        Answer(body='{"brokerMemberGroup":{"brokerAddrs":{0:"a:1",1:"b:2"},"brokerName":"broker-a","cluster":"c"}}'),
        BrokerMemberGroup("c", "broker-a", {0: "a:1", 1: "b:2"}),
    ),
    (
        "get_namesrv_config",
        (),
        Asked(319),
        Answer(body="listenPort=9876\nrocketmqHome=C:\\rocketmq\n"),
        {"listenPort": "9876", "rocketmqHome": r"C:\rocketmq"},
    ),
]
WRITES: list[tuple[str, tuple[Any, ...], Asked, Answer, Any]] = [
    (
        "put_kv_config",
        ("n", "k", "v"),
        Asked(100, {"namespace": "n", "key": "k", "value": "v"}),
        Answer(),
        None,
    ),
    ("delete_kv_config", ("n", "k"), Asked(102, {"namespace": "n", "key": "k"}), Answer(), None),
    ("delete_topic_in_namesrv", ("orders",), Asked(216, {"topic": "orders"}), Answer(), None),
    (
        "delete_topic_in_namesrv",
        ("orders", "c"),
        Asked(216, {"topic": "orders", "clusterName": "c"}),
        Answer(),
        None,
    ),
    (
        "register_topic_in_namesrv",
        ("orders", [QueueData("broker-a", 8, 4, 6, 0)]),
        Asked(217, {"topic": "orders"}, json.dumps(ROUTE_OF_ORDERS)),
        Answer(),
        None,
    ),
    (
        "wipe_write_perm_of_broker",
        ("broker-a",),
        Asked(205, {"brokerName": "broker-a"}),
        Answer({"wipeTopicCount": "7"}),
        7,
    ),
    (
        "add_write_perm_of_broker",
        ("broker-a",),
        Asked(327, {"brokerName": "broker-a"}),
        Answer({"addTopicCount": "0"}),
        0,
    ),
    (
        "unregister_broker",
        (*BROKER, 1),
        Asked(104, {**IDENTITY, "brokerId": "1"}),
        Answer(),
        None,
    ),
    (
        "query_data_version",
        (*BROKER, 0, DataVersion(2, 0, 5)),
        Asked(322, {**IDENTITY, "brokerId": "0"}, '{"counter":2,"stateVersion":0,"timestamp":5}'),
        Answer({"changed": "true"}, '{"counter":1,"stateVersion":3,"timestamp":4}'),
        QueryDataVersionResult(True, DataVersion(1, 3, 4)),
    ),
    (
        "query_data_version",
        (*BROKER, 0, DataVersion()),
        Asked(322, {**IDENTITY, "brokerId": "0"}, '{"counter":0,"stateVersion":0,"timestamp":0}'),
        Answer({"changed": "false"}),
        QueryDataVersionResult(False, None),
    ),
    ("broker_heartbeat", BROKER, Asked(904, IDENTITY), Answer(), None),
    (
        "update_namesrv_config",
        ({"orderMessageEnable": "true"},),
        Asked(318, body="orderMessageEnable=true\n"),
        Answer(),
        None,
    ),
]
METHODS = [*READS, *WRITES]
IDS = [method for method, *_ in METHODS]


def same(asked: Asked) -> Asked:
    """JSON in any form is the same."""
    try:
        body = json.dumps(json.loads(asked.body), sort_keys=True)
    except ValueError:
        body = asked.body
    return Asked(asked.code, asked.fields, body)


def script(answer: Answer, asked: list[Asked]) -> Callable[[Asked], Answer]:
    def answered(request: Asked) -> Answer:
        if request.code != ROUTE:
            asked.append(same(request))
        return answer

    return answered


@pytest.mark.parametrize(("method", "arguments", "request_", "answer", "expected"), METHODS, ids=IDS)
async def test_each_method_sends_its_request_and_reads_its_answer(
    method: str, arguments: tuple[Any, ...], request_: Asked, answer: Answer, expected: Any
) -> None:
    asked: list[Asked] = []
    with scripted_peer(script(answer, asked)) as server:
        expected = [(server, expected)] if method in [name for name, *_ in WRITES] else expected
        with SyncNameServerClient(server) as blocking:
            assert getattr(blocking, method)(*arguments, timeout=30) == expected
        async with AsyncNameServerClient(server) as client:
            assert await getattr(client, method)(*arguments) == expected
            assert await getattr(client, f"async_{method}")(*arguments) == expected
    assert asked == [same(request_)] * 3


def test_a_broker_registers_with_what_it_says_of_itself() -> None:
    asked: list[Asked] = []
    table = '{"table":{"orders":"broker-a:4"}}'
    answer = Answer({"haServerAddr": "10.0.0.2:10912", "masterAddr": "10.0.0.2:10911"}, table)
    with scripted_peer(script(answer, asked)) as server, SyncNameServerClient(server) as client:
        plain = client.register_broker(*BROKER)
        client.register_broker(
            *BROKER,
            1,
            topics=[TopicConfig("orders", 8, 4, order=True, attributes={"+a": "b"}), TopicConfig("payments")],
            data_version=DataVersion(3, timestamp=1_700_000_000_000),
            ha_server_addr="10.0.0.1:10912",
            heartbeat_timeout_millis=10_000,
            enable_acting_master=None,
            zone_name="zone-1",
        )
    expected = RegisterBrokerResult("10.0.0.2:10912", "10.0.0.2:10911", {"orders": "broker-a:4"})
    assert plain == [(server, expected)]
    for request in asked:
        assert int(request.fields.pop("bodyCrc32")) > 0
        assert request.fields.pop("compressed") == "false"
    first, second = asked
    assert (first.code, second.code) == (103, 103)
    own = {**IDENTITY, "brokerId": "0", "haServerAddr": "10.0.0.1:10911", "enableActingMaster": "false"}
    assert first.fields == own
    assert second.fields == {
        **IDENTITY,
        "brokerId": "1",
        "haServerAddr": "10.0.0.1:10912",
        "heartbeatTimeoutMillis": "10000",
        "__ZONE_NAME": "zone-1",
    }
    topics: Any = json.loads(first.body)["topicConfigSerializeWrapper"]
    assert topics["dataVersion"]["counter"] > 0, "each registration counts as changed"
    assert topics["topicConfigTable"] == {}
    topics = json.loads(second.body)["topicConfigSerializeWrapper"]
    assert topics["dataVersion"] == {"counter": 3, "stateVersion": 0, "timestamp": 1_700_000_000_000}
    assert topics["topicConfigTable"]["orders"] == {
        "attributes": {"+a": "b"},
        "order": True,
        "perm": 6,
        "readQueueNums": 8,
        "topicFilterType": "SINGLE_TAG",
        "topicName": "orders",
        "topicSysFlag": 0,
        "writeQueueNums": 4,
    }
    assert topics["topicConfigTable"]["payments"]["readQueueNums"] == 16


def test_both_clients_have_the_same_methods_and_asyncio_has_both_names() -> None:
    def methods(administration: type) -> set[str]:
        return {name for name in vars(administration) if not name.startswith("_")}

    names = methods(SyncAdministration)
    assert len(names) == 21
    assert methods(AsyncAdministration) == names | {f"async_{name}" for name in names}
    assert {name for name, *_ in METHODS} | {"register_broker"} == names
