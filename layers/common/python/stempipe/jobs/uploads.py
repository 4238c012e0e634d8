"""Uploads: storage's events read into one small type, and the layout of both buckets.

    jobs/{owner}/{id}/{making}        the upload of a job made through the API
    jobs/{owner}/{id}/{making}/{n}    one of its uploads, where they are stems
    inbox/{owner}/{anything}          a song dropped in directly
    {owner}/{id}/{attempt}/{stem}...  in the stems bucket: what an attempt at the job made

``{owner}`` is percent-encoded, so that it is always one segment of the key. An owner has one spelling
with percents: no other decodes into it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote, unquote_plus

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from stempipe.errors import InvalidRequest, explain
from stempipe.jobs.names import clean

Provider = Literal["s3", "r2"]

CONFIG_METADATA = "stempipe-config"
"""The object metadata (x-amz-meta-...) in which a direct upload may carry its configuration, as JSON."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that was put into a bucket."""

    provider: Provider
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class JobUpload:
    """A key that says: the upload of a job made through the API, which knows its key itself."""

    owner: str
    job_id: str


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """A key that says: a song dropped in directly."""

    owner: str
    filename: str


class _Named(BaseModel):
    name: str


def _storable(key: str) -> str:
    key.encode()  # JSON can spell half a character, which no storage has in a key
    return key


class _Keyed(BaseModel):
    key: Annotated[str, AfterValidator(_storable)]


class _S3Entity(BaseModel):
    bucket: _Named
    object: _Keyed


class _S3Record(BaseModel):
    event_name: str = Field(alias="eventName")
    s3: _S3Entity


class _R2Notification(BaseModel):
    action: str
    bucket: str
    object: _Keyed


_R2_CREATIONS = {"PutObject", "CopyObject", "CompleteMultipartUpload"}


def split_event(event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The records of a storage event: many of S3's, one of R2's, none of S3's test event.

    What is no such event is its own only record, for `read_record` to refuse.
    """
    if not isinstance(event, Mapping):
        return [event]
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    return records if isinstance(records, list) else [event]


def read_record(record: Mapping[str, Any] | bytes) -> Upload | None:
    """Read one record: of an event, or R2's notification as JSON.

    Returns None for a record that tells of something else than a new object.

    Raises
    ------
    InvalidRequest
        It is neither an S3 record nor an R2 notification.
    """
    try:
        if isinstance(record, bytes):
            return _r2_upload(_R2Notification.model_validate_json(record))
        if isinstance(record, Mapping) and "s3" in record:
            return _s3_upload(_S3Record.model_validate(record))
        return _r2_upload(_R2Notification.model_validate(record))
    except ValidationError as fault:
        raise InvalidRequest(explain(fault, "event")) from fault


def _s3_upload(record: _S3Record) -> Upload | None:
    # "ObjectCreated:Put" in notifications, "s3:ObjectCreated:Put" in some relays.
    if not record.event_name.removeprefix("s3:").startswith("ObjectCreated:"):
        return None
    # S3 encodes keys in events as forms do: a space is a plus.
    return Upload("s3", record.s3.bucket.name, unquote_plus(record.s3.object.key))


def _r2_upload(notification: _R2Notification) -> Upload | None:
    if notification.action not in _R2_CREATIONS:
        return None
    return Upload("r2", notification.bucket, notification.object.key)


def job_upload_key(owner: str, job_id: str, making: int) -> str:
    """Where the upload of a job goes: of each making of an id to a place of its own, for links live on."""
    return f"jobs/{owner_segment(owner)}/{job_id}/{making}"


def part_upload_key(job_key: str, number: int) -> str:
    """Where one of a job's stems is uploaded to."""
    return f"{job_key}/{number}"


def stems_prefix(owner: str, job_id: str) -> str:
    """Where all stems of a job are, whichever attempt made them."""
    return f"{owner_segment(owner)}/{job_id}/"


def attempt_of(stem_key: str) -> int:
    """Number of the attempt that made a stem; 0 for what no attempt made."""
    number = stem_key.split("/")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def inbox_prefix(owner: str) -> str:
    """Where an owner drops songs directly."""
    return f"inbox/{owner_segment(owner)}/"


def read_key(key: str) -> JobUpload | DirectUpload | None:
    """What an uploads bucket's key says. None for a key under no watched prefix."""
    prefix, _, rest = key.partition("/")
    segment, _, name = rest.partition("/")
    if not segment or not name or name.endswith("/"):
        return None
    owner = unquote(segment)
    if "%" in segment and segment != owner_segment(owner):
        return None
    if prefix == "jobs" and name.count("/") in (1, 2) and not name.startswith("/"):
        return JobUpload(owner, name.partition("/")[0])
    if prefix == "inbox":
        return DirectUpload(owner, clean(name.rpartition("/")[2]))
    return None


def direct_job_id(upload: Upload, etag: str, config: str) -> str:
    """The id of a direct upload's job: the same upload, seen again, is the same job.

    The configuration that the upload carries is part of it: the same song with other wishes is
    another job.
    """
    identity = "\0".join((upload.provider, upload.bucket, upload.key, etag, config))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def owner_segment(owner: str) -> str:
    """An owner as one segment of a key."""
    # Dots alone are a step up, or none, to whatever tidies a path.
    return quote(owner, safe="") if owner.strip(".") else owner.replace(".", "%2E")
