"""The package as `bench/src/python.rs` measures it: a process that is told line by line what to do next.

Lines are JSON objects, on stdin and on stdout. The first one says where the server is; each one after it is a load, to
be kept up for some seconds; each is answered with one line. The end of stdin is the end. Nothing is judged here.

Times are whole nanoseconds. `cpu` is the processor time of this process with all its threads, so the core's background
thread is in it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import importlib.metadata
import json
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    SyncNameServerClient,
    TopicRouteData,
    create_async_client,
    create_sync_client,
)

READS_BETWEEN_LOOKS = 10
"""How many bodies are read before the clock is looked at."""


class Measured:
    """One package, one server: every load that can be asked for."""

    def __init__(self, host: str, port: int, topic: str, body: str) -> None:
        self._topic = topic
        self._body = body.encode()
        self._sync = create_sync_client(host, port)
        self._loops: dict[str, tuple[asyncio.Runner, AsyncNameServerClient]] = {}
        for name, loop_factory in _loops().items():
            runner = asyncio.Runner(loop_factory=loop_factory)
            self._loops[name] = (runner, runner.run(create_async_client(host, port)))

    def about(self) -> dict[str, Any]:
        """What is measured, and how many brokers everybody sees: a fast wrong answer would be worth nothing."""
        routes = [self._sync.query_topic_route_info(self._topic)]
        routes += [runner.run(client.query_topic_route_info(self._topic)) for runner, client in self._loops.values()]
        return {
            "python": platform.python_version(),
            "uvloop": importlib.metadata.version("uvloop") if "uvloop" in self._loops else None,
            "brokers": [len(route.broker_data_list) for route in routes],
        }

    def ask(self, client: str, in_flight: int, seconds: float) -> dict[str, Any]:
        """Queries for so long: how many, and each one's wait if only one was in flight."""
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        until = wall + int(seconds * 1e9)
        waits: list[int] = []
        if client == "sync":
            queries = _one_at_a_time(self._sync, self._topic, until, waits)
        else:
            runner, asyncio_client = self._loops[client]
            queries = runner.run(_in_tasks(asyncio_client, self._topic, in_flight, until, waits))
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        return {"queries": queries, "wall": wall, "cpu": cpu, "waits": waits}

    def read(self, seconds: float) -> dict[str, float]:
        """The body of an answer, read for so long in this package's way and for so long in the old package's way."""
        return {
            "from_bytes": _cpu_each(lambda: TopicRouteData.from_bytes(self._body), seconds),
            "literal_eval": _cpu_each(lambda: ast.literal_eval(self._body.decode()), seconds),
        }

    def close(self) -> None:
        """Close everything."""
        self._sync.close()
        for runner, client in self._loops.values():
            runner.run(client.close())
            runner.close()


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loops that are here."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    # It is an extra; the report says that it was not there.
    with contextlib.suppress(ImportError):
        loops["uvloop"] = importlib.import_module("uvloop").new_event_loop
    return loops


def _one_at_a_time(client: SyncNameServerClient, topic: str, until: int, waits: list[int]) -> int:
    now = time.perf_counter_ns()
    while now < until:
        client.query_topic_route_info(topic)
        then, now = now, time.perf_counter_ns()
        waits.append(now - then)
    return len(waits)


async def _in_tasks(client: AsyncNameServerClient, topic: str, in_flight: int, until: int, waits: list[int]) -> int:
    async def one_at_a_time() -> int:
        now = time.perf_counter_ns()
        while now < until:
            await client.query_topic_route_info(topic)
            then, now = now, time.perf_counter_ns()
            waits.append(now - then)
        return len(waits)

    async def loop() -> int:
        queries = 0
        while time.perf_counter_ns() < until:
            await client.query_topic_route_info(topic)
            queries += 1
        return queries

    if in_flight == 1:
        return await asyncio.create_task(one_at_a_time())
    return sum(await asyncio.gather(*(loop() for _ in range(in_flight))))


def _cpu_each(read: Callable[[], object], seconds: float) -> float:
    """The processor time of one call."""
    start, calls = time.process_time_ns(), 0
    until = time.perf_counter_ns() + int(seconds * 1e9)
    while time.perf_counter_ns() < until:
        for _ in range(READS_BETWEEN_LOOKS):
            read()
        calls += READS_BETWEEN_LOOKS
    return (time.process_time_ns() - start) / calls


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Answer line by line until stdin ends."""
    measured = Measured(**json.loads(sys.stdin.readline()))
    _say(measured.about())
    for line in sys.stdin:
        load = json.loads(line)
        _say(measured.ask(**load) if "client" in load else measured.read(**load))
    measured.close()


if __name__ == "__main__":
    main()
