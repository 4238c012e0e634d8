"""`stempipe local`, with the real decoder and encoders and an engine that needs no model."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from stempipe_client.command.run import MAX_MINUTES
from stempipe_client.endings import ENDINGS, UNREADABLE
from tests.cli.conftest import Run
from tests.unit.media.songs import copy
from tests.unit.separation.engines import HalvingEngine

# What a file of each ending usually is: FFmpeg's name of the container, and a codec.
READABLE = {
    "aac": ("adts", "aac"),
    "aif": ("aiff", "pcm_s16be"),
    "aifc": ("aiff", "pcm_s16be"),
    "aiff": ("aiff", "pcm_s16be"),
    "bwf": ("wav", "pcm_s16le"),
    "caf": ("caf", "alac"),
    "flac": ("flac", "flac"),
    "m4a": ("ipod", "alac"),
    "m4b": ("ipod", "aac"),
    "m4r": ("ipod", "aac"),
    "m4v": ("mp4", "aac"),
    "mka": ("matroska", "aac"),
    "mkv": ("matroska", "ac3"),
    "mov": ("mov", "pcm_s16le"),
    "mp2": ("mp2", "mp2"),
    "mp3": ("mp3", "libmp3lame"),
    "mp4": ("mp4", "aac"),
    "mpga": ("mp3", "libmp3lame"),
    "ogv": ("ogg", "libopus"),
    "oga": ("ogg", "libopus"),
    "ogg": ("ogg", "libopus"),
    "opus": ("ogg", "libopus"),
    "qta": ("mov", "aac"),
    "w64": ("w64", "pcm_s16le"),
    "wav": ("wav", "pcm_s16le"),
    "wave": ("wav", "pcm_s16le"),
    "weba": ("webm", "libopus"),
    "webm": ("webm", "libopus"),
    "3g2": ("3g2", "aac"),
    "3gp": ("3gp", "aac"),
}
NOT_READABLE = {
    "ac3": ("ac3", "ac3"),
    "asf": ("asf", "mp2"),
    "au": ("au", "pcm_s16be"),
    "avi": ("avi", "libmp3lame"),
    "eac3": ("eac3", "eac3"),
    "flv": ("flv", "aac"),
    "mpg": ("mpeg", "mp2"),
    "tta": ("tta", "tta"),
    "wma": ("asf", "libmp3lame"),
    "wmv": ("asf", "ac3"),
    "wv": ("wv", "wavpack"),
}


def write(path: Path, container: str, codec: str, seconds: float = 0.5) -> None:
    """A file with a tone in it."""
    rate = 48000
    tone = (np.sin(np.arange(int(seconds * rate)) * 0.05) * 8000).astype(np.int16)
    with av.open(str(path), "w", format=container) as file:
        stream = cast(AudioStream, file.add_stream(codec, rate, layout="stereo"))
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2).reshape(1, -1), "s16", "stereo")
        frame.sample_rate = rate
        frame.pts = 0
        frame.time_base = Fraction(1, rate)
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(context.format.name, "stereo", rate, context.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                file.mux(packet)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine instead of the model's."""
    monkeypatch.setattr("separation.load_engine", lambda variant, bandwidth: HalvingEngine())
    monkeypatch.setattr("stempipe_client.command.local._install", lambda variant, console: None)


def test_every_ending_that_is_taken_from_a_folder_can_be_separated(stempipe: Run, tmp_path: Path) -> None:
    assert READABLE.keys() == ENDINGS
    (tmp_path / "album").mkdir()
    for ending, kind in READABLE.items():
        write(tmp_path / f"album/{ending}.{ending.upper()}", *kind)
    done = stempipe("local", "album", "--json")
    ends = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] != "progress"]
    assert [event for event in ends if event["event"] != "done"] == []
    assert {Path(event["song"]).stem for event in ends} == ENDINGS
    assert done.exit_code == 0


