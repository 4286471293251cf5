"""Errors: who catches them, what they know, and that they keep it when they are copied or sent to another process."""

from __future__ import annotations

import copy
import dataclasses
import errno
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pyrocketmq.nameserver import (
    Attempt,
    NameServerConnectionError,
    NameServerDataParseError,
    NameServerError,
    NameServerProtocolError,
    NameServerResponseError,
    NameServerTimeoutError,
    SyncNameServerClient,
    TopicRouteData,
    create_sync_client,
)
from pyrocketmq.nameserver.errors import from_native

from .name_servers import NameServer
from .peers import closed_port, silent_peer

# Kind, class, what Python calls such an error, whether it is about time, whether to try again makes sense.
CLASSES: list[tuple[str, type[NameServerError], tuple[type[Exception], ...], bool, bool]] = [
    ("Connection", NameServerConnectionError, (ConnectionError, OSError), False, True),
    ("Timeout", NameServerTimeoutError, (TimeoutError, OSError), True, True),
    ("Protocol", NameServerProtocolError, (), False, False),
    ("Response", NameServerResponseError, (), False, False),
    ("DataParse", NameServerDataParseError, (ValueError,), False, False),
    ("Usage", NameServerError, (), False, False),
    ("OfALaterVersion", NameServerError, (), False, False),
]
BUILTINS = (ConnectionError, TimeoutError, OSError, ValueError)

ALL_KNOWN: dict[str, Any] = {
    "code": 17,
    "remark": "No topic route info",
    "server": "10.0.0.1:9876",
    "topic": "orders",
    "offset": 5,
    "is_not_ready": True,
    "is_unsupported": True,
    "is_timeout": True,
    "is_retryable": True,
}
ATTEMPTS = (Attempt("10.0.0.2:9876", "connect", 3.0, "refused"), Attempt("10.0.0.1:9876", "wait", 0.25, "no"))


@pytest.mark.parametrize(("kind", "cls", "builtins", "timeout", "retryable"), CLASSES)
def test_a_kind_is_a_class_and_what_python_calls_it(
    kind: str, cls: type[NameServerError], builtins: tuple[type[Exception], ...], timeout: bool, retryable: bool
) -> None:
    assert [builtin for builtin in BUILTINS if issubclass(cls, builtin)] == list(builtins)
    for error in (from_native(kind, "cannot get it"), cls("cannot get it")):
        assert type(error) is cls
        assert isinstance(error, NameServerError)
        assert str(error) == "cannot get it"
        assert error.args == ("cannot get it",)
        assert (error.is_timeout, error.is_retryable) == (timeout, retryable)
        assert (error.code, error.remark, error.server, error.topic, error.offset) == (None,) * 5
        assert error.attempts == ()
        assert error.results == []
        assert not error.is_not_ready
        assert not error.is_unsupported
        assert not error.is_topic_not_found
        assert error.__cause__ is None


@pytest.mark.parametrize("cls", {cls for _, cls, *_ in CLASSES})
def test_every_class_can_be_raised_without_a_message(cls: type[NameServerError]) -> None:
    with pytest.raises(cls) as raised:
        raise cls
    assert str(raised.value) == ""


def known(error: NameServerError) -> dict[str, Any]:
    names = (*ALL_KNOWN, "attempts", "is_topic_not_found")
    return {name: getattr(error, name) for name in names}


@pytest.mark.parametrize("kind", [kind for kind, *_ in CLASSES])
def test_the_native_side_can_say_everything(kind: str) -> None:
    attempts = [("10.0.0.2:9876", "connect", 3.0, "refused"), ("10.0.0.1:9876", "wait", 0.25, "no")]
    error = from_native(kind, "m", **ALL_KNOWN, attempts=attempts, os_error=(errno.ECONNREFUSED, "refused"))
    assert known(error) == {**ALL_KNOWN, "attempts": ATTEMPTS, "is_topic_not_found": True}
    assert isinstance(error.__cause__, ConnectionRefusedError)
    assert (error.__cause__.errno, error.__cause__.strerror) == (errno.ECONNREFUSED, "refused")


def by_pickle(protocol: int) -> Callable[[Any], Any]:
    return lambda value: pickle.loads(pickle.dumps(value, protocol))


@pytest.mark.parametrize("kind", [kind for kind, *_ in CLASSES])
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, *(by_pickle(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1))]
)
def test_a_copy_knows_the_same(kind: str, copied: Callable[[NameServerError], NameServerError]) -> None:
    error = from_native(kind, "m", **ALL_KNOWN, os_error=(errno.ECONNREFUSED, "refused"))
    error.attempts = ATTEMPTS
    error.add_note("while starting")
    twin = copied(error)
    assert twin is not error
    assert type(twin) is type(error)
    assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))
    assert known(twin) == known(error)
    assert isinstance(twin.__cause__, ConnectionRefusedError)
    assert twin.__cause__.errno == errno.ECONNREFUSED
    # What is not given stays so, even where the class would say otherwise.
    plain = copied(from_native(kind, "m", is_timeout=False, is_retryable=False))
    assert (plain.is_timeout, plain.is_retryable, plain.__cause__) == (False, False, None)


def test_a_cause_that_cannot_be_pickled_is_left_behind() -> None:
    error = NameServerError("m")
    error.__cause__ = RuntimeError(lambda: None)
    assert pickle.loads(pickle.dumps(error)).__cause__ is None


def test_details_have_names() -> None:
    with pytest.raises(TypeError):
        NameServerResponseError("m", 17)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    with pytest.raises(dataclasses.FrozenInstanceError):
        ATTEMPTS[0].server = "another"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def test_an_error_of_reading_says_where() -> None:
    with pytest.raises(ValueError, match="at byte 16") as raised:
        TopicRouteData.from_bytes(b'{"brokerDatas": 4}')
    assert isinstance(raised.value, NameServerDataParseError)
    assert (raised.value.offset, raised.value.attempts) == (16, ())


def test_an_error_of_connecting_has_its_attempt_and_cause() -> None:
    address = closed_port()
    client = SyncNameServerClient(address)
    with pytest.raises(ConnectionError) as raised:
        client.query_topic_route_info("orders")
    client.close()
    error = raised.value
    assert isinstance(error, NameServerConnectionError)
    assert (error.server, error.topic, error.is_timeout, error.is_retryable) == (address, "orders", False, True)
    assert [(attempt.server, attempt.phase) for attempt in error.attempts] == [(address, "connect")]
    assert isinstance(error.__cause__, ConnectionRefusedError)


def test_a_refusal_has_its_code_and_remark(embedded: NameServer) -> None:
    with create_sync_client(embedded.host, embedded.port) as client, pytest.raises(NameServerResponseError) as raised:
        client.query_topic_route_info("no_such_topic")
    error = raised.value
    assert (error.code, error.is_topic_not_found, error.is_retryable) == (17, True, False)
    assert error.remark is not None
    assert "no_such_topic" in error.remark
    assert [attempt.phase for attempt in error.attempts] == ["wait"]


def test_an_answer_over_the_limit_names_its_size_the_limit_and_the_argument() -> None:
    # The length word of a frame of 4,100 bytes. The rest need not come.
    says = "4100 bytes is over the limit of 1024: raise max_frame_size"
    with (
        silent_peer(b"\0\0\x10\0") as server,
        SyncNameServerClient(server, max_frame_size=1024) as client,
        pytest.raises(NameServerProtocolError, match=says),
    ):
        client.query_topic_route_info("orders")
