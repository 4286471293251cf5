"""Models: their shape, and that dicts and bytes are read by the same rules, whatever stands in them."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocketmq.nameserver import (
    BrokerClusterInfo,
    BrokerData,
    NameServerDataParseError,
    QueueData,
    TopicQueueMappingInfo,
    TopicRouteData,
)

CAPTURES = Path(__file__).resolve().parents[2] / "testkit" / "captures"

MODELS: tuple[Any, ...] = (BrokerData, QueueData, TopicQueueMappingInfo, TopicRouteData, BrokerClusterInfo)

INT32 = (-(1 << 31), (1 << 31) - 1)
INT64 = (-(1 << 63), (1 << 63) - 1)

# A value of each with everything that it can have, and its dict.
BROKER = BrokerData("c", "a", {0: "10.0.0.1:10911", -1: "[::1]:10911"}, "zone-1", False)
BROKER_DICT = {
    "cluster": "c",
    "brokerName": "a",
    "brokerAddrs": {0: "10.0.0.1:10911", -1: "[::1]:10911"},
    "zoneName": "zone-1",
    "enableActingMaster": False,
}
QUEUE = QueueData("a", 8, 4, 6, 3, "zlib")
QUEUE_DICT = {
    "brokerName": "a",
    "readQueueNums": 8,
    "writeQueueNums": 4,
    "perm": 6,
    "topicSynFlag": 3,
    "compressionType": "zlib",
}
MAPPING = TopicQueueMappingInfo("t", "s", 16, "a", INT64[1], True, {0: 3, 1: -1})
MAPPING_DICT = {
    "topic": "t",
    "scope": "s",
    "totalQueues": 16,
    "bname": "a",
    "epoch": INT64[1],
    "dirty": True,
    "currIdMap": {0: 3, 1: -1},
}
ROUTE = TopicRouteData("a:4;ü:4", [QUEUE], [BROKER], {"10.0.0.1:10911": ["10.0.0.1:1"]}, {"a": MAPPING})
ROUTE_DICT = {
    "orderTopicConf": "a:4;ü:4",
    "queueDatas": [QUEUE_DICT],
    "brokerDatas": [BROKER_DICT],
    "filterServerTable": {"10.0.0.1:10911": ["10.0.0.1:1"]},
    "topicQueueMappingByBroker": {"a": MAPPING_DICT},
}
CLUSTER = BrokerClusterInfo({"a": BROKER}, {"c": ["a"], "empty": []})
CLUSTER_DICT = {"brokerAddrTable": {"a": BROKER_DICT}, "clusterAddrTable": {"c": ["a"], "empty": []}}
FULL: list[tuple[Any, dict[str, Any]]] = [
    (BROKER, BROKER_DICT),
    (QUEUE, QUEUE_DICT),
    (MAPPING, MAPPING_DICT),
    (ROUTE, ROUTE_DICT),
    (CLUSTER, CLUSTER_DICT),
]


def model_of(value: object) -> Any:
    return type(value)


@pytest.mark.parametrize(
    ("model", "required", "rest"),
    [
        (
            BrokerData,
            ["cluster", "broker_name", "broker_addresses"],
            {"zone_name": None, "enable_acting_master": None, "advertised_addresses": None},
        ),
        (
            QueueData,
            ["broker_name", "read_queue_nums", "write_queue_nums", "perm", "topic_syn_flag"],
            {"compression_type": "gzip"},
        ),
        (
            TopicQueueMappingInfo,
            [],
            {
                "topic": None,
                "scope": "__global__",
                "total_queues": 0,
                "bname": None,
                "epoch": 0,
                "dirty": False,
                "curr_id_map": {},
            },
        ),
        (
            TopicRouteData,
            [],
            {
                "order_topic_conf": "",
                "queue_data_list": [],
                "broker_data_list": [],
                "filter_server_table": {},
                "topic_queue_mapping_by_broker": {},
            },
        ),
        (BrokerClusterInfo, [], {"broker_addr_table": {}, "cluster_addr_table": {}}),
    ],
)
def test_fields_come_in_this_order_with_these_defaults(model: Any, required: list[str], rest: dict[str, Any]) -> None:
    given = [object() for _ in required]
    value = model(*given)
    assert [field.name for field in dataclasses.fields(model)] == [*required, *rest]
    assert [getattr(value, name) for name in required] == given
    assert {name: getattr(value, name) for name in rest} == rest
    # What one of them holds is not the other's.
    assert value == model(*given)
    for name, default in rest.items():
        if isinstance(default, (dict, list)):
            assert getattr(value, name) is not getattr(model(*given), name)


@pytest.mark.parametrize(("value", "data"), FULL)
def test_a_dict_has_the_names_of_the_wire_and_integers_as_keys(value: Any, data: dict[str, Any]) -> None:
    assert value.to_dict() == data
    assert model_of(value).from_dict(data) == value
    # Changing the dict does not change the value.
    as_it_was = copy.deepcopy(value)
    written = value.to_dict()
    for content in written.values():
        if isinstance(content, (dict, list)):
            content.clear()  # pyright: ignore[reportUnknownMemberType]
    assert value == as_it_was


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (BrokerData("", "a", {}), {"cluster": "", "brokerName": "a", "brokerAddrs": {}}),
        (
            QueueData("a", 0, 0, 0, 0),
            {
                "brokerName": "a",
                "readQueueNums": 0,
                "writeQueueNums": 0,
                "perm": 0,
                "topicSynFlag": 0,
                "compressionType": "gzip",
            },
        ),
        (
            TopicQueueMappingInfo(),
            {"scope": "__global__", "totalQueues": 0, "epoch": 0, "dirty": False, "currIdMap": {}},
        ),
        (TopicRouteData(), {"orderTopicConf": "", "queueDatas": [], "brokerDatas": []}),
        (BrokerClusterInfo(), {"brokerAddrTable": {}, "clusterAddrTable": {}}),
    ],
)
def test_what_old_servers_do_not_send_is_left_out_where_it_is_missing(value: Any, data: dict[str, Any]) -> None:
    assert value.to_dict() == data
    assert model_of(value).from_dict(data) == value


@pytest.mark.parametrize("value", [value for value, _ in FULL])
def test_bytes_are_compact_standard_json(value: Any) -> None:
    written = value.to_bytes()
    assert written.isascii()
    assert b" " not in written
    as_json = json.loads(written)
    assert as_json == json.loads(json.dumps(value.to_dict()))
    assert model_of(value).from_dict(as_json) == value
    # A view of every second byte is no row of bytes in memory.
    spread = memoryview(bytes(byte for pair in zip(written, written, strict=True) for byte in pair))[::2]
    for data in (written, bytearray(written), memoryview(written), spread):
        assert model_of(value).from_bytes(data) == value


@pytest.mark.parametrize("value", [value for value, _ in FULL])
def test_values_are_plain_dataclasses(value: Any) -> None:
    for twin in (copy.deepcopy(value), pickle.loads(pickle.dumps(value)), dataclasses.replace(value)):
        assert twin == value
        assert twin is not value
    names = [field.name for field in dataclasses.fields(value)]
    assert repr(value).startswith(f"{type(value).__name__}({names[0]}=")
    changed = copy.copy(value)
    setattr(changed, names[0], "another")
    assert changed != value


@pytest.mark.parametrize(
    ("perm", "readable", "writable"),
    [(0, False, False), (1, False, False), (2, False, True), (4, True, False), (6, True, True), (7, True, True)],
)
def test_permissions_are_bits(perm: int, readable: bool, writable: bool) -> None:
    queue = QueueData("a", 1, 1, perm, 0)
    assert (queue.is_readable, queue.is_writable) == (readable, writable)


def test_the_master_is_the_member_with_id_0() -> None:
    assert BROKER.master_address == "10.0.0.1:10911"
    assert BrokerData("c", "a", {1: "10.0.0.2:10911"}).master_address is None


def test_what_is_advertised_is_what_is_used_unless_it_was_rewritten() -> None:
    assert BROKER.advertised == BROKER.broker_addresses
    rewritten = dataclasses.replace(BROKER, advertised_addresses={0: "172.17.0.2:10911"})
    assert rewritten.advertised == {0: "172.17.0.2:10911"}
    assert rewritten != BROKER
    assert rewritten.to_dict() == BROKER.to_dict()
    assert rewritten.to_bytes() == BROKER.to_bytes()


def read(reader: Callable[[Any], Any], data: Any) -> Any:
    """What was read, or `NameServerDataParseError` if it is wrong."""
    try:
        return reader(data)
    except NameServerDataParseError as error:
        return type(error)


def check(model: Any, data: Any, expected: Any) -> None:
    """The dict and the same as JSON are read as `expected`, or both are refused if that is an error."""
    body = json.dumps(data)
    assert read(model.from_bytes, body.encode()) == expected, body
    assert read(model.from_dict, data) == expected, body
    assert read(model.from_dict, json.loads(body)) == expected, body


def test_what_may_be_missing_may_be_none_and_what_nobody_knows_is_passed_over() -> None:
    queue, broker = QueueData("a", 0, 0, 0, 0), BrokerData("", "a", {})
    rows: list[tuple[Any, dict[Any, Any], Any]] = [
        (QueueData, {"brokerName": "a"}, queue),
        (QueueData, {"brokerName": "a", "perm": None, "readQueueNums": None, "compressionType": None}, queue),
        (QueueData, {"brokerName": "a", "topicSysFlag": None, "topicSynFlag": None, "new": [{}, 1.5]}, queue),
        (BrokerData, {"brokerName": "a"}, broker),
        (BrokerData, {"brokerName": "a", "cluster": None, "brokerAddrs": None, "zoneName": None}, broker),
        (BrokerData, {"brokerName": "a", "enableActingMaster": None, "brokerAddrs": {"0": None}}, broker),
        (TopicQueueMappingInfo, {"topic": None, "scope": None, "currIdMap": None}, TopicQueueMappingInfo()),
        (TopicRouteData, {}, TopicRouteData()),
        (TopicRouteData, {"brokerDatas": None, "queueDatas": None, "orderTopicConf": None}, TopicRouteData()),
        (TopicRouteData, {"filterServerTable": None, "topicQueueMappingByBroker": None}, TopicRouteData()),
        (
            TopicRouteData,
            {"brokerDatas": [None], "queueDatas": [None, {"brokerName": "a"}]},
            TopicRouteData("", [queue]),
        ),
        (TopicRouteData, {"filterServerTable": {"a": None}}, TopicRouteData()),
        (BrokerClusterInfo, {"brokerAddrTable": None, "clusterAddrTable": None}, BrokerClusterInfo()),
        (BrokerClusterInfo, {"clusterAddrTable": {"c": [None, "a"]}}, BrokerClusterInfo({}, {"c": ["a"]})),
    ]
    for model, data, expected in rows:
        check(model, data, expected)
        assert model.from_dict({None: 1, **data}) == expected
    # A bare `null` as a key, which JSON does not have and `json.dumps` puts into quotes.
    assert BrokerData.from_bytes(b'{"brokerName":"a","brokerAddrs":{null:1}}') == broker
    assert BrokerData.from_dict({"brokerName": "a", "brokerAddrs": {None: 1}}) == broker


def test_a_group_without_a_name_or_a_cluster_is_skipped_in_a_cluster_and_wrong_in_a_route() -> None:
    whole = {"brokerName": "b", "cluster": "c"}
    for nameless in ({}, {"brokerName": "a"}, {"cluster": "c"}, {"brokerName": None, "cluster": "c"}):
        expected = BrokerClusterInfo({"b": BrokerData("c", "b", {})})
        check(BrokerClusterInfo, {"brokerAddrTable": {"a": nameless, "b": whole}}, expected)
    check(BrokerClusterInfo, {"brokerAddrTable": {"a": {"brokerAddrs": 1}}}, NameServerDataParseError)
    check(TopicRouteData, {"brokerDatas": [{"cluster": "c"}]}, NameServerDataParseError)
    check(TopicRouteData, {"queueDatas": [{"perm": 6}]}, NameServerDataParseError)


def test_both_spellings_of_a_field_are_read() -> None:
    spellings: list[tuple[dict[str, Any], int]] = [
        ({"topicSysFlag": 1}, 1),
        ({"topicSynFlag": 2}, 2),
        ({"topicSysFlag": 1, "topicSynFlag": 2}, 1),
        ({"topicSynFlag": 2, "topicSysFlag": 1}, 1),
        ({"topicSynFlag": 2, "topicSysFlag": 0}, 0),
        ({"topicSynFlag": 2, "topicSysFlag": None}, 2),
    ]
    for flags, expected in spellings:
        check(QueueData, {"brokerName": "a", **flags}, QueueData("a", 0, 0, 0, expected))
    for tables, mappings in [
        ({"topicQueueMappingInfo": {"a": MAPPING_DICT}}, {"a": MAPPING}),
        ({"topicQueueMappingInfo": {}, "topicQueueMappingByBroker": {"a": MAPPING_DICT}}, {"a": MAPPING}),
        ({"topicQueueMappingByBroker": {"a": MAPPING_DICT}, "topicQueueMappingInfo": None}, {}),
    ]:
        check(TopicRouteData, tables, TopicRouteData(topic_queue_mapping_by_broker=mappings))


WHOLE: tuple[Any, ...] = (0, 7, INT32[1], "0", "7", "-0", str(INT32[1]))
TOO_LARGE: tuple[Any, ...] = (INT32[1] + 1, str(INT32[1] + 1), INT32[0] - 1, 10**30, "9" * 30, "9" * 9999)
NOT_WHOLE: tuple[Any, ...] = (
    6.0,
    6.5,
    True,
    False,
    [],
    {},
    "",
    "a",
    "-",
    "+6",
    "06",
    " 6",
    "6 ",
    "6\n",
    "6.0",
    "٣",
    "1٣",
)


def check_number(number: Any, expected: int | None) -> None:
    """Wherever the number stands, it is read as `expected`, or refused if that is `None`."""
    wrong, read_as = expected is None, expected or 0
    for model, data, value in [
        (QueueData, {"brokerName": "a", "perm": number}, QueueData("a", 0, 0, read_as, 0)),
        (QueueData, {"brokerName": "a", "topicSynFlag": number}, QueueData("a", 0, 0, 0, read_as)),
        (QueueData, {"brokerName": "a", "readQueueNums": number}, QueueData("a", read_as, 0, 0, 0)),
        (TopicQueueMappingInfo, {"totalQueues": number}, TopicQueueMappingInfo(total_queues=read_as)),
        (TopicQueueMappingInfo, {"currIdMap": {"1": number}}, TopicQueueMappingInfo(curr_id_map={1: read_as})),
    ]:
        check(model, data, NameServerDataParseError if wrong else value)


def test_a_whole_number_may_be_its_digits() -> None:
    for number in WHOLE:
        check_number(number, int(number))
    for number in (*TOO_LARGE, *NOT_WHOLE):
        check_number(number, None)


def test_a_count_is_not_below_zero_and_other_numbers_may_be() -> None:
    for name in ("readQueueNums", "writeQueueNums"):
        check(QueueData, {"brokerName": "a", name: -1}, NameServerDataParseError)
        check(QueueData, {"brokerName": "a", name: "-1"}, NameServerDataParseError)
    check(TopicQueueMappingInfo, {"totalQueues": -1}, NameServerDataParseError)
    check(QueueData, {"brokerName": "a", "perm": INT32[0], "topicSysFlag": -1}, QueueData("a", 0, 0, INT32[0], -1))
    for epoch in INT64:
        check(TopicQueueMappingInfo, {"epoch": epoch}, TopicQueueMappingInfo(epoch=epoch))
        check(TopicQueueMappingInfo, {"epoch": str(epoch)}, TopicQueueMappingInfo(epoch=epoch))
        check(TopicQueueMappingInfo, {"epoch": epoch * 2}, NameServerDataParseError)


def test_ids_are_whole_numbers_as_keys() -> None:
    for key, number in [("0", 0), ("-1", -1), (0, 0), (-1, -1), (INT64[1], INT64[1]), (str(INT64[0]), INT64[0])]:
        check(BrokerData, {"brokerName": "a", "brokerAddrs": {key: "h:1"}}, BrokerData("", "a", {number: "h:1"}))
    for key in ("a", "", "+0", "00", "1.5", " 0", "null", "true", INT64[1] + 1, str(INT64[0] - 1)):
        check(BrokerData, {"brokerName": "a", "brokerAddrs": {key: "h:1"}}, NameServerDataParseError)
        check(BrokerData, {"brokerName": "a", "brokerAddrs": {key: None}}, NameServerDataParseError)
    for key, number in [(INT32[0], INT32[0]), (str(INT32[1]), INT32[1])]:
        check(TopicQueueMappingInfo, {"currIdMap": {key: 0}}, TopicQueueMappingInfo(curr_id_map={number: 0}))
        check(TopicQueueMappingInfo, {"currIdMap": {number * 2: 0}}, NameServerDataParseError)
    # A name may be a number too.
    check(BrokerClusterInfo, {"clusterAddrTable": {7: ["a"]}}, BrokerClusterInfo({}, {"7": ["a"]}))
    # From Python only.
    odd_keys: tuple[Any, ...] = (True, 1.5, b"0", (), 10**5000)
    for odd in odd_keys:
        ids, names = {"brokerName": "a", "brokerAddrs": {odd: "h:1"}}, {"clusterAddrTable": {odd: ["a"]}}
        assert read(BrokerData.from_dict, ids) is NameServerDataParseError
        assert read(BrokerClusterInfo.from_dict, names) is NameServerDataParseError


def test_half_a_surrogate_pair_is_no_character() -> None:
    for text, expected in [
        ("\ud83d", "\ufffd"),
        ("a\ude00\ud83d", "a\ufffd\ufffd"),
        ("😀", "😀"),
        ('主题-ü/\\"\x00\x7f\u2028', '主题-ü/\\"\x00\x7f\u2028'),
    ]:
        check(TopicRouteData, {"orderTopicConf": text}, TopicRouteData(expected))
        check(BrokerClusterInfo, {"clusterAddrTable": {text: [text]}}, BrokerClusterInfo({}, {expected: [expected]}))
        assert TopicRouteData.from_bytes(TopicRouteData(text).to_bytes()) == TopicRouteData(expected)


NO_OBJECTS: tuple[Any, ...] = ([], (), "{}", 1, None, True)
WRONG: list[tuple[Any, Any, str]] = [
    *[(model, data, "data: expected an object, got") for model in MODELS for data in NO_OBJECTS],
    *[(model, {"$ref": "$"}, "data: a $ref") for model in MODELS],
    (QueueData, {}, "data.brokerName: missing"),
    (QueueData, {"brokerName": 1}, "data.brokerName: expected a string, got int"),
    (QueueData, {"brokerName": "a", "perm": "six"}, "data.perm: expected a whole number, got 'six'"),
    (QueueData, {"brokerName": "a", "perm": True}, "data.perm: expected a whole number, got bool"),
    (QueueData, {"brokerName": "a", "perm": 1 << 31}, "data.perm: number out of range for 32 bits"),
    (QueueData, {"brokerName": "a", "readQueueNums": -1}, "data.readQueueNums: a count below zero, -1"),
    (QueueData, {"brokerName": "a", "topicSysFlag": 1, "topicSynFlag": []}, "data.topicSynFlag: expected a whole"),
    (QueueData, {"brokerName": "a", "compressionType": 1}, "data.compressionType: expected a string"),
    (BrokerData, {"brokerName": "a", "cluster": []}, "data.cluster: expected a string, got list"),
    (BrokerData, {"brokerName": "a", "brokerAddrs": []}, "data.brokerAddrs: expected an object, got list"),
    (BrokerData, {"brokerName": "a", "brokerAddrs": {"a": "h"}}, "a key of data.brokerAddrs: expected a whole number"),
    (BrokerData, {"brokerName": "a", "brokerAddrs": {"0": 1}}, "data.brokerAddrs[0]: expected a string, got int"),
    (BrokerData, {"brokerName": "a", "enableActingMaster": 1}, "data.enableActingMaster: expected true or false"),
    (BrokerData, {"brokerName": "a", "enableActingMaster": "true"}, "data.enableActingMaster: expected true or false"),
    (BrokerData, {"brokerName": "a", "zoneName": {}}, "data.zoneName: expected a string, got dict"),
    (TopicQueueMappingInfo, {"epoch": 1 << 63}, "data.epoch: number out of range for 64 bits"),
    (TopicQueueMappingInfo, {"dirty": "no"}, "data.dirty: expected true or false, got 'no'"),
    (TopicRouteData, {"queueDatas": {}}, "data.queueDatas: expected a list, got dict"),
    (TopicRouteData, {"queueDatas": "[]"}, "data.queueDatas: expected a list, got '[]'"),
    (TopicRouteData, {"queueDatas": [QUEUE_DICT, 1]}, "data.queueDatas[1]: expected an object, got int"),
    (TopicRouteData, {"brokerDatas": [{}]}, "data.brokerDatas[0].brokerName: missing"),
    (TopicRouteData, {"brokerDatas": [{"brokerName": "a", "$ref": "@"}]}, "data.brokerDatas[0]: a $ref"),
    (TopicRouteData, {"filterServerTable": {"a": ["f", 1]}}, "data.filterServerTable['a'][1]: expected a string"),
    (TopicRouteData, {"topicQueueMappingInfo": {"a": {"dirty": 0}}}, "data.topicQueueMappingInfo['a'].dirty: expected"),
    (BrokerClusterInfo, {"brokerAddrTable": {"a": 1}}, "data.brokerAddrTable['a']: expected an object"),
    (BrokerClusterInfo, {"clusterAddrTable": {"a": "b"}}, "data.clusterAddrTable['a']: expected a list, got 'b'"),
]


@pytest.mark.parametrize(("model", "data", "place"), WRONG)
def test_what_is_wrong_is_named(model: Any, data: Any, place: str) -> None:
    check(model, data, NameServerDataParseError)
    with pytest.raises(NameServerDataParseError, match=re.escape(f"bad data at {place}")) as raised:
        model.from_dict(data)
    assert raised.value.offset is None


def test_an_error_shows_little_of_what_it_found() -> None:
    rows: list[tuple[Any, dict[str, Any]]] = [
        (QueueData, {"brokerName": "a", "perm": "x" * 10_000}),
        (BrokerData, {"brokerName": "a", "brokerAddrs": {"x" * 10_000: "h"}}),
        (BrokerClusterInfo, {"clusterAddrTable": {"x" * 10_000: 1}}),
    ]
    for model, data in rows:
        with pytest.raises(NameServerDataParseError) as raised:
            model.from_dict(data)
        assert len(str(raised.value)) < 200


@pytest.mark.parametrize("model", MODELS)
def test_bytes_must_be_bytes(model: Any) -> None:
    no_bytes: tuple[Any, ...] = ("{}", None, 5, [], {}, Path("x"))
    for data in no_bytes:
        expected = f"^data must be bytes, bytearray or memoryview, not {type(data).__name__}$"
        with pytest.raises(TypeError, match=expected):
            model.from_bytes(data)


def bodies() -> list[Any]:
    """Every answer of a real server to a question for a route or the cluster."""
    found: list[Any] = []
    for capture in json.loads((CAPTURES / "manifest.json").read_text()):
        if capture["code"] in (105, 106) and capture["response"]:
            frame = (CAPTURES / capture["response"]).read_bytes()
            header = int.from_bytes(frame[4:8], "big") & 0xFF_FFFF
            body = frame[8 + header :]
            model = TopicRouteData if capture["code"] == 105 else BrokerClusterInfo
            if body:
                found.append(pytest.param(model, body, id=capture["response"]))
    return found


def quoted(body: bytes) -> str:
    """The body with its bare keys in quotes: standard JSON."""
    string_or_key = re.compile(r'("(?:[^"\\]|\\.)*")|(-?\d+)(?=:)')
    return string_or_key.sub(lambda found: found[1] or f'"{found[2]}"', body.decode())


@pytest.mark.parametrize(("model", "body"), bodies())
def test_answers_of_real_servers_are_read_from_bytes_as_from_dicts(model: Any, body: bytes) -> None:
    value = model.from_bytes(body)
    assert model.from_dict(json.loads(quoted(body))) == value
    assert model.from_dict(value.to_dict()) == value
    assert model.from_bytes(value.to_bytes()) == value
    brokers = value.broker_data_list if model is TopicRouteData else value.broker_addr_table.values()
    assert brokers
    for broker in brokers:
        assert broker.master_address is not None
        assert broker.enable_acting_master in (None, False)
        assert {type(broker_id) for broker_id in broker.broker_addresses} == {int}


def test_there_are_answers_of_both_servers_in_both_dialects() -> None:
    texts = [param.values[1] for param in bodies()]
    assert len(texts) > 20
    assert any(quoted(text) == text.decode() for text in texts)
    assert any(quoted(text) != text.decode() for text in texts)


# Everything that the models can hold.
names = st.text(max_size=12)
int32 = st.integers(*INT32)
counts = st.integers(0, INT32[1])
brokers = st.builds(
    BrokerData,
    names,
    names,
    st.dictionaries(st.integers(*INT64), names, max_size=4),
    st.none() | names,
    st.none() | st.booleans(),
)
queues = st.builds(QueueData, names, counts, counts, int32, int32, names)
mappings = st.builds(
    TopicQueueMappingInfo,
    st.none() | names,
    names,
    counts,
    st.none() | names,
    st.integers(*INT64),
    st.booleans(),
    st.dictionaries(int32, int32, max_size=4),
)
name_lists = st.dictionaries(names, st.lists(names, max_size=3), max_size=3)
routes = st.builds(
    TopicRouteData,
    names,
    st.lists(queues, max_size=3),
    st.lists(brokers, max_size=3),
    name_lists,
    st.dictionaries(names, mappings, max_size=2),
)
clusters = st.builds(BrokerClusterInfo, st.dictionaries(names, brokers, max_size=3), name_lists)

# How long a shrink takes says nothing.
unhurried = settings(deadline=None)


@unhurried
@given(brokers | queues | mappings | routes | clusters)
def test_what_is_written_is_read_again(value: Any) -> None:
    model = model_of(value)
    assert model.from_dict(value.to_dict()) == value
    assert model.from_bytes(value.to_bytes()) == value
    assert model.from_dict(json.loads(value.to_bytes())) == value
    # The same with bare integers as keys and raw UTF-8, as servers write it unless asked otherwise.
    legacy = re.sub(
        r'("(?:[^"\\]|\\.)*")(:?)', lambda found: bare(found[1]) if found[2] else found[0], raw_json(value.to_dict())
    )
    assert model.from_bytes(legacy.encode()) == value


def raw_json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def bare(key: str) -> str:
    return (key[1:-1] if re.fullmatch(r'"-?(0|[1-9][0-9]*)"', key, re.ASCII) else key) + ":"


# Almost what the models can hold: right and wrong values in fields with right and wrong names.
texts = st.text(st.characters(exclude_categories=[]), max_size=4)
digits = st.integers(-(1 << 64), 1 << 64).map(str) | st.sampled_from(["", "-", "01", "+1", "1.0", "-0", "²"])
numbers = st.sampled_from([0, 1, -1, *INT32, INT32[0] - 1, INT32[1] + 1, *INT64, INT64[0] - 1, INT64[1] + 1])
scalars = st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts | digits
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | digits, inner, max_size=3),
    max_leaves=5,
)


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda throw: anything if throw == 7 else right)


def almost(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with its name and some of the other fields, and once in a while something wrong in one of them."""
    as_they_come = {name: mostly(right) for name, right in fields.items()}
    name = {"brokerName": as_they_come.pop("brokerName")} if "brokerName" in fields else {}
    return st.fixed_dictionaries(name, optional={**as_they_come, "new": anything})


