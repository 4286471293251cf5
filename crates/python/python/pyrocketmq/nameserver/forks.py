"""What happens to locks and to what is under way when a process forks."""

from __future__ import annotations

import os
import weakref
from typing import ClassVar

__all__ = ["StartsAnew"]


class StartsAnew:
    """Starts anew in a forked child: a thread that is not there may have held a lock, or have asked a question."""

    _all: ClassVar[weakref.WeakSet[StartsAnew]] = weakref.WeakSet()
    _hooked: ClassVar[bool] = False

    def __init__(self) -> None:
        self._start()
        if not StartsAnew._hooked and hasattr(os, "register_at_fork"):
            StartsAnew._hooked = True
            os.register_at_fork(after_in_child=StartsAnew._start_all)
        StartsAnew._all.add(self)

    def _start(self) -> None:
        """Know nothing, and hold no lock."""
        raise NotImplementedError

    @staticmethod
    def _start_all() -> None:
        for one in list(StartsAnew._all):
            one._start()
