"""What the suite must notice: a safeguard of the product is taken away, on the wire."""

from __future__ import annotations

import json
import os
import re
from enum import StrEnum

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.server import REGION
from tests.faults.proxy import Answer, Call, Forward
from tests.faults.steps import WORKER_WRITES, Step


class Sabotage(StrEnum):
    """Each leaves the product without one of its safeguards."""

    FENCING = "fencing"  # a worker that lost its claim may write
    CLAIMS = "claims"  # whoever comes gets the job
    SWEEP = "sweep"  # nobody puts right what was left behind

    async def forward(self, call: Call, step: Step | None, forward: Forward) -> Answer:
        """Hand a write on, without its condition where that is what is taken away."""
        if (self is Sabotage.FENCING and step in WORKER_WRITES) or (
            self is Sabotage.CLAIMS and step is Step.CLAIM
        ):
            _strip_condition(call)
        return await forward()


def _strip_condition(call: Call) -> None:
    content = json.loads(call.body)
    del content["ConditionExpression"]
    # DynamoDB refuses names and values that no expression uses.
    for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        content[kind] = {
            name: value
            for name, value in content[kind].items()
            if re.search(re.escape(name) + r"\b", content["UpdateExpression"])
        }
    call.body = json.dumps(content).encode()
    # The function's own signature does not hold any more; the suite's keys are in its environment.
    headers = {name: call.headers[name] for name in ("host", "content-type", "x-amz-target")}
    request = AWSRequest("POST", f"http://{headers['host']}/", data=call.body, headers=headers)
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "dynamodb", REGION).add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    head = ["POST / HTTP/1.1", *lines, f"Content-Length: {len(call.body)}"]
    call.head = "\r\n".join(head).encode() + b"\r\n\r\n"