near_text = texts | st.none()
near_truth = st.booleans() | st.none()
near_number = int32 | int32.map(str) | st.none()
near_count = counts | counts.map(str) | st.none()
near_brokers = almost(
    brokerName=texts,
    cluster=near_text,
    brokerAddrs=st.dictionaries(st.integers(*INT64).map(str), near_text, max_size=3),
    zoneName=near_text,
    enableActingMaster=near_truth,
)
near_queues = almost(
    brokerName=texts,
    readQueueNums=near_count,
    writeQueueNums=near_count,
    perm=near_number,
    topicSysFlag=near_number,
    topicSynFlag=near_number,
    compressionType=near_text,
)
near_mappings = almost(
    topic=near_text,
    scope=near_text,
    bname=near_text,
    totalQueues=near_count,
    epoch=near_number,
    dirty=near_truth,
    currIdMap=st.dictionaries(int32.map(str), near_number, max_size=3),
)
near_name_lists = st.dictionaries(texts, st.lists(near_text, max_size=3), max_size=3)
near_routes = almost(
    orderTopicConf=near_text,
    queueDatas=st.lists(near_queues, max_size=3),
    brokerDatas=st.lists(near_brokers, max_size=3),
    filterServerTable=near_name_lists,
    topicQueueMappingByBroker=st.dictionaries(texts, near_mappings, max_size=2),
    topicQueueMappingInfo=st.dictionaries(texts, near_mappings, max_size=2),
)
near_clusters = almost(
    brokerAddrTable=st.dictionaries(texts, near_brokers, max_size=3), clusterAddrTable=near_name_lists
)
near: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    (BrokerData, near_brokers),
    (QueueData, near_queues),
    (TopicQueueMappingInfo, near_mappings),
    (TopicRouteData, near_routes),
    (BrokerClusterInfo, near_clusters),
)


@pytest.mark.parametrize(("model", "data"), near)
def test_dicts_and_bytes_are_read_by_the_same_rules(model: Any, data: st.SearchStrategy[Any]) -> None:
    @unhurried
    @given(data)
    def agrees(data: Any) -> None:
        body = json.dumps(data)
        from_bytes = read(model.from_bytes, body.encode())
        assert read(model.from_dict, json.loads(body)) == from_bytes
        assert read(model.from_dict, data) == from_bytes

    agrees()


@unhurried
@given(st.sampled_from(MODELS), st.binary(max_size=60) | routes.map(TopicRouteData.to_bytes), st.data())
def test_hostile_bytes_are_an_error_with_its_place(model: Any, data: bytes, more: st.DataObject) -> None:
    cut = data[: more.draw(st.integers(0, len(data)))] + more.draw(st.binary(max_size=2))
    with contextlib.suppress(NameServerDataParseError):
        assert isinstance(model.from_bytes(cut), model)
        return
    with pytest.raises(NameServerDataParseError) as raised:
        model.from_bytes(cut)
    assert raised.value.offset is not None
    assert 0 <= raised.value.offset <= len(cut)