def test_what_is_left_out_for_its_ending_cannot_be_separated(stempipe: Run, tmp_path: Path) -> None:
    assert NOT_READABLE.keys() <= UNREADABLE
    for ending, kind in NOT_READABLE.items():
        write(tmp_path / f"song.{ending}", *kind)
    done = stempipe("local", *sorted(tmp_path.glob("song.*")), "--json")
    events = list(map(json.loads, done.stdout.splitlines()))
    failed = {event["song"]: event["error"]["code"] for event in events if event["event"] == "failed"}
    assert list(failed.values()) == ["unsupported_media"] * len(NOT_READABLE)
    assert done.exit_code == 1


def test_a_file_without_an_ending_is_separated_if_it_is_named(stempipe: Run, tmp_path: Path) -> None:
    write(tmp_path / "take one", "wav", "pcm_s16le")
    assert stempipe("local", "take one").exit_code == 0
    assert (tmp_path / "stems/take one - vocals.wav").exists()


def test_a_song_is_as_long_as_a_service_takes_it_unless_more_is_asked_for(
    stempipe: Run, tmp_path: Path, root: Path
) -> None:
    limit = re.search(
        r"MaxSongSeconds:\n    Type: Number\n    Default: (\d+)", (root / "template.yaml").read_text()
    )
    assert limit
    assert int(limit[1]) == 60 * MAX_MINUTES
    write(tmp_path / "mix.flac", "flac", "flac", seconds=601)
    done = stempipe("local", "mix.flac", "--json")
    (failed,) = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "failed"]
    assert failed["error"]["code"] == "too_long"
    assert "--max-minutes" in failed["error"]["message"]
    assert not list((tmp_path / "stems").iterdir())
    assert stempipe("local", "mix.flac", "--max-minutes", "10.1", "--format", "flac").exit_code == 0


def with_a_hole(path: Path, begin: float, end: float) -> Path:
    """A song of six seconds with silence in its time, not in its sound."""
    whole = path.with_name("whole.webm")
    write(whole, "webm", "libopus", seconds=6)
    copy(whole, path, "webm", keep=lambda at: not begin < at < end)
    whole.unlink()
    return path


def test_what_was_filled_in_is_said_after_the_stems(stempipe: Run, tmp_path: Path) -> None:
    song = with_a_hole(tmp_path / "song.webm", 2, 3)
    lines = stempipe("local", "song.webm").stdout.splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["vocals", "accompaniment", "notice"]
    assert re.fullmatch(
        r"notice  song\.webm: 1\.0\d s of the sound are missing at 2\.\d\d s: silence .*", lines[-1]
    )
    for stem in ("vocals", "accompaniment"):
        with av.open(str(tmp_path / f"stems/song - {stem}.wav")) as made:
            assert (made.duration or 0) / 1e6 == pytest.approx(6, abs=0.02)
    done = stempipe("local", str(song), "--json")
    *_, event = map(json.loads, done.stdout.splitlines())
    (notice,) = event["notices"]
    assert (event["event"], notice["code"]) == ("done", "gap")
    assert notice["seconds"] == pytest.approx(1, abs=0.05)
    assert notice["message"] in lines[-1]
    assert f"notice  song.webm: {notice['message']}" in done.stderr


def test_a_song_that_is_mostly_hole_fails_with_how_much_and_where(stempipe: Run, tmp_path: Path) -> None:
    with_a_hole(tmp_path / "song.webm", 1, 5)
    done = stempipe("local", "song.webm", "--json")
    *_, event = map(json.loads, done.stdout.splitlines())
    assert event["error"]["code"] == "corrupt_media"
    assert re.search(r"missing: 4\.0 s of 6\.0 s, from 1\.0 s on", event["error"]["message"])
    assert done.exit_code == 1


def test_it_replaces_its_own_files_and_no_others(stempipe: Run, tmp_path: Path) -> None:
    write(tmp_path / "song.wav", "wav", "pcm_s16le")
    out = tmp_path / "stems"
    for _ in range(2):
        assert stempipe("local", "song.wav").exit_code == 0
        assert len(list(out.iterdir())) == 2
    (out / "song - vocals.wav").write_bytes(b"mixed by me")
    assert stempipe("local", "song.wav").exit_code == 0
    assert (out / "song - vocals.wav").read_bytes() == b"mixed by me"
    assert sorted(path.name for path in out.iterdir()) == [
        "song - accompaniment.wav",
        "song - vocals (2).wav",
        "song - vocals.wav",
    ]
