"""From routes to queues, by the rules of `docs/wire.md` §4.6 to §4.8: what Python gets is what the core makes."""

from __future__ import annotations

import copy
import dataclasses
import doctest
import importlib
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST,
    LOGICAL_QUEUE_MOCK_BROKER_PREFIX,
    MAX_QUEUES,
    MAX_WRONG_ITEMS,
    BrokerData,
    CachedRoute,
    EmbeddedNameServer,
    MessageQueue,
    NameServerDataParseError,
    PublishQueues,
    QueueData,
    RouteCache,
    SubscribeQueues,
    SyncNameServerClient,
    TopicQueueMappingInfo,
    TopicRouteData,
    physical_broker,
    publish_queues,
    static_topic_endpoints,
    subscribe_queues,
)

MOST = 2**31 - 1
"""The largest count of the wire."""

GLOBAL = "__global__"


def queue(name: str, perm: int, read: int, write: int) -> QueueData:
    return QueueData(name, read, write, perm, 0)


def master(name: str) -> BrokerData:
    return BrokerData("C", name, {0: "h:1", 1: "h:2"})


SLAVE_ONLY = BrokerData("C", "a", {1: "h:2"})


def ordered(conf: str) -> TopicRouteData:
    return TopicRouteData(conf, [queue("a", 6, 3, 3)], [master("a")])


def info(bname: str, scope: str, epoch: int, total: int, *held: int) -> TopicQueueMappingInfo:
    ids = dict.fromkeys(held, 0)
    return TopicQueueMappingInfo(None, scope, total, bname or None, epoch, False, ids)


def static(*infos: TopicQueueMappingInfo, conf: str = "") -> TopicRouteData:
    """A route with these mappings, each under its place's letter."""
    mappings = dict(zip("abcdefgh", infos, strict=False))
    return TopicRouteData(conf, topic_queue_mapping_by_broker=mappings)


def shown(queues: list[MessageQueue]) -> str:
    assert all(queue.topic == "T" for queue in queues)
    return " ".join(f"{queue.broker_name}{queue.queue_id}" for queue in queues)


@pytest.mark.parametrize(
    ("brokers", "queues", "publish", "subscribe"),
    [
        pytest.param([master("a")], [queue("a", 6, 3, 2)], "a0 a1", "a0 a1 a2", id="read and write"),
        pytest.param([master("a")], [queue("a", 4, 2, 2)], "", "a0 a1", id="read only"),
        pytest.param([master("a")], [queue("a", 2, 2, 2)], "a0 a1", "", id="write only"),
        pytest.param([master("a")], [queue("a", 7, 1, 1)], "a0", "a0", id="inherit"),
        pytest.param([master("a")], [queue("a", 14, 1, 1)], "a0", "a0", id="priority"),
        pytest.param([master("a")], [queue("a", 1, 1, 1)], "", "", id="no permission"),
        pytest.param([SLAVE_ONLY], [queue("a", 6, 1, 1)], "", "a0", id="no master"),
        pytest.param([], [queue("a", 6, 1, 1)], "", "a0", id="no broker data"),
        pytest.param([master("a")], [], "", "", id="no queues"),
        pytest.param(
            [master("b"), master("a")],
            [queue("b", 6, 1, 1), queue("a", 6, 1, 1)],
            "a0 b0",
            "b0 a0",
            id="publish by broker name",
        ),
        pytest.param([SLAVE_ONLY, master("a")], [queue("a", 6, 1, 1)], "", "a0", id="of two broker datas the first"),
        pytest.param(
            [master("a")],
            [queue("a", 6, 1, 2), queue("b", 4, 1, 1), queue("a", 6, 3, 1), queue("a", 6, 2, 0)],
            "a0 a1 a0",
            "a0 b0 a1 a2",
            id="a broker listed thrice",
        ),
    ],
)
def test_rules_4_6_3_and_4_7_permissions_masters_and_order_decide(
    brokers: list[BrokerData], queues: list[QueueData], publish: str, subscribe: str
) -> None:
    route = TopicRouteData("", queues, brokers)
    found = publish_queues("T", route)
    assert (shown(found), found.is_order_topic, found.wrong_items, found.wrong_item_count) == (publish, False, (), 0)
    assert shown(subscribe_queues("T", route)) == subscribe


