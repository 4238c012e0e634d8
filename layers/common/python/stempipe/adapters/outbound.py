"""Requests to addresses that strangers give: to the open internet, and nowhere else.

A name is resolved once; every address that it has must be a public one, and the connection goes to an address
that was checked, so that a name which changes in between leads nowhere new. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}
_OPEN_PORTS = (443, 8443)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Special by the registries of IANA, and taken for public by the ipaddress of one Python or another: protocol
# assignments (Oracle's metadata is at 192.0.0.192), 6to4 with its relays, Teredo, documentation.
_SPECIAL = [
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
]


class Refused(Exception):
    """This address is not to be called."""


class Unanswered(Exception):
    """Nobody answered, or not in time, or not in HTTP."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Attributes
    ----------
    host
        Name or address, in lower case and without brackets.
    path
        With the query.
    is_trusted
        Whether the operator vouches for the host, wherever it is.
    """

    scheme: str
    host: str
    port: int
    path: str
    is_trusted: bool

    @property
    def authority(self) -> str:
        """The value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


Resolve = Callable[[str, int], Collection[str]]


def resolve(host: str, port: int) -> Collection[str]:
    """Every address of a host; raises OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return dict.fromkeys(str(address[0]) for *_, address in found)


class Outbound:
    """Sends POST requests.

    Parameters
    ----------
    trusted_hosts
        Hosts that may be anywhere, have any port, and do without TLS.
    resolve
        Finds a host's addresses.
    tls
        Whom to trust; None trusts the usual authorities.
    connect_seconds, total_seconds
        How long a connection may take, and everything together.
    """

    def __init__(
        self,
        trusted_hosts: Collection[str] = (),
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        connect_seconds: float = 3,
        total_seconds: float = 5,
    ) -> None:
        self._trusted_hosts = {host.lower() for host in trusted_hosts}
        self._resolve = resolve
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds

    def target(self, url: str) -> Target:
        """Read a URL.

        Raises
        ------
        Refused
            It is none that may be called. A name's addresses are not looked at yet.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise Refused("it is not a URL") from None
        # urlsplit drops tabs and line breaks, and leaves the rest to us.
        if not url.isascii() or not url.isprintable() or any(sign in url for sign in ' "<>\\'):
            raise Refused("it has characters that must be percent-encoded")
        if parts.scheme not in _PORTS or not host:
            raise Refused("it must be https://...")
        if parts.username is not None or parts.password is not None:
            raise Refused("it must not carry a user or a password")
        is_trusted = host in self._trusted_hosts
        port = _PORTS[parts.scheme] if port is None else port
        if not is_trusted:
            if parts.scheme != "https":
                raise Refused("it must be https://...")
            if port not in _OPEN_PORTS:
                raise Refused(f"its port must be one of {', '.join(map(str, _OPEN_PORTS))}")
            if _is_address(host) and not is_public(host):
                raise Refused("its address is not a public one")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme, host, port, path, is_trusted)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body; returns the status of the answer, the rest of which is not read.

        Raises
        ------
        Refused
            The URL, or an address that its host has now, may not be called.
        Unanswered
            No answer came.
        """
        target = self.target(url)
        deadline = time.monotonic() + self._total_seconds
        try:
            with self._connect(target, deadline) as plain, _cut_off_at(deadline, plain):
                stream = plain
                if target.scheme == "https":
                    tls = self._tls or ssl.create_default_context()
                    stream = tls.wrap_socket(plain, server_hostname=target.host)
                with stream:
                    connection = http.client.HTTPConnection(target.host, target.port)
                    connection.sock = stream  # so that it does not make one of its own
                    connection.request("POST", target.path, body, {**headers, "Host": target.authority})
                    with closing(connection.getresponse()) as response:
                        return response.status
        except (OSError, http.client.HTTPException, UnicodeError) as fault:
            raise Unanswered(f"{type(fault).__name__}: {fault}") from fault

    def _connect(self, target: Target, deadline: float) -> socket.socket:
        fault: OSError = OSError("no address")
        for address in self._addresses(target):
            seconds = min(self._connect_seconds, deadline - time.monotonic())
            if seconds <= 0:
                raise TimeoutError("no time left for another address")
            try:
                stream = socket.create_connection((address, target.port), seconds)
            except OSError as refusal:
                fault = refusal
                continue
            stream.settimeout(self._total_seconds)
            return stream
        raise fault

    def _addresses(self, target: Target) -> Collection[str]:
        addresses = self._resolve(target.host, target.port)
        if not target.is_trusted and not all(is_public(address) for address in addresses):
            raise Refused(f"{target.host} has an address that is not a public one")
        return addresses


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address is one of the open internet.

    Not so are private, shared, loopback, link-local (where clouds keep their metadata), multicast,
    documentation and reserved ones; nor IPv6 addresses that stand for an IPv4 one: mapped, 6to4, Teredo,
    NAT64.
    """
    ip = ipaddress.ip_address(address)
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if any(ip in network for network in _SPECIAL):
        return False
    return ip.version == 4 or ip in _GLOBAL_UNICAST


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@contextmanager
def _cut_off_at(deadline: float, stream: socket.socket) -> Iterator[None]:
    """End a connection at its time, however slowly bytes come.

    A socket's own timeout begins anew with each of them.
    """
    # A second handle on the same connection, which TLS does not take over.
    handle = stream.dup()

    def cut_off() -> None:
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut_off)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()
