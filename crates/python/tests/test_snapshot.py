"""A cache's routes on disk: a program starts and serves while every server is down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from pyrocketmq.nameserver import (
    AddressRewriting,
    AsyncNameServerClient,
    AsyncRouteCache,
    EmbeddedNameServer,
    NameServerConnectionError,
    NameServerError,
    RouteCache,
    SyncNameServerClient,
    TopicFound,
    TopicRouteData,
)

from .conditions import LIMIT, async_until, until
from .programs import run_python


@pytest.fixture(params=[4, 5])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedNameServer]:
    personality: Literal[4, 5] = request.param
    with EmbeddedNameServer(personality=personality) as server:
        server.register("c", "broker-a", "172.17.0.2:10911", topics={"orders": 8})
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "routes"


def client_of(server: EmbeddedNameServer, **settings: Any) -> SyncNameServerClient:
    return SyncNameServerClient(server.address, timeout=20, **settings)


def unconnected(server: EmbeddedNameServer, **settings: Any) -> closing[SyncNameServerClient]:
    """A client that does not connect at the beginning of a `with`, which fails while no server is there."""
    return closing(client_of(server, **settings))


def save(server: EmbeddedNameServer, file: Path, **settings: Any) -> TopicRouteData:
    """Keeps the route of `orders`, as a program does that ends then."""
    with client_of(server, **settings) as client, RouteCache(client=client, snapshot=file) as cache:
        route = cache.get_route("orders")
        assert route is not None
        cache.save_snapshot()
        return TopicRouteData.from_dict(route.to_dict())


def topics_in(file: Path) -> list[str]:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line["topic"]["name"] for line in lines if "topic" in line]


def test_a_program_starts_and_serves_while_every_server_is_down(server: EmbeddedNameServer, file: Path) -> None:
    route = save(server, file)
    server.stop()
    # The name of the file may be text, too.
    with unconnected(server) as client, RouteCache(client=client, snapshot=str(file)) as cache:
        assert "orders" in cache
        assert (cache.topics(), cache.stats().loaded) == (["orders"], 1)
        assert cache.explain("orders").loaded_from == str(file)
        served = cache.get_route("orders")
        assert served is not None
        assert served == route
        assert served.source == server.address
        assert not served.stale
        assert cache.get_route("orders") is served
        with pytest.raises(NameServerConnectionError):
            cache.get_route("payments")


async def test_the_same_for_event_loops(server: EmbeddedNameServer, file: Path) -> None:
    async with (
        AsyncNameServerClient(server.address, timeout=20) as client,
        AsyncRouteCache(client, snapshot=file) as cache,
    ):
        route = await cache.get_route("orders")
        await cache.async_save_snapshot()
    server.stop()
    client = AsyncNameServerClient(server.address, timeout=20)
    async with AsyncRouteCache(client, snapshot=file) as cache:
        assert cache.stats().loaded == 1
        served = await cache.get_route("orders")
        assert served is not None
        assert served == route
        async with cache.watch(["orders"]) as watch:
            assert isinstance(await asyncio.wait_for(anext(watch), LIMIT), TopicFound)
    await client.close()


def test_what_was_loaded_is_asked_for_when_the_cache_is_used(server: EmbeddedNameServer, file: Path) -> None:
    save(server, file)
    server.register("c", "broker-b", "172.17.0.3:10911", topics={"orders": 8})
    # Nobody but the asking that the first call starts would bring another route.
    with client_of(server) as client, RouteCache(3600, client, snapshot=file) as cache:
        loaded = cache.get_route("orders")
        assert loaded is not None
        assert len(loaded.broker_data_list) == 1
        until(lambda: cache.get_route("orders") is not loaded)
        newer = cache.peek("orders")
        assert newer is not None
        assert len(newer.broker_data_list) == 2
        assert cache.explain("orders").loaded_from is None


async def test_the_same_happens_behind_an_event_loop(server: EmbeddedNameServer, file: Path) -> None:
    save(server, file)
    server.register("c", "broker-b", "172.17.0.3:10911", topics={"orders": 8})
    async with (
        AsyncNameServerClient(server.address, timeout=20) as client,
        AsyncRouteCache(client, ttl=3600, snapshot=file) as cache,
    ):
        loaded = await cache.get_route("orders")
        await async_until(lambda: cache.peek("orders") is not loaded)


def test_a_topic_that_is_gone_is_gone_from_the_file(server: EmbeddedNameServer, file: Path) -> None:
    save(server, file)
    with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
        assert cache.invalidate("orders")
        cache.save_snapshot()
        assert topics_in(file) == []
    with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
        assert cache.stats().loaded == 0


def test_what_was_found_is_soon_on_disk_by_itself(server: EmbeddedNameServer, file: Path) -> None:
    with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
        cache.get_route("orders")
        until(file.exists)
        assert topics_in(file) == ["orders"]


def test_a_route_that_is_too_old_is_not_served(server: EmbeddedNameServer, file: Path) -> None:
    save(server, file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if "topic" in line:
            line["topic"]["confirmedAt"] -= 3_700_000
    file.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    server.stop()
    for max_stale, loaded in ((3600.0, 0), (7200.0, 1)):
        with unconnected(server) as client, RouteCache(client=client, snapshot=file, max_stale=max_stale) as cache:
            assert cache.stats().loaded == loaded
            if loaded:
                route = cache.get_route("orders")
                assert route is not None
                assert route.stale
                assert 3700 <= route.age < 3800


def test_a_file_that_is_none_is_a_warning_and_the_cache_is_empty(
    server: EmbeddedNameServer, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("something else\n")
    with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
        assert len(cache) == 0
        assert [record.levelname for record in caplog.records if str(file) in record.getMessage()] == ["WARNING"]
        assert file.read_text() == "something else\n"
        assert cache.get_route("orders") is not None
        cache.save_snapshot()
        assert topics_in(file) == ["orders"]


def test_what_cannot_be_saved_is_an_error_of_who_saves(server: EmbeddedNameServer, file: Path) -> None:
    # Where its folder would have to be, there is a file.
    in_the_way = file.with_name("in-the-way")
    in_the_way.touch()
    with client_of(server) as client:
        with RouteCache(client=client, snapshot=in_the_way / "routes") as cache:
            assert cache.get_route("orders") is not None
            with pytest.raises(NameServerError):
                cache.save_snapshot()
            assert cache.get_route("orders") is not None
        with RouteCache(client=client) as without, pytest.raises(NameServerError):
            without.save_snapshot()
        closed = RouteCache(client=client, snapshot=file)
        closed.close()
        with pytest.raises(NameServerError):
            closed.save_snapshot()
        with pytest.raises(NameServerError):
            RouteCache(client=client, snapshot="/")
    assert not file.exists()


def test_what_can_have_no_snapshot_is_a_type_error(server: EmbeddedNameServer) -> None:
    with pytest.raises(TypeError):
        RouteCache(snapshot="routes")
    with pytest.raises(TypeError):
        RouteCache().save_snapshot()
    with client_of(server) as client:
        for snapshot in (7, b"routes"):
            with pytest.raises(TypeError):
                RouteCache(client=client, snapshot=cast("Any", snapshot))


def rewritten(broker: object) -> str | None:
    return "localhost:20911"


@pytest.mark.parametrize(
    "rules", [AddressRewriting().host("172.17.0.2", "localhost:20911"), AddressRewriting().with_(rewritten)]
)
def test_a_file_has_the_addresses_that_are_advertised(
    server: EmbeddedNameServer, file: Path, rules: AddressRewriting
) -> None:
    with client_of(server, rewrite_addresses=rules) as client, RouteCache(client=client, snapshot=file) as cache:
        cache.preload(["orders"])
        cache.save_snapshot()
    assert "172.17.0.2:10911" in file.read_text()
    assert "localhost" not in file.read_text()
    server.stop()
    for settings, used in (({}, "172.17.0.2:10911"), ({"rewrite_addresses": rules}, "localhost:20911")):
        with unconnected(server, **settings) as client, RouteCache(client=client, snapshot=file) as cache:
            route = cache.get_route("orders")
            assert route is not None
            (broker,) = route.broker_data_list
            assert (broker.broker_addresses, broker.advertised) == ({0: used}, {0: "172.17.0.2:10911"})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_begins_with_the_file_and_whoever_writes_last_wins(
    server: EmbeddedNameServer, file: Path
) -> None:
    server.register("c", "broker-b", "172.17.0.3:10911", topics={"payments": 8})
    with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
        cache.preload(["orders"])
        cache.save_snapshot()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    loaded = cache.stats().loaded == 1 and cache.get_route("orders") is not None
                    cache.preload(["payments"])
                    cache.save_snapshot()
                    code = 0 if loaded and sorted(topics_in(file)) == ["orders", "payments"] else 2
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            # The parent knows what it knew, and says so when it writes.
            assert cache.topics() == ["orders"]
            cache.save_snapshot()
            assert topics_in(file) == ["orders"]


def test_the_file_is_whole_however_a_process_ends(server: EmbeddedNameServer, file: Path) -> None:
    script = """
