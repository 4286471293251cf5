"""What managers know without asking, and which failures they tell of: with a clock that stands still."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from pyrocketmq.nameserver import (
    BrokerClusterInfo,
    BrokerData,
    CachedRoute,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    TopicRouteData,
)
from pyrocketmq.nameserver.known_brokers import Clusters, KnownBrokers, Question, members, subscription_address
from pyrocketmq.nameserver.query_failures import QueryFailures


class Clock:
    """The time, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def info(**brokers: dict[int, str]) -> BrokerClusterInfo:
    return BrokerClusterInfo({name: BrokerData("c", name, addresses) for name, addresses in brokers.items()}, {})


def asked(brokers: KnownBrokers, name: str = "a") -> Question:
    question = brokers.clusters(name)
    assert isinstance(question, Question)
    assert question.is_mine()
    return question


def answered(brokers: KnownBrokers, said: BrokerClusterInfo) -> Clusters:
    question = asked(brokers)
    with question:
        question.answered(said)
    assert question.answer is not None
    return question.answer


def failed(question: Question, error: BaseException) -> None:
    with question:
        raise error


@pytest.mark.parametrize(
    ("addresses", "suggestion", "expected"),
    [
        ({}, 0, None),
        ({0: "m", 1: "s"}, 0, ("m", True)),
        ({0: "m", 1: "s"}, 1, ("s", False)),
        ({1: "s", 2: "t"}, 0, ("s", False)),
        ({0: "m", 3: "t", 2: "s"}, 1, ("s", False)),
        ({0: "m", 3: "t"}, 1, ("m", True)),
        ({3: "t", 2: "s"}, 5, ("s", False)),
        ({0: "m"}, -1, ("m", True)),
        ({0: "m", 2: "s"}, 2**63 - 1, ("m", True)),
    ],
)
def test_where_a_consumer_reads(addresses: dict[int, str], suggestion: int, expected: tuple[str, bool] | None) -> None:
    assert subscription_address(addresses, suggestion) == expected


@pytest.mark.parametrize(
    ("addresses", "expected"), [({}, None), ({1: "s", 0: "m"}, "m"), ({2: "t", 1: "s"}, "s"), ({5: "x"}, "x")]
)
def test_the_address_is_the_masters_or_that_of_the_smallest_id(
    clock: Clock, addresses: dict[int, str], expected: str | None
) -> None:
    brokers = KnownBrokers(60, now=clock)
    assert brokers.address_in_clusters("a", answered(brokers, info(a=addresses))) == expected
    assert brokers.address("a") == expected
    assert len(brokers) == (expected is not None)
    brokers.clear()
    route = CachedRoute.of(TopicRouteData(broker_data_list=[BrokerData("c", "a", addresses)]), Young())
    assert brokers.address_in_route("a", route) == expected
    assert brokers.address_in_route("b", route) is None


class Young:
    """Where a route comes from that was just confirmed."""

    topic, source, age, stale, confirmations = "t", "", 0.0, False, 0


class Old(Young):
    """And one that is older."""

    age = 50.0


def test_an_address_counts_for_its_ttl_and_is_kept_longer_for_bad_times(clock: Clock) -> None:
    brokers = KnownBrokers(60, max_stale=100, now=clock)
    clock.now += 60
    route = TopicRouteData(broker_data_list=[BrokerData("c", "a", {0: "m"})])
    # Its time begins when a server said it.
    brokers.address_in_route("a", CachedRoute.of(route, Old()))
    for later, address, last in [(0, "m", "m"), (9, "m", "m"), (1, None, "m"), (39, None, "m"), (1, None, None)]:
        clock.now += later
        assert (brokers.address("a"), brokers.last_address("a")) == (address, last)


def test_an_answer_that_lacks_a_broker_ends_its_address(clock: Clock) -> None:
    brokers = KnownBrokers(60, now=clock)
    brokers.address_in_clusters("a", answered(brokers, info(a={0: "m"})))
    clock.now += 60
    assert brokers.address_in_clusters("a", answered(brokers, info())) is None
    assert (brokers.last_address("a"), len(brokers)) == (None, 0)


def test_addresses_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrocketmq.nameserver.known_brokers.MOST_BROKERS", 2)
    brokers = KnownBrokers(60, now=clock)
    clusters = answered(brokers, info(a={0: "1"}, b={0: "2"}, c={0: "3"}))
    for name in ("a", "b", "a", "c"):
        brokers.address_in_clusters(name, clusters)
    assert [brokers.address(name) for name in ("a", "b", "c")] == ["1", None, "3"]


@pytest.mark.parametrize(
    ("name", "counts"), [pytest.param("a", 60, id="in them"), pytest.param("new", 3, id="not in them")]
)
def test_the_clusters_count_for_their_ttl_and_shorter_for_a_broker_that_is_not_in_them(
    clock: Clock, name: str, counts: float
) -> None:
    brokers = KnownBrokers(60, now=clock)
    clusters = answered(brokers, info(a={0: "m"}))
    clock.now += counts - 1
    assert brokers.clusters(name) is clusters
    clock.now += 1
    # Nobody waits long if there is an older answer.
    assert asked(brokers, name).limit == 3


def test_one_asks_and_the_others_get_his_answer(clock: Clock) -> None:
    brokers = KnownBrokers(60, now=clock)
    question = asked(brokers)
    other = brokers.clusters("a")
    assert other is question
    assert not question.is_mine()
    assert question.limit is None
    with question:
        question.answered(info(a={0: "m"}))
    clusters = question.told(question.outcome.result(0))
    assert clusters is question.answer is brokers.clusters("a")
    assert clusters is not None
    assert members("a", clusters) == {0: "m"}
    assert members("b", clusters) == {}


