"""Watches: changes of routes as they come, for event loops and for threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from . import _native
from .calls import Calls
from .route_changes import RouteChange

__all__ = ["RouteWatch", "WatchThread"]

_log = logging.getLogger("pyrocketmq.nameserver")


class RouteWatch:
    """What changes about some topics: `AsyncRouteCache.watch`. It ends when it or its cache is closed.

    First comes `TopicFound` for each topic that has a route. A reader that is slower than the changes is told `Resynced`
    and then what leads to the newest state. Cancelling who waits for a change loses nothing.

    >>> async def follow(cache: AsyncRouteCache) -> None:
    ...     async with cache.watch(["orders"]) as watch:
    ...         async for change in watch:
    ...             print(change)
    """

    def __init__(self, native: _native.RouteWatch, cache: object) -> None:
        """For `AsyncRouteCache.watch`."""
        self._native = native
        # A cache that nobody holds is gone, and with it its watches.
        self._cache = cache

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RouteChange:
        while True:
            change = self._native.take()
            if change is not None:
                return change
            calls = Calls.of_this_loop()
            if not await calls.result(self._native.start_wait(calls.completions)):
                raise StopAsyncIteration

    def close(self) -> None:
        """End it; whoever waits for a change comes to the end, too."""
        self._native.close()

    async def aclose(self) -> None:
        """The same for `contextlib.aclosing`."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class WatchThread:
    """A thread that calls back with each change of some topics: `RouteCache.watch`.

    It goes on until it or its cache is closed, also if nobody holds this object, and does not keep the program from
    ending. An exception of the callback is logged; the next change is told all the same.
    """

    def __init__(self, native: _native.RouteWatch, callback: Callable[[RouteChange], object], cache: object) -> None:
        """For `RouteCache.watch`."""
        self._native = native
        # A cache that nobody holds is gone, and with it its watches.
        self._cache = cache
        # The thread holds neither this nor the cache, or they could never go.
        self._thread = threading.Thread(target=_tell, args=(native, callback), name="rocketmq-route-watch", daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether it or its cache was closed and the last callback has returned."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """End it, and wait until a callback that runs just now has returned; in the callback itself nobody waits."""
        self._native.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _tell(native: _native.RouteWatch, callback: Callable[[RouteChange], object]) -> None:
    try:
        while native.wait():
            while (change := native.take()) is not None:
                try:
                    callback(change)
                except Exception:
                    _log.exception("the callback of a watch failed at %s; the watch goes on", change)
    except RuntimeError:
        # The interpreter is ending.
        return
