"""Which address of a broker to talk to, by the rules of Java's client.

Each function answers from one route. So there is no second table of addresses that could be older or newer than the queues.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import _native
from .models import BrokerData, TopicRouteData

__all__ = [
    "FindBrokerResult",
    "find_broker_addr_by_topic",
    "find_broker_address_in_admin",
    "find_broker_address_in_publish",
    "find_broker_address_in_subscribe",
    "select_broker_addr",
]


@dataclass(frozen=True, order=True, slots=True)
class FindBrokerResult:
    """A member of a broker group that was found."""

    broker_addr: str
    """Its address, `host:port`."""
    slave: bool
    """Whether it is a slave."""


def find_broker_address_in_publish(route: TopicRouteData, broker_name: str) -> str | None:
    """Where messages for a broker are sent: its master. `None` if it has no master or does not stand in the route.

    >>> route = TopicRouteData("", [], [BrokerData("C", "a", {0: "10.0.0.1:10911", 1: "10.0.0.2:10911"})])
    >>> find_broker_address_in_publish(route, "a")
    '10.0.0.1:10911'
    """
    return _native.find_broker_address_in_publish(route, broker_name)


def find_broker_address_in_subscribe(
    route: TopicRouteData, broker_name: str, broker_id: int = 0, only_this_broker: bool = False
) -> FindBrokerResult | None:
    """Where messages of a broker are read: the member with that id.

    If a slave was wanted and is not there, the one with the next id; then, unless `only_this_broker`, the first member as
    Java's hash table has them: of ids from 0 to 15 the smallest. `slave` says whether a slave was wanted, and of a member that
    was not wanted whether it is one.

    >>> route = TopicRouteData("", [], [BrokerData("C", "a", {0: "10.0.0.1:10911", 2: "10.0.0.2:10911"})])
    >>> find_broker_address_in_subscribe(route, "a", 1)
    FindBrokerResult(broker_addr='10.0.0.2:10911', slave=True)
    """
    return _result(_native.find_broker_address_in_subscribe(route, broker_name, broker_id, only_this_broker))


def find_broker_address_in_admin(route: TopicRouteData, broker_name: str) -> FindBrokerResult | None:
    """Where an operator's question to a broker goes: to any member, the first as Java's hash table has them.

    Of ids from 0 to 15 that is the smallest, so the master if there is one.

    >>> route = TopicRouteData("", [], [BrokerData("C", "a", {1: "10.0.0.2:10911"})])
    >>> find_broker_address_in_admin(route, "a")
    FindBrokerResult(broker_addr='10.0.0.2:10911', slave=True)
    """
    return _result(_native.find_broker_address_in_admin(route, broker_name))


def select_broker_addr(broker: BrokerData) -> str | None:
    """The master of a broker group; without one any member, another one each time. `None` if it has none at all.

    >>> select_broker_addr(BrokerData("C", "a", {0: "10.0.0.1:10911", 1: "10.0.0.2:10911"}))
    '10.0.0.1:10911'
    """
    return _native.select_broker_addr(broker)


def find_broker_addr_by_topic(route: TopicRouteData) -> str | None:
    """A broker that can be asked about the topic: `select_broker_addr` of any broker group, another one each time.

    Groups without members are left out, where Java's client fails. `None` if no group has any.

    >>> find_broker_addr_by_topic(TopicRouteData("", [], [BrokerData("C", "a", {0: "10.0.0.1:10911"})]))
    '10.0.0.1:10911'
    """
    return _native.find_broker_addr_by_topic(route)


def _result(found: tuple[str, bool] | None) -> FindBrokerResult | None:
    return None if found is None else FindBrokerResult(*found)
