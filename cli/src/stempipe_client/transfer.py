"""Files on their way to and from storage, by signed links.

Nothing here asks the API; one try each. What may succeed another time is a TransientError.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stempipe_client.errors import StempipeError, TransientError
from stempipe_client.http import FAILURES, UNPACKED, beginning, reason
from stempipe_client.models import Upload
from stempipe_client.names import said
from stempipe_client.steps import Report

CHUNK_BYTES = 1 << 16
_REFUSAL_BYTES = 1 << 14
_SIGNED = re.compile(r"content-type|x-amz-[a-z0-9-]+", re.IGNORECASE)
_PAGES = ("text/", "application/json", "application/xml", "application/xhtml")


def send(http: httpx.Client, upload: Upload, path: Path, report: Report) -> None:
    """Send a file where its job awaits it."""
    with _Reported(path, report) as file, _transient(path.name):
        if upload.method == "POST":
            # The form's own Content-Type is among the signed fields; the file's goes by the storage unread.
            files = {"file": ("song", file, "application/octet-stream")}
            sending = http.stream("POST", upload.url, data=upload.fields, files=files, headers=UNPACKED)
        else:
            headers = {name: value for name, value in upload.headers.items() if _SIGNED.fullmatch(name)}
            # With its length among the headers the body is not sent in chunks, which S3 and R2 refuse.
            headers |= {"Content-Length": str(path.stat().st_size)} | UNPACKED
            sending = http.stream("PUT", upload.url, content=file, headers=headers)
        with sending as response:
            _check(response, "upload_refused", (408, 429))


def fetch(
    http: httpx.Client, url: str, unfinished: Path, report: Report, text_type: str | None = None
) -> None:
    """Download a file, or the rest of it; it is whole when this returns.

    Parameters
    ----------
    url
        A link to it.
    unfinished
        Where it goes. What lies there already is taken for its beginning and not fetched again, until the
        storage says otherwise.
    text_type
        Media type of a file that is text; whatever else is text is some page, and no file.

    Raises
    ------
    TransientError
        Not all of it came. What is not of this file is thrown away, so that the next try begins anew.
    """
    with unfinished.open("ab") as file, _transient(unfinished.name):
        start = file.tell()
        headers = UNPACKED | ({"Range": f"bytes={start}-"} if start else {})
        with http.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _begin_anew(file, f"What there is of {unfinished.name} is not of this file.")
            # A link may have expired, or lead through a network's login page; the next try has a new one.
            _check(response, "download_failed", (301, 302, 303, 307, 308, 403, 408, 429))
            _refuse_pages(response, text_type)
            size = _size(response, file, start)
            for chunk in response.iter_raw():  # as it comes: what is written need not come again
                file.write(chunk)
                if file.tell() > size:
                    raise _begin_anew(file, f"More than {size} bytes came.")
                report(file.tell() / size)
            if file.tell() != size:
                raise TransientError("download_failed", f"{file.tell()} of {size} bytes came.")


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


def _size(response: httpx.Response, file: io.BufferedWriter, start: int) -> int:
    """Bytes of the whole file; what comes is written behind what there is, or in its place."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        span = re.fullmatch(
            r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", response.headers.get("Content-Range", "")
        )
        if span is None or int(span[1]) != start or int(span[2]) <= start:
            raise _begin_anew(file, f"Asked for bytes from {start} on, others came.")
        return int(span[2])
    _empty(file)
    length = response.headers.get("Content-Length", "")
    if not re.fullmatch(r"\d{1,18}", length) or int(length) == 0:
        raise TransientError("download_failed", "The storage does not say how long the file is.")
    return int(length)


def _refuse_pages(response: httpx.Response, text_type: str | None) -> None:
    kind = response.headers.get("Content-Type", "").strip().lower()
    if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise TransientError("download_failed", f"The storage answers {response.status_code}, and no file.")
    is_page = kind.startswith(_PAGES) and kind.partition(";")[0].rstrip() != text_type
    if is_page or response.headers.get("Content-Encoding", "identity") != "identity":
        raise TransientError("download_failed", "Something else than the file came, perhaps a proxy's page.")


def _begin_anew(file: io.BufferedWriter, message: str) -> TransientError:
    _empty(file)
    return TransientError("download_failed", message)


def _empty(file: io.BufferedWriter) -> None:
    file.seek(0)  # truncating moves nothing: what is told later would be counted from where it was
    file.truncate()


def _check(response: httpx.Response, code: str, passing: tuple[int, ...]) -> None:
    if response.is_success:
        return
    text = beginning(response, _REFUSAL_BYTES).decode(errors="replace")
    found = re.search("<Message>(.*?)</Message>", text, re.DOTALL)
    message = f"The storage answers {response.status_code}: {said(found[1] if found else text)}"
    passes = response.is_server_error or response.status_code in passing
    raise (TransientError if passes else StempipeError)(code, message)


@contextmanager
def _transient(what: str) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        message = f"The storage cannot be reached for {what}: {reason(error)}"
        raise TransientError("unreachable", message) from error
