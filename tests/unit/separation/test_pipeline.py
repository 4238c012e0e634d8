"""Songs to stems, by an engine that halves or by Spleeter's networks."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from media import AudioOutput
from separation import Engine, Separated, load_engine
from separation.masks import MaskExtension
from tests.unit.media.songs import KINDS, Samples, noise, read, tags, tone, write
from tests.unit.separation.engines import HalvingEngine
from tests.unit.separation.runs import STEMS, Run

SEGMENT = 524_288


def test_each_stem_is_its_share_of_the_song(run: Run, tmp_path: Path, engine: HalvingEngine) -> None:
    song = noise(30)
    done = run(song)
    assert done == Separated(
        stems={stem: run.folder / f"{stem}.wav" for stem in STEMS},
        seconds=30.0,
        channels=2,
        sample_rate=44_100,
        codec="pcm_f32le",
        gain_db=0.0,
        notices=(),
        residual_db=done.residual_db,
    )
    # Wiener masks of estimates 1 : 3 are 1/10 and 9/10.
    assert np.abs(read(done.stems["vocals"]) - 0.1 * song).max() < 2 / 32_768
    assert np.abs(read(done.stems["accompaniment"]) - 0.9 * song).max() < 2 / 32_768
    assert engine.shapes == [((512, 1024, 2), np.float32)] * 3


@pytest.mark.parametrize(
    "samples", [1, 1024, 4096, 44_100, SEGMENT - 4096, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT - 4095]
)
def test_stems_are_as_long_as_the_song_and_sum_to_it(run: Run, samples: int) -> None:
    song = noise(samples / 44_100)
    done = run(song)
    stems = [read(path) for path in done.stems.values()]
    assert [stem.shape for stem in stems] == [(2, samples)] * 2
    assert (
        np.abs(np.sum(stems, axis=0) - song).max() <= 1.05 / 32_768
    )  # two stems, rounded to half a step each


def test_spleeters_stems_sum_to_the_song(tmp_path: Path, spleeter_engine: Engine) -> None:
    song = noise(13) + tone(13)
    done = Run(tmp_path / "stems", spleeter_engine)(song * np.float32(0.9))
    stems = [read(path) for path in done.stems.values()]
    assert np.abs(np.sum(stems, axis=0) - 0.9 * song).max() <= 1.1 / 32_768
    assert all(np.abs(stem).max() > 0.01 for stem in stems)


def test_two_songs_in_one_process_are_not_mixed(tmp_path: Path, spleeter_engine: Engine) -> None:
    one, other = noise(2, seed=1) + tone(2), noise(3, seed=2)
    alone = {
        name: [read(path) for path in Run(tmp_path / name, spleeter_engine)(song).stems.values()]
        for name, song in (("one", one), ("other", other), ("again", one))
    }
    assert all(np.array_equal(a, b) for a, b in zip(alone["one"], alone["again"], strict=True))
    assert not np.array_equal(alone["one"][0], alone["other"][0][:, : alone["one"][0].shape[1]])


EXTENSIONS: dict[MaskExtension, tuple[float, float]] = {"average": (-144, -120), "zeros": (-30, -1)}


def hot(seconds: float) -> Samples:
    """A song whose every peak is at full scale: what is left of it without some of its parts goes beyond."""
    samples: Samples = np.clip(8 * (noise(seconds) + tone(seconds)), -1, 1)
    return samples


@pytest.mark.parametrize(
    "output",
    [
        AudioOutput("wav"),
        AudioOutput("wav", 48_000),
        AudioOutput("wav", bit_depth=24),
        AudioOutput("flac"),
        AudioOutput("flac", 48_000, bit_depth=24),
    ],
)
def test_stems_that_would_clip_are_all_turned_down_and_sum_to_the_song_turned_down(
    tmp_path: Path, spleeter_engine: Engine, output: AudioOutput
) -> None:
    song = hot(3)
    as_they_are = AudioOutput("wav", output.sample_rate, bit_depth=32)
    plain = Run(tmp_path / "plain", spleeter_engine)(song, output=as_they_are)
    loud = {stem: read(path) for stem, path in plain.stems.items()}
    peak = max(np.abs(stem).max() for stem in loud.values())
    assert plain.gain_db == 0
    assert peak > 1.05
    if output.sample_rate == 44_100:
        assert np.abs(sum(loud.values()) - song).max() < 1e-5

    done = Run(tmp_path / "stems", spleeter_engine)(song, output=output)
    gain, step = 10 ** (done.gain_db / 20), 2.0 ** (1 - output.bit_depth)
    assert gain == pytest.approx((1 - 2 * step) / peak, rel=1e-6)
    for stem, path in done.stems.items():
        found = read(path)
        assert np.abs(found).max() < 1 - step  # none at the rails
        assert np.abs(found - gain * loud[stem]).max() <= 0.5 * step + 1e-6


def test_what_is_not_kept_turns_nothing_down(run: Run) -> None:
    song = noise(2) * np.float32(4)  # a tenth of it is the vocals, nine tenths the accompaniment
    assert run(song, stems=("vocals",)).gain_db == 0
    assert run(song).gain_db < -3


def test_a_float_song_beyond_full_scale_keeps_its_shape(run: Run) -> None:
    song = noise(2) * np.float32(20_000)  # as 16-bit numbers in a float file
    done = run(song)
    heard = sum(read(path) for path in done.stems.values())
    gain = 10 ** (done.gain_db / 20)
    assert np.abs(heard - gain * song).max() <= 1.05 / 32_768
    assert np.abs(heard).max() > 0.9


@pytest.mark.parametrize("name", ["wav", "flac", "mp3"])
def test_stems_carry_the_songs_tags(run: Run, name: Literal["wav", "flac", "mp3"]) -> None:
    song = {"title": "Dämmerung", "artist": "Somebody", "album": "Something"}
    done = run(tone(1), output=AudioOutput(name), kind=KINDS["flac"], song_tags=song, title="track01")
    expected = {"title": "Dämmerung (vocals)", "artist": "Somebody", "album": "Something"}
    assert expected.items() <= tags(done.stems["vocals"]).items()
    assert tags(done.stems["accompaniment"])["title"] == "Dämmerung (accompaniment)"


def test_a_song_without_a_title_has_the_callers(run: Run) -> None:
    assert tags(run(tone(1), title="track01").stems["vocals"])["title"] == "track01 (vocals)"
    assert tags(run(tone(1)).stems["vocals"])["title"] == "vocals"


def test_silence_gives_silence(tmp_path: Path, spleeter_engine: Engine) -> None:
    done = Run(tmp_path / "stems", spleeter_engine)(np.zeros((2, 50_000), np.float32))
    assert all(not read(path).any() for path in done.stems.values())


def test_samples_that_are_no_numbers_do_not_spread(run: Run) -> None:
    song = noise(1)
    song[:, 20_000] = np.nan
    song[:, 30_000] = np.inf
    song[0, 35_000] = 3e38
    song[1, 40_000] = -70_000
    done = run(song)
    heard = np.sum([read(path) for path in done.stems.values()], axis=0)
    song[np.isnan(song) | (np.abs(song) > 65_536)] = 0
    assert np.abs(heard - song).max() <= 1.05 / 32_768
    assert done.gain_db == 0


def test_zeros_leave_out_what_the_networks_do_not_hear(run: Run) -> None:
    high, middle = (
        tone(2, 15_000),
        slice(10_000, -10_000),
    )  # its ends click, and clicks are of all frequencies
    muted = read(run(high, mask_extension="zeros").stems["accompaniment"])
    kept = read(run(high, mask_extension="average").stems["accompaniment"])
    assert np.abs(muted[:, middle]).max() < 1e-3
    assert np.abs(kept[:, middle]).max() > 0.2


@pytest.mark.parametrize("native", [True, False])
def test_the_residual_is_what_the_stems_lack_of_the_song(
    tmp_path: Path, spleeter_engine: Engine, native: bool
) -> None:
    """By the stems' files, as long as these are float."""
    run = Run(
        tmp_path / "stems", spleeter_engine if native else load_engine("2stems", "11khz", engine="openvino")
    )
    song = hot(13)
    for extension, expected in EXTENSIONS.items():
        done = run(song, mask_extension=extension, output=AudioOutput("wav", bit_depth=32))
        left = song - sum(read(path) for path in done.stems.values())
        found = 10 * np.log10(np.square(left, dtype=float).sum() / np.square(song, dtype=float).sum())
        assert done.residual_db == pytest.approx(found, abs=1)  # the order of roundings
        assert expected[0] < found < expected[1]
        # The gain that all stems get is the song's then, too; rate and bits of the files are of no account.
        again = run(song, mask_extension=extension, output=AudioOutput("flac", 48_000))
        assert again.gain_db < 0
        assert again.residual_db == done.residual_db


