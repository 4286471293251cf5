"""What a watch tells: one class for each kind of change, with what was before and what is now.

Brokers are told apart by their names; the order in which a server lists them is no change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .models import BrokerData, TopicRouteData

__all__ = [
    "AddressesChanged",
    "BrokerAdded",
    "BrokerRemoved",
    "OrderConfChanged",
    "OtherChanged",
    "PermChanged",
    "QueueCounts",
    "QueuesChanged",
    "Resynced",
    "RouteChange",
    "TopicFound",
    "TopicGone",
]


@dataclass(frozen=True)
class RouteChange:
    """A change of a topic."""

    topic: str
    """The topic."""


@dataclass(frozen=True)
class TopicFound(RouteChange):
    """The topic has a route now. Also the first thing that a watch says about a topic that has one when it begins."""

    after: TopicRouteData
    """The whole route."""


@dataclass(frozen=True)
class TopicGone(RouteChange):
    """The topic has no route any more."""

    before: TopicRouteData
    """The last route that was known."""
    reason: Literal["not-found", "too-old"]
    """Why it is believed: two servers do not know it, or none has confirmed it for `max_stale`."""


@dataclass(frozen=True)
class BrokerAdded(RouteChange):
    """One more broker group has the topic."""

    after: BrokerData
    """The group."""


@dataclass(frozen=True)
class BrokerRemoved(RouteChange):
    """A broker group does not have the topic any more."""

    before: BrokerData
    """The group as it was."""


@dataclass(frozen=True)
class AddressesChanged(RouteChange):
    """Members of a broker group came, left or moved."""

    broker_name: str
    """The group."""
    before: dict[int, str]
    """Broker id to address, as it was."""
    after: dict[int, str]
    """Broker id to address, as it is."""


@dataclass(frozen=True)
class QueueCounts:
    """How many queues of a topic a broker group has."""

    read: int
    """Queues that consumers may read."""
    write: int
    """Queues that producers may write."""


@dataclass(frozen=True)
class QueuesChanged(RouteChange):
    """A broker group has another number of queues."""

    broker_name: str
    """The group."""
    before: QueueCounts | None
    """How many it had; `None` if none were listed."""
    after: QueueCounts | None
    """How many it has; `None` if none are listed any more."""


@dataclass(frozen=True)
class PermChanged(RouteChange):
    """The permission of a broker group's queues is another one. The bits are those of `QueueData.perm`."""

    broker_name: str
    """The group."""
    before: int
    """What was allowed."""
    after: int
    """What is allowed."""


@dataclass(frozen=True)
class OrderConfChanged(RouteChange):
    """The order of an ordered topic is another one. Empty where there is none."""

    before: str
    """As it was."""
    after: str
    """As it is."""


@dataclass(frozen=True)
class OtherChanged(RouteChange):
    """Something else: filter servers, static topic mapping, cluster, zone, flags."""

    before: TopicRouteData
    """The whole route as it was."""
    after: TopicRouteData
    """The whole route as it is."""


@dataclass(frozen=True)
class Resynced(RouteChange):
    """There was a gap: states in between may have been missed. What the newest state changes follows.

    Changes came faster than they were taken, or no server could confirm the route for longer than its `ttl`.
    """

    after: TopicRouteData | None
    """The route now; `None` if the topic has none."""
