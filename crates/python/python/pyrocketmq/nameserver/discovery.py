"""Where a client learns which NameServers there are, when that may change while it runs."""

from __future__ import annotations

import os

from . import _native

__all__ = ["Discovery"]

NAMESRV_ADDR = "NAMESRV_ADDR"
"""The environment variable that all RocketMQ tools have."""


class Discovery:
    """Finds NameServers, and finds them again when they change: `SyncNameServerClient(discovery=…)`.

    `a | b` takes the first that has a list, `a & b` all together. Sources are asked in the background, from the first call
    on; that call waits for the first list. A changed list is used at once, removed servers finish what they were asked. A
    source that fails stands for the list that it gave last. What is wrong with a source is a `NameServerError` when the
    client is made.

    >>> discovery = Discovery.env() | Discovery.dns("nameserver.rocketmq.svc", 9876)
    >>> discovery = discovery.keep_last_good("/var/cache/my-service/nameservers")
    """

    __slots__ = ("native",)

    def __init__(self, native: _native.Discovery) -> None:
        """Not for users, like `native`: begin with one of the sources."""
        self.native: _native.Discovery = native

    @classmethod
    def servers(cls, servers: str) -> Discovery:
        """These servers, `"host:port"` separated by `;` or `,`, for ever."""
        return cls(_native.Discovery.servers(servers))

    @classmethod
    def env(cls, variable: str = NAMESRV_ADDR) -> Discovery:
        """What an environment variable says; read once."""
        return cls(_native.Discovery.env(variable))

    @classmethod
    def dns(cls, host: str, port: int = 9876) -> Discovery:
        """Every address that a host name has, IPv4 and IPv6; looked up every 30 s and after failures."""
        return cls(_native.Discovery.dns(host, port))

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Discovery:
        """A file of addresses, separated by `;`, `,` or lines, with `#` comments; read every 2 s."""
        return cls(_native.Discovery.file(os.fspath(path)))

    @classmethod
    def http(cls, url: str) -> Discovery:
        """An HTTP endpoint as RocketMQ's Java client knows it, `http://host:8080/rocketmq/nsaddr`; asked every 2 minutes."""
        return cls(_native.Discovery.http(url))

    def keep_last_good(self, path: str | os.PathLike[str]) -> Discovery:
        """Keep the last list in this file, for a start while every source fails."""
        return Discovery(self.native.keep_last_good(os.fspath(path)))

    def __or__(self, other: Discovery) -> Discovery:
        """Take the first that has a list."""
        return Discovery(self.native.first_of(other.native))

    def __and__(self, other: Discovery) -> Discovery:
        """Take all together."""
        return Discovery(self.native.all_of(other.native))
