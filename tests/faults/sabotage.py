"""What the suite must notice: a safeguard of the product is taken away, on the wire."""

from __future__ import annotations

import json
import os
import re
from enum import StrEnum
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.server import REGION
from stempipe.jobs.record import MAX_ATTEMPTS, Status
from tests.faults.proxy import Answer, Call, Forward
from tests.faults.steps import WORKER_WRITES, Step


class Sabotage(StrEnum):
    """Each leaves the product without one of its safeguards."""

    FENCING = "fencing"  # a worker that lost its claim may write
    CLAIMS = "claims"  # whoever comes gets the job
    SWEEP = "sweep"  # nobody puts right what was left behind
    MAKINGS = "makings"  # every life of a job's id begins with the same numbers
    MARKS = "marks"  # no write is known again whose answer was lost
    DELETION = "deletion"  # deleting stops nothing, and forgets whatever is there by then
    KEEP = "keep"  # whoever takes a job next knows nothing of the stems that were kept, and makes others
    PARTS = "parts"  # a job is queued with the first of its stems
    ACCOUNTS = "accounts"  # what ends is counted for good
    LINE = "line"  # everybody is let in at once

    async def forward(self, call: Call, step: Step | None, forward: Forward) -> Answer:
        """Hand a write on, without its condition where that is what is taken away."""
        if (self is Sabotage.FENCING and step in WORKER_WRITES) or (
            self is Sabotage.CLAIMS and step is Step.CLAIM
        ):
            _strip_condition(call)
        elif self is Sabotage.MAKINGS and "Item" in call.json:
            call.json["Item"] |= {name: {"N": "1"} for name in ("making", "version", "attempt")}
            call.json["Item"]["lastAttempt"] = {"N": str(1 + MAX_ATTEMPTS)}
            _write_anew(call)
        elif self is Sabotage.MARKS and call.operation != "DeleteItem":
            _set(call, "writeId", {"S": "any"})
        elif self is Sabotage.DELETION and step is Step.FORGET:
            _strip_condition(call)
        elif self is Sabotage.DELETION and step in (Step.CANCEL, Step.MARK):
            # A name that nobody looks at.
            names = call.json["ExpressionAttributeNames"]
            names |= {name: "undone" for name, of in names.items() if of == "deleting"}
            _write_anew(call)
        elif self is Sabotage.KEEP and step is Step.CLAIM:
            content = call.json
            content["ExpressionAttributeNames"]["#kept"] = "stemKeys"
            before, remove, others = content["UpdateExpression"].partition("REMOVE ")
            assert remove, "a claim removes what was estimated before"
            content["UpdateExpression"] = f"{before}REMOVE #kept, {others}"
            _write_anew(call)
        elif self is Sabotage.PARTS and step is Step.PART:
            _set(call, "status", {"S": Status.QUEUED.value})
        elif self is Sabotage.ACCOUNTS and step in (Step.COMPLETE, Step.FAIL, Step.CANCEL):
            del call.content["TransactItems"][1:]
            _write_anew(call)
        elif self is Sabotage.LINE and step is Step.LET_IN:
            for account in call.content["TransactItems"][1:]:
                _strip(account["Update"])
            _write_anew(call)
        return await forward()

    async def read(self, call: Call, forward: Forward) -> Answer:
        """Hand a query on, and back without what nobody is to know."""
        answer = await forward()
        if self is not Sabotage.LINE or answer.status != 200:
            return answer
        content = answer.json
        for item in content.get("Items", []):
            item.pop("letIn", None)
        return Answer.error(200, "application/x-amz-json-1.0", json.dumps(content))


def _set(call: Call, attribute: str, value: dict[str, str]) -> None:
    """Have a write set an attribute, which it sets anyway, to something else."""
    content = call.json
    if "Item" in content:
        if attribute not in content["Item"]:
            return
        content["Item"][attribute] = value
    else:
        name = next((name for name, of in content["ExpressionAttributeNames"].items() if of == attribute), "")
        found = re.search(re.escape(name) + r" = (:\w+)", content["UpdateExpression"]) if name else None
        if not found:
            return
        content["ExpressionAttributeValues"][found[1]] = value
    _write_anew(call)


def _strip_condition(call: Call) -> None:
    _strip(call.json)
    _write_anew(call)


def _strip(content: dict[str, Any]) -> None:
    del content["ConditionExpression"]
    # DynamoDB refuses names and values that no expression uses.
    for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        content[kind] = {
            name: value
            for name, value in content.get(kind, {}).items()
            if re.search(re.escape(name) + r"\b", content.get("UpdateExpression", ""))
        }
        if not content[kind]:
            del content[kind]


def _write_anew(call: Call) -> None:
    """Put the call's JSON, which was changed, into its body, and sign it."""
    call.body = json.dumps(call.content).encode()
    # The function's own signature does not hold any more; the suite's keys are in its environment.
    headers = {name: call.headers[name] for name in ("host", "content-type", "x-amz-target")}
    request = AWSRequest("POST", f"http://{headers['host']}/", data=call.body, headers=headers)
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "dynamodb", REGION).add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    head = ["POST / HTTP/1.1", *lines, f"Content-Length: {len(call.body)}"]
    call.head = "\r\n".join(head).encode() + b"\r\n\r\n"
