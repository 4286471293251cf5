"""Fixtures for tests that need a NameServer. pytest loads them by itself where this package is installed.

A test that takes `nameserver` has an `EmbeddedNameServer` of its own; `nameserver_client` asks it. A fixture `nameserver` of
the project's own takes this one's place, and `nameserver_client` asks that one then:

    @pytest.fixture
    def nameserver():
        with EmbeddedNameServer(personality=4) as server:
            server.register("cluster-1", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
            yield server

`-p no:pyrocketmq_nameserver` leaves them out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from .client import SyncNameServerClient
from .embedded import EmbeddedNameServer

__all__ = ["nameserver", "nameserver_client"]


@pytest.fixture
def nameserver() -> Iterator[EmbeddedNameServer]:
    """A NameServer on a free port that knows nothing yet, for one test: `nameserver.address`, `nameserver.register(…)`."""
    with EmbeddedNameServer() as server:
        yield server


@pytest.fixture
def nameserver_client(nameserver: EmbeddedNameServer) -> Iterator[SyncNameServerClient]:
    """A `SyncNameServerClient` of `nameserver`; its first call connects."""
    with contextlib.closing(SyncNameServerClient(nameserver.address)) as client:
        yield client
