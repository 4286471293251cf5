"""What NameServers answer: plain dataclasses with the names of the contract.

Each has `to_dict`/`from_dict` for Python values and `to_bytes`/`from_bytes` for the body of an answer, both with
the names of the wire (`brokerAddrs`, `queueDatas` and so on). Both ways of reading are equally tolerant: fields that
nobody knows are passed over; what is optional may be missing or `None`; `None` inside lists and maps is skipped; a
whole number may also be its digits as text. Anything else that is wrong is a `NameServerDataParseError`.
Constructors and writers check nothing.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import _native
from .errors import NameServerDataParseError

__all__ = ["BrokerClusterInfo", "BrokerData", "QueueData", "TopicQueueMappingInfo", "TopicRouteData"]

GZIP = "gzip"
"""The compression of every queue whose server says nothing else, and none does."""
GLOBAL_SCOPE = "__global__"
"""What a static topic's queues are shared across, where the server does not say."""


# What fields start with. `dict[str, str]` as a factory is ten times slower, plain `dict` leaves type checkers guessing.
def _dict() -> dict[Any, Any]:
    return {}


def _list() -> list[Any]:
    return []


class _Model:
    """What all models share."""

    def to_dict(self) -> dict[str, Any]:
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """The same as standard JSON: numbers as keys are in quotes, everything beyond ASCII is escaped."""
        # Without spaces: the Go client cuts this text apart instead of reading it (docs/wire.md §3.2).
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False).encode()


@dataclass
class BrokerData(_Model):
    """One broker group: a master and its slaves under one name."""

    cluster: str
    """The cluster that the group belongs to. Empty if the broker registered without one."""
    broker_name: str
    """The group's name."""
    broker_addresses: dict[int, str]
    """Broker id to address. Id 0 is the master; ids may be negative. Empty if no member is alive."""
    zone_name: str | None = None
    """The zone that the group's last registration named, if any (5.x)."""
    enable_acting_master: bool | None = None
    """Whether a slave may stand in for a lost master. `None` from 4.x servers, which do not send it."""
    advertised_addresses: dict[int, str] | None = None
    """Broker id to the address that the broker advertises, where a client uses others in their place.

    `None`: those that are used are the advertised ones. Never on the wire, so not in `to_dict` and `to_bytes` either.
    """

    @property
    def master_address(self) -> str | None:
        """The address of the member with id 0, if the group has it."""
        return self.broker_addresses.get(0)

    @property
    def advertised(self) -> dict[int, str]:
        """The addresses as the brokers advertise them, whichever are used.

        >>> BrokerData("c", "a", {0: "localhost:20911"}, advertised_addresses={0: "172.17.0.2:10911"}).advertised
        {0: '172.17.0.2:10911'}
        """
        return self.broker_addresses if self.advertised_addresses is None else self.advertised_addresses

    def to_dict(self) -> dict[str, Any]:
        """The group with the names of the wire. Broker ids stay integers; what is `None` is left out."""
        out: dict[str, Any] = {
            "cluster": self.cluster,
            "brokerName": self.broker_name,
            "brokerAddrs": dict(self.broker_addresses),
        }
        if self.zone_name is not None:
            out["zoneName"] = self.zone_name
        if self.enable_acting_master is not None:
            out["enableActingMaster"] = self.enable_acting_master
        return out

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> BrokerData:
        """Read such a dict; only `brokerName` must be there. A `NameServerDataParseError` names the wrong field."""
        return _broker(data, "data")

    @staticmethod
    def from_bytes(data: bytes | bytearray | memoryview) -> BrokerData:
        """Read JSON in either dialect of the servers. A `NameServerDataParseError` has the `offset` of the fault."""
        return _native.broker_data_from_bytes(_as_bytes(data))


