"""What leaves the page, read back: the mix as WAV, a zip of files, a video."""

import io
import wave
import zipfile
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import Error, Page

from tests.web.sound.conftest import player_files, song
from tests.web.sound.heard import Sound, mixed
from tests.web.sound.server import SoundServer

RATE = 44_100
STEMS = ["vocals", "drums", "bass"]


def read_wav(content: bytes) -> tuple[Sound, int]:
    """16-bit numbers of shape (samples, 2), and the rate."""
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        frames = file.readframes(file.getnframes())
        return np.frombuffer(frames, "<i2").reshape(-1, 2), file.getframerate()


def sent(page: Page, server: SoundServer, call: str, argument: object) -> tuple[bytes, Any]:
    """What the page sends, and what the call returns."""
    said: list[Any] = []
    content = server.take(lambda: said.append(page.evaluate(call, argument)))
    return content, said[0]


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("ends", [None, (12_345, 300_001)])
def test_the_mix_is_saved_to_the_bit(
    page: Page, server: SoundServer, rate: int, ends: tuple[int, int] | None
) -> None:
    stems, server.files = song(17, rate, tuple(STEMS))
    server.network.uses = 3
    call = "([names, range]) => harness.mix(names, {drums: 0}, range)"
    content, said = sent(page, server, call, [STEMS, ends and {"start": ends[0], "end": ends[1]}])
    samples, written_rate = read_wav(content)
    whole = mixed([stems["vocals"], stems["bass"]], [1, 1])
    want = whole[slice(*ends)] if ends else whole
    np.testing.assert_array_equal(samples, np.round(want * 32_768).astype(np.int16))
    assert written_rate == rate
    assert said["clipped"] == 0
    assert said["done"][-1] == 1
    assert not [name for name, span in server.asked if name.startswith("drums.player.flac")]


def test_gains_apply_and_what_is_too_loud_is_counted(page: Page, server: SoundServer) -> None:
    stems, server.files = song(8, RATE, tuple(STEMS))
    content, said = sent(page, server, "(names) => harness.mix(names, {vocals: 2.5, bass: 0.3}, null)", STEMS)
    exact = np.floor(mixed([stems[stem] for stem in STEMS], [2.5, 1, 0.3]).astype(np.float64) * 32_768 + 0.5)
    samples, _ = read_wav(content)
    np.testing.assert_array_equal(samples, np.clip(exact, -32_768, 32_767))
    assert said["clipped"] == np.count_nonzero((exact > 32_767) | (exact < -32_768)) > 0


def test_a_mix_that_fails_leaves_no_file(page: Page, server: SoundServer) -> None:
    _, server.files = song(8, RATE, tuple(STEMS))
    server.network.refused.add("bass")
    with pytest.raises(Error, match="The link to the sound of bass is refused"):
        page.evaluate("(names) => harness.mix(names, {}, null)", STEMS)
    assert page.evaluate("harness.leftovers()") == 0


def test_files_become_a_zip(page: Page, server: SoundServer) -> None:
    chance = np.random.default_rng(1)
    files = {f"{stem}.wav": chance.bytes(3_000_000) for stem in STEMS}
    server.files = files
    server.network.uses = 1
    server.network.failures = 1
    names = ["Nächte/../<b>.wav", "drums.wav", "drums.wav"]
    entries = [{"name": name, "path": path} for name, path in zip(names, files, strict=True)]
    content, done = sent(page, server, "(files) => harness.zip(files)", entries)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["Nächte_..__b_.wav", "drums.wav", "drums (2).wav"]
        assert [packed.read(name) for name in packed.namelist()] == list(files.values())
    assert done == sorted(done)
    assert done[-1] == 1


def test_a_download_that_breaks_off_goes_on_where_it_was(page: Page, server: SoundServer) -> None:
    server.files = {"bass.wav": np.random.default_rng(1).bytes(4_000_000)}
    server.network.broken.add("bass")
    content, _ = sent(page, server, "(files) => harness.zip(files)", [{"name": "a.wav", "path": "bass.wav"}])
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.read("a.wav") == server.files["bass.wav"]
    spans = [span for _, span in server.asked]
    assert spans[0] is None
    starts = [int(span.removeprefix("bytes=").removesuffix("-")) for span in spans[1:] if span]
    assert starts == sorted(starts)
    assert starts[0] > 0