def test_rule_4_6_3_brokers_come_in_the_order_of_javas_strings() -> None:
    names = ["\uff21", "\U0001f600", "b", "B", "a"]
    route = TopicRouteData("", [queue(name, 6, 1, 1) for name in names], [master(name) for name in names])
    in_order = ["B", "a", "b", "\U0001f600", "\uff21"]
    assert [queue.broker_name for queue in publish_queues("T", route)] == in_order


@pytest.mark.parametrize(
    ("conf", "publish"),
    [("b:2;a:1", "b0 b1 a0"), ("a:1;a:2", "a0 a0 a1"), ("a:0", ""), (";", ""), ("a:1;nonsense;b:1", "a0 b0")],
)
def test_rule_4_6_1_an_order_configuration_counts_whatever_else_the_route_says(conf: str, publish: str) -> None:
    route = ordered(conf)
    found = publish_queues("T", route)
    assert (shown(found), found.is_order_topic) == (publish, True)
    assert shown(subscribe_queues("T", route)) == "a0 a1 a2"


def test_rule_4_6_1_an_order_configuration_comes_before_logical_queues() -> None:
    route = static(info("a", GLOBAL, 0, 1, 0), conf="b:1")
    assert shown(publish_queues("T", route)) == "b0"
    assert shown(subscribe_queues("T", route)) == "__syslo__global__0"


@pytest.mark.parametrize(
    ("conf", "publish", "problems"),
    [
        ("a:+2", "a0 a1", []),
        ("a:002", "a0 a1", []),
        ("a:-0", "", []),
        ("a:2:x", "a0 a1", []),
        ("a:2;;;", "a0 a1", []),
        ("a:1;;b:1", "a0 b0", [(1, "", "no_colon")]),
        ("a", "", [(0, "a", "no_colon")]),
        (":2", "", [(0, ":2", "no_broker")]),
        ("a:", "", [(0, "a:", "no_count")]),
        ("a: 2", "", [(0, "a: 2", "not_a_number")]),
        ("a:x;b:1", "b0", [(0, "a:x", "not_a_number")]),
        ("a:1;b:-1", "a0", [(1, "b:-1", "negative")]),
        ("a:99999999999", "", [(0, "a:99999999999", "too_large")]),
        ("a:2147483648", "", [(0, "a:2147483648", "too_large")]),
        ("\u4e2d:1", "\u4e2d0", []),
    ],
)
def test_rule_4_6_1_malformed_items_are_told_and_the_others_count(
    conf: str, publish: str, problems: list[tuple[int, str, str]]
) -> None:
    found = publish_queues("T", ordered(conf))
    assert shown(found) == publish
    assert [(wrong.position, wrong.item, wrong.problem) for wrong in found.wrong_items] == problems
    assert found.wrong_item_count == len(problems)
    assert all(wrong.message and str(wrong) == wrong.message for wrong in found.wrong_items)


@pytest.mark.parametrize("find", [publish_queues, subscribe_queues])
def test_rules_4_6_2_and_4_7_a_static_topic_has_its_logical_queues(
    find: Callable[[str, TopicRouteData], list[MessageQueue]],
) -> None:
    route = static(info("a", GLOBAL, 0, 2, 0), info("b", "s", 0, 1, 0))
    route.queue_data_list, route.broker_data_list = [queue("a", 6, 3, 3)], [master("a")]
    assert shown(find("T", route)) == "__syslo__global__0 __syslo__s0 __syslo__global__1"