def test_there_is_no_residual_where_stems_are_left_out_or_the_song_is_silent(run: Run) -> None:
    assert run(noise(1), stems=("vocals",)).residual_db is None
    assert run(np.zeros((2, 50_000), np.float32)).residual_db is None
    assert run(noise(1)).residual_db is not None


@pytest.mark.parametrize("stems", [("vocals",), ("accompaniment",), STEMS])
def test_only_the_stems_asked_for_are_written(run: Run, stems: tuple[str, ...]) -> None:
    done = run(noise(1), stems=stems)
    assert set(done.stems) == set(stems)
    assert run.files() == sorted(f"{stem}.wav" for stem in stems)


@pytest.mark.parametrize("stems", [(), ("piano",), ("vocals", "piano")])
def test_stems_that_the_engine_does_not_have_are_an_error(run: Run, stems: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="vocals"):
        run(noise(1), stems=stems)


@pytest.mark.parametrize("kind", ["mp3", "m4a", "webm"])
@pytest.mark.parametrize(
    "output", [AudioOutput("flac", 48_000), AudioOutput("mp3", 44_100, 128), AudioOutput("wav")]
)
def test_any_format_becomes_any_other(run: Run, kind: str, output: AudioOutput) -> None:
    chosen = KINDS[kind]
    done = run(tone(2, sample_rate=chosen.sample_rate), output=output, kind=chosen)
    assert run.files() == sorted(f"{stem}.{output.format}" for stem in STEMS)
    stem = read(done.stems["accompaniment"])
    assert stem.shape[1] / output.sample_rate == pytest.approx(done.seconds, abs=1e-4)
    assert np.abs(stem[:, 20_000:60_000]).max() == pytest.approx(0.45, abs=0.05)


