"""Why queries brought nothing, for those who do not want exceptions: counted, and logged without a storm."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable
from time import monotonic

from .errors import NameServerError
from .forks import StartsAnew

__all__ = ["QueryFailures", "log"]

QUIET = 60.0
"""After how many seconds without it a failure is a new one: longer than any pause between two questions for the same."""

MOST_REASONS = 100
"""How many reasons are told apart: more than there are; what servers send must not fill the memory."""

log: logging.Logger = logging.getLogger("pyrocketmq.nameserver.manager")
"""What managers say."""


class QueryFailures(StartsAnew):
    """Counts failures by the class of the error, and logs each that is another one than those before.

    A failure is the same as another if both are of one class and have one response code. The same again is counted, not
    logged, until it was not seen for a minute. "Topic not found" is an answer like any other, and so is a broker that is not
    in one: they are logged for debugging only. A forked child counts from 0.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        super().__init__()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._last: NameServerError | None = None
        # By reason: when it was seen last, and how often since it was logged.
        self._seen: dict[tuple[str, int | None, bool], tuple[float, int]] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How many failures there were, by the name of their class."""
        with self._lock:
            return dict(self._counts)

    @property
    def last(self) -> NameServerError | None:
        """The latest one."""
        return self._last

    def note(self, error: NameServerError, *, is_answer: bool = False) -> None:
        """There was a failure, or an answer that brings nothing."""
        is_answer = is_answer or error.is_topic_not_found
        # A copy: what was raised holds the stack of the one who asked.
        self._last = copy.copy(error)
        name = type(error).__name__
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1
            silent = None if is_answer else self._seen_before((name, error.code, error.is_not_ready))
        if is_answer:
            log.debug("%s", error)
        elif silent == 0:
            log.warning("%s", error)
        elif silent is not None:
            log.warning("%s (and %d times before)", error, silent)

    def _seen_before(self, reason: tuple[str, int | None, bool]) -> int | None:
        """How often this reason was not logged since it was; `None` if it shall not be now either. Under the lock."""
        now = self._now()
        last, silent = self._seen.pop(reason, (now - QUIET, 0))
        # What was seen last stands last.
        if now - last < QUIET:
            self._seen[reason] = (now, silent + 1)
            return None
        self._seen[reason] = (now, 0)
        if len(self._seen) > MOST_REASONS:
            del self._seen[next(iter(self._seen))]
        return silent