@pytest.mark.parametrize(
    ("infos", "expected"),
    [
        pytest.param([], "", id="no static topic"),
        pytest.param([info("a", GLOBAL, 0, 0, 0, 1)], "", id="no queues"),
        pytest.param([info("a", GLOBAL, 0, 2, 1)], "global__ 0=-, global__ 1=a", id="held and not held"),
        pytest.param([info("a", GLOBAL, 0, 1, -1, 0, 1, 7)], "global__ 0=a", id="ids beyond the total"),
        pytest.param(
            [info("a", GLOBAL, 9, 2, 0, 1), info("b", GLOBAL, 8, 2, 0), info("c", GLOBAL, 10, 2, 1)],
            "global__ 0=a, global__ 1=c",
            id="the highest epoch wherever it stands",
        ),
        pytest.param(
            [info("a", GLOBAL, 1, 1, 0), info("b", GLOBAL, 1, 1, 0)], "global__ 0=b", id="of equal epochs the later"
        ),
        pytest.param(
            [info("a", GLOBAL, 9, 1, 0), info("b", GLOBAL, 1, 2, 1)],
            "global__ 0=a, global__ 1=b",
            id="the largest total counts",
        ),
        pytest.param(
            [info("a", GLOBAL, 1, 2, 0, 1), info("b", "s", 9, 1, 0)],
            "global__ 0=a, s 0=b, global__ 1=a",
            id="each scope on its own",
        ),
        pytest.param([info("", GLOBAL, 1, 1, 0)], "global__ 0=-", id="no bname"),
    ],
)
def test_rule_4_8_the_highest_epoch_of_a_scope_holds_a_queue(infos: list[TopicQueueMappingInfo], expected: str) -> None:
    route = static(*infos)
    parts: list[str] = []
    for logical, broker in static_topic_endpoints("T", route).items():
        is_none = broker == LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST
        assert physical_broker(route, logical) == (None if is_none else broker)
        scope = logical.broker_name.removeprefix(LOGICAL_QUEUE_MOCK_BROKER_PREFIX)
        parts.append(f"{scope} {logical.queue_id}={'-' if is_none else broker}")
    assert ", ".join(parts) == expected


def test_rule_4_8_a_queue_that_is_not_logical_goes_to_its_own_broker_unless_the_topic_is_static() -> None:
    asked = MessageQueue("T", "x", 0)
    assert physical_broker(static(), asked) == "x"
    assert physical_broker(static(info("a", GLOBAL, 0, 0, 0)), asked) == "x"
    assert physical_broker(static(info("a", GLOBAL, 0, 1, 0)), asked) is None


@pytest.mark.parametrize(
    ("route", "publish", "subscribe"),
    [
        pytest.param(TopicRouteData(), 0, 0, id="none"),
        pytest.param(
            TopicRouteData("", [queue("a", 6, MAX_QUEUES, MAX_QUEUES)], [master("a")]),
            MAX_QUEUES,
            MAX_QUEUES,
            id="the limit",
        ),
        pytest.param(
            TopicRouteData("", [queue("a", 6, MAX_QUEUES + 1, MAX_QUEUES + 1)], [master("a")]),
            MAX_QUEUES + 1,
            MAX_QUEUES + 1,
            id="one more",
        ),
        pytest.param(
            TopicRouteData("", [queue("a", 6, MOST, MOST), queue("b", 6, MOST, MOST)], [master("a"), master("b")]),
            2 * MOST,
            2 * MOST,
            id="the most of two brokers",
        ),
        pytest.param(ordered(f"a:{MOST};b:{MOST}"), 2 * MOST, 3, id="ordered"),
        pytest.param(static(info("a", GLOBAL, 0, MOST, 0)), MOST, MOST, id="static"),
    ],
)
def test_claims_are_counted_and_no_more_than_the_limit_is_made(
    route: TopicRouteData, publish: int, subscribe: int
) -> None:
    started = time.perf_counter()
    for queues, claimed in ((publish_queues("T", route), publish), (subscribe_queues("T", route), subscribe)):
        assert len(queues) == min(claimed, MAX_QUEUES)
        assert (queues.claimed, queues.is_capped) == (claimed, claimed > MAX_QUEUES)
    assert len(static_topic_endpoints("T", route)) <= MAX_QUEUES
    # Making what is claimed would take hours.
    assert time.perf_counter() - started < 30


def test_malformed_items_are_counted_to_the_end_and_held_up_to_a_limit() -> None:
    found = publish_queues("T", ordered("x;" * 200_000 + "a:1"))
    assert (shown(found), len(found.wrong_items), found.wrong_item_count) == ("a0", MAX_WRONG_ITEMS, 200_000)
    assert [wrong.position for wrong in found.wrong_items] == list(range(MAX_WRONG_ITEMS))


@pytest.mark.parametrize(
    "route",
    [
        TopicRouteData("", [queue("a", 6, -1, 1)]),
        TopicRouteData("", [queue("a", 6, MOST + 1, 1)]),
        TopicRouteData("", [queue("a", 2**40, 1, 1)]),
        TopicRouteData("", [], [BrokerData("C", "a", {2**63: "h:1"})]),
        static(info("a", GLOBAL, 2**63, 1)),
    ],
)
@pytest.mark.parametrize("find", [publish_queues, subscribe_queues, static_topic_endpoints])
def test_values_that_no_server_could_send_are_an_error(
    find: Callable[[str, TopicRouteData], object], route: TopicRouteData
) -> None:
    with pytest.raises(NameServerDataParseError) as raised:
        find("T", route)
    assert raised.value.offset is not None


