"""How `wait_for_route` waits: when to ask again, and what to say when the time is up."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from .cached_route import CachedRoute
from .errors import NameServerError, NameServerTimeoutError
from .models import TopicRouteData
from .route_store import checked_topic

__all__ = ["Patience"]

FIRST_PAUSE = 0.05
"""For how many seconds it waits between the first two questions. Registering a topic takes a broker some milliseconds."""

LONGEST_PAUSE = 1.0
"""How many seconds the longest pause is: nobody waits much longer than this for what is already there."""


class Patience:
    """One wait for one topic."""

    def __init__(self, topic: str, is_wanted: Callable[[CachedRoute], object] | None, timeout: float) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
            raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__}")
        if not timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
        self._topic = checked_topic(topic)
        self._is_wanted = is_wanted
        self._timeout = timeout
        self._end = monotonic() + timeout
        self._next_pause = FIRST_PAUSE
        self._last: TopicRouteData | NameServerError | None = None

    @property
    def left(self) -> float:
        """For how many seconds an answer may still be waited for."""
        return max(self._end - monotonic(), 0.001)

    def is_over(self, answer: CachedRoute | NameServerError | None) -> bool:
        """Whether that is the route that is wanted. An error that no waiting mends is raised."""
        if type(answer) is NameServerError:
            raise answer
        if answer is not None:
            self._last = answer
        return isinstance(answer, CachedRoute) and (self._is_wanted is None or bool(self._is_wanted(answer)))

    def pause(self) -> float:
        """For how many seconds to wait before the next question. An error if there is no time for one."""
        left = self._end - monotonic()
        if left <= 0:
            raise self._too_late()
        pause = min(self._next_pause, left)
        self._next_pause = min(self._next_pause * 1.5, LONGEST_PAUSE)
        return pause

    def _too_late(self) -> NameServerTimeoutError:
        wanted = f"the route of topic {self._topic!r} was not as wanted within {self._timeout:g} s"
        last = self._last
        if isinstance(last, NameServerError):
            error = NameServerTimeoutError(f"{wanted}: {last}", topic=self._topic, attempts=last.attempts)
            error.__cause__ = last
            return error
        if isinstance(last, CachedRoute):
            brokers, queues = len(last.broker_data_list), len(last.queue_data_list)
            said = f"{last.source} has {brokers} brokers and {queues} lists of queues for it"
        else:
            said = "no server has answered by then"
        return NameServerTimeoutError(f"{wanted}: {said}", topic=self._topic)
