"""Waiting for what happens behind a test's back: until it is so, and for no fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT = 30.0
"""A hundred times what anything here takes."""


def until(is_so: Callable[[], object]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + LIMIT
    while not is_so():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.002)


async def async_until(is_so: Callable[[], object]) -> None:
    """The same in an event loop."""
    async with asyncio.timeout(LIMIT):
        while not is_so():  # noqa: ASYNC110 # what happens in other threads sets no event
            await asyncio.sleep(0.002)
