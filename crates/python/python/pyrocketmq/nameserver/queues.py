"""From a route to queues: where a producer may send and what a consumer may read, by the rules of Java's client.

The rules are those of the Rust core, and so are the limits: no route makes more than `MAX_QUEUES` queues of a topic. A route
whose values no server could send, such as a count below zero, is a `NameServerDataParseError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, cast

from . import _native
from .models import TopicRouteData

__all__ = [
    "LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST",
    "LOGICAL_QUEUE_MOCK_BROKER_PREFIX",
    "MAX_QUEUES",
    "MAX_WRONG_ITEMS",
    "MessageQueue",
    "OrderConfItemError",
    "OrderConfItemProblem",
    "PublishQueues",
    "SubscribeQueues",
    "physical_broker",
    "publish_queues",
    "static_topic_endpoints",
    "subscribe_queues",
]

MAX_QUEUES: Final[int] = _native.MAX_QUEUES
"""How many queues of a topic there are at most, whatever its route claims: 65,536.

A broker holds a folder of files for each queue, and the largest real topics have some thousand queues; a route that claims
more than this is broken or hostile.
"""

MAX_WRONG_ITEMS: Final[int] = _native.MAX_WRONG_ITEMS
"""How many malformed items `PublishQueues.wrong_items` holds at most: 100, which show what is wrong."""

LOGICAL_QUEUE_MOCK_BROKER_PREFIX: Final[str] = _native.LOGICAL_QUEUE_MOCK_BROKER_PREFIX
"""How the names of brokers begin that are none, but stand for all brokers of a static topic."""

LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST: Final[str] = _native.LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST
"""The broker of a logical queue that no broker holds."""

OrderConfItemProblem = Literal["no_colon", "no_broker", "no_count", "not_a_number", "negative", "too_large", "other"]
"""Why an item of `order_topic_conf` gives no queues.

* `no_colon`: there is no `:` in it; an empty item between two `;` is one of these.
* `no_broker`: there is no broker before the `:`. Java's client makes queues that nobody can reach.
* `no_count`: there is no count behind the `:`.
* `not_a_number`: the count is not a whole number in decimal digits. One `+` or `-` may stand before them, nothing else.
* `negative`: the count is below zero. Java's client makes no queues of it.
* `too_large`: the count is above 2^31-1.
* `other`: what a later release may find.
"""


@dataclass(frozen=True, order=True, slots=True)
class MessageQueue:
    """One queue of a topic. Sorted by topic, broker name and number; can be a key.

    >>> print(MessageQueue("orders", "broker-a", 3))
    orders@broker-a:3
    """

    topic: str
    """The topic."""
    broker_name: str
    """The broker group that holds the queue."""
    queue_id: int
    """Its number on that broker, from 0."""

    def __str__(self) -> str:
        return f"{self.topic}@{self.broker_name}:{self.queue_id}"


@dataclass(frozen=True, slots=True)
class OrderConfItemError:
    """An item of `order_topic_conf` that is not `broker:count`. It gives no queues. `str` of it is for people."""

    position: int
    """Which item it is, from 0."""
    item: str
    """Its text."""
    problem: OrderConfItemProblem
    """What is wrong with it."""
    message: str = ""
    """The same for people, and what to write instead."""

    def __str__(self) -> str:
        return self.message


class _Queues(list[MessageQueue]):
    """What both lists have in common."""

    claimed: int
    """How many queues the route claims. Never less than there were at first."""

    def __init__(self, queues: Iterable[MessageQueue] = (), *, claimed: int | None = None) -> None:
        super().__init__(queues)
        self.claimed = len(self) if claimed is None else claimed

    @property
    def is_capped(self) -> bool:
        """Whether the route claims more than the `MAX_QUEUES` that are here."""
        return self.claimed > MAX_QUEUES


class PublishQueues(_Queues):
    """What `publish_queues` returns: a list of `MessageQueue`, the caller's own."""

    is_order_topic: bool
    """Whether the topic is ordered: its queues come from its `order_topic_conf`."""
    wrong_items: tuple[OrderConfItemError, ...]
    """The items of `order_topic_conf` that could not be read and give no queues: the first `MAX_WRONG_ITEMS` of them."""
    wrong_item_count: int
    """How many items could not be read, all of them counted."""

    def __init__(
        self,
        queues: Iterable[MessageQueue] = (),
        *,
        is_order_topic: bool = False,
        wrong_items: Iterable[OrderConfItemError] = (),
        wrong_item_count: int | None = None,
        claimed: int | None = None,
    ) -> None:
        """Make a list. Counts that are not given are those of what is given."""
        super().__init__(queues, claimed=claimed)
        self.is_order_topic = is_order_topic
        self.wrong_items = tuple(wrong_items)
        self.wrong_item_count = len(self.wrong_items) if wrong_item_count is None else wrong_item_count


