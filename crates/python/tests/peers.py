"""Peers that are no NameServers: they say nothing, the wrong thing, or what a test tells them."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any


def closed_port() -> str:
    """An address that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def silent_peer(answer: bytes = b"") -> Generator[str]:
    """A server that takes connections and reads, and answers only `answer` to the first bytes."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        while connection.recv(65536):
            pass

    with _peer(serve) as address:
        yield address


ROUTE = 105
"""What a client asks, if nothing else, to learn a server's release."""


@dataclass
class Asked:
    """A request as a peer sees it."""

    code: int
    fields: dict[str, str] = field(default_factory=dict[str, str])
    body: str = ""


@dataclass
class Answer:
    """What a peer says."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    body: str = ""
    code: int = 0
    remark: str | None = None
    version: int = 479
    """Of 5.3.3, unless told otherwise."""


@contextlib.contextmanager
def scripted_peer(script: Callable[[Asked], Answer | None]) -> Generator[str]:
    """A server that answers each request as the script says; `None` is the end of the connection."""

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while length := stream.read(4):
                frame = stream.read(*struct.unpack(">i", length))
                (header_length,) = struct.unpack(">i", frame[:4])
                header: dict[str, Any] = json.loads(frame[4 : 4 + header_length])
                body = frame[4 + header_length :].decode()
                answer = script(Asked(header["code"], header.get("extFields", {}), body))
                if answer is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                connection.sendall(_frame(answer, header["opaque"]))

    with _peer(serve) as address:
        yield address


def _frame(answer: Answer, opaque: int) -> bytes:
    header: dict[str, Any] = {"code": answer.code, "flag": 1, "language": "JAVA", "opaque": opaque}
    header |= {"version": answer.version, "remark": answer.remark, "extFields": answer.fields}
    text, body = json.dumps(header).encode(), answer.body.encode()
    return struct.pack(">ii", 4 + len(text) + len(body), len(text)) + text + body


@contextlib.contextmanager
def _peer(serve: Callable[[socket.socket], None]) -> Generator[str]:
    """A server that serves each connection in a thread of its own."""
    server = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def serve_one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                connections.append(connection)
                threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        # A shutdown wakes the thread that accepts; closing alone does not.
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
        for connection in connections:
            connection.close()
