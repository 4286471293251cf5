"""What several NameServers say about the same thing, and where they disagree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AddressesChanged,
    AllClusters,
    AllRoutes,
    AllTopics,
    AsyncNameServerClient,
    BrokerAdded,
    BrokerRemoved,
    ClusterDifference,
    Difference,
    EmbeddedNameServer,
    ListDifference,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    QueuesChanged,
    SyncNameServerClient,
    TopicFound,
    TopicGone,
    TopicRouteData,
)

from .peers import closed_port


def register(server: EmbeddedNameServer, broker: str = "a", topic: str = "orders", host: str = "h") -> None:
    server.register("c", f"broker-{broker}", f"{host}-{broker}:10911", topics={topic: 4})


@pytest.fixture
def servers() -> Iterator[list[EmbeddedNameServer]]:
    """Two that know the same: `orders` on two brokers."""
    with EmbeddedNameServer() as first, EmbeddedNameServer() as second:
        for server in (first, second):
            register(server, "a")
            register(server, "b")
        yield [first, second]


def addresses(servers: list[EmbeddedNameServer]) -> list[str]:
    return [server.address for server in servers]


class Ask:
    """Both clients, as one."""

    def __init__(self, servers: list[str], kind: str, timeout: float = 20) -> None:
        self._servers = servers
        self._kind = kind
        self._timeout = timeout

    def __call__(self, method: str, *arguments: Any) -> Any:
        if self._kind == "blocking":
            with SyncNameServerClient(self._servers, timeout=self._timeout) as client:
                return getattr(client, method)(*arguments)

        async def ask() -> Any:
            # Connecting fails if no server is there, asking does not.
            client = AsyncNameServerClient(self._servers, timeout=self._timeout)
            try:
                return await getattr(client, f"async_{method}")(*arguments)
            finally:
                await client.close()

        return asyncio.run(ask())

    def routes(self, topic: str = "orders") -> AllRoutes:
        answer: AllRoutes = self("query_all", topic)
        return answer


@pytest.fixture(params=["blocking", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def test_servers_that_say_the_same_agree(servers: list[EmbeddedNameServer], kind: str) -> None:
    routes = Ask(addresses(servers), kind).routes()
    assert routes.topic == "orders"
    assert [server for server, _ in routes.answers] == addresses(servers)
    (_, one), (_, other) = routes.answers
    assert isinstance(one, TopicRouteData)
    assert one == other
    assert [broker.broker_name for broker in one.broker_data_list] == ["broker-a", "broker-b"]
    (opinion,) = routes.opinions
    assert (opinion.servers, opinion.route) == (addresses(servers), one)
    assert (routes.failed, routes.differences, routes.agree, routes.is_disagreement) == ([], [], True, False)
    with pytest.raises(FrozenInstanceError):
        routes.topic = "other"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def test_a_topic_that_nobody_knows_is_an_opinion_too(servers: list[EmbeddedNameServer], kind: str) -> None:
    routes = Ask(addresses(servers), kind).routes("missing")
    for _, error in routes.answers:
        assert isinstance(error, NameServerResponseError)
        assert error.is_topic_not_found
    (opinion,) = routes.opinions
    assert (opinion.servers, opinion.route) == (addresses(servers), None)
    assert (routes.failed, routes.agree) == ([], True)


def one_broker_less(second: EmbeddedNameServer) -> None:
    second.unregister("broker-b")


def one_broker_more(second: EmbeddedNameServer) -> None:
    register(second, "c")


def another_address(second: EmbeddedNameServer) -> None:
    register(second, "a", host="g")


def nothing(second: EmbeddedNameServer) -> None:
    second.unregister("broker-a")
    second.unregister("broker-b")


@pytest.mark.parametrize(
    ("do", "changes"),
    [
        (one_broker_less, [BrokerRemoved, QueuesChanged]),
        (one_broker_more, [BrokerAdded, QueuesChanged]),
        (another_address, [AddressesChanged]),
        (nothing, [TopicGone]),
    ],
)
def test_a_difference_says_what_leads_from_one_opinion_to_the_other(
    servers: list[EmbeddedNameServer], kind: str, do: Callable[[EmbeddedNameServer], None], changes: list[type]
) -> None:
    first, second = servers
    do(second)
    routes = Ask(addresses(servers), kind).routes()
    assert (routes.agree, routes.is_disagreement) == (False, True)
    assert [opinion.servers for opinion in routes.opinions] == [[first.address], [second.address]]
    (difference,) = routes.differences
    assert (difference.servers, difference.than) == ([second.address], [first.address])
    assert [type(change) for change in difference.changes] == changes
    assert {change.topic for change in difference.changes} == {"orders"}
    # The other way round.
    (other,) = Ask(addresses(servers[::-1]), kind).routes().differences
    opposites = {BrokerRemoved: BrokerAdded, BrokerAdded: BrokerRemoved, TopicGone: TopicFound}
    assert [type(change) for change in other.changes] == [opposites.get(change, change) for change in changes]


def test_what_is_told_of_a_topic_that_one_server_does_not_know(servers: list[EmbeddedNameServer]) -> None:
    nothing(servers[1])
    routes = Ask(addresses(servers), "blocking").routes()
    (_, route), (_, _) = routes.answers
    assert isinstance(route, TopicRouteData)
    gone = TopicGone("orders", route, "not-found")
    assert routes.differences == [Difference([servers[1].address], [servers[0].address], [gone])]


def test_what_most_servers_say_comes_first(servers: list[EmbeddedNameServer], kind: str) -> None:
    one_broker_less(servers[0])
    with EmbeddedNameServer() as third:
        register(third, "a")
        register(third, "b")
        routes = Ask([*addresses(servers), third.address], kind).routes()
    assert [opinion.servers for opinion in routes.opinions] == [
        [servers[1].address, third.address],
        [servers[0].address],
    ]


def down(server: EmbeddedNameServer) -> None:
    server.stop()


def silent(server: EmbeddedNameServer) -> None:
    server.set_faults("silent")


def not_ready(server: EmbeddedNameServer) -> None:
    server.set_faults("not-ready")


@pytest.mark.parametrize(
    ("do", "error"),
    [(down, NameServerConnectionError), (silent, NameServerTimeoutError), (not_ready, NameServerResponseError)],
)
def test_a_server_that_fails_has_no_opinion_and_then_nobody_can_say_that_they_agree(
    servers: list[EmbeddedNameServer],
    kind: str,
    do: Callable[[EmbeddedNameServer], None],
    error: type[NameServerError],
) -> None:
    do(servers[1])
    routes = Ask(addresses(servers), kind, timeout=0.5).routes()
    assert [opinion.servers for opinion in routes.opinions] == [[servers[0].address]]
    ((server, failure),) = routes.failed
    assert server == servers[1].address
    assert type(failure) is error
    assert (routes.agree, routes.is_disagreement, routes.differences) == (False, False, [])


def test_servers_of_both_generations_do_not_disagree_about_what_the_older_cannot_say(kind: str) -> None:
    with EmbeddedNameServer(personality=4) as older, EmbeddedNameServer() as newer:
        for server in (older, newer):
            server.register("c", "broker-a", "h-a:10911", topics={"orders": 4}, zone_name="z")
        ask = Ask([older.address, newer.address], kind)
        routes = ask.routes()
        assert routes.agree
        (_, said), (_, by_newer) = routes.answers
        assert said != by_newer
        assert ask("query_all_clusters").differences == []


def test_many_topics_have_their_results_in_order(servers: list[EmbeddedNameServer], kind: str) -> None:
    register(servers[1], "b", "payments")
    topics = ["payments", "orders", "missing", *(f"missing-{number}" for number in range(600))]
    all_routes: list[AllRoutes] = Ask(addresses(servers), kind)("query_all_many", iter(topics))
    assert [routes.topic for routes in all_routes] == topics
    assert [routes.topic for routes in all_routes if not routes.agree] == ["payments"]
    assert Ask(addresses(servers), kind)("query_all_many", []) == []
    with pytest.raises(TypeError):
        Ask(addresses(servers), kind)("query_all_many", "orders")


def test_lists_of_topics_are_compared(servers: list[EmbeddedNameServer], kind: str) -> None:
    register(servers[1], "b", "payments")
    listed: AllTopics = Ask([*addresses(servers), closed_port()], kind)("query_all_topics")
    ours = [topic for topic in listed.topics if topic in ("orders", "payments")]
    assert ours == ["orders", "payments"]
    assert listed.differences == [ListDifference("payments", [servers[1].address], [servers[0].address])]
    (_, first), (_, second), (_, error) = listed.answers
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert set(second) - set(first) == {"payments"}
    assert isinstance(error, NameServerConnectionError)
    assert [server for server, _ in listed.failed] == [listed.answers[2][0]]


def test_brokers_and_clusters_are_compared(servers: list[EmbeddedNameServer], kind: str) -> None:
    another_address(servers[1])
    one_broker_more(servers[1])
    clusters: AllClusters = Ask(addresses(servers), kind)("query_all_clusters")
    assert clusters.broker_names == ["broker-a", "broker-b", "broker-c"]
    assert clusters.failed == []
    moved, missing = clusters.differences
    assert isinstance(moved, ClusterDifference)
    assert (moved.broker_name, missing.broker_name) == ("broker-a", "broker-c")
    here, there = moved.opinions
    assert here.broker is not None
    assert there.broker is not None
    assert [opinion.servers for opinion in moved.opinions] == [[servers[0].address], [servers[1].address]]
    assert (here.broker.broker_addresses, there.broker.broker_addresses) == ({0: "h-a:10911"}, {0: "g-a:10911"})
    unknown, known = missing.opinions
    assert (unknown.broker, unknown.listed_in, known.listed_in) == (None, [], ["c"])


def test_a_limit_is_that_of_each_server(servers: list[EmbeddedNameServer]) -> None:
    silent(servers[0])
    silent(servers[1])
    client = SyncNameServerClient(addresses(servers), timeout=600)
    failed = [client.query_all("orders", timeout=0.1).failed]
    failed += [routes.failed for routes in client.query_all_many(["orders"], timeout=0.1)]
    failed += [client.query_all_topics(timeout=0.1).failed, client.query_all_clusters(timeout=0.1).failed]
    for failures in failed:
        assert [type(error) for _, error in failures] == [NameServerTimeoutError] * 2
    client.close()
    with pytest.raises(NameServerError):
        client.query_all("orders")
