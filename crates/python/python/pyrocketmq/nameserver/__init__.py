"""Ask RocketMQ NameServers where things are: topic routes and clusters, RocketMQ 4.x and 5.x, sync and asyncio.

>>> from pyrocketmq.nameserver import create_sync_client
>>> with create_sync_client("localhost", 9876) as client:  # doctest: +SKIP
...     route = client.query_topic_route_info("test_topic")
"""

from .broker_models import (
    BrokerMemberGroup,
    DataVersion,
    QueryDataVersionResult,
    RegisterBrokerResult,
    TopicConfig,
    TopicList,
)
from .cache import RouteCache
from .client import (
    AsyncNameServerClient,
    ServerStats,
    SyncNameServerClient,
    create_async_client,
    create_sync_client,
)
from .embedded import EmbeddedNameServer, Snapshot
from .errors import (
    Attempt,
    NameServerConnectionError,
    NameServerDataParseError,
    NameServerError,
    NameServerProtocolError,
    NameServerResponseError,
    NameServerTimeoutError,
)
from .models import BrokerClusterInfo, BrokerData, QueueData, TopicQueueMappingInfo, TopicRouteData

__all__ = [
    "AsyncNameServerClient",
    "Attempt",
    "BrokerClusterInfo",
    "BrokerData",
    "BrokerMemberGroup",
    "DataVersion",
    "EmbeddedNameServer",
    "NameServerConnectionError",
    "NameServerDataParseError",
    "NameServerError",
    "NameServerProtocolError",
    "NameServerResponseError",
    "NameServerTimeoutError",
    "QueryDataVersionResult",
    "QueueData",
    "RegisterBrokerResult",
    "RouteCache",
    "ServerStats",
    "Snapshot",
    "SyncNameServerClient",
    "TopicConfig",
    "TopicList",
    "TopicQueueMappingInfo",
    "TopicRouteData",
    "create_async_client",
    "create_sync_client",
]