def test_progress_rises_to_one_in_the_callers_thread(run: Run) -> None:
    seen: list[tuple[float, threading.Thread]] = []
    run(noise(40), on_progress=lambda fraction: seen.append((fraction, threading.current_thread())))
    fractions = [fraction for fraction, _ in seen]
    assert len(fractions) == 4 + 2 * 7 + 1  # segments, blocks of each stem, and the end
    assert fractions == sorted(fractions)
    assert fractions[0] == pytest.approx(0.97 * SEGMENT / 44_100 / 40, abs=0.01)
    assert fractions[-1] == 1
    assert {thread for _, thread in seen} == {threading.current_thread()}


MEASURE = """
import resource, sys
from pathlib import Path
from media import AudioOutput
from separation import separate
from tests.unit.separation.engines import HalvingEngine
separate(Path(sys.argv[1]), Path(sys.argv[2]), HalvingEngine(), stems=("vocals", "accompaniment"),
         mask_extension="average", output=AudioOutput("flac", 48000), max_seconds=9999)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_megabytes(song: Path, folder: Path) -> int:
    path = [str(Path(__file__).parents[3]), *sys.path]
    done: Any = subprocess.run(
        [sys.executable, "-c", MEASURE, song, folder],
        env={"PYTHONPATH": ":".join(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_song(tmp_path: Path) -> None:
    minute = write(tmp_path / "one.wav", noise(60), KINDS["wav"])
    ten_minutes = write(tmp_path / "ten.wav", np.tile(noise(60), (1, 10)), KINDS["wav"])
    assert peak_megabytes(ten_minutes, tmp_path) < peak_megabytes(minute, tmp_path) + 40
