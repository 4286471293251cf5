"""Clients that find their servers."""

import asyncio
import http.server
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    Discovery,
    EmbeddedNameServer,
    NameServerConnectionError,
    NameServerError,
    SyncNameServerClient,
)

from .conditions import until


@contextmanager
def endpoint(body: str) -> Generator[str]:
    """An HTTP endpoint that says that."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as the base class has it
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/rocketmq/nsaddr"
    finally:
        server.shutdown()
        server.server_close()


def register(server: EmbeddedNameServer) -> None:
    server.register("c", "broker-a", "127.0.0.1:10911", topics={"orders": 4})


def test_every_source_leads_to_the_server(
    nameserver: EmbeddedNameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(nameserver)
    monkeypatch.setenv("NAMESRV_ADDR", nameserver.address)
    monkeypatch.setenv("OTHER_ADDR", nameserver.address)
    listed = tmp_path / "servers"
    listed.write_text(f"# ours\n{nameserver.address}\n")
    nothing = Discovery.env("NOT_SET_ANYWHERE")
    with endpoint(nameserver.address) as url:
        for discovery in [
            Discovery.servers(nameserver.address),
            Discovery.env(),
            Discovery.env("OTHER_ADDR"),
            Discovery.dns("localhost", nameserver.port),
            Discovery.file(listed),
            Discovery.http(url),
            nothing | Discovery.file(str(listed)),
            nothing & Discovery.env(),
        ]:
            with SyncNameServerClient(discovery=discovery) as client:
                assert client.query_topic_route_info("orders").broker_data_list[0].broker_name == "broker-a"


def test_a_changed_list_is_used(tmp_path: Path) -> None:
    listed = tmp_path / "servers"
    with EmbeddedNameServer() as first, EmbeddedNameServer() as second:
        register(first)
        second.register("c", "broker-b", "127.0.0.1:10921", topics={"orders": 4})
        listed.write_text(first.address)
        with SyncNameServerClient(discovery=Discovery.file(listed)) as client:
            assert client.query_topic_route_info("orders").broker_data_list[0].broker_name == "broker-a"
            assert client.server_list() == [first.address]
            listed.write_text(second.address)
            until(lambda: client.server_list() == [second.address])
            assert client.query_topic_route_info("orders").broker_data_list[0].broker_name == "broker-b"


def test_the_last_good_list_outlives_its_source(nameserver: EmbeddedNameServer, tmp_path: Path) -> None:
    register(nameserver)
    kept = tmp_path / "kept"
    with SyncNameServerClient(discovery=Discovery.servers(nameserver.address).keep_last_good(kept)) as client:
        client.query_topic_route_info("orders")
        until(kept.exists)
    with SyncNameServerClient(discovery=Discovery.file(tmp_path / "gone").keep_last_good(kept)) as client:
        client.query_topic_route_info("orders")


def test_asyncio_finds_servers_too(nameserver: EmbeddedNameServer) -> None:
    register(nameserver)

    async def ask() -> int:
        async with AsyncNameServerClient(discovery=Discovery.servers(nameserver.address)) as client:
            return len((await client.query_topic_route_info("orders")).broker_data_list)

    assert asyncio.run(ask()) == 1


def test_a_uri_has_servers_and_settings(nameserver: EmbeddedNameServer) -> None:
    register(nameserver)
    with SyncNameServerClient(f"rocketmq://{nameserver.address}?hedged_reads=false") as client:
        client.query_topic_route_info("orders")
    with pytest.raises(NameServerError, match="speed"):
        SyncNameServerClient(f"rocketmq://{nameserver.address}?speed=fast")


def test_without_any_list_the_error_names_the_source() -> None:
    client = SyncNameServerClient(discovery=Discovery.env("NOT_SET_ANYWHERE"), timeout=5)
    with pytest.raises(NameServerConnectionError, match="NOT_SET_ANYWHERE"):
        client.query_topic_route_info("orders")


def test_what_makes_no_sense_is_refused(nameserver: EmbeddedNameServer) -> None:
    with pytest.raises(NameServerError):
        SyncNameServerClient()
    with pytest.raises(NameServerError):
        SyncNameServerClient(nameserver.address, discovery=Discovery.env())
    with pytest.raises(NameServerError):
        SyncNameServerClient(discovery=Discovery.dns("not a host", 9876))
    with pytest.raises(TypeError):
        SyncNameServerClient(discovery="env")  # type: ignore[arg-type]