def test_an_error_is_for_all_who_wait_and_the_next_one_asks(clock: Clock) -> None:
    brokers = KnownBrokers(60, now=clock)
    question = asked(brokers)
    with pytest.raises(NameServerConnectionError):
        failed(question, NameServerConnectionError("down"))
    for _ in range(2):
        with pytest.raises(NameServerConnectionError, match="down"):
            question.told(question.outcome.result(0))
    assert asked(brokers) is not question


def test_whoever_gives_up_leaves_the_question_to_the_others(clock: Clock) -> None:
    brokers = KnownBrokers(60, now=clock)
    question = asked(brokers)
    with pytest.raises(KeyboardInterrupt):
        failed(question, KeyboardInterrupt())
    assert question.told(question.outcome.result(0)) is None
    forgotten = asked(brokers)
    assert forgotten is not question
    forgotten.forget()
    newer = asked(brokers)
    assert newer is not forgotten
    # It is not the one that is forgotten.
    forgotten.forget()
    assert brokers.clusters("a") is newer


def test_what_was_known_is_served_while_servers_fail(clock: Clock) -> None:
    brokers = KnownBrokers(60, max_stale=100, now=clock)
    clusters = answered(brokers, info(a={0: "m"}))
    clock.now += 60
    question, error = asked(brokers), NameServerTimeoutError("late")
    failed(question, error)
    assert (question.answer, question.failure) == (clusters, error)
    assert question.told(question.outcome.result(0)) is clusters
    # For a while nobody is asked, for whatever broker.
    clock.now += 29
    assert brokers.clusters("a") is brokers.clusters("new") is clusters
    clock.now += 1
    question = asked(brokers)
    # Meanwhile it is too old.
    clock.now += 10
    with pytest.raises(NameServerTimeoutError):
        failed(question, error)
    assert asked(brokers).limit is None


def test_what_comes_after_clear_is_not_kept(clock: Clock) -> None:
    brokers = KnownBrokers(60, now=clock)
    clusters = answered(brokers, info(a={0: "m"}))
    clock.now += 60
    question = asked(brokers)
    brokers.clear()
    with question:
        question.answered(info(a={0: "m"}))
    assert asked(brokers) is not question
    assert brokers.address_in_clusters("a", clusters) == "m"
    assert (len(brokers), brokers.last_address("a")) == (0, None)


def test_with_a_ttl_of_zero_nothing_is_kept(clock: Clock) -> None:
    brokers = KnownBrokers(0, now=clock)
    for _ in range(2):
        assert brokers.address_in_clusters("a", answered(brokers, info(a={0: "m"}))) == "m"
        assert (brokers.address("a"), brokers.last_address("a"), len(brokers)) == (None, None, 0)


@pytest.mark.parametrize(("ttl", "error"), [("5", TypeError), (True, TypeError), (-1, ValueError)])
def test_a_ttl_is_a_number_of_seconds(ttl: float, error: type[Exception]) -> None:
    with pytest.raises(error, match="ttl"):
        KnownBrokers(ttl)


def down() -> NameServerError:
    return NameServerConnectionError("down")


def late() -> NameServerError:
    return NameServerTimeoutError("late")


def refused() -> NameServerError:
    return NameServerResponseError("refused", code=1)


def not_ready() -> NameServerError:
    return NameServerResponseError("not ready", code=1, is_not_ready=True)


def not_found() -> NameServerError:
    return NameServerResponseError("not found", code=17)


@pytest.mark.parametrize(
    ("errors", "logged"),
    [
        pytest.param([down] * 5, ["down"], id="the same is logged once"),
        pytest.param([down, late, down, late], ["down", "late"], id="others are others, and take turns"),
        pytest.param([refused, not_ready, refused], ["refused", "not ready"], id="a code may mean two things"),
        pytest.param([not_found] * 2 + [down], ["down"], id="what is not found is no failure to log"),
        pytest.param([down, 59, down, 59, down], ["down"], id="the same is not logged while it lasts"),
        pytest.param([down, down, 60, down], ["down", "down (and 1 times before)"], id="later it is another one"),
        pytest.param([down, 60, down], ["down", "down"], id="later it is another one, whatever was before"),
    ],
)
def test_failures_are_logged_on_change(
    errors: list[Callable[[], NameServerError] | float],
    logged: list[str],
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = QueryFailures(clock)
    for error in errors:
        if callable(error):
            failures.note(error())
        else:
            clock.now += error
    records = [record for record in caplog.records if record.name == "pyrocketmq.nameserver.manager"]
    assert [record.getMessage() for record in records] == logged
    assert {record.levelno for record in records} == {logging.WARNING}


def test_failures_are_counted_by_class_and_the_last_one_is_kept(clock: Clock) -> None:
    failures = QueryFailures(clock)
    assert (failures.counts, failures.last) == ({}, None)
    for make in (down, late, refused, not_found, down):
        failures.note(make())
    expected = {"NameServerConnectionError": 2, "NameServerTimeoutError": 1, "NameServerResponseError": 2}
    assert failures.counts == expected
    try:
        raise not_found()
    except NameServerError as error:
        failures.note(error)
    assert failures.last is not None
    assert failures.last.is_topic_not_found
    # Whoever was asking is not held.
    assert failures.last.__traceback__ is None


def test_reasons_are_bounded(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    failures = QueryFailures(clock)
    for code in [*range(1000, 1101), 1000]:
        failures.note(NameServerResponseError("no", code=code))
    # The first one was forgotten, so it is logged again.
    assert len(caplog.records) == 102