def formats(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("harness.formats(320, 180, 30)")
    return found


def test_the_formats_say_what_they_hold(page: Page) -> None:
    for found in formats(page):
        chosen, words = found["format"], found["words"]
        assert {"webm": "WebM", "mp4": "MP4"}[chosen["container"]] in words
        assert ("silent" in words) == (
            chosen["sound"] is None or (chosen["container"], chosen["sound"]) == ("mp4", "opus")
        )
    assert {found["format"]["container"] for found in formats(page)} == {"webm", "mp4"}


CLICKS = [0.5, 1.0, 1.7]


def clicking(server: SoundServer) -> None:
    """A song of clicks, at times of it, in two stems, of which one alone is no mix."""
    sound = np.zeros((3 * RATE, 2), np.float32)
    for seconds in CLICKS:
        at = round(seconds * RATE)
        sound[at : at + 200] = 0.4 * np.sin(2 * np.pi * 2_000 * np.arange(200) / RATE)[:, None]
    server.files = player_files("vocals", sound, RATE) | player_files("drums", -0.25 * sound, RATE)


def numbers_of(content: bytes) -> tuple[list[int], list[float], Sound, float]:
    """The frames' numbers and times, and the sound as (samples, 2) at 48 kHz with its first time."""
    numbers, times, sound, first = [], [], [], None
    with av.open(io.BytesIO(content), "r") as file:
        for frame in file.decode(video=0):
            grey = frame.to_ndarray(format="gray")
            bits = [grey[90, 20 * bit + 10] > 128 for bit in range(16)]
            numbers.append(sum(1 << bit for bit in range(16) if bits[bit]))
            times.append(float(frame.time or 0))
    with av.open(io.BytesIO(content), "r") as file:
        resampler = av.AudioResampler("fltp", "stereo", 48_000)
        for heard in file.decode(audio=0):
            first = float(heard.time or 0) if first is None else first
            sound += [part.to_ndarray() for part in resampler.resample(heard)]
    return numbers, times, np.concatenate(sound, axis=1).T.astype(np.float32), first or 0.0


@pytest.mark.parametrize("container", ["webm", "mp4"])
@pytest.mark.parametrize(("start", "end", "fps"), [(0.0, 2.0, 30), (0.25, 2.35, 24), (0.4, 1.9, 60)])
def test_a_video_has_each_frame_once_and_the_sound_in_step(
    page: Page, server: SoundServer, container: str, start: float, end: float, fps: int
) -> None:
    clicking(server)
    chosen = next(found["format"] for found in formats(page) if found["format"]["container"] == container)
    asked = {"start": start, "end": end, "fps": fps}
    call = "([names, format, asked]) => harness.film(names, format, asked)"
    content, said = sent(page, server, call, [["vocals", "drums"], chosen, asked])
    frames = round((end - start) * fps)
    assert said["times"] == pytest.approx([start + n / fps for n in range(frames)])
    assert said["done"][-1] == 1

    numbers, times, sound, first = numbers_of(content)
    assert numbers == list(range(frames))
    assert times == pytest.approx([n / fps for n in range(frames)], abs=0.0011)
    assert len(sound) / 48_000 == pytest.approx(frames / fps, abs=0.05)
    loud = np.abs(sound).max(axis=1) > 0.1
    for click in CLICKS:
        assert start < click < end
        at = int((click - start - first) * 48_000)
        near = loud[max(0, at - 4_000) : at + 4_000]
        assert near.any()
        late = (near.argmax() - min(at, 4_000)) / 48_000
        assert abs(late) < 1 / fps
    assert 0.2 < np.abs(sound).max() < 0.4  # three quarters of 0.4: both stems are in it


def test_a_video_may_be_made_in_memory(page: Page, server: SoundServer) -> None:
    clicking(server)
    call = "([names, format, asked]) => harness.film(names, format, asked)"
    for found in formats(page):
        asked = {"start": 0, "end": 1, "fps": 24, "memory": True}
        content, _ = sent(page, server, call, [["vocals"], found["format"], asked])
        assert numbers_of(content)[0] == list(range(24))
    assert page.evaluate("harness.leftovers()") == 0


def test_a_video_that_is_cancelled_leaves_no_file(page: Page, server: SoundServer) -> None:
    clicking(server)
    chosen = formats(page)[0]["format"]
    with pytest.raises(Error, match="AbortError"):
        page.evaluate(
            "([names, format, asked]) => harness.film(names, format, asked)",
            [["vocals"], chosen, {"start": 0, "end": 2, "fps": 30, "cancelAt": 10}],
        )
    assert page.evaluate("harness.leftovers()") == 0
