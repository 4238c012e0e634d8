"""The process that decodes: what ends it, and what it has."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media import MediaError, isolated_input
from media.errors import CorruptMediaError, EmptyFileError, TooLongError
from media.isolated_input import IsolatedInput, Limits, stop_all
from tests.hostile import corpus
from tests.hostile.corpus import Songs
from tests.unit.media.songs import KINDS, noise, write

PEAK_OF_A_CHILD = """
import resource, sys
from pathlib import Path
from media import MediaError, isolated_input
from media.isolated_input import IsolatedInput
try:
    with IsolatedInput(Path(sys.argv[1]), 600) as song:
        list(song.blocks())
except MediaError as error:
    print(error.code)
isolated_input._waiting.pop().close()  # which then counts as a child that has ended
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def children() -> set[int]:
    """Processes that this one has started."""
    return {
        int(pid)
        for thread in Path("/proc/self/task").iterdir()
        for pid in (thread / "children").read_text().split()
    }


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write(tmp_path / "song.wav", noise(20), KINDS["wav"])


def test_tags_that_take_hours_end_in_a_code_when_the_time_is_up(tmp_path: Path) -> None:
    cases = corpus.tag_bombs(Songs(tmp_path))

    def end_of(name: str) -> str:
        bomb = tmp_path / name
        bomb.write_bytes(cases[name])
        with pytest.raises(MediaError) as error:
            IsolatedInput(bomb, 600, Limits(cpu_seconds=1))
        return error.value.code

    with ThreadPoolExecutor(2) as pool:
        assert dict(zip(cases, pool.map(end_of, cases), strict=True)) == dict.fromkeys(cases, "corrupt_media")


def test_an_index_of_gigabytes_gets_no_more_memory_than_allowed(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.mov"
    bomb.write_bytes(corpus.index_bomb(Songs(tmp_path)))
    done = subprocess.run(
        [sys.executable, "-c", PEAK_OF_A_CHILD, str(bomb)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    code, peak_megabytes = done.stdout.split()
    assert code in ("no_audio", "corrupt_media")
    assert int(peak_megabytes) < Limits().memory_bytes / 2**20 + 100  # besides its data, its programs


def test_a_song_that_gets_no_memory_ends_in_a_code(song: Path) -> None:
    # Opening it may find memory enough that is free already; a second of sound is more than that.
    with (
        pytest.raises(CorruptMediaError),
        IsolatedInput(song, 600, Limits(memory_bytes=1 << 20)) as opened,
    ):
        for _ in opened.blocks():
            pass


def test_a_crash_of_the_decoder_is_the_files_fault_and_not_the_workers(song: Path) -> None:
    with IsolatedInput(song, 600) as opened:
        os.kill(opened.process, signal.SIGSEGV)
        with pytest.raises(CorruptMediaError, match="breaks the decoder"):
            list(opened.blocks())


def test_a_decoder_killed_from_outside_is_not_the_files_fault(song: Path) -> None:
    with IsolatedInput(song, 600) as opened:
        os.kill(opened.process, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="-9"):
            list(opened.blocks())


def test_a_song_that_has_ffmpeg_do_nothing_is_ended_by_another_thread(song: Path) -> None:
    stop_all()  # there is none yet
    with IsolatedInput(song, 600) as opened, ThreadPoolExecutor(1) as pool:
        os.kill(opened.process, signal.SIGSTOP)  # more than the pipe holds is still to come
        reading = pool.submit(lambda: list(opened.blocks()))
        stop_all()
        stop_all()
        with pytest.raises(RuntimeError, match="-9"):
            reading.result(60)
    stop_all()
    with IsolatedInput(song, 600) as opened:
        assert sum(block.shape[1] for block in opened.blocks()) == 20 * 44100


def test_the_decoder_has_no_credentials(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "environment"
    (tmp_path / "sitecustomize.py").write_text(f"import os\nopen({str(seen)!r}, 'w').write(str(os.environ))")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(isolated_input, "_waiting", [])
    with IsolatedInput(song, 600) as opened:
        list(opened.blocks())
    isolated_input._waiting.pop().close()
    assert "PYTHONPATH" in seen.read_text()
    assert "AWS" not in seen.read_text()


def test_a_process_that_ends_before_its_id_is_read_is_taken_for_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = isolated_input._Decoder._answer

    def answer_late(decoder: isolated_input._Decoder) -> int:
        time.sleep(0.5)  # both answers are there by then
        return answer(decoder)

    monkeypatch.setattr(isolated_input._Decoder, "_answer", answer_late)
    empty = tmp_path / "empty.wav"
    empty.touch()
    for _ in range(2):
        with pytest.raises(EmptyFileError):
            IsolatedInput(empty, 600)


def test_one_process_is_left_waiting_however_songs_end(song: Path) -> None:
    IsolatedInput(song, 600).close()
    before = children()
    processes = []
    for _ in range(3):
        with IsolatedInput(song, 600) as opened:
            next(opened.blocks())
        processes.append(opened.process)
        with IsolatedInput(song, 600) as opened:
            assert sum(block.shape[1] for block in opened.blocks()) == 20 * 44_100
        processes.append(opened.process)
        with pytest.raises(TooLongError):
            IsolatedInput(song, 1)
    assert children() == before
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{process}").exists() for process in processes):
        assert time.monotonic() < deadline
    assert len(set(processes)) == len(processes)


def test_a_decoder_that_died_while_it_waited_is_replaced(song: Path) -> None:
    IsolatedInput(song, 600).close()
    waiting = isolated_input._waiting[-1]._process
    waiting.kill()
    waiting.wait()
    with IsolatedInput(song, 600) as opened:
        assert opened.codec == "pcm_s16le"


def test_songs_side_by_side_are_not_mixed(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{seconds}.wav", noise(seconds), KINDS["wav"]) for seconds in (3, 4, 5)]

    def samples(path: Path) -> int:
        with IsolatedInput(path, 600) as opened:
            return sum(block.shape[1] for block in opened.blocks())

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(samples, paths)) == [3 * 44_100, 4 * 44_100, 5 * 44_100]


def test_it_says_what_the_decoder_says(song: Path) -> None:
    with IsolatedInput(song, 600) as opened:
        assert (opened.codec, opened.channels, opened.sample_rate) == ("pcm_s16le", 2, 44_100)
        assert opened.expected_seconds == pytest.approx(20)
        assert sum(block.shape[1] for block in opened.blocks()) == 20 * 44_100
        assert opened.seconds == pytest.approx(20)


def test_songs_of_hours_may_take_more_of_the_processor() -> None:
    assert Limits.of(600) == Limits()
    assert Limits.of(3 * 3600).cpu_seconds == 1800
