"""Signatures of webhooks."""

from __future__ import annotations

import pytest

from stempipe.adapters.signatures import TOLERANCE_SECONDS, sign, verify
from stempipe.errors import Unauthorized

# What Svix, whose scheme it was, publishes to check others by:
# https://docs.svix.com/receiving/verifying-payloads/how-manual
SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
BODY = b'{"event_type":"ping","data":{"success":true}}'
NOW = 1731705121
HEADERS = {
    "webhook-id": "msg_loFOjxBNrRLzqYUf",
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
}


def test_the_published_example() -> None:
    assert sign(SECRET, HEADERS["webhook-id"], NOW, BODY) == HEADERS["webhook-signature"]
    assert verify(SECRET, HEADERS, BODY, NOW) == HEADERS["webhook-id"]


def test_the_prefix_of_a_secret_is_not_part_of_it() -> None:
    assert sign(SECRET.removeprefix("whsec_"), "m", 1, b"") == sign(SECRET, "m", 1, b"")


def test_one_right_signature_among_several_is_enough() -> None:
    signatures = f"v1a,c2ln v1,c2ln {HEADERS['webhook-signature']}"
    verify(SECRET, HEADERS | {"webhook-signature": signatures}, BODY, NOW)


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS, TOLERANCE_SECONDS])
def test_the_clocks_may_differ_by_five_minutes(seconds: int) -> None:
    verify(SECRET, HEADERS, BODY, NOW + seconds)
    with pytest.raises(Unauthorized, match="timestamp"):
        verify(SECRET, HEADERS, BODY, NOW + seconds + (1 if seconds > 0 else -1))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "msg_another"),
        ("webhook-id", ""),
        ("webhook-id", "msg.1731705121"),  # where would it end?
        ("webhook-timestamp", str(NOW + 1)),
        ("webhook-timestamp", f"+{NOW}"),
        ("webhook-timestamp", "9" * 10_000),
        ("webhook-timestamp", "now"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,ü"),
        ("webhook-signature", HEADERS["webhook-signature"].replace("v1", "v2")),
        ("webhook-signature", HEADERS["webhook-signature"].swapcase()),
    ],
)
def test_what_was_changed_is_refused(header: str, value: str) -> None:
    with pytest.raises(Unauthorized):
        verify(SECRET, HEADERS | {header: value}, BODY, NOW)


@pytest.mark.parametrize("missing", HEADERS)
def test_every_header_is_needed(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(Unauthorized):
        verify(SECRET, headers, BODY, NOW)


def test_another_body_or_another_secret_is_refused() -> None:
    with pytest.raises(Unauthorized):
        verify(SECRET, HEADERS, BODY + b" ", NOW)
    with pytest.raises(Unauthorized):
        verify("whsec_c2VjcmV0", HEADERS, BODY, NOW)
