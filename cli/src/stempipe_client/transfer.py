"""Files on their way to and from storage, by signed links.

Nothing here asks the API; one try each. What may succeed another time is a TransientError.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stempipe_client.errors import StempipeError, TransientError
from stempipe_client.models import Upload
from stempipe_client.names import offered
from stempipe_client.steps import Report

Rename = Callable[[str], str]

CHUNK_BYTES = 1 << 16


def send(http: httpx.Client, upload: Upload, song: Path, report: Report) -> None:
    """Send a song where its job awaits it."""
    with _Reported(song, report) as file, _transient(song.name):
        if upload.method == "POST":
            # The form's own Content-Type is among the signed fields; the file's goes by the storage unread.
            files = {"file": ("song", file, "application/octet-stream")}
            response = http.post(upload.url, data=upload.fields, files=files)
        else:
            # With its length among the headers the body is not sent in chunks, which S3 and R2 refuse.
            headers = {"Content-Length": str(song.stat().st_size)} | upload.headers
            response = http.put(upload.url, content=file, headers=headers)
        _check(response, "upload_refused")


def fetch(
    http: httpx.Client, url: str, folder: Path, *, part: str, report: Report, rename: Rename | None = None
) -> Path:
    """Download a file, or the rest of it.

    Parameters
    ----------
    url
        A link to it.
    folder
        Existing, for the file.
    part
        Name of the unfinished file in the folder. It must be of this content alone: what lies there already
        is not fetched again.
    rename
        Makes the finished file's name of the one that it comes with.

    Returns
    -------
    Path
        The file. It is there complete or not at all, and replaces one of its name.
    """
    unfinished = folder / part
    with unfinished.open("ab") as file, _transient(part):
        start = file.tell()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with http.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                file.truncate(0)
                raise TransientError("download_failed", f"What there is of {part} is not of this file.")
            _check(response, "download_failed")
            size = _size(response, start)
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                file.truncate(0)
            for chunk in response.iter_raw():  # as it comes: what is written need not come again
                file.write(chunk)
                if size:
                    report(min(1.0, file.tell() / size))
            if size is not None and file.tell() != size:
                raise TransientError("download_failed", f"{file.tell()} of {size} bytes came.")
    name = offered(response.headers.get("Content-Disposition"), url)
    path = folder / (rename(name) if rename else name)
    unfinished.replace(path)
    return path


class _Reported(io.FileIO):
    """A file that tells how much of it was read."""

    def __init__(self, path: Path, report: Report) -> None:
        super().__init__(path)
        self._bytes = path.stat().st_size
        self._report = report

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size) or b""
        self._report(self.tell() / self._bytes if self._bytes else 1.0)
        return data

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(CHUNK_BYTES):
            yield data


def _size(response: httpx.Response, start: int) -> int | None:
    """Bytes of the whole file, if the answer says."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        length = response.headers.get("Content-Length")
        return int(length) if length else None
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if span is None or int(span[1]) != start:
        raise StempipeError("download_failed", f"Asked for bytes from {start} on, others came.")
    return int(span[2])


def _check(response: httpx.Response, code: str) -> None:
    if response.is_success:
        return
    response.read()
    said = re.search("<Message>(.*?)</Message>", response.text, re.DOTALL)
    message = f"The storage answers {response.status_code}: {said[1] if said else response.text[:200]}"
    passing = response.is_server_error or response.status_code in (408, 429)
    if code == "download_failed" and response.status_code == httpx.codes.FORBIDDEN:
        passing = True  # the link may have expired, and the next try has a new one
    raise (TransientError if passing else StempipeError)(code, message)


@contextmanager
def _transient(what: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        message = f"The storage cannot be reached for {what}: {error or type(error).__name__}"
        raise TransientError("unreachable", message) from error
