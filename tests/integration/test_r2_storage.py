"""Storage against R2, or what refuses all that R2 refuses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.server import Server, free_port
from stempipe.adapters.storage import Storage, s3_client
from stempipe.errors import StorageUnavailable, UploadGone
from stempipe.settings import StorageSettings
from tests.aws import Aws
from tests.http import serving
from tests.r2 import KEYS, R2

BUCKET = "songs"
MIB = 1 << 20
NO_CHECKSUM = {"request_checksum_calculation": "when_required"}


@pytest.fixture(scope="module")
def upstream(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    state = tmp_path_factory.mktemp("s3")
    with Server.start(python=root / ".venv/ministack/bin/python", state=state, port=free_port()) as server:
        server.client("s3").create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture
def r2(upstream: Server) -> R2:
    return R2(upstream.endpoint, upstream.credentials)


@pytest.fixture
def endpoint(r2: R2) -> Iterator[str]:
    with serving(r2) as address:
        yield address


@pytest.fixture
def settings(cloud: Aws, endpoint: str) -> StorageSettings:
    """R2's, with the keys in Secrets Manager."""
    secret = boto3.client("secretsmanager").create_secret(Name="r2", SecretString=json.dumps(KEYS))
    return StorageSettings(storage_provider="r2", storage_endpoint=endpoint, storage_secret_arn=secret["ARN"])


@pytest.fixture
def storage(settings: StorageSettings) -> Storage:
    return Storage(s3_client(settings), "r2")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[int], Path]:
    """A file of so many bytes."""

    def write(size: int) -> Path:
        path = tmp_path / "file"
        path.write_bytes(hashlib.shake_128(b"song").digest(size))
        return path

    return write


def put(storage: Storage, file: Path, key: str) -> None:
    storage.put(file, BUCKET, key, "audio/wav", lambda _: None)


@pytest.mark.parametrize(("size", "parts"), [(5, 0), (20 * MIB + 1, 3)])
def test_what_was_put_is_fetched(
    storage: Storage, file: Callable[[int], Path], tmp_path: Path, size: int, parts: int
) -> None:
    put(storage, file(size), "song")
    stored = storage.look_up(BUCKET, "song")
    # Of a multipart upload the etag says how many parts there were.
    assert (stored.bytes, stored.etag.partition("-")[2]) == (size, str(parts or ""))
    seen: list[int] = []
    storage.fetch(BUCKET, "song", stored.etag, tmp_path / "copy", seen.append)
    assert (tmp_path / "copy").read_bytes() == file(size).read_bytes()
    assert seen[-1] == size


def test_the_etag_that_is_asked_for_is_quoted(
    storage: Storage, r2: R2, file: Callable[[int], Path], tmp_path: Path
) -> None:
    put(storage, file(5), "song")
    etag = storage.look_up(BUCKET, "song").etag
    storage.fetch(BUCKET, "song", etag, tmp_path / "copy", lambda _: None)
    assert r2.requests[-1].headers["if-match"] == f'"{etag}"'


def test_an_object_that_was_replaced_or_deleted_is_gone(
    storage: Storage, file: Callable[[int], Path], tmp_path: Path
) -> None:
    put(storage, file(5), "song")
    etag = storage.look_up(BUCKET, "song").etag
    put(storage, file(6), "song")
    with pytest.raises(UploadGone):
        storage.fetch(BUCKET, "song", etag, tmp_path / "copy", lambda _: None)
    with pytest.raises(UploadGone):
        storage.look_up(BUCKET, "no such song")


@pytest.mark.parametrize(
    "content_type",
    ["audio/mpeg", "audio/webm;codecs=opus", "audio/ogg; codecs=opus", 'video/mp4; codecs="mp4a.40.2, x"'],
)
def test_a_signed_upload_takes_its_type_and_its_length_and_no_other(
    storage: Storage, content_type: str
) -> None:
    link = storage.upload_link(BUCKET, "jobs/a%7Cb/01K", size=5, content_type=content_type, seconds=60)
    assert (link.method, link.fields) == ("PUT", {})
    wrong_type = {"Content-Type": "text/html"}
    answers = [
        httpx.put(link.url, content=b"longer", headers=dict(link.headers)),
        httpx.put(link.url, content=b"music", headers=wrong_type),
        httpx.put(link.url.replace("01K", "02K"), content=b"music", headers=dict(link.headers)),
        httpx.put(link.url, content=b"music", headers=dict(link.headers)),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 200]
    assert storage.look_up(BUCKET, "jobs/a%7Cb/01K").bytes == 5