@pytest.mark.parametrize("route", [None, {}, b"{}", BrokerData("C", "a", {}), TopicRouteData])
@pytest.mark.parametrize("find", [publish_queues, subscribe_queues, static_topic_endpoints])
def test_what_is_no_route_is_a_type_error(find: Callable[[str, Any], object], route: object) -> None:
    with pytest.raises(TypeError, match="route"):
        find("T", route)


def test_a_topic_must_be_text() -> None:
    wrong: Any = 1
    with pytest.raises(TypeError, match="topic"):
        publish_queues(wrong, TopicRouteData())


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_queue_number_that_there_cannot_be_is_an_error(number: int) -> None:
    with pytest.raises(OverflowError):
        physical_broker(TopicRouteData(), MessageQueue("T", "a", number))


def test_a_route_of_a_cache_has_the_queues_of_one_that_was_written_and_read(nameserver: EmbeddedNameServer) -> None:
    for name in ("b", "a"):
        nameserver.register("C", name, f"{name}:1", topics={"T": 4})
    with SyncNameServerClient(nameserver.address) as client, RouteCache(client=client) as cache:
        cached = cache.get_route("T")
        assert cached is not None
        for route in (cached, copy.deepcopy(cached), TopicRouteData.from_bytes(cached.to_bytes())):
            assert shown(publish_queues("T", route)) == "a0 a1 a2 a3 b0 b1 b2 b3"
            assert sorted(subscribe_queues("T", route)) == sorted(publish_queues("T", route))


def test_a_copy_of_a_cached_route_is_its_holders_to_change(nameserver: EmbeddedNameServer) -> None:
    nameserver.register("C", "a", "a:1", topics={"T": 4})
    with SyncNameServerClient(nameserver.address) as client, RouteCache(client=client) as cache:
        cached = cache.get_route("T")
        assert cached is not None
        changed = copy.deepcopy(cached)
        changed.queue_data_list[0].write_queue_nums = 1
        assert shown(publish_queues("T", changed)) == "a0"
        assert shown(publish_queues("T", dataclasses.replace(cached, order_topic_conf="b:1"))) == "b0"
        assert shown(publish_queues("T", cached)) == "a0 a1 a2 a3"


def test_a_cached_route_that_was_made_by_hand_has_what_it_says() -> None:
    assert shown(publish_queues("T", CachedRoute("b:1"))) == "b0"


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_a_list_keeps_what_is_known_of_it(again: Callable[[Any], Any]) -> None:
    publish = publish_queues("T", ordered("a:1;b"))
    other = again(publish)
    assert type(other) is PublishQueues
    assert other == publish
    assert (other.is_order_topic, other.wrong_items, other.claimed) == (True, publish.wrong_items, 1)
    subscribe = again(subscribe_queues("T", ordered("")))
    assert type(subscribe) is SubscribeQueues
    assert (shown(subscribe), subscribe.claimed, subscribe.is_capped) == ("a0 a1 a2", 3, False)


def test_a_list_made_by_hand_counts_what_is_in_it() -> None:
    made = PublishQueues([MessageQueue("T", "a", 0)])
    assert (made.claimed, made.is_capped, made.is_order_topic, made.wrong_item_count) == (1, False, False, 0)


def test_queues_are_keys_in_an_order_and_cannot_be_changed() -> None:
    queues = [MessageQueue("T", "a", 10), MessageQueue("T", "a", 9), MessageQueue("S", "b", 0)]
    assert [str(queue) for queue in sorted(queues)] == ["S@b:0", "T@a:9", "T@a:10"]
    assert {queues[0]: 1}[MessageQueue("T", "a", 10)] == 1
    changed: Any = queues[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.queue_id = 1


@pytest.mark.parametrize("module", ["broker_address", "default_topic", "names", "queues"])
def test_the_examples_of_the_functions_are_right(module: str) -> None:
    ran = doctest.testmod(
        importlib.import_module(f"pyrocketmq.nameserver.{module}"), optionflags=doctest.IGNORE_EXCEPTION_DETAIL
    )
    assert ran.attempted > 0
    assert ran.failed == 0
