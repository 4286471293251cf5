"""What several NameServers say about the same thing, and where they disagree: `query_all` and the like.

Each NameServer has tables of its own, which it makes from what brokers tell it, so two of them may say different things: one
did not hear of a broker, was started a moment ago, or was told something by hand. All routes and brokers here are as the
servers said them: of all zones, and with the addresses that brokers advertise.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import NameServerError
from .models import BrokerClusterInfo, BrokerData, TopicRouteData
from .route_changes import RouteChange

__all__ = [
    "AllClusters",
    "AllRoutes",
    "AllTopics",
    "BrokerOpinion",
    "ClusterDifference",
    "Difference",
    "ListDifference",
    "Opinion",
]


@dataclass(frozen=True)
class Opinion:
    """What some servers say about a topic."""

    servers: list[str]
    """Who says it, `host:port`, in the order of the client's servers."""
    route: TopicRouteData | None
    """The route, its lists in one order; `None` if they do not know the topic."""


@dataclass(frozen=True)
class Difference:
    """How an opinion differs from that of most servers."""

    servers: list[str]
    """Who has another opinion."""
    than: list[str]
    """Who has the opinion that it is compared with: most servers; of two opinions that as many have, the first server's."""
    changes: list[RouteChange]
    """What leads from what `than` say to what `servers` say. Never empty.

    A topic that only `than` know is `TopicGone`, one that only `servers` know is `TopicFound`.
    """


@dataclass(frozen=True)
class AllRoutes:
    """What every server says about one topic: `query_all`. Servers that say the same may share one route: do not change it."""

    topic: str
    """The topic."""
    answers: list[tuple[str, TopicRouteData | NameServerError]]
    """Each server and what it said, in the order of the client's servers.

    Lists are sorted, because their order means nothing: equal routes are equal. A server that does not know the topic has an
    error with `is_topic_not_found`.
    """
    opinions: list[Opinion]
    """Who says what: what most servers say first, and of two opinions that as many have, that of the earlier server.

    What a 4.x server has no words for (zones, acting masters, static topics) is left out if such a server is among them,
    because it is no difference of opinion.
    """
    failed: list[tuple[str, NameServerError]]
    """The servers that gave no opinion, with the reasons: not reached, silent, not ready, not understood."""
    differences: list[Difference]
    """How every opinion but the first differs from the first."""

    @property
    def agree(self) -> bool:
        """Whether every server answered and all say the same, be it "not found"."""
        return not self.failed and len(self.opinions) == 1

    @property
    def is_disagreement(self) -> bool:
        """Whether two servers say different things. If not, they need not agree: some may have given no opinion."""
        return len(self.opinions) > 1


@dataclass(frozen=True)
class ListDifference:
    """A topic that not all servers list."""

    topic: str
    """The topic."""
    listed_at: list[str]
    """The servers that list it. Never empty."""
    missing_at: list[str]
    """The servers that answered and do not list it. Never empty."""


@dataclass(frozen=True)
class AllTopics:
    """Which topics every server lists: `query_all_topics`."""

    answers: list[tuple[str, list[str] | NameServerError]]
    """Each server and the topics that it lists, sorted."""
    topics: list[str]
    """All topics that any server lists, sorted."""
    failed: list[tuple[str, NameServerError]]
    """The servers that gave no list, with the reasons."""
    differences: list[ListDifference]
    """The topics that some of the servers list and others do not, sorted."""


@dataclass(frozen=True)
class BrokerOpinion:
    """What some servers say about a broker group."""

    servers: list[str]
    """Who says it, in the order of the client's servers."""
    broker: BrokerData | None
    """The group with its cluster and its addresses; `None` if they do not describe it."""
    listed_in: list[str]
    """The clusters that list it, sorted.

    Its own as a rule, none where it is not known; a group that has registered for another cluster is in the lists of both.
    """


@dataclass(frozen=True)
class ClusterDifference:
    """A broker group about which servers say different things."""

    broker_name: str
    """The group."""
    opinions: list[BrokerOpinion]
    """What is said about it, two opinions or more: what most servers say first."""


@dataclass(frozen=True)
class AllClusters:
    """Which brokers and clusters every server knows: `query_all_clusters`."""

    answers: list[tuple[str, BrokerClusterInfo | NameServerError]]
    """Each server and what it said."""
    broker_names: list[str]
    """All broker groups that any server knows, sorted."""
    failed: list[tuple[str, NameServerError]]
    """The servers that gave no answer, with the reasons."""
    differences: list[ClusterDifference]
    """The broker groups about which servers say different things, sorted.

    What a 4.x server has no words for (zones, acting masters) is left out if such a server is among them.
    """
