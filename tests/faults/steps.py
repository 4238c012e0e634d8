"""Which step of an upload's way a call to the cloud is, and whose upload it is."""

from __future__ import annotations

import json
from enum import StrEnum
from urllib.parse import unquote

from tests.faults.proxy import Call

LEASE_SECONDS = 3


class Step(StrEnum):
    """The calls at which something can go wrong, in the order of an undisturbed upload."""

    CREATE = "create"
    LOOK_UP = "look up"
    TAKE_IN = "take in"
    PART = "note a part"
    PARTS = "all parts"
    SEND = "send"
    NOTE = "note"
    LET_IN = "let in"
    CLAIM = "claim"
    FETCH = "fetch"
    REPORT = "report"
    PUT = "put"
    KEEP = "keep"
    LISTEN = "listen"
    STORE = "store"
    COMPLETE = "complete"
    FAIL = "fail"
    RELEASE = "release"
    PUT_OFF = "put off"
    HOLD = "hold"
    REQUEUE = "requeue"
    CANCEL = "cancel"
    MARK = "mark"
    LIST = "list"
    ERASE = "erase"
    FORGET = "forget"
    RETRY = "retry"
    AWAIT = "await again"
    DOWNLOAD = "download"

    @property
    def service(self) -> str:
        """Whom it calls."""
        match self:
            case Step.LOOK_UP | Step.FETCH | Step.PUT | Step.STORE | Step.LIST | Step.ERASE | Step.DOWNLOAD:
                return "s3"
            case Step.SEND | Step.PUT_OFF | Step.HOLD:
                return "sqs"
        return "dynamodb"


WORKER_WRITES = frozenset({Step.REPORT, Step.KEEP, Step.LISTEN, Step.COMPLETE, Step.FAIL, Step.RELEASE})
"""What only the holder of a job's claim may write."""

HOLD_SECONDS = 2 * LEASE_SECONDS
"""For how long a worker that polls has a message; it is put off for none as long."""

_STEMS = (".wav", ".flac", ".mp3", ".index", ".dat")


def owner_of(call: Call) -> str | None:
    """Whose upload the call is about; None if it does not say."""
    match call.service, call.operation:
        case "dynamodb", _:
            content = call.json
            key = content.get("Key") or content.get("Item") or {}
            return key["owner"]["S"] if "owner" in key else None
        case "sqs", "SendMessage":
            owner = json.loads(call.json["MessageBody"]).get("owner")
            return str(owner) if owner else None
        case "s3", _:
            # /{bucket}/jobs/{owner}/..., /{bucket}/inbox/{owner}/..., /{bucket}/{owner}/...
            # and the listings of these.
            path = f"{call.path.rstrip('/')}/{call.prefix}"
            parts = [part for part in path.split("/")[2:] if part not in ("jobs", "inbox")]
            return unquote(parts[0]) if len(parts) > 1 else None
    return None


def step_of(call: Call) -> Step | None:
    """The step that the call is; None for one at which nothing is made to fail."""
    if call.is_transaction and call.operation == "UpdateItem" and "status" not in call.sets:
        return Step.LET_IN
    match call.caller, call.service, call.operation:
        case "StatusFunction", _, "PutItem":
            return Step.CREATE
        case "StatusFunction", _, "DeleteItem":
            return Step.FORGET
        case "StatusFunction", "s3", "GET":
            return Step.LIST
        case "StatusFunction", "s3", "DELETE":
            return Step.ERASE
        case "StatusFunction", _, "UpdateItem":
            return _status_update(call)
        case "StatusFunction", _, "SendMessage":
            return Step.SEND
        case "SeparateFunction", _, "GET":
            return None if call.prefix else Step.FETCH
        case "SeparateFunction", _, "PUT" | "POST":
            return _put(call) if call.service == "s3" else None
        case "SeparateFunction", _, "ChangeMessageVisibility":
            return Step.HOLD if call.json["VisibilityTimeout"] == HOLD_SECONDS else Step.PUT_OFF
        case "SeparateFunction", _, "UpdateItem":
            return _worker_update(call)
        case "IntakeFunction" | "SweepFunction", "s3", "HEAD":
            return Step.LOOK_UP
        case "IntakeFunction" | "SweepFunction", _, "PutItem":
            return Step.TAKE_IN
        case "IntakeFunction" | "SweepFunction", _, "SendMessage":
            return Step.SEND
        case "IntakeFunction" | "SweepFunction", _, "UpdateItem":
            return _intake_update(call)
        case "", "s3", "GET":
            return Step.DOWNLOAD
    return None


def _put(call: Call) -> Step:
    """Stems, and what a page plays them from, come before anything that is found in them."""
    return Step.PUT if call.path.endswith(_STEMS) else Step.STORE


def _worker_update(call: Call) -> Step | None:
    match call.sets.get("status"):
        case "processing":
            names = call.json["ExpressionAttributeNames"].values()
            # Every change raises the version; a claim alone says when the work began.
            if "startedAt" in names:
                return Step.CLAIM
            if "stemKeys" in names:
                return Step.KEEP
            return Step.LISTEN if call.sets["stage"] == "analysing" else Step.REPORT
        case "completed":
            return Step.FAIL if "analysisErrorCode" in call.sets else Step.COMPLETE
        case "failed":
            return Step.FAIL
        case "queued":
            return Step.RELEASE
    return None


def _status_update(call: Call) -> Step | None:
    if "messageId" in call.sets:
        return Step.NOTE
    match call.sets.get("status"):
        case "cancelled":
            return Step.CANCEL
        case "queued":
            return Step.RETRY
        case "awaiting_upload":
            return Step.AWAIT
    return Step.MARK if "deleting" in call.sets else None


def _intake_update(call: Call) -> Step | None:
    if "messageId" in call.sets:
        return Step.NOTE
    if "etag" in call.sets:
        return Step.TAKE_IN
    if "partEtags" in call.json["ExpressionAttributeNames"].values():
        return Step.PART
    if call.sets.get("status") == "queued" and "progress" not in call.sets:
        return Step.PARTS
    return Step.REQUEUE if call.caller == "SweepFunction" else None
