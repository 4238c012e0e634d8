"""HTTP with a stranger: which addresses are asked, how much of an answer is read, and what goes wrong."""

import ipaddress
import socket
from collections.abc import Callable
from enum import IntEnum

import h11
import httpx

from stempipe_client.errors import StempipeError
from stempipe_client.names import said

UNPACKED = {"Accept-Encoding": "identity"}
"""Headers that ask for an answer as it is: a small one that is packed may be of any size."""

# httpx lets some of what is wrong with an address, a header or a body through as it comes. A ValueError is
# also what is no host's name, and what is no ASCII.
FAILURES = (httpx.RequestError, httpx.InvalidURL, h11.ProtocolError, ValueError)
"""Whatever a request can fail with."""


_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class Nearness(IntEnum):
    """Where a host is, as far as its name says."""

    ANYWHERE = 0
    NETWORK = 1
    MACHINE = 2


def nearness(host: str) -> Nearness:
    """How near a host is: this machine, a private or link-local address, or anywhere. No name is resolved."""
    host = host.lower().strip("[]").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return Nearness.MACHINE
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(host))  # 127.1 and 0x7f000001 are addresses too
        except (OSError, ValueError):
            return Nearness.ANYWHERE
    is_public = address.is_global and not address.is_multicast
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return nearness(str(address.ipv4_mapped))
        # Some outside of it stand for an address of IPv4, of which nobody here knows where it is.
        is_public = is_public and address in _GLOBAL_UNICAST and not (address.sixtofour or address.teredo)
    if address.is_loopback or address.is_unspecified:
        return Nearness.MACHINE
    return Nearness.ANYWHERE if is_public else Nearness.NETWORK


def no_nearer_than(api_url: str) -> Callable[[httpx.Request], None]:
    """A hook that refuses requests to hosts that are nearer than the API.

    Who runs a service chooses its links, and so could else have this machine's other servers asked, and those
    of its network.

    Raises
    ------
    StempipeError
        `link_refused`, from the hook.
    """
    nearest = nearness(httpx.URL(api_url).host)

    def refuse(request: httpx.Request) -> None:
        host = request.url.host
        if nearness(host) > nearest:
            message = f"The service has a link to {said(host)}, which is of this machine or its network."
            raise StempipeError("link_refused", message)

    return refuse


def beginning(response: httpx.Response, most: int) -> bytes:
    """So many bytes of an answer that is streamed, or all that it has; nothing of one that is packed."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return b""
    read = bytearray()
    for chunk in response.iter_raw():
        read += chunk
        if len(read) >= most:
            break
    return bytes(read[:most])


def reason(error: Exception) -> str:
    """What went wrong, in few words."""
    return said(str(error) or type(error).__name__)
