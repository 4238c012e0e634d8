"""Object storage: S3 and R2 through one boto3 client."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import boto3
from aws_lambda_powertools.utilities import parameters
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.futures import TransferFuture
from s3transfer.subscribers import BaseSubscriber

from stempipe.errors import StorageRefuses, StorageUnavailable, UploadGone
from stempipe.settings import StorageSettings, ViewSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What storage says of an object."""

    bytes: int
    etag: str
    modified: datetime
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing."""

    key: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class UploadLink:
    """A request that puts one object: a form for POST, headers for PUT."""

    method: Literal["POST", "PUT"]
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def s3_client(settings: StorageSettings) -> S3Client:
    """A client for the storage that the settings name."""
    # R2, like many S3-compatible stores, does not know the checksums that boto3 adds by itself.
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.endpoint else "virtual"},
        connect_timeout=3,
        read_timeout=30,
        retries={"mode": "standard", "max_attempts": 4},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    if settings.storage_provider == "s3":
        return boto3.client("s3", endpoint_url=settings.endpoint, config=config)
    keys = parameters.get_secret(settings.storage_secret_arn, transform="json")
    return boto3.client(
        "s3",
        region_name="auto",
        endpoint_url=settings.endpoint,
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        config=config,
    )


class Storage:
    """Look at, fetch and put objects, and sign links to them.

    Every method that talks to the storage raises ``StorageUnavailable`` where it refuses or fails.

    Parameters
    ----------
    client
        From ``s3_client``.
    provider
        ``r2`` has no presigned POST: uploads are signed as PUT there.
    """

    def __init__(self, client: S3Client, provider: Literal["s3", "r2"]) -> None:
        self._client = client
        self.provider = provider

    def look_up(self, bucket: str, key: str) -> StoredObject:
        """Size, etag and metadata of an object.

        Raises
        ------
        UploadGone
            It is not there.
        StorageRefuses
            It cannot be looked at: encrypted with a key of somebody's own, for one.
        """
        with _faults(gone=(HTTPStatus.NOT_FOUND,)):
            answer = self._client.head_object(Bucket=bucket, Key=key)
        return StoredObject(
            answer["ContentLength"], answer["ETag"].strip('"'), answer["LastModified"], answer["Metadata"]
        )

    def fetch(
        self, bucket: str, key: str, etag: str | None, to: Path, on_bytes: Callable[[int], None]
    ) -> None:
        """Write an object to a file, and tell ``on_bytes`` how many bytes have come; it may raise.

        Without an etag it is whatever object is there.

        Raises
        ------
        UploadGone
            It is not there, or its etag is another one by now.
        """
        with _faults(gone=(HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)):
            known: dict[str, Any] = {"IfMatch": f'"{etag}"'} if etag else {}
            answer = self._client.get_object(Bucket=bucket, Key=key, **known)
            with to.open("wb") as file:
                for chunk in answer["Body"].iter_chunks(1 << 20):
                    file.write(chunk)
                    on_bytes(file.tell())

    def put(
        self, file: Path, bucket: str, key: str, content_type: str, on_bytes: Callable[[int], None]
    ) -> None:
        """Write a file to an object, in parts if it is large.

        ``on_bytes`` is told how many bytes have gone, ten times a second. What it raises ends the upload.
        """
        progress = _Progress()
        # Not client.upload_file, which nothing stops. Leaving the block by an error calls it off.
        with _faults(), create_transfer_manager(self._client, TransferConfig()) as transfers:
            upload = transfers.upload(str(file), bucket, key, {"ContentType": content_type}, [progress])
            while not progress.done.wait(0.1):
                on_bytes(progress.bytes)
            upload.result()

    def put_bytes(self, data: bytes, bucket: str, key: str) -> str:
        """Write an object, and return its etag."""
        with _faults():
            return self._client.put_object(Bucket=bucket, Key=key, Body=data)["ETag"].strip('"')

    def list(self, bucket: str, prefix: str = "") -> Iterator[ListedObject]:
        """The objects whose keys begin so, by key."""
        with _faults():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield ListedObject(item["Key"], item["LastModified"])

    def folders(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """How keys go on that begin so, up to the next slash, which is included."""
        with _faults():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                yield from (item["Prefix"] for item in page.get("CommonPrefixes", []))

    def delete(self, bucket: str, key: str, etag: str | None = None) -> None:
        """Delete an object, if it is there; with an etag, if it is still that one."""
        with suppress(UploadGone), _faults(gone=(HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)):
            if etag and self.provider == "s3":  # R2 does not know the condition
                self._client.delete_object(Bucket=bucket, Key=key, IfMatch=f'"{etag}"')
            else:
                self._client.delete_object(Bucket=bucket, Key=key)

    def delete_under(self, bucket: str, prefix: str) -> None:
        """Delete every object whose key begins so."""
        for item in self.list(bucket, prefix):
            self.delete(bucket, item.key)

    def abort_uploads(self, bucket: str, started_before: datetime) -> int:
        """Abort unfinished multipart uploads. Returns how many."""
        count = 0
        with _faults():
            for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
                for item in page.get("Uploads", []):
                    if item["Initiated"] < started_before:
                        self._client.abort_multipart_upload(
                            Bucket=bucket, Key=item["Key"], UploadId=item["UploadId"]
                        )
                        count += 1
        return count

    def upload_link(self, bucket: str, key: str, *, size: int, content_type: str, seconds: int) -> UploadLink:
        """Sign an upload of exactly ``size`` bytes of that type to that key."""
        if self.provider == "r2":
            url = self._client.generate_presigned_url(
                "put_object",
                {"Bucket": bucket, "Key": key, "ContentType": content_type, "ContentLength": size},
                ExpiresIn=seconds,
            )
            return UploadLink("PUT", url, headers={"Content-Type": content_type})
        post = self._client.generate_presigned_post(
            bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
            ExpiresIn=seconds,
        )
        return UploadLink("POST", post["url"], fields=post["fields"])

    def download_link(self, bucket: str, key: str, filename: str, seconds: int) -> str:
        """Sign a download that a browser saves under ``filename``."""
        return self._client.generate_presigned_url(
            "get_object",
            {"Bucket": bucket, "Key": key, "ResponseContentDisposition": _attachment(filename)},
            ExpiresIn=seconds,
        )


def stem_links(storage: Storage, settings: ViewSettings) -> Callable[[str, str], str]:
    """Signs a link to the stem at a key, to be downloaded under a file's name; it lives as settings say."""

    def link(key: str, filename: str) -> str:
        return storage.download_link(settings.stems_bucket, key, filename, settings.download_link_seconds)

    return link


class _Progress(BaseSubscriber):
    """How far a transfer is, told by its threads. ``done`` is set when it has ended, well or not."""

    def __init__(self) -> None:
        self.bytes = 0
        self.done = threading.Event()

    def on_progress(self, future: TransferFuture, bytes_transferred: int, **_: object) -> None:
        # Negative for what is sent again. Of several threads: a count may get lost, and it is for show alone.
        self.bytes += bytes_transferred

    def on_done(self, future: TransferFuture, **_: object) -> None:
        self.done.set()


_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN)


@contextmanager
def _faults(gone: Collection[int] = ()) -> Iterator[None]:
    try:
        yield
    except ClientError as fault:
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in gone:
            raise UploadGone from fault
        kind = StorageRefuses if status in _REFUSALS else StorageUnavailable
        raise kind("The object storage refused or failed. Trying again may help.") from fault
    except (BotoCoreError, boto3.exceptions.Boto3Error) as fault:
        raise StorageUnavailable("The object storage cannot be reached. Trying again may help.") from fault


def _attachment(filename: str) -> str:
    # RFC 6266: a plain name for old clients, the real one in UTF-8.
    plain = re.sub(r"[^ !#-\[\]-~]", "_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
