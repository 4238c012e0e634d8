"""Storage events and the layout of the uploads bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stempipe.errors import InvalidRequest
from stempipe.uploads import (
    DirectUpload,
    JobUpload,
    Upload,
    direct_job_id,
    inbox_prefix,
    job_upload_key,
    read_key,
    read_record,
    split_event,
)

BUCKET = "stempipe-uploads-123456789012-us-east-1"
Sample = Callable[[str], dict[str, Any]]


def test_s3_keys_are_form_decoded(sample_event: Sample) -> None:
    (record,) = split_event(sample_event("intake-s3"))
    assert read_record(record) == Upload("s3", BUCKET, "inbox/alice/my first song.mp3")


def test_r2_notifications_read_into_the_same_type(sample_event: Sample) -> None:
    (record,) = split_event(sample_event("intake-r2"))
    assert read_record(record) == Upload("r2", BUCKET, "inbox/alice/my first song.mp3")


def test_an_r2_notification_is_read_from_json_too(sample_event: Sample) -> None:
    notification = sample_event("intake-r2")
    assert read_record(json.dumps(notification).encode()) == read_record(notification)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{}", b'"PutObject"', b"[" * 100_000])
def test_json_that_is_no_notification_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match="event"):
        read_record(text)


def test_s3s_test_event_has_no_records(sample_event: Sample) -> None:
    assert split_event(sample_event("intake-s3-test")) == []


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "ObjectTagging:Put", "s3:ObjectRestore:Completed"])
def test_other_s3_events_are_no_uploads(sample_event: Sample, name: str) -> None:
    (record,) = split_event(sample_event("intake-s3"))
    assert read_record({**record, "eventName": name}) is None


@pytest.mark.parametrize("action", ["DeleteObject", "LifecycleDeletion"])
def test_other_r2_actions_are_no_uploads(sample_event: Sample, action: str) -> None:
    assert read_record({**sample_event("intake-r2"), "action": action}) is None


@pytest.mark.parametrize("record", [{}, {"s3": {}}, {"action": "PutObject"}, {"s3": {"bucket": "b"}}])
def test_what_is_no_record_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="event"):
        read_record(record)


@given(owner=st.text(min_size=1), name=st.text(min_size=1).filter(lambda name: not name.endswith("/")))
def test_an_owner_is_always_one_segment(owner: str, name: str) -> None:
    assert read_key(inbox_prefix(owner) + name) == DirectUpload(owner, name.rpartition("/")[2])
    assert read_key(job_upload_key(owner, "01K")) == JobUpload(owner, "01K")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "song.mp3",
        "inbox/",
        "inbox/alice",
        "inbox/alice/",
        "inbox/alice/album/",
        "inbox//song.mp3",
        "jobs/alice",
        "jobs/alice/1/2",
        "other/alice/song.mp3",
    ],
)
def test_keys_under_no_watched_prefix_are_nobodys(key: str) -> None:
    assert read_key(key) is None


def test_the_same_upload_has_the_same_id() -> None:
    upload = Upload("s3", "b", "inbox/a/x")
    ids = {
        direct_job_id(upload, "1", ""),
        direct_job_id(upload, "2", ""),
        direct_job_id(upload, "1", "{}"),
        direct_job_id(Upload("r2", "b", "inbox/a/x"), "1", ""),
        direct_job_id(Upload("s3", "c", "inbox/a/x"), "1", ""),
        direct_job_id(Upload("s3", "b", "inbox/a/y"), "1", ""),
    }
    assert len(ids) == 6
    assert direct_job_id(upload, "1", "") in ids
