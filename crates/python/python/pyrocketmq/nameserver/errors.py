"""What can go wrong with a question to a NameServer: one tree of exceptions, each with every attempt that was made.

`except NameServerError` catches all of them. Three are also what Python itself calls them, so that
`except ConnectionError`, `except TimeoutError` and `except ValueError` catch what a person would expect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Attempt",
    "NameServerConnectionError",
    "NameServerDataParseError",
    "NameServerError",
    "NameServerProtocolError",
    "NameServerResponseError",
    "NameServerTimeoutError",
]

# Response codes of NameServers (docs/wire.md §5.1).
SYSTEM_BUSY = 2
"""It is overloaded."""
REQUEST_CODE_NOT_SUPPORTED = 3
"""It does not know the request."""
TOPIC_NOT_EXIST = 17
"""It knows no route for a topic."""
QUERY_NOT_FOUND = 22
"""It has nothing under that namespace or key."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one server."""

    server: str
    """`host:port`."""
    phase: str
    """What was being done: `resolve`, `connect`, `write`, `wait` or `decode`."""
    elapsed: float
    """How long this try took, in seconds."""
    message: str
    """Why it failed."""


class NameServerError(Exception):
    """Why a call failed. Catching this class catches every error of this package.

    An error of exactly this class means that the call itself was wrong: a bad address, a closed client. `str(error)` is
    one line that says what failed, at which servers, and what can be done. Errors can be copied and pickled; the cause
    that the operating system gave goes with them.
    """

    code: int | None
    """The response code, if a server said no."""
    remark: str | None
    """The server's words, if it said no and gave a reason."""
    server: str | None
    """The server whose failure decided, `host:port`."""
    topic: str | None
    """The topic that was asked for, if it was one."""
    attempts: tuple[Attempt, ...]
    """Every attempt, in the order in which they were made. Empty if no server was tried."""
    results: list[tuple[str, Any]]
    """Of a write, which goes to every server: each server with its answer or its own error. Empty for all else."""
    offset: int | None
    """Where the data is wrong, in bytes from the start of the body. `None` if it was not read from bytes."""
    is_not_ready: bool
    """The server has just started and does not trust its tables yet (5.1 and later)."""
    is_unsupported: bool
    """The server does not know the request: it said so, or is of a release that never answers it."""
    is_timeout: bool
    """A limit on time was reached: the call's, or that for connecting."""
    is_retryable: bool
    """Whether the same call may succeed later without any change to it."""

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        remark: str | None = None,
        server: str | None = None,
        topic: str | None = None,
        attempts: Iterable[Attempt] = (),
        offset: int | None = None,
        is_not_ready: bool = False,
        is_unsupported: bool | None = None,
        is_timeout: bool | None = None,
        is_retryable: bool | None = None,
    ) -> None:
        """Make an error. What is not given is unknown; the last three are then what code and class say as a rule."""
        super().__init__(message)
        self.code = code
        self.remark = remark
        self.server = server
        self.topic = topic
        self.attempts = tuple(attempts)
        self.results = []
        self.offset = offset
        self.is_not_ready = is_not_ready
        self.is_unsupported = code == REQUEST_CODE_NOT_SUPPORTED if is_unsupported is None else is_unsupported
        self.is_timeout = isinstance(self, TimeoutError) if is_timeout is None else is_timeout
        retryable = isinstance(self, (ConnectionError, TimeoutError))
        self.is_retryable = retryable if is_retryable is None else is_retryable

    @property
    def is_topic_not_found(self) -> bool:
        """A server knows no route for the topic."""
        return self.code == TOPIC_NOT_EXIST

    @property
    def is_not_found(self) -> bool:
        """A server has nothing under that namespace or key of its KV store."""
        return self.code == QUERY_NOT_FOUND

    @property
    def is_busy(self) -> bool:
        """The server is overloaded."""
        return self.code == SYSTEM_BUSY

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError has a way of its own, which would take the message of a subclass for an errno. The cause is not in
        # __dict__; only the operating system's is taken along, because any other might not be picklable.
        state = dict(self.__dict__)
        if isinstance(self.__cause__, OSError):
            state["__cause__"] = self.__cause__
        return type(self), self.args, state


class NameServerConnectionError(NameServerError, ConnectionError):
    """No server could be reached, or the connection died while the call was waiting. Also a `ConnectionError`.

    `is_timeout` tells a connection that did not open in time from one that was refused.
    """


class NameServerTimeoutError(NameServerError, TimeoutError):
    """The call's time was up. Also a `TimeoutError`."""


class NameServerProtocolError(NameServerError):
    """A peer that does not speak RocketMQ, or a request that does not fit the wire."""


class NameServerResponseError(NameServerError):
    """A server understood and said no: see `code` and `remark`."""


class NameServerDataParseError(NameServerError, ValueError):
    """Data that is not what it must be. Also a `ValueError`. `offset` says where, if it was read from bytes."""


_CLASSES: dict[str, type[NameServerError]] = {
    "Connection": NameServerConnectionError,
    "Timeout": NameServerTimeoutError,
    "Protocol": NameServerProtocolError,
    "Response": NameServerResponseError,
    "DataParse": NameServerDataParseError,
    "Usage": NameServerError,
}


def from_native(
    kind: str,
    message: str,
    *,
    code: int | None = None,
    remark: str | None = None,
    server: str | None = None,
    topic: str | None = None,
    attempts: Iterable[tuple[str, str, float, str]] = (),
    offset: int | None = None,
    is_not_ready: bool = False,
    is_unsupported: bool | None = None,
    is_timeout: bool | None = None,
    is_retryable: bool | None = None,
    os_error: tuple[int, str] | None = None,
) -> NameServerError:
    """Make the error that the Rust core describes. For the native module.

    Each attempt is (server, phase, seconds, message). `os_error` is what the operating system said to the last
    attempt, errno and text: it becomes the cause.
    """
    # A kind without a class must not hide the message that came with it.
    error = _CLASSES.get(kind, NameServerError)(
        message,
        code=code,
        remark=remark,
        server=server,
        topic=topic,
        attempts=[Attempt(*attempt) for attempt in attempts],
        offset=offset,
        is_not_ready=is_not_ready,
        is_unsupported=is_unsupported,
        is_timeout=is_timeout,
        is_retryable=is_retryable,
    )
    if os_error is not None:
        error.__cause__ = OSError(*os_error)
    return error
