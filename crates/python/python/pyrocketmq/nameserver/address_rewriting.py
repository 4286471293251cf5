"""Which addresses are used in place of those that brokers advertise: Docker, NAT, Kubernetes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from . import _native

__all__ = ["AddressRewriting", "AdvertisedAddress"]

_log = logging.getLogger("pyrocketmq.nameserver")


@dataclass(frozen=True, slots=True)
class AdvertisedAddress:
    """One address that a broker advertises."""

    cluster: str
    """The cluster of the broker group; empty if it has none."""
    broker_name: str
    """The name of the broker group."""
    broker_id: int
    """Which member of the group it is: 0 is the master."""
    address: str
    """The address, `host:port` as a rule."""


class AddressRewriting:
    """Rules for addresses: `SyncNameServerClient(rewrite_addresses=…)`. Each method returns new rules, with one more.

    A broker in a container or behind NAT tells NameServers an address that only its neighbours can reach. Rules replace such
    addresses in every route and in the cluster info that a client returns, and in all that a cache on it serves and tells;
    nothing changes on any server. The order of the rules is their priority: the first that matches an address counts, and
    its result is not rewritten again.

    What is used in place of an address is a `host`, which keeps the port, or `host:port`, which replaces both; IPv6 addresses
    with a port stand in brackets. Hosts are compared in any case, IP addresses by value. What was advertised stays in the
    answer: `BrokerData.advertised`. Filter servers, and the brokers' addresses under which they are listed, stay as
    advertised; so does what `query_all` returns.

    A rule that cannot be understood is a `NameServerError` when it is made, which says what to write instead.

    >>> rules = AddressRewriting().exact("172.17.0.2:10911", "localhost:20911").cidr("172.17.0.0/16", "localhost")
    >>> rules.with_(lambda broker: f"{broker.broker_name}.example.com:10911" if broker.cluster == "test" else None)
    AddressRewriting().exact('172.17.0.2:10911', 'localhost:20911').cidr('172.17.0.0/16', 'localhost').with_(<function ...>)
    """

    __slots__ = ("_text", "native")

    def __init__(self) -> None:
        """No rules: every address is used as it is advertised."""
        self._text: str = "AddressRewriting()"
        # For the clients.
        self.native: _native.AddressRewriting = _native.AddressRewriting()

    @classmethod
    def parse(cls, text: str) -> AddressRewriting:
        """Rules as one text, for environment variables and settings: `FROM=TO`, several separated by `,` or `;`.

        What a rule is follows from its shape: with `/` a network, with a port one address, else a host. A text without any
        rule is no rules.

        >>> AddressRewriting.parse("172.17.0.0/16=localhost, broker-b.internal=10.0.0.9:10911")
        AddressRewriting.parse('172.17.0.0/16=localhost, broker-b.internal=10.0.0.9:10911')
        """
        parsed = cls()
        parsed._text = f"AddressRewriting.parse({text!r})"
        parsed.native = _native.AddressRewriting.parse(text)
        return parsed

    def exact(self, advertised: str, used: str) -> AddressRewriting:
        """Replace one address, `host:port`.

        >>> AddressRewriting().exact("172.17.0.2:10911", "localhost:20911")
        AddressRewriting().exact('172.17.0.2:10911', 'localhost:20911')
        """
        return self._and(self.native.exact(advertised, used), f".exact({advertised!r}, {used!r})")

    def host(self, advertised: str, used: str) -> AddressRewriting:
        """Replace one host, whatever the port.

        >>> AddressRewriting().host("broker-b.internal", "10.0.0.9")
        AddressRewriting().host('broker-b.internal', '10.0.0.9')
        """
        return self._and(self.native.host(advertised, used), f".host({advertised!r}, {used!r})")

    def cidr(self, network: str, used: str) -> AddressRewriting:
        """Replace all hosts of a network, such as `172.17.0.0/16` or `fd00::/8`. Host names are in none: nobody looks them up.

        >>> AddressRewriting().cidr("172.17.0.0/16", "localhost")
        AddressRewriting().cidr('172.17.0.0/16', 'localhost')
        """
        return self._and(self.native.cidr(network, used), f".cidr({network!r}, {used!r})")

    def with_(self, function: Callable[[AdvertisedAddress], str | None]) -> AddressRewriting:
        """Ask a function: a text is the `host:port` to use, `None` leaves the address to the next rules.

        It is called in the thread of whoever asks for a route, for each address of each answer; by a cache once for each route
        that it hands out. So it must be quick. What it raises is raised by the call; in a watch it is logged, and the change has
        the addresses that are advertised. An answer that is not `host:port` is logged once and the address used as
        advertised.

        >>> def used(broker: AdvertisedAddress) -> str | None:
        ...     return f"localhost:{20911 + broker.broker_id}" if broker.broker_name == "broker-a" else None
        >>> rules = AddressRewriting().with_(used)
        """
        if not callable(function):
            raise TypeError(f"function must be callable, not {function!r}")
        return self._and(self.native.with_(function), f".with_({function!r})")

    def _and(self, native: _native.AddressRewriting, text: str) -> AddressRewriting:
        more = AddressRewriting()
        more._text = self._text + text
        more.native = native
        return more

    def __repr__(self) -> str:
        return self._text

    # Rules never change, so they are their own copies: `dataclasses.asdict` of what holds them copies them.
    def __copy__(self) -> AddressRewriting:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> AddressRewriting:
        return self


def native_rules(rewriting: object) -> _native.AddressRewriting | None:
    """The Rust half of rules, or of their text."""
    if rewriting is None:
        return None
    if isinstance(rewriting, str):
        return AddressRewriting.parse(rewriting).native
    if isinstance(rewriting, AddressRewriting):
        return rewriting.native
    raise TypeError(f"rewrite_addresses must be an AddressRewriting or its text, not {rewriting!r}")


def log_failure(error: Exception) -> None:
    """What a function has raised where no caller can be told."""
    _log.error(
        "a function that rewrites addresses failed in a watch; the change has the addresses that are advertised",
        exc_info=error,
    )
