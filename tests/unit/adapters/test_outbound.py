"""Requests to addresses that strangers give: what is refused, and that a receiver cannot take its time."""

from __future__ import annotations

import http.server
import ipaddress
import ssl
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from stempipe.adapters.outbound import Outbound, Refused, Resolve, Unanswered, is_public
from tests.receiver import Receiver, hang, receiving, redirect_to


def found(*addresses: str) -> Resolve:
    """A name server that knows one answer."""

    def resolve(host: str, port: int) -> Collection[str]:
        return addresses

    return resolve


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def local(**options: float) -> Outbound:
    return Outbound(["127.0.0.1"], **options)  # type: ignore[arg-type]


# ---- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254",  # the metadata of EC2 and most clouds
        "169.254.170.2",  # credentials of containers
        "100.100.100.200",  # Alibaba's metadata, in the shared space
        "192.0.0.192", "192.88.99.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::127.0.0.1",
        "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:82a::200e"]
)
def test_what_is_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


PRIVATE = [
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
                    "100.64.0.0/10", "224.0.0.0/3", "0.0.0.0/8")
]  # fmt: skip


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_ipv4_address_is_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for form in (
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address(0x64FF9B << 96 | number),
        ipaddress.IPv6Address(0x2002 << 112 | number << 80),
    ):
        assert not is_public(str(form))


@given(st.one_of(*(st.ip_addresses(network=network) for network in PRIVATE)))
def test_no_address_of_a_private_network_is_public(address: ipaddress.IPv4Address) -> None:
    assert not is_public(str(address))


# ---- URLs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://example.com/", "https://",
        "https:///path", "https://user@example.com/", "https://user:word@example.com/",
        "https://:@example.com/",
        "https://example.com:22/", "https://example.com:0/", "https://example.com:99999/",
        "https://example.com:x/", "https://exämple.com/", "https://example.com/a b",
        "https://example.com/\r\nX: y", 'https://example.com/"', "https://example.com\\@x/", "https://a.b/<c>",
        "https://exa\tmple.com/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/", "https://[::1", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_a_url_that_may_not_be_called_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        Outbound().target(url)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://EXAMPLE.com/a?b=c#d", "example.com", "/a?b=c"),
        ("https://example.com:8443/a", "example.com:8443", "/a"),
        ("https://8.8.8.8/", "8.8.8.8", "/"),
        ("https://[2606:4700::1111]:8443/", "[2606:4700::1111]:8443", "/"),
    ],
)
def test_a_url_that_may_be_called_is_taken_apart(url: str, authority: str, path: str) -> None:
    target = Outbound().target(url)
    assert (target.authority, target.path) == (authority, path)


@given(st.text(max_size=60))
def test_whatever_the_url_is_it_is_a_target_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com{text}"):
        try:
            target = Outbound().target(url)
        except Refused:
            continue
        assert target.scheme == "https"
        assert target.path.isprintable()


# ---- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"], ["2606:4700::1111", "fd00::1"]],
)
def test_a_name_is_refused_if_any_of_its_addresses_is_private(addresses: list[str]) -> None:
    with pytest.raises(Refused):
        Outbound(resolve=found(*addresses)).post("https://example.com/", {}, b"")


@pytest.mark.parametrize("name", ["localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_names_and_odd_numbers_of_this_machine_are_refused_by_the_real_resolver(name: str) -> None:
    with pytest.raises((Refused, Unanswered)) as refusal:
        Outbound().post(f"https://{name}/", {}, b"")
    assert refusal.type is Refused or "gaierror" in str(refusal.value)


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    asked = []

    def rebind(host: str, port: int) -> Collection[str]:
        asked.append(host)
        return ["127.0.0.1"]

    # No such name exists: nothing but the checked address can have been connected to.
    outbound = Outbound(["hooks.invalid"], resolve=rebind)
    status = outbound.post(f"http://hooks.invalid:{receiver.port}/a?b", {"X-A": "1"}, b"body")
    assert (status, asked) == (200, ["hooks.invalid"])
    (request,) = receiver.received
    assert (request.path, request.body) == ("/a?b", b"body")
    assert request.headers["host"] == f"hooks.invalid:{receiver.port}"
    assert request.headers["x-a"] == "1"


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver) -> None:
    outbound = Outbound(["hooks.invalid"], resolve=found("127.0.0.2", "127.0.0.1"))
    with receiving() as other:  # listens on 127.0.0.1 alone
        assert outbound.post(f"http://hooks.invalid:{other.port}/", {}, b"") == 200


def test_a_name_without_an_address_is_unanswered() -> None:
    with pytest.raises(Unanswered):
        Outbound().post("https://hooks.invalid/", {}, b"")


# ---- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 404, 410, 500])
def test_the_answer_is_its_status(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    assert local().post(receiver.url, {}, b"{}") == status


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.answers = [redirect_to(other.url)]
        assert local().post(receiver.url, {}, b"{}") == 307
        assert other.received == []


def test_a_receiver_that_hangs_is_left(receiver: Receiver) -> None:
    receiver.answers = [hang(3)]
    began = time.monotonic()
    with pytest.raises(Unanswered):
        local(total_seconds=0.3).post(receiver.url, {}, b"{}")
    assert time.monotonic() - began < 2


def test_a_receiver_that_sends_a_byte_now_and_then_is_left(receiver: Receiver) -> None:
    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" * 100:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.05)

    receiver.answers = [drip]
    began = time.monotonic()
    with pytest.raises(Unanswered):
        local(total_seconds=0.4).post(receiver.url, {}, b"{}")
    assert time.monotonic() - began < 2


def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    def flood(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    receiver.answers = [flood]
    assert local().post(receiver.url, {}, b"{}") == 200


def test_what_is_not_http_is_unanswered(receiver: Receiver) -> None:
    def greet(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 smtp ready\r\n")

    receiver.answers = [greet]
    with pytest.raises(Unanswered):
        local().post(receiver.url, {}, b"{}")


# ---- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for hooks.invalid, that nobody but a test trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.invalid")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.invalid")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_receiver(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(context) as receiver:
        yield receiver


def by_tls(trust: Path | None, host: str, port: int, seconds: float = 10) -> int:
    outbound = Outbound(
        [host],
        resolve=found("127.0.0.1"),
        tls=ssl.create_default_context(cafile=trust) if trust else None,
        total_seconds=seconds,
    )
    return outbound.post(f"https://{host}:{port}/", {}, b"{}")


def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    tls_receiver: Receiver, certificate: Path
) -> None:
    assert by_tls(certificate, "hooks.invalid", tls_receiver.port) == 200
    with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):
        by_tls(certificate, "other.invalid", tls_receiver.port)
    assert len(tls_receiver.received) == 1


def test_a_certificate_that_nobody_trusts_is_not_taken(tls_receiver: Receiver) -> None:
    with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):
        by_tls(None, "hooks.invalid", tls_receiver.port)


def test_the_time_limit_holds_for_tls_too(tls_receiver: Receiver, certificate: Path) -> None:
    tls_receiver.answers = [hang(3)]
    began = time.monotonic()
    with pytest.raises(Unanswered):
        by_tls(certificate, "hooks.invalid", tls_receiver.port, seconds=0.5)
    assert time.monotonic() - began < 2