class SubscribeQueues(_Queues):
    """What `subscribe_queues` returns: a list of `MessageQueue`, the caller's own."""


def publish_queues(topic: str, route: TopicRouteData) -> PublishQueues:
    """The queues that a producer may send to. The first rule that fits counts.

    1. An ordered topic has those of its `order_topic_conf`, in its order, whether those brokers are there or not.
    2. A static topic (5.x) has its logical queues, by number: `physical_broker` says where each is.
    3. All others have queues 0 to `write_queue_nums` - 1 of each broker group with write permission and a live master, by
       broker name in the order of Java's `String`.

    The route of a cache, as it was handed out, takes the shortest way; all others are written as JSON and read again.

    >>> from pyrocketmq.nameserver import BrokerData, QueueData
    >>> route = TopicRouteData("", [QueueData("a", 4, 2, 6, 0)], [BrokerData("C", "a", {0: "10.0.0.1:10911"})])
    >>> [str(queue) for queue in publish_queues("orders", route)]
    ['orders@a:0', 'orders@a:1']
    """
    pairs, is_order_topic, wrong, wrong_count, claimed = _native.publish_queues(topic, route)
    return PublishQueues(
        [MessageQueue(topic, broker, number) for broker, number in pairs],
        is_order_topic=is_order_topic,
        wrong_items=[_wrong_item(*item) for item in wrong],
        wrong_item_count=wrong_count,
        claimed=claimed,
    )


def subscribe_queues(topic: str, route: TopicRouteData) -> SubscribeQueues:
    """The queues that a consumer may read, none of them twice.

    Those are the logical queues of a static topic (5.x), by number; of other topics queues 0 to `read_queue_nums` - 1 of each
    broker group with read permission, in the order of the route. A master is not needed: slaves serve consumers too.

    >>> from pyrocketmq.nameserver import QueueData
    >>> route = TopicRouteData("", [QueueData("a", 2, 2, 4, 0), QueueData("b", 1, 1, 2, 0)])
    >>> [str(queue) for queue in subscribe_queues("orders", route)]
    ['orders@a:0', 'orders@a:1']
    """
    pairs, claimed = _native.subscribe_queues(topic, route)
    return SubscribeQueues([MessageQueue(topic, broker, number) for broker, number in pairs], claimed=claimed)


def static_topic_endpoints(topic: str, route: TopicRouteData) -> dict[MessageQueue, str]:
    """The logical queues of a static topic (5.x), each with the broker that holds it. Empty for other topics.

    They stand by number, then by scope: at most `MAX_QUEUES`. A scope (`__global__` as a rule) has as many queues as the
    largest `total_queues` of its mappings. Of several brokers that say that they hold a queue, the one with the highest epoch
    does. A queue that none holds has `LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST`.

    >>> from pyrocketmq.nameserver import TopicQueueMappingInfo
    >>> mapping = TopicQueueMappingInfo("orders", total_queues=2, bname="a", epoch=7, curr_id_map={0: 0})
    >>> route = TopicRouteData(topic_queue_mapping_by_broker={"a": mapping})
    >>> [(str(queue), broker) for queue, broker in static_topic_endpoints("orders", route).items()]
    [('orders@__syslo__global__:0', 'a'), ('orders@__syslo__global__:1', '__syslo__none__')]
    """
    endpoints = _native.static_topic_endpoints(topic, route)
    return {MessageQueue(topic, mock_broker, number): broker for mock_broker, number, broker in endpoints}


def physical_broker(route: TopicRouteData, queue: MessageQueue) -> str | None:
    """Where a message to that queue goes.

    For a logical queue of a static topic that is the broker that holds it, `None` if no broker of the route does; for any other
    queue its own broker. For many queues of one route, `static_topic_endpoints` is quicker.

    >>> physical_broker(TopicRouteData(), MessageQueue("orders", "broker-a", 3))
    'broker-a'
    """
    return _native.physical_broker(route, queue.topic, queue.broker_name, queue.queue_id)


def _wrong_item(position: int, item: str, problem: str, message: str) -> OrderConfItemError:
    return OrderConfItemError(position, item, cast("OrderConfItemProblem", problem), message)
