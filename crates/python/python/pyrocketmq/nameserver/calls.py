"""Calls of event loops: what a coroutine of the package waits with."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from . import _native
from .errors import NameServerError
from .upkeep import log_records

if TYPE_CHECKING:
    # Most of the time that an import of this package would take; those who need it have it.
    import asyncio

__all__ = ["Calls"]


def _first_running_loop() -> asyncio.AbstractEventLoop:
    """Bind `get_running_loop` when it is needed for the first time; an import statement in every call would cost more."""
    global _running_loop
    from asyncio import get_running_loop

    _running_loop = get_running_loop
    return get_running_loop()


_running_loop: Callable[[], asyncio.AbstractEventLoop] = _first_running_loop


class Calls:
    """The calls under way for one event loop. Without any it does not hold the loop, so that both can go."""

    _of_loop: ClassVar[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Calls]] = weakref.WeakKeyDictionary()

    _latest: ClassVar[weakref.ref[Calls] | None] = None
    """Those that were asked for last; mostly there is one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.completions: _native.Completions = _native.Completions()
        self.loop: weakref.ref[asyncio.AbstractEventLoop] = weakref.ref(loop)
        self.futures: dict[int, asyncio.Future[None]] = {}
        try:
            loop.add_reader(self.completions.fileno(), self._finish)
        except NotImplementedError as error:
            raise NameServerError(
                f"{type(loop).__name__} cannot watch sockets, which asyncio calls need; "
                "use a selector event loop, or SyncNameServerClient in a thread"
            ) from error

    @classmethod
    def of_this_loop(cls) -> Calls:
        """Those of the loop that runs now."""
        loop = _running_loop()
        latest = cls._latest
        calls = latest() if latest is not None else None
        if calls is not None and calls.loop() is loop:
            return calls
        calls = cls._of_loop.get(loop)
        if calls is None:
            cls._forget_closed_loops()
            calls = cls._of_loop[loop] = cls(loop)
        cls._latest = weakref.ref(calls)
        return calls

    @classmethod
    def _forget_closed_loops(cls) -> None:
        """A loop that was closed with calls under way would stay: their futures hold it, and this holds them."""
        for loop, calls in list(cls._of_loop.items()):
            if loop.is_closed():
                del cls._of_loop[loop]
                for call in calls.futures:
                    calls.completions.cancel(call)
                calls.futures.clear()

    async def result(self, call: int, client: _native.Client | None = None) -> Any:
        """The result of a call; cancelling this cancels the call. `client`: whose rules for addresses are to be applied."""
        future: asyncio.Future[None] = _running_loop().create_future()
        self.futures[call] = future
        try:
            await future
        except BaseException:
            self.completions.cancel(call)
            raise
        finally:
            self.futures.pop(call, None)
        return self.completions.take(call, client)

    def _finish(self) -> None:
        self.completions.finish(self.futures)
        log_records()
