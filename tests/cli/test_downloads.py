"""Downloads from a storage that misbehaves get better, or fail; none is taken for whole that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from stempipe_client import Client, TransientError, transfer
from tests.cli.service import HTML, PAGE, STEM_BYTES, Service, cut_short, says, stem_of, where
from tests.http import Answer, Request

VOCALS = stem_of("vocals")
HALF = len(VOCALS) // 2


def ranged(span: str, content: bytes) -> Answer:
    return Answer(206, content, {"Content-Range": span})


@pytest.mark.parametrize(
    "bad",
    [
        ranged(f"bytes {HALF}-{len(VOCALS) - 1}/*", VOCALS[HALF:]),
        ranged(f"bytes 0-{len(VOCALS) - 1}/{len(VOCALS)}", VOCALS),
        ranged(f"bytes {HALF + 1}-{len(VOCALS) - 1}/{len(VOCALS)}", VOCALS[HALF + 1 :]),
        ranged(f"bytes {HALF}-{HALF + 9}/{len(VOCALS)}", VOCALS[HALF : HALF + 10]),
        ranged(f"bytes {HALF}-{len(VOCALS) - 1}/{len(VOCALS)}", VOCALS),
        ranged(f"bytes {HALF}-{HALF}/{HALF}", b""),
        ranged(f"bytes {HALF}-{HALF}/{'9' * 5000}", b"x"),
        ranged("", VOCALS[HALF:]),
        Answer(200, VOCALS[:100], {"Connection": "close"}),
        Answer(200, b""),
        Answer(200, PAGE, {"Content-Encoding": "gzip"}),
        Answer(200, PAGE, HTML),
        Answer(206, PAGE, HTML | {"Content-Range": f"bytes {HALF}-{HALF + 9}/{len(VOCALS)}"}),
        Answer(204),
        Answer(302, b"", {"Location": "http://portal/"}),
        Answer(416, b"", {"Content-Range": f"bytes */{len(VOCALS)}"}),
        cut_short(b"", 10),
    ],
    ids=lambda answer: f"{answer.status} {dict(answer.headers)}"[:70],
)
@pytest.mark.parametrize("begun", [True, False])
def test_a_download_gets_better(
    service: Service, client: Client, song: Path, tmp_path: Path, bad: Answer, begun: bool
) -> None:
    answers = ([cut_short(VOCALS[:HALF], len(VOCALS))] if begun else []) + [bad]

    def fault(answer: Answer) -> Callable[[Request], Answer | None]:
        return lambda request: answer if request.target.endswith("/vocals") else None

    service.faults.extend(map(fault, answers))
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].read_bytes() == VOCALS
    assert not service.faults


def test_what_is_left_of_another_attempts_stem_is_not_gone_on_with(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    service.twist = where("GET", "/stems/", cut_short(b"x" * HALF, len(VOCALS)))
    with pytest.raises(TransientError):
        list(client.separate(song, tmp_path, idempotency_key="k"))
    service.twist = says(attempt=2)  # its owner had the job tried again
    *_, done = client.separate(song, tmp_path, idempotency_key="k")
    assert done.files["vocals"].read_bytes() == VOCALS


def test_no_more_is_kept_than_there_is_to_come(service: Service, tmp_path: Path) -> None:
    service.twist = lambda request, _: ranged("bytes 1-99/100", VOCALS)
    unfinished = tmp_path / "unfinished"
    unfinished.write_bytes(b"v")
    with httpx.Client() as http, pytest.raises(TransientError, match="More than 100 bytes"):
        transfer.fetch(http, f"{service.url}/stems/j/vocals", unfinished, lambda _: None)
    assert unfinished.stat().st_size == 0


@pytest.mark.parametrize("length", [3000, STEM_BYTES])
def test_a_storage_that_answers_a_range_with_everything_is_taken_at_its_word(
    service: Service, client: Client, song: Path, tmp_path: Path, length: int
) -> None:
    content = VOCALS[:length]
    short = cut_short(content[: length // 2], length)
    service.faults.append(lambda request: short if request.target.endswith("/vocals") else None)
    service.twist = lambda request, answer: (
        Answer(200, content)
        if request.target.startswith("/stems/") and request.headers.get("range")
        else answer
    )
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].read_bytes() == content
