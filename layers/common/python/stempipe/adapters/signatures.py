"""Signatures of webhooks, sent and received alike: the scheme of https://www.standardwebhooks.com.

A secret is base64, with or without ``whsec_`` before it. What is signed is the message's id, its time
and its body, joined by dots.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

from stempipe.errors import Unauthorized

TOLERANCE_SECONDS = 300
"""How far a message's time may be from ours, either way."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature`` for a message; ``timestamp`` is in seconds since the epoch."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Check a message by its headers, whose names are in lower case; returns its id.

    Raises
    ------
    Unauthorized
        A header is missing, the message is too old or too new, or none of its signatures is right.
    """
    message_id, timestamp, signatures = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    # An id with a dot could be read as a shorter one, with another time and body.
    if not (re.fullmatch(r"[^.\s]{1,256}", message_id) and re.fullmatch("[0-9]{1,12}", timestamp)):
        raise Unauthorized("Send webhook-id, webhook-timestamp and webhook-signature.")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unauthorized(f"webhook-timestamp: more than {TOLERANCE_SECONDS} s from the time here.")
    right = sign(secret, message_id, int(timestamp), body).encode()
    # There may be several: a sender whose secret changes signs with the old one too for a while.
    if not any(hmac.compare_digest(right, given.encode()) for given in signatures.split()):
        raise Unauthorized("webhook-signature: none of the signatures is right.")
    return message_id