import contextlib, os, signal, sys, threading
from pyrocketmq.nameserver import RouteCache, SyncNameServerClient
cache = RouteCache(client=SyncNameServerClient(sys.argv[1], timeout=20), snapshot=sys.argv[2])
cache.preload(["orders"])
cache.save_snapshot()
def save():
    with contextlib.suppress(RuntimeError):  # the interpreter is ending
        while True:
            cache.save_snapshot()
for _ in range(2):
    threading.Thread(target=save, daemon=True).start()
for _ in range(20):
    cache.save_snapshot()
if sys.argv[3] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for end, code in (("exit", 0), ("kill", -signal.SIGKILL)):
        ended = run_python(script, server.address, str(file), end)
        assert (ended.returncode, ended.stderr) == (code, "")
        with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
            assert cache.stats().loaded == 1
        file.unlink()


def test_closing_writes_the_file_once(server: EmbeddedNameServer, file: Path) -> None:
    with client_of(server) as client:
        with RouteCache(client=client, snapshot=file) as cache:
            cache.get_route("orders")
        assert topics_in(file) == ["orders"]
        file.unlink()
        cache.close()
        assert not file.exists()
        by_itself = RouteCache(client=client, snapshot=file)
        by_itself.preload(["orders"])
        client.close()
        by_itself.close()
        assert topics_in(file) == ["orders"]


