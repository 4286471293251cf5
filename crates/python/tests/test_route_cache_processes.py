"""The caches and what happens to processes: Ctrl-C, fork, the end of the interpreter."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pyrocketmq.nameserver import EmbeddedNameServer, RouteCache, RouteChange, SyncNameServerClient

from .conditions import LIMIT, until
from .peers import silent_peer
from .programs import run_python


@pytest.fixture
def server(nameserver: EmbeddedNameServer) -> EmbeddedNameServer:
    nameserver.register("c", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
    return nameserver


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    """Python leaves SIGINT alone where its parent ignores it, as a shell does for what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def get(cache: RouteCache) -> None:
    cache.get_route("orders")


def preload(cache: RouteCache) -> None:
    cache.preload(["orders", "payments"])


def wait(cache: RouteCache) -> None:
    cache.wait_for_route("orders", timeout=60)


@pytest.mark.usefixtures("ctrl_c_interrupts")
@pytest.mark.parametrize("call", [get, preload, wait])
def test_ctrl_c_ends_a_call(call: Callable[[RouteCache], None]) -> None:
    with silent_peer() as address, RouteCache(client=SyncNameServerClient(address, timeout=60)) as cache:

        def interrupt() -> None:
            until(lambda: cache.stats().questions)
            signal.raise_signal(signal.SIGINT)

        interrupter = threading.Thread(target=interrupt)
        interrupter.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            call(cache)
        assert time.monotonic() - started < LIMIT
        interrupter.join()
        # The question goes on: whoever wants the route now waits for the same one.
        assert cache.explain("orders").asking


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_an_empty_cache_that_works(server: EmbeddedNameServer) -> None:
    changes: list[RouteChange] = []
    with SyncNameServerClient(server.address, timeout=20) as client, RouteCache(0.05, client) as cache:
        watch = cache.watch(["orders"], changes.append)
        until(lambda: changes)
        expected = cache.get_route("orders")
        assert expected is not None
        for _ in range(10):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    with cache:
                        empty = len(cache) == 0 and "orders" not in cache
                        age = expected.age
                        same = cache.get_route("orders") == expected and expected.age >= age
                        watch.close()
                        ended = watch.has_ended
                        del watch
                        changes.clear()
                        with cache.watch(["orders"], changes.append):
                            until(lambda: changes)
                        code = 0 if empty and same and ended else 2
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
        confirmations = expected.confirmations
        until(lambda: expected.confirmations > confirmations)
        assert cache.get_route("orders") is expected
        assert not watch.has_ended


def test_the_interpreter_ends_with_caches_watches_and_calls_open(server: EmbeddedNameServer) -> None:
    script = """
import sys, threading
from pyrocketmq.nameserver import RouteCache, SyncNameServerClient
client = SyncNameServerClient(sys.argv[1], timeout=30)
cache = RouteCache(0.05, client)
found = threading.Event()
watch = cache.watch(["orders", "payments"], lambda change: found.set())
assert found.wait(20)
def use():
    while True:
        cache.get_route("orders")
        cache.refresh_route("orders")
for _ in range(4):
    threading.Thread(target=use, daemon=True).start()
def wait():
    cache.wait_for_route("payments", timeout=30)
threading.Thread(target=wait, daemon=True).start()
cache.get_route("orders")
print("ending", flush=True)
"""
    for _ in range(3):
        ended = run_python(script, server.address)
        assert (ended.returncode, ended.stdout) == (0, "ending\n"), ended.stderr


def test_the_interpreter_ends_with_an_asyncio_watch_open(server: EmbeddedNameServer) -> None:
    script = """
import asyncio, sys
from pyrocketmq.nameserver import AsyncNameServerClient, AsyncRouteCache
async def main():
    global cache, watch
    cache = AsyncRouteCache(AsyncNameServerClient(sys.argv[1]))
    watch = cache.watch(["orders"])
    await anext(watch)
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(0)
    print("ending", flush=True)
asyncio.run(main())
"""
    ended = run_python(script, server.address)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ending\n", "")