@dataclass
class QueueData(_Model):
    """A topic's queues on one broker group."""

    broker_name: str
    """The broker group."""
    read_queue_nums: int
    """How many queues consumers may read, 0 to 2^31-1."""
    write_queue_nums: int
    """How many queues producers may write, 0 to 2^31-1."""
    perm: int
    """Permission bits: 4 read, 2 write, 1 inherit. 6 is the usual "read and write"."""
    topic_syn_flag: int
    """Flag bits: 1 the topic belongs to a unit, 2 it has a unit subscription."""
    compression_type: str = GZIP
    """How messages are compressed. No Apache NameServer sends it."""

    @property
    def is_readable(self) -> bool:
        """Whether consumers may read."""
        return self.perm & 4 != 0

    @property
    def is_writable(self) -> bool:
        """Whether producers may write."""
        return self.perm & 2 != 0

    def to_dict(self) -> dict[str, Any]:
        """The queues with the names of the wire; the flag is spelled `topicSynFlag`, as servers did through 4.8."""
        return {
            "brokerName": self.broker_name,
            "readQueueNums": self.read_queue_nums,
            "writeQueueNums": self.write_queue_nums,
            "perm": self.perm,
            "topicSynFlag": self.topic_syn_flag,
            "compressionType": self.compression_type,
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> QueueData:
        """Read such a dict; only `brokerName` must be there, and numbers are 0 where they are missing.

        `topicSysFlag`, as servers from 4.9 on spell the flag, counts more than `topicSynFlag`. A
        `NameServerDataParseError` names the wrong field; a count below zero is wrong too.
        """
        return _queue(data, "data")

    @staticmethod
    def from_bytes(data: bytes | bytearray | memoryview) -> QueueData:
        """Read JSON in either dialect of the servers. A `NameServerDataParseError` has the `offset` of the fault."""
        return _native.queue_data_from_bytes(_as_bytes(data))


@dataclass
class TopicQueueMappingInfo(_Model):
    """One broker's share of a static topic (5.x)."""

    topic: str | None = None
    """The topic."""
    scope: str = GLOBAL_SCOPE
    """What the topic's queues are shared across."""
    total_queues: int = 0
    """How many logical queues the topic has in all, 0 to 2^31-1."""
    bname: str | None = None
    """The broker's name."""
    epoch: int = 0
    """Which of two mappings is newer."""
    dirty: bool = False
    """Whether the mapping is being changed."""
    curr_id_map: dict[int, int] = field(default_factory=_dict)
    """Logical queue id to this broker's own queue id."""

    def to_dict(self) -> dict[str, Any]:
        """The mapping with the names of the wire. Queue ids stay integers; what is `None` is left out."""
        out: dict[str, Any] = {
            "topic": self.topic,
            "scope": self.scope,
            "totalQueues": self.total_queues,
            "bname": self.bname,
            "epoch": self.epoch,
            "dirty": self.dirty,
            "currIdMap": dict(self.curr_id_map),
        }
        return {name: value for name, value in out.items() if value is not None}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> TopicQueueMappingInfo:
        """Read such a dict; nothing must be there. A `NameServerDataParseError` names the wrong field."""
        return _mapping(data, "data")

    @staticmethod
    def from_bytes(data: bytes | bytearray | memoryview) -> TopicQueueMappingInfo:
        """Read JSON in either dialect of the servers. A `NameServerDataParseError` has the `offset` of the fault."""
        return _native.topic_queue_mapping_info_from_bytes(_as_bytes(data))


@dataclass
class TopicRouteData(_Model):
    """Everything that a NameServer knows about where a topic is.

    The two lists come in any order and either may name brokers that the other does not.
    """

    order_topic_conf: str = ""
    """How an ordered topic is spread, `broker-a:4;broker-b:4`. Empty if it is not ordered."""
    queue_data_list: list[QueueData] = field(default_factory=_list)
    """The queues, one entry per broker group."""
    broker_data_list: list[BrokerData] = field(default_factory=_list)
    """The broker groups."""
    filter_server_table: dict[str, list[str]] = field(default_factory=_dict)
    """Broker address to its filter servers."""
    topic_queue_mapping_by_broker: dict[str, TopicQueueMappingInfo] = field(default_factory=_dict)
    """Broker name to its share of a static topic (5.x). Empty for all other topics."""

    def to_dict(self) -> dict[str, Any]:
        """The route with the names of the wire. Filter servers and mappings are left out where there are none."""
        out: dict[str, Any] = {
            "orderTopicConf": self.order_topic_conf,
            "queueDatas": [queue.to_dict() for queue in self.queue_data_list],
            "brokerDatas": [broker.to_dict() for broker in self.broker_data_list],
        }
        if self.filter_server_table:
            out["filterServerTable"] = {name: list(filters) for name, filters in self.filter_server_table.items()}
        if self.topic_queue_mapping_by_broker:
            mappings = self.topic_queue_mapping_by_broker.items()
            out["topicQueueMappingByBroker"] = {name: mapping.to_dict() for name, mapping in mappings}
        return out

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> TopicRouteData:
        """Read such a dict; nothing must be there. A `NameServerDataParseError` names the wrong field."""
        return _route(data, "data")

    @staticmethod
    def from_bytes(data: bytes | bytearray | memoryview) -> TopicRouteData:
        """Read JSON in either dialect of the servers. A `NameServerDataParseError` has the `offset` of the fault."""
        return _native.topic_route_data_from_bytes(_as_bytes(data))


@dataclass
class BrokerClusterInfo(_Model):
    """All brokers and clusters that a NameServer knows."""

    broker_addr_table: dict[str, BrokerData] = field(default_factory=_dict)
    """Broker name to that broker group."""
    cluster_addr_table: dict[str, list[str]] = field(default_factory=_dict)
    """Cluster name to the names of its broker groups."""

    def to_dict(self) -> dict[str, Any]:
        """Both tables with the names of the wire."""
        return {
            "brokerAddrTable": {name: broker.to_dict() for name, broker in self.broker_addr_table.items()},
            "clusterAddrTable": {name: list(brokers) for name, brokers in self.cluster_addr_table.items()},
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> BrokerClusterInfo:
        """Read such a dict; nothing must be there. A `NameServerDataParseError` names the wrong field.

        A group without a name or a cluster is skipped: it must not hide all the others.
        """
        return _cluster(data, "data")

    @staticmethod
    def from_bytes(data: bytes | bytearray | memoryview) -> BrokerClusterInfo:
        """Read JSON in either dialect of the servers. A `NameServerDataParseError` has the `offset` of the fault."""
        return _native.broker_cluster_info_from_bytes(_as_bytes(data))


def _as_bytes(data: bytes | bytearray | memoryview) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"data must be bytes, bytearray or memoryview, not {type(data).__name__}")


# From here on: reading dicts. A reader takes a value and its place in the whole, for the error. The rules are those of
# the Rust core, which reads the same things from bytes; the tests hold the two against each other.

_T = TypeVar("_T")
_K = TypeVar("_K")
_Read = Callable[[Any, str], _T]


def _broker(value: Any, at: str) -> BrokerData:
    data = _fields(value, at)
    return BrokerData(
        _optional(data, "cluster", at, _text, ""),
        _required(data, "brokerName", at, _text),
        _optional(data, "brokerAddrs", at, _map_of(_int64, _text), {}),
        _optional(data, "zoneName", at, _text, None),
        _optional(data, "enableActingMaster", at, _boolean, None),
    )


def _whole_broker(value: Any, at: str) -> BrokerData | None:
    # A 4.9.7 server tells of brokers that registered without a name (docs/wire.md §3.3). They are skipped, but what
    # else they have must be right.
    data = _fields(value, at)
    nameless = data.get("brokerName") is None
    broker = _broker({**data, "brokerName": ""} if nameless else data, at)
    return None if nameless or data.get("cluster") is None else broker


def _queue(value: Any, at: str) -> QueueData:
    data = _fields(value, at)
    older_flag = _optional(data, "topicSynFlag", at, _int32, 0)
    return QueueData(
        _required(data, "brokerName", at, _text),
        _optional(data, "readQueueNums", at, _count, 0),
        _optional(data, "writeQueueNums", at, _count, 0),
        _optional(data, "perm", at, _int32, 0),
        _optional(data, "topicSysFlag", at, _int32, older_flag),
        _optional(data, "compressionType", at, _text, GZIP),
    )


def _mapping(value: Any, at: str) -> TopicQueueMappingInfo:
    data = _fields(value, at)
    return TopicQueueMappingInfo(
        _optional(data, "topic", at, _text, None),
        _optional(data, "scope", at, _text, GLOBAL_SCOPE),
        _optional(data, "totalQueues", at, _count, 0),
        _optional(data, "bname", at, _text, None),
        _optional(data, "epoch", at, _int64, 0),
        _optional(data, "dirty", at, _boolean, False),
        _optional(data, "currIdMap", at, _map_of(_int32, _int32), {}),
    )


def _route(value: Any, at: str) -> TopicRouteData:
    data = _fields(value, at)
    mappings: dict[str, TopicQueueMappingInfo] = {}
    # One field under two names (docs/wire.md §3.2); the last one counts, as of any field that comes twice.
    for name in data:
        if name in ("topicQueueMappingByBroker", "topicQueueMappingInfo"):
            mappings = _optional(data, name, at, _map_of(_name, _mapping), {})
    return TopicRouteData(
        _optional(data, "orderTopicConf", at, _text, ""),
        _optional(data, "queueDatas", at, _list_of(_queue), []),
        _optional(data, "brokerDatas", at, _list_of(_broker), []),
        _optional(data, "filterServerTable", at, _map_of(_name, _list_of(_text)), {}),
        mappings,
    )


def _cluster(value: Any, at: str) -> BrokerClusterInfo:
    data = _fields(value, at)
    return BrokerClusterInfo(
        _optional(data, "brokerAddrTable", at, _map_of(_name, _whole_broker), {}),
        _optional(data, "clusterAddrTable", at, _map_of(_name, _list_of(_text)), {}),
    )


def _optional(data: Mapping[Any, Any], name: str, at: str, read: _Read[_T], default: _T) -> _T:
    value = data.get(name)
    return default if value is None else read(value, f"{at}.{name}")


def _required(data: Mapping[Any, Any], name: str, at: str, read: _Read[_T]) -> _T:
    value = data.get(name)
    if value is None:
        raise _wrong(f"{at}.{name}", "missing")
    return read(value, f"{at}.{name}")


def _fields(value: Any, at: str) -> Mapping[Any, Any]:
    data: Mapping[Any, Any] = _expect(Mapping, value, "an object", at)
    if "$ref" in data:
        raise _wrong(at, "a $ref to another part of the document is not supported")
    return data


def _map_of(read_key: _Read[_K], read: _Read[_T | None]) -> _Read[dict[_K, _T]]:
    """Read a map. Entries with `None` for a key or value are skipped, and those that `read` does not want."""

    def read_map(value: Any, at: str) -> dict[_K, _T]:
        out: dict[_K, _T] = {}
        for raw_key, raw in _expect(Mapping, value, "an object", at).items():
            if raw_key is not None:
                key = read_key(raw_key, f"a key of {at}")
                entry = None if raw is None else read(raw, f"{at}[{reprlib.repr(key)}]")
                if entry is not None:
                    out[key] = entry
        return out

    return read_map


def _list_of(read: _Read[_T]) -> _Read[list[_T]]:
    """Read a list; its `None` elements are skipped."""

    def read_list(value: Any, at: str) -> list[_T]:
        elements = enumerate(_expect((list, tuple), value, "a list", at))
        return [read(element, f"{at}[{index}]") for index, element in elements if element is not None]

    return read_list


def _text(value: Any, at: str) -> str:
    text: str = _expect(str, value, "a string", at)
    # Half a surrogate pair is no character; Java writes such halves (docs/wire.md §3.1).
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)


