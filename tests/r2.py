"""R2, played by any S3 with a guard before it that refuses what R2 refuses.

What is refused, and how, is from https://developers.cloudflare.com/r2/api/s3/api/ and .../api/error-codes/
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.http import Answer, Request

KEYS = {"access_key_id": "r2-access-key", "secret_access_key": "r2-secret-key"}
REGIONS = ("auto", "", "us-east-1", "wnam", "enam", "weur", "eeur", "apac", "oc")
UNKNOWN_HEADERS = (
    "x-amz-acl",
    "x-amz-grant-",
    "x-amz-tagging",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
    "x-amz-website-redirect-location",
    "x-amz-request-payer",
    "x-amz-expected-bucket-owner",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-checksum-",
    "x-amz-trailer",
)

Notify = Callable[[dict[str, Any]], None]


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(
            status,
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>".encode(),
            {"Content-Type": "application/xml"},
        )


class R2:
    """Answers S3 requests as R2 does.

    Parameters
    ----------
    upstream
        Address of the S3 behind it.
    credentials
        Of that S3, as boto3 takes them.
    notify
        Called with the notification of each new object.
    """

    def __init__(
        self, upstream: str, credentials: Mapping[str, str], notify: Notify = lambda _: None
    ) -> None:
        self.requests: list[Request] = []
        self._upstream = upstream
        self._credentials = Credentials(
            credentials["aws_access_key_id"], credentials["aws_secret_access_key"]
        )
        self._notify = notify
        self._http = urllib3.PoolManager()
        self._parts: dict[str, dict[int, int]] = {}

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        self.requests.append(request)
        url = urlsplit(request.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            _check_operation(request, query)
            _check_headers(request)
            _check_signature(request, query)
            self._check_parts(request, query)
        except _Refused as refused:
            return refused.answer
        query = {name: value for name, value in query.items() if not name.lower().startswith("x-amz-")}
        answer = self._forward(request.method, url.path, query, request)
        if answer.status == 200:
            self._tell(request.method, url.path, query)
        return answer

    def _check_parts(self, request: Request, query: Mapping[str, str]) -> None:
        upload = query.get("uploadId", "")
        if request.method == "PUT" and upload:
            self._parts.setdefault(upload, {})[int(query["partNumber"])] = len(request.body)
        if request.method == "POST" and upload:
            parts = ElementTree.fromstring(request.body).iterfind(".//{*}PartNumber")
            *sizes, last = [self._parts[upload][number] for number in sorted(int(p.text or 0) for p in parts)]
            if len(set(sizes)) > 1 or (sizes and last > sizes[0]):
                raise _Refused(400, "InvalidPart", "All non-trailing parts must have the same length.")

    def _forward(self, method: str, path: str, query: Mapping[str, str], request: Request) -> Answer:
        kept = {
            name: value
            for name, value in request.headers.items()
            if name.startswith(("content-", "if-", "x-amz-meta-")) or name == "range"
        }
        url = f"{self._upstream}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        signed = AWSRequest(method, url, headers=kept, data=request.body)
        S3SigV4Auth(self._credentials, "s3", "us-east-1").add_auth(signed)
        answer = self._http.request(
            method, url, body=request.body, headers=dict(signed.headers.items()), decode_content=False
        )
        skipped = ("connection", "transfer-encoding", "date", "server")
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in skipped}
        return Answer(answer.status, answer.data, headers)

    def _tell(self, method: str, path: str, query: Mapping[str, str]) -> None:
        if method == "PUT" and "uploadId" not in query:
            action = "PutObject"
        elif method == "POST" and "uploadId" in query:
            action = "CompleteMultipartUpload"
        else:
            return
        _, bucket, key = path.split("/", 2)
        stored = self._forward("HEAD", path, {}, Request("HEAD", path, {}, b""))
        headers = {name.lower(): value for name, value in stored.headers.items()}
        self._notify(
            {
                "account": "3f4b7e3dcab231cbfdaa90a6a28bd548",
                "action": action,
                "bucket": bucket,
                "object": {
                    "key": unquote(key),
                    "size": int(headers["content-length"]),
                    "eTag": headers["etag"].strip('"'),
                },
                "eventTime": "2026-01-01T12:00:00.000Z",
            }
        )


def _check_operation(request: Request, query: Mapping[str, str]) -> None:
    # The form upload of browsers, "presigned POST", is a POST to the bucket.
    if request.method == "POST" and not {"uploads", "uploadId", "delete"} & query.keys():
        raise _Refused(501, "NotImplemented", "PostObject not implemented")
    for operation in ("acl", "tagging", "retention", "legal-hold"):
        if operation in query:
            raise _Refused(501, "NotImplemented", f"{operation} not implemented")


def _check_headers(request: Request) -> None:
    for name, value in request.headers.items():
        if name.startswith(UNKNOWN_HEADERS):
            raise _Refused(501, "NotImplemented", f"Header '{name}' with value '{value}' not implemented")
    payload = request.headers.get("x-amz-content-sha256", "")
    if payload.startswith("STREAMING-"):
        raise _Refused(501, "NotImplemented", f"{payload} not implemented")


def _check_signature(request: Request, query: Mapping[str, str]) -> None:
    """Sign the request as it came, and compare."""
    signer: type[SigV4Auth]
    if "X-Amz-Signature" in query:
        signer, scope = S3SigV4QueryAuth, query["X-Amz-Credential"]
        names, given, date = query["X-Amz-SignedHeaders"], query["X-Amz-Signature"], query["X-Amz-Date"]
    elif "authorization" in request.headers:
        fields = dict(
            item.strip().split("=", 1)
            for item in request.headers["authorization"].removeprefix("AWS4-HMAC-SHA256").split(",")
        )
        signer, scope = S3SigV4Auth, fields["Credential"]
        names, given, date = fields["SignedHeaders"], fields["Signature"], request.headers["x-amz-date"]
    else:
        raise _Refused(400, "InvalidArgument", "Authorization")
    key, _, region, _, _ = scope.split("/")
    if region not in REGIONS:
        message = f"The region name '{region}' is not valid. Must be one of: {', '.join(REGIONS)}"
        raise _Refused(400, "InvalidRegionName", message)
    if key != KEYS["access_key_id"]:
        raise _Refused(401, "Unauthorized", "Unauthorized")
    url = urlsplit(request.target)
    unsigned = "&".join(part for part in url.query.split("&") if not part.startswith("X-Amz-Signature="))
    signed = AWSRequest(
        request.method,
        url._replace(scheme="http", netloc=request.headers["host"], query=unsigned).geturl(),
        headers={name: request.headers.get(name, "") for name in names.split(";")},
        data=request.body,
    )
    signed.context["timestamp"] = date
    auth = signer(Credentials(key, KEYS["secret_access_key"]), "s3", region)
    expected = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    if not hmac.compare_digest(expected, given):
        raise _Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
