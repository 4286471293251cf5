"""Where to send messages of a topic that does not exist yet: to the brokers that create topics by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import _native
from .models import TopicRouteData

__all__ = [
    "AUTO_CREATE_TOPIC_KEY_TOPIC",
    "DEFAULT_TOPIC_QUEUE_NUMS",
    "AsyncRouteToPublish",
    "RouteToPublish",
    "SyncRouteToPublish",
    "checked_queue_nums",
    "default_topic_route",
]

AUTO_CREATE_TOPIC_KEY_TOPIC: Final[str] = _native.AUTO_CREATE_TOPIC_KEY_TOPIC
"""The topic that brokers register which create topics by themselves (`autoCreateTopicEnable`): `TBW102`."""

DEFAULT_TOPIC_QUEUE_NUMS: Final[int] = _native.DEFAULT_TOPIC_QUEUE_NUMS
"""How many queues a topic gets on each broker that creates it: 4, as `defaultTopicQueueNums` of Java's producer."""

_MAX_QUEUE_NUMS = 2**31 - 1
"""The largest count of queues of the wire."""


@dataclass
class RouteToPublish(TopicRouteData):
    """A route to send messages by: what `route_to_publish` returns. It is a `TopicRouteData` in every other way.

    One that came out of a cache shares its parts with all who ask: do not change it.
    """

    is_default: bool = False
    """Whether the topic does not exist yet, and this is where it would be created."""

    @staticmethod
    def of(route: TopicRouteData) -> RouteToPublish:
        """A topic's own route, with whose parts it is made."""
        fields = (route.order_topic_conf, route.queue_data_list, route.broker_data_list)
        made = RouteToPublish(*fields, route.filter_server_table, route.topic_queue_mapping_by_broker)
        # With it the core knows the route of a cache again.
        origin = getattr(route, "_origin", None)
        if origin is not None:
            made.__dict__["_origin"] = origin
        return made

    def __getstate__(self) -> dict[str, Any]:
        # A copy is its holder's own and may be changed.
        return {name: value for name, value in self.__dict__.items() if name != "_origin"}


def default_topic_route(
    route: TopicRouteData, default_topic_queue_nums: int = DEFAULT_TOPIC_QUEUE_NUMS
) -> TopicRouteData:
    """The route of `AUTO_CREATE_TOPIC_KEY_TOPIC` as the route of a topic that is to be created.

    Each broker has at most `default_topic_queue_nums` queues, and at most as many as it lets that topic's consumers read.

    >>> from pyrocketmq.nameserver import QueueData
    >>> default_topic_route(TopicRouteData("", [QueueData("a", 8, 8, 7, 0)])).queue_data_list[0].write_queue_nums
    4
    """
    return _native.default_topic_route(route, checked_queue_nums(default_topic_queue_nums))


class SyncRouteToPublish:
    """The method of `SyncNameServerClient` for producers."""

    def _ask(self, request: _native.Request, timeout: float | None) -> Any:
        raise NotImplementedError

    def route_to_publish(
        self,
        topic: str,
        default_topic_queue_nums: int = DEFAULT_TOPIC_QUEUE_NUMS,
        *,
        timeout: float | None = None,
    ) -> RouteToPublish:
        """Where to send messages of a topic, as Java's producer finds it.

        That is by the topic's route; if no server knows the topic, by that of `AUTO_CREATE_TOPIC_KEY_TOPIC` with at most
        `default_topic_queue_nums` queues on each broker. A topic that has a route keeps it, also if it has no queue to send to.
        `timeout` is for each of the two questions, in seconds.

        Raises as `query_topic_route_info` does; if neither topic is found, the error is about `topic`.

        >>> def queues(client: SyncNameServerClient) -> PublishQueues:  # doctest: +SKIP
        ...     route = client.route_to_publish("orders")
        ...     return publish_queues("orders", route)
        """
        request = _native.Request.route_to_publish(topic, checked_queue_nums(default_topic_queue_nums))
        route: RouteToPublish = self._ask(request, timeout)
        return route


class AsyncRouteToPublish:
    """The method of `AsyncNameServerClient` for producers."""

    async def _ask(self, request: _native.Request, timeout: float | None) -> Any:
        raise NotImplementedError

    async def route_to_publish(
        self,
        topic: str,
        default_topic_queue_nums: int = DEFAULT_TOPIC_QUEUE_NUMS,
        *,
        timeout: float | None = None,
    ) -> RouteToPublish:
        """Where to send messages of a topic; see `SyncNameServerClient.route_to_publish`."""
        request = _native.Request.route_to_publish(topic, checked_queue_nums(default_topic_queue_nums))
        route: RouteToPublish = await self._ask(request, timeout)
        return route

    async_route_to_publish = route_to_publish


def checked_queue_nums(default_topic_queue_nums: int) -> int:
    """A count of queues."""
    nums = default_topic_queue_nums
    if isinstance(nums, bool) or not isinstance(nums, int):
        raise TypeError(f"default_topic_queue_nums must be an int, not {type(nums).__name__}")
    if not 0 <= nums <= _MAX_QUEUE_NUMS:
        raise ValueError(f"default_topic_queue_nums must be 0 to {_MAX_QUEUE_NUMS}, not {nums}")
    return nums
