"""What brokers and operators exchange with NameServers, beside routes and clusters: plain dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "BrokerMemberGroup",
    "DataVersion",
    "QueryDataVersionResult",
    "RegisterBrokerResult",
    "TopicConfig",
    "TopicList",
]


@dataclass
class TopicList:
    """Topics by name, in any order, and who knows more."""

    topic_list: list[str]
    """The topics."""
    broker_addr: str | None = None
    """The address of a broker that knows further system topics, if there is any broker."""


@dataclass
class DataVersion:
    """How new a broker's topics are. Two are equal if all parts are; 4.x servers ignore `state_version`."""

    counter: int = 0
    """Counts the changes."""
    state_version: int = 0
    """Counts role changes (5.x)."""
    timestamp: int = 0
    """When it last changed, in milliseconds since 1970."""


@dataclass
class TopicConfig:
    """One topic as its broker configures it."""

    topic_name: str
    """The topic's name."""
    read_queue_nums: int = 16
    """How many queues consumers may read, 0 to 2^31-1."""
    write_queue_nums: int = 16
    """How many queues producers may write, 0 to 2^31-1."""
    perm: int = 6
    """Permission bits: 4 read, 2 write, 1 inherit."""
    topic_sys_flag: int = 0
    """Flag bits: 1 the topic belongs to a unit, 2 it has a unit subscription."""
    order: bool = False
    """Whether its messages are ordered."""
    topic_filter_type: str = "SINGLE_TAG"
    """`SINGLE_TAG` or `MULTI_TAG`."""
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    """Further settings (5.x)."""


@dataclass
class RegisterBrokerResult:
    """What a NameServer tells a broker that has registered."""

    ha_server_addr: str | None = None
    """For a slave: where its master's copy service listens."""
    master_addr: str | None = None
    """For a slave: its master's address."""
    kv_table: dict[str, str] | None = None
    """All order configurations, topic to `broker:queues;...`, if the server has any."""


@dataclass
class QueryDataVersionResult:
    """What a NameServer knows of a broker's topics."""

    changed: bool
    """Whether the broker should register: the server does not have its topics, or other ones."""
    data_version: DataVersion | None = None
    """How new the topics are that the server has. `None` if it does not take the broker for alive."""


@dataclass
class BrokerMemberGroup:
    """The members of one broker group, as a 5.x server tells them to one of them."""

    cluster: str
    """The cluster that was asked for."""
    broker_name: str
    """The group's name."""
    broker_addresses: dict[int, str]
    """Broker id to address. Empty if the server does not know the group."""
