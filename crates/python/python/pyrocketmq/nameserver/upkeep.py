"""What the package does for its Rust core: it hands on what that has to say, and ends its calls with the interpreter.

No thread of the core ever takes the GIL, so it can do neither itself.
"""

from __future__ import annotations

import atexit
import logging

from . import _native

__all__ = ["Logged", "end_calls_at_exit", "log_records"]

_log = logging.getLogger("pyrocketmq.nameserver")


class Logged:
    """Hands on what the core has to say, after a call."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        log_records()


def log_records() -> None:
    """Hand on what the core has to say."""
    for level, text in _native.take_log_records():
        _log.log(level, "%s", text)


_at_exit = False


def end_calls_at_exit() -> None:
    """Have the end of the interpreter end all calls; whatever makes calls asks for it once."""
    global _at_exit
    if not _at_exit:
        _at_exit = True
        atexit.register(_native.end_calls)
