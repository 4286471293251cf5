"""What operators and brokers are told when something fails: of writes server by server."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    NameServerConnectionError,
    NameServerError,
    NameServerResponseError,
    NameServerTimeoutError,
    QueueData,
    SyncNameServerClient,
)

from .peers import ROUTE, Answer, Asked, closed_port, scripted_peer, silent_peer

BROKER = ("c", "broker-a", "10.0.0.1:10911")


async def test_a_write_that_fails_somewhere_raises_and_keeps_every_result() -> None:
    down = closed_port()

    def refuse(_: Asked) -> Answer:
        return Answer(code=1, remark="read only")

    with scripted_peer(lambda _: Answer({"wipeTopicCount": "3"})) as obeys, scripted_peer(refuse) as refuses:
        servers = [obeys, refuses, down]
        with (
            SyncNameServerClient(servers) as client,
            pytest.raises(NameServerResponseError, match="read only") as raised,
        ):
            client.wipe_write_perm_of_broker("broker-a")
        async with AsyncNameServerClient(servers) as asking:
            with pytest.raises(NameServerResponseError) as again:
                await asking.async_wipe_write_perm_of_broker("broker-a")
        with pytest.raises(NameServerConnectionError) as other:
            SyncNameServerClient([down, refuses]).wipe_write_perm_of_broker("broker-a")
    assert [server for server, _ in other.value.results] == [down, refuses]
    for error in (raised.value, again.value, pickle.loads(pickle.dumps(raised.value)), copy.copy(raised.value)):
        assert str(error).startswith('cannot wipe the write permission of broker "broker-a": ')
        assert f"It was done at {obeys}. " in str(error)
        assert (error.code, error.server, len(error.attempts)) == (1, refuses, 2)
        (first, count), (second, refused), (third, unreachable) = error.results
        assert ([first, second, third], count) == (servers, 3)
        assert isinstance(refused, NameServerResponseError)
        assert isinstance(unreachable, NameServerConnectionError)
        assert [attempt.server for attempt in unreachable.attempts] == [down]
        assert unreachable.results == []


def test_a_write_is_not_repeated_after_a_lost_connection() -> None:
    asked: list[Asked] = []

    def hang_up(request: Asked) -> Answer | None:
        asked.append(request)
        return Answer() if len(asked) == 1 else None

    with scripted_peer(hang_up) as server, SyncNameServerClient(server) as client:
        client.put_kv_config("n", "k", "1")
        with pytest.raises(NameServerConnectionError):
            client.put_kv_config("n", "k", "2")
        assert [request.fields["value"] for request in asked] == ["1", "2"]


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_a_4x_server_never_answers_is_unsupported_at_once(is_known: bool) -> None:
    asked: list[int] = []

    def old(request: Asked) -> Answer:
        asked.append(request.code)
        return Answer(version=407, body="{}") if request.code == 106 else Answer(version=407, code=17)

    with scripted_peer(old) as server:
        async with AsyncNameServerClient(server) as client:
            if is_known:
                await client.get_broker_cluster_info()
            for call in (
                client.broker_heartbeat(*BROKER),
                client.get_broker_member_group("c", "broker-a"),
                client.register_topic_in_namesrv("orders", []),
            ):
                with pytest.raises(NameServerResponseError, match="V4_9_7") as raised:
                    await call
                assert (raised.value.is_unsupported, raised.value.code) == (True, None)
    assert asked == ([106] if is_known else [ROUTE])


@pytest.mark.parametrize(
    ("code", "known"),
    [(2, "is_busy"), (3, "is_unsupported"), (17, "is_topic_not_found"), (22, "is_not_found")],
)
def test_refusals_have_names(code: int, known: str) -> None:
    names = ("is_busy", "is_unsupported", "is_topic_not_found", "is_not_found")
    refusal = Answer(code=code, remark="no")
    with (
        scripted_peer(lambda _: refusal) as server,
        SyncNameServerClient(server) as client,
        pytest.raises(NameServerResponseError, match='KV config "k" of namespace "n"') as raised,
    ):
        client.get_kv_config("n", "k")
    for error in (raised.value, NameServerResponseError("no", code=code)):
        assert [name for name in names if getattr(error, name)] == [known]


def test_limits_and_closed_clients_are_as_with_other_calls() -> None:
    with silent_peer() as server:
        client = SyncNameServerClient(server)
        with pytest.raises(NameServerTimeoutError) as late:
            client.put_kv_config("n", "k", "v", timeout=0.1)
        assert [name for name, _ in late.value.results] == [server]
        with pytest.raises(NameServerTimeoutError) as late:
            client.get_all_topic_list(timeout=0.1)
        assert late.value.results == []
        client.close()
        for call in (client.get_all_topic_list, lambda: client.delete_kv_config("n", "k")):
            with pytest.raises(NameServerError, match="closed"):
                call()


@pytest.mark.parametrize(
    ("method", "arguments", "error", "says"),
    [
        ("put_kv_config", ("n", "k", None), TypeError, "value"),
        ("register_topic_in_namesrv", ("orders", [5]), TypeError, "queues"),
        ("register_topic_in_namesrv", ("orders", [QueueData("b", -1, 4, 6, 0)]), OverflowError, "read_queue_nums"),
        ("register_topic_in_namesrv", ("orders", 5), TypeError, "iterable"),
        ("query_data_version", (*BROKER, 0, None), TypeError, "data_version"),
        ("update_namesrv_config", ({"clusterTest": True},), TypeError, "config"),
        ("unregister_broker", (*BROKER, "0"), TypeError, "broker_id"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_sent(
    method: str, arguments: tuple[Any, ...], error: type[Exception], says: str
) -> None:
    client = SyncNameServerClient(closed_port())
    with pytest.raises(error, match=says):
        getattr(client, method)(*arguments)
    assert client.stats()[0].connects == 0
