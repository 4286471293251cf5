"""Ask RocketMQ NameServers where things are: topic routes and clusters, RocketMQ 4.x and 5.x, sync and asyncio.

>>> from pyrocketmq.nameserver import create_sync_client
>>> with create_sync_client("localhost", 9876) as client:  # doctest: +SKIP
...     route = client.query_topic_route_info("test_topic")
"""

from .address_rewriting import AddressRewriting, AdvertisedAddress
from .async_cache import AsyncRouteCache
from .async_manager import AsyncNameServerManager, create_async_nameserver_manager
from .broker_models import (
    BrokerMemberGroup,
    DataVersion,
    QueryDataVersionResult,
    RegisterBrokerResult,
    TopicConfig,
    TopicList,
)
from .cache import RouteCache
from .cached_route import CachedRoute, Explanation, Happened, RouteCacheStats
from .client import (
    AsyncNameServerClient,
    ServerStats,
    SyncNameServerClient,
    create_async_client,
    create_sync_client,
)
from .disagreement import (
    AllClusters,
    AllRoutes,
    AllTopics,
    BrokerOpinion,
    ClusterDifference,
    Difference,
    ListDifference,
    Opinion,
)
from .discovery import Discovery
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
from .manager import NameServerConfig, NameServerManager, create_nameserver_manager
from .models import BrokerClusterInfo, BrokerData, QueueData, TopicQueueMappingInfo, TopicRouteData
from .route_changes import (
    AddressesChanged,
    BrokerAdded,
    BrokerRemoved,
    OrderConfChanged,
    OtherChanged,
    PermChanged,
    QueueCounts,
    QueuesChanged,
    Resynced,
    RouteChange,
    TopicFound,
    TopicGone,
)
from .route_watch import RouteWatch, WatchThread

__all__ = [
    "AddressRewriting",
    "AddressesChanged",
    "AdvertisedAddress",
    "AllClusters",
    "AllRoutes",
    "AllTopics",
    "AsyncNameServerClient",
    "AsyncNameServerManager",
    "AsyncRouteCache",
    "Attempt",
    "BrokerAdded",
    "BrokerClusterInfo",
    "BrokerData",
    "BrokerMemberGroup",
    "BrokerOpinion",
    "BrokerRemoved",
    "CachedRoute",
    "ClusterDifference",
    "DataVersion",
    "Difference",
    "Discovery",
    "EmbeddedNameServer",
    "Explanation",
    "Happened",
    "ListDifference",
    "NameServerConfig",
    "NameServerConnectionError",
    "NameServerDataParseError",
    "NameServerError",
    "NameServerManager",
    "NameServerProtocolError",
    "NameServerResponseError",
    "NameServerTimeoutError",
    "Opinion",
    "OrderConfChanged",
    "OtherChanged",
    "PermChanged",
    "QueryDataVersionResult",
    "QueueCounts",
    "QueueData",
    "QueuesChanged",
    "RegisterBrokerResult",
    "Resynced",
    "RouteCache",
    "RouteCacheStats",
    "RouteChange",
    "RouteWatch",
    "ServerStats",
    "Snapshot",
    "SyncNameServerClient",
    "TopicConfig",
    "TopicFound",
    "TopicGone",
    "TopicList",
    "TopicQueueMappingInfo",
    "TopicRouteData",
    "WatchThread",
    "create_async_client",
    "create_async_nameserver_manager",
    "create_nameserver_manager",
    "create_sync_client",
]
