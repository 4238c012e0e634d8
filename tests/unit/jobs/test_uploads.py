"""Storage events and the layout of the uploads bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stempipe.errors import InvalidRequest
from stempipe.jobs.names import clean
from stempipe.jobs.uploads import (
    DirectUpload,
    JobUpload,
    Upload,
    attempt_of,
    direct_job_id,
    inbox_prefix,
    job_upload_key,
    owner_segment,
    part_upload_key,
    read_key,
    read_record,
    split_event,
    stems_prefix,
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


@pytest.mark.parametrize(
    "event", [None, 5, "s3", [], ["s3"], {"Records": 5}, {"Records": None}, {"Records": [5, None, "s3"]}]
)
def test_what_is_no_event_is_refused_record_by_record(event: Any) -> None:
    for record in split_event(event):
        with pytest.raises(InvalidRequest, match="event"):
            read_record(record)


@pytest.mark.parametrize("sample", ["intake-s3", "intake-r2"])
def test_half_a_character_in_a_key_is_refused(sample_event: Sample, sample: str) -> None:
    """JSON can spell it; no storage has it, and trying again would not help."""
    (record,) = split_event(sample_event(sample))
    record = json.loads(json.dumps(record).replace("inbox/alice/my", r"inbox/alice/\ud800"))
    with pytest.raises(InvalidRequest, match=r"event.*key"):
        read_record(record)


@given(owner=st.text(min_size=1), name=st.text(min_size=1).filter(lambda name: not name.endswith("/")))
def test_an_owner_is_always_one_segment(owner: str, name: str) -> None:
    assert read_key(inbox_prefix(owner) + name) == DirectUpload(owner, clean(name.rpartition("/")[2]))
    assert read_key(job_upload_key(owner, "01K", 17)) == JobUpload(owner, "01K")
    assert read_key(part_upload_key(job_upload_key(owner, "01K", 17), 3)) == JobUpload(owner, "01K")


@pytest.mark.parametrize(
    "owner",
    [
        "a/b",
        "../bob",
        "..",
        ".",
        "...",
        "a%2Fb",
        "%2e%2e",
        "bob%",
        "Bob",
        "böb",
        "\u0000",
        " ",
        "a\nb",
        "\U0001f3b5",
    ],
)
def test_no_owner_gets_out_of_its_place(owner: str) -> None:
    segment = owner_segment(owner)
    assert "/" not in segment
    assert segment.strip(".")  # what tidies a path leaves it alone
    assert segment.isascii()
    assert read_key(f"jobs/{segment}/01K/17") == JobUpload(owner, "01K")
    assert stems_prefix(owner, "01K") == f"{segment}/01K/"


@given(one=st.text(min_size=1), other=st.text(min_size=1))
def test_two_owners_have_two_places_and_neither_is_in_the_other(one: str, other: str) -> None:
    for place in (inbox_prefix, lambda owner: stems_prefix(owner, "01K")):
        assert place(other).startswith(place(one)) == (one == other)


@given(segment=st.text(st.characters(exclude_characters="/") | st.sampled_from("%.2eEfF"), min_size=1))
def test_an_owner_has_one_spelling_with_percents(segment: str) -> None:
    upload = read_key(f"inbox/{segment}/song.mp3")
    if upload is None:
        assert "%" in segment
    elif segment != upload.owner:
        assert segment == owner_segment(upload.owner)


def test_another_spelling_of_an_owner_is_nobodys() -> None:
    for segment in ("al%69ce", "%61lice", "alice%2f", "%ff", "a%2", "%"):
        assert read_key(f"inbox/{segment}/song.mp3") is None


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
        "jobs/alice/1",
        "jobs/alice/1/2/3/4",
        "jobs/alice//1",  # DynamoDB refuses an empty key
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


def test_the_name_of_a_direct_upload_is_no_more_than_a_name() -> None:
    said = read_key("inbox/alice/a/\x1b]0;PWNED\x07\u202egpm.mp3")
    assert said == DirectUpload("alice", "_]0;PWNED__gpm.mp3")


def test_a_stems_key_says_which_attempt_made_it() -> None:
    assert attempt_of("alice/01K/1767268800001/vocals.wav") == 1767268800001
    assert attempt_of("alice/01K/vocals.wav") == attempt_of("alice/01K/\u0661/vocals.wav") == 0