def _name(key: Any, at: str) -> str:
    # A bare number as a key is a name like any other.
    return _text(key, at) if isinstance(key, (str, bool)) else str(_int64(key, at))


def _boolean(value: Any, at: str) -> bool:
    truth: bool = _expect(bool, value, "true or false", at)
    return truth


def _count(value: Any, at: str) -> int:
    number = _int32(value, at)
    if number < 0:
        raise _wrong(at, f"a count below zero, {number}")
    return number


def _integer_of(bits: int) -> _Read[int]:
    """Read a whole number of so many bits, or its digits."""

    def read_integer(value: Any, at: str) -> int:
        digits = re.fullmatch(r"-?(0|[1-9][0-9]*)", value) if isinstance(value, str) else None
        if not digits:
            _expect(int, value, "a whole number", at)
        # 64 bits have 19 digits and a sign. Python refuses to read thousands, with an error of its own.
        number = 1 << bits if digits and len(digits.string) > 20 else int(value)
        if not -1 << bits - 1 <= number < 1 << bits - 1:
            raise _wrong(at, f"number out of range for {bits} bits")
        return number

    return read_integer


_int32 = _integer_of(32)
_int64 = _integer_of(64)


def _expect(kinds: type | tuple[type, ...], value: Any, what: str, at: str) -> Any:
    # In Python `True` is a whole number, in JSON it is not.
    if isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool)):
        return value
    got = reprlib.repr(value) if isinstance(value, str) else type(value).__name__
    raise _wrong(at, f"expected {what}, got {got}")


def _wrong(at: str, reason: str) -> NameServerDataParseError:
    return NameServerDataParseError(f"bad data at {at}: {reason}")