@pytest.mark.parametrize("close", [AsyncRouteCache.close, AsyncRouteCache.aclose, None])
async def test_closing_writes_the_file_for_event_loops_too(
    server: EmbeddedNameServer, file: Path, close: Callable[[AsyncRouteCache], Awaitable[None]] | None
) -> None:
    async with AsyncNameServerClient(server.address, timeout=20) as client:
        cache = AsyncRouteCache(client, snapshot=file)
        await cache.get_route("orders")
        if close is None:
            async with cache:
                pass
        else:
            await close(cache)
        assert topics_in(file) == ["orders"]
        await cache.close()


async def test_closing_is_done_though_it_is_cancelled(server: EmbeddedNameServer, file: Path) -> None:
    async with AsyncNameServerClient(server.address, timeout=20) as client:
        cache = AsyncRouteCache(client, snapshot=file)
        await cache.get_route("orders")
        closing_it = asyncio.ensure_future(cache.close())
        await asyncio.sleep(0)
        closing_it.cancel()
        await asyncio.gather(closing_it, return_exceptions=True)
        with pytest.raises(NameServerError):
            await cache.get_route("orders")


@pytest.mark.parametrize("content", ["something else\n", None])
def test_closing_leaves_a_file_alone_if_nothing_is_known(
    server: EmbeddedNameServer, file: Path, content: str | None
) -> None:
    if content is None:
        save(server, file)
        content = file.read_text()
    file.write_text(content)
    before = file.stat()
    with client_of(server) as client:
        RouteCache(client=client, snapshot=file).close()
        if content == "something else\n":
            with RouteCache(client=client, snapshot=file) as cache:
                assert cache.get_route("nothing") is None
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_what_cannot_be_written_while_closing_is_a_warning(
    server: EmbeddedNameServer, caplog: pytest.LogCaptureFixture
) -> None:
    # Where its folder would have to be, there is a file: this one.
    nowhere = Path(__file__) / "routes"

    def warnings() -> list[str]:
        said = [record for record in caplog.records if "closed without its snapshot" in record.getMessage()]
        assert all(str(nowhere) in record.getMessage() for record in said)
        return [record.levelname for record in said]

    with client_of(server) as client:
        with RouteCache(client=client, snapshot=nowhere) as cache:
            cache.get_route("orders")
        assert warnings() == ["WARNING"]
        cache.close()
        with pytest.raises(NameServerError):
            cache.get_route("orders")
    async with AsyncNameServerClient(server.address, timeout=20) as aclient:
        async with AsyncRouteCache(aclient, snapshot=nowhere) as acache:
            await acache.get_route("orders")
        assert warnings() == ["WARNING"] * 2
        await acache.close()
        with pytest.raises(NameServerError):
            await acache.get_route("orders")
    assert warnings() == ["WARNING"] * 2


async def test_a_cache_with_an_asyncio_client_is_closed_without_waiting(server: EmbeddedNameServer, file: Path) -> None:
    async with AsyncNameServerClient(server.address, timeout=20) as client:
        with RouteCache(3600, client, snapshot=file) as cache:
            assert await cache.async_get_route("orders") is not None
        with pytest.raises(NameServerError):
            await cache.async_get_route("orders")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_may_close_what_its_parent_uses(server: EmbeddedNameServer, file: Path) -> None:
    server.register("c", "broker-b", "172.17.0.3:10911", topics={"payments": 8})
    with client_of(server) as client, RouteCache(client=client, snapshot=file) as cache:
        cache.preload(["orders"])
        cache.save_snapshot()
        for topics, expected in (([], ["orders"]), (["payments"], ["orders", "payments"])):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    if topics:
                        cache.preload(topics)
                    cache.close()
                    cache.close()
                    code = 0
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            assert sorted(topics_in(file)) == expected
        assert cache.get_route("orders") is not None
    assert topics_in(file) == ["orders"]


@pytest.mark.parametrize("end", ["with", "atexit before", "atexit after", "thread"])
def test_a_cache_that_is_closed_while_its_program_ends_writes_its_file(
    server: EmbeddedNameServer, file: Path, end: str
) -> None:
    script = """
import atexit, sys, threading
from pyrocketmq.nameserver import RouteCache, SyncNameServerClient
address, file, end = sys.argv[1:]
caches = []
def close():
    for cache in caches:
        cache.close()
if end == "atexit after":
    atexit.register(close)
cache = RouteCache(client=SyncNameServerClient(address, timeout=20), snapshot=file)
caches.append(cache)
cache.preload(["orders"])
if end == "with":
    with cache:
        sys.exit()
elif end == "atexit before":
    atexit.register(close)
elif end == "thread":
    done = threading.Event()
    def leave():
        done.wait()
        close()
    threading.Thread(target=leave).start()
    done.set()
"""
    ended = run_python(script, server.address, str(file), end)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert topics_in(file) == ["orders"]
