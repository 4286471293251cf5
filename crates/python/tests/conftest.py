"""Fixtures: where a NameServer is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pyrocketmq.nameserver import EmbeddedNameServer

from .name_servers import RELEASES, NameServer, Real, filled

# The program that starts real servers has limits of its own, which say more. The longest is for its first run, which
# fetches them.
_REAL = [
    pytest.param(release, marks=[pytest.mark.interop, pytest.mark.timeout(900)], id=release) for release in RELEASES
]


@pytest.fixture
def embedded(nameserver: EmbeddedNameServer) -> NameServer:
    """The embedded server with something to ask for, and what it knows; a new one for each test."""
    return filled(nameserver)


@pytest.fixture
def address(embedded: NameServer) -> str:
    """The address of the embedded server, `host:port`."""
    return embedded.address


@pytest.fixture(scope="session")
def start_real() -> Iterator[Callable[[str], NameServer]]:
    """A function that starts real servers of a release, once for all tests."""
    running: dict[str, Real] = {}

    def start(release: str) -> NameServer:
        if release not in running:
            running[release] = Real(release)
        return running[release].name_server

    yield start
    for real in running.values():
        real.stop()


@pytest.fixture(params=_REAL)
def real_nameserver(request: pytest.FixtureRequest, start_real: Callable[[str], NameServer]) -> NameServer:
    """Each of the real servers."""
    return start_real(request.param)


@pytest.fixture(params=["embedded", *_REAL])
def any_nameserver(request: pytest.FixtureRequest) -> NameServer:
    """The embedded server and each of the real ones."""
    if request.param == "embedded":
        embedded: NameServer = request.getfixturevalue("embedded")
        return embedded
    start_real: Callable[[str], NameServer] = request.getfixturevalue("start_real")
    return start_real(request.param)