def test_a_link_downloads_under_the_name_that_was_given(
    storage: Storage, file: Callable[[int], Path]
) -> None:
    put(storage, file(5), "stem")
    answer = httpx.get(storage.download_link(BUCKET, "stem", "Über uns - vocals.wav", 60))
    assert answer.content == file(5).read_bytes()
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"_ber uns - vocals.wav\"; filename*=UTF-8''%C3%9Cber%20uns%20-%20vocals.wav"
    )


def test_what_is_left_over_is_found_and_deleted(
    storage: Storage, file: Callable[[int], Path], endpoint: str
) -> None:
    put(storage, file(5), "left/over")
    plain_client(endpoint).create_multipart_upload(Bucket=BUCKET, Key="left/unfinished")
    assert [item.key for item in storage.list(BUCKET, "left/")] == ["left/over"]
    storage.delete(BUCKET, "left/over")
    assert list(storage.list(BUCKET, "left/")) == []
    assert storage.abort_uploads(BUCKET, datetime.now(UTC) + timedelta(minutes=1)) >= 1
    assert storage.abort_uploads(BUCKET, datetime.now(UTC) + timedelta(minutes=1)) == 0


def test_wrong_keys_are_a_fault_of_storage(settings: StorageSettings) -> None:
    keys = json.dumps(KEYS | {"secret_access_key": "another"})
    secret = boto3.client("secretsmanager").create_secret(Name="wrong", SecretString=keys)
    wrong = settings.model_copy(update={"storage_secret_arn": secret["ARN"]})
    with pytest.raises(StorageUnavailable):
        Storage(s3_client(wrong), "r2").look_up(BUCKET, "song")


def plain_client(endpoint: str, region: str = "auto", **config: Any) -> Any:
    """A client as boto3 makes it by itself."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=KEYS["access_key_id"],
        aws_secret_access_key=KEYS["secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


@pytest.mark.parametrize(
    ("arguments", "region", "config", "code"),
    [
        ({}, "auto", {}, "NotImplemented"),  # boto3's own checksum
        ({"ACL": "private"}, "auto", NO_CHECKSUM, "NotImplemented"),
        ({"Tagging": "a=b"}, "auto", NO_CHECKSUM, "NotImplemented"),
        ({"ServerSideEncryption": "aws:kms"}, "auto", NO_CHECKSUM, "NotImplemented"),
        ({"ObjectLockLegalHoldStatus": "ON"}, "auto", NO_CHECKSUM, "NotImplemented"),
        ({}, "eu-west-1", NO_CHECKSUM, "InvalidRegionName"),
    ],
)
def test_the_guard_refuses_what_r2_refuses(
    endpoint: str, arguments: dict[str, str], region: str, config: dict[str, str], code: str
) -> None:
    s3 = plain_client(endpoint, region, **config)
    with pytest.raises(ClientError) as refusal:
        s3.put_object(Bucket=BUCKET, Key="song", Body=b"music", **arguments)
    assert refusal.value.response["Error"]["Code"] == code


def test_the_guard_refuses_a_form_upload(endpoint: str) -> None:
    post = plain_client(endpoint).generate_presigned_post(BUCKET, "song")
    assert httpx.post(post["url"], data=post["fields"], files={"file": b"music"}).status_code == 501


def test_the_guard_refuses_unequal_parts(endpoint: str) -> None:
    s3 = plain_client(endpoint, **NO_CHECKSUM)
    song = {"Bucket": BUCKET, "Key": "song"}
    upload = song | {"UploadId": s3.create_multipart_upload(**song)["UploadId"]}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=bytes(size))["ETag"]}
        for number, size in enumerate([5 * MIB, 6 * MIB, 5 * MIB], start=1)
    ]
    with pytest.raises(ClientError, match="InvalidPart"):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
