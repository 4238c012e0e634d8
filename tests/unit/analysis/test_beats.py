import mir_eval
import numpy as np
import numpy.typing as npt
import pytest

from analysis.beatnet import FRAME_RATE, Weights
from analysis.beatnet import Heard as Listened
from analysis.beats import BeatTracker, Rhythm
from analysis.beats import rhythm as timed
from analysis.events import Beat, Onset
from analysis.onsets import OnsetDetector
from media.samples import SAMPLE_RATE, Samples
from tests.songs import Song
from tests.unit.analysis.conftest import Heard
from tests.unit.analysis.hearing import hear


def rhythm(
    samples: Samples, weights: Weights, block: int = 1 << 18, onsets: tuple[Onset, ...] = ()
) -> Rhythm:
    onsets = onsets or hear(OnsetDetector(SAMPLE_RATE, percussive=True), samples).finish().onsets
    return hear(BeatTracker(SAMPLE_RATE, weights), samples, block).finish(onsets)


def test_the_rhythm_of_songs_is_found(heard: Heard, beat_weights: Weights) -> None:
    """By the onsets of the mix, and by those of drums that were separated."""
    truth = heard.song.truth
    drums = hear(OnsetDetector(SAMPLE_RATE, percussive=True), heard.stems["drums"]).finish().onsets
    for onsets in ((), drums):
        found = rhythm(heard.song.mix, beat_weights, onsets=onsets)

        assert found.tempo is not None
        assert found.tempo.bpm == pytest.approx(truth.bpm, rel=0.005)
        assert found.tempo.stable
        assert found.tempo.confidence > 0.5
        assert found.meter == truth.meter
        beats = np.array([beat.time for beat in found.beats])
        downbeats = np.array([beat.time for beat in found.beats if beat.beat == 1])
        assert mir_eval.beat.f_measure(np.array(truth.beat_times), beats, 0.07) >= 0.96
        assert mir_eval.beat.f_measure(np.array(truth.downbeat_times), downbeats, 0.07) >= 0.93
        pairs = mir_eval.util.match_events(np.array(truth.beat_times), beats, 0.07)
        assert np.median([abs(beats[one] - truth.beat_times[other]) for other, one in pairs]) < 0.005


def test_bars_count_on_from_the_first_downbeat(song: Song, beat_weights: Weights) -> None:
    cut = round((song.truth.beats[1].time - 0.1) * SAMPLE_RATE)

    found = rhythm(song.mix[cut:], beat_weights)

    places = [(beat.bar, beat.beat) for beat in found.beats]
    assert places[:8] == [(0, 2), (0, 3), (0, 4), (1, 1), (1, 2), (1, 3), (1, 4), (2, 1)]


def test_a_song_begins_with_a_beat_that_the_network_did_not_know_for_one() -> None:
    times = np.arange(32) / 2
    frames = (times * FRAME_RATE).astype(int)
    likely = np.full((frames[-1] + 2, 2), 0.01)
    likely[frames[1:]] = [0.8, 0.1]
    likely[frames[4::4]] = [0.1, 0.8]
    bands = np.zeros((len(likely), 136), np.float16)
    bands[frames] = 1

    def first_beat(onsets: npt.NDArray[np.float64]) -> Beat:
        return timed(Listened(likely, bands), [Onset(float(time), 1.0) for time in onsets]).beats[0]

    assert first_beat(times) == Beat(0.0, 1, 1)
    assert first_beat(times[1:]) == Beat(0.5, 0, 2)
    assert first_beat(np.append(0.2, times[1:])) == Beat(0.5, 0, 2)


def test_blocks_make_no_difference(song: Song, beat_weights: Weights) -> None:
    sound = song.mix[: 8 * SAMPLE_RATE]

    assert rhythm(sound, beat_weights, block=7919) == rhythm(sound, beat_weights)


@pytest.mark.parametrize("gain", [0.1, 0.01])
def test_a_softer_song_has_the_same_tempo(song: Song, beat_weights: Weights, gain: float) -> None:
    found = rhythm(song.mix * np.float32(gain), beat_weights)

    assert found.tempo is not None
    assert found.tempo.bpm == pytest.approx(song.truth.bpm, rel=0.005)


def test_what_has_no_rhythm_has_no_tempo(noise: Samples, silence: Samples, beat_weights: Weights) -> None:
    clipped = np.clip(100 * noise, -1, 1)
    for sound in (silence, silence[:0], silence[:1], noise, noise[:SAMPLE_RATE], clipped, 1e-5 * noise):
        found = rhythm(sound, beat_weights)
        assert (found.tempo, found.beats) == (None, ())


def test_a_tempo_that_changes_is_followed(song: Song, beat_weights: Weights) -> None:
    """The song, and again a tenth faster."""
    places = np.arange(0, len(song.mix) - 1, 1.1)
    faster = np.stack(
        [np.interp(places, np.arange(len(song.mix)), channel) for channel in song.mix.T], axis=1
    )

    found = rhythm(np.concatenate([song.mix, faster.astype(np.float32)]), beat_weights)

    assert found.tempo is not None
    assert not found.tempo.stable
    intervals = np.diff([beat.time for beat in found.beats])
    quarter = 60 / song.truth.bpm
    assert np.median(intervals[:10]) == pytest.approx(quarter, rel=0.01)
    assert np.median(intervals[-10:]) == pytest.approx(quarter / 1.1, rel=0.01)


def test_a_tempo_that_sways_is_followed_to_the_onset() -> None:
    """By 8 % either way within ten seconds; one beat has its onset elsewhere."""
    places = np.arange(64) * 0.5
    times = 0.2 + places + 0.08 * 10 / (2 * np.pi) * np.sin(2 * np.pi * places / 10)
    frames = np.round(times * FRAME_RATE).astype(int)
    likely = np.full((frames[-1] + 2, 2), 0.01)
    likely[frames] = [0.8, 0.1]
    likely[frames[::4]] = [0.1, 0.8]
    bands = np.zeros((len(likely), 136), np.float16)
    bands[frames] = 1
    played = times.copy()
    played[30] += 0.035

    found = timed(Listened(likely, bands), [Onset(float(time), 1.0) for time in played])

    beats = np.array([beat.time for beat in found.beats])
    assert len(beats) == 64
    off = np.abs(beats - times)
    assert np.delete(off, 30).max() < 1e-3
    assert off[30] < 0.025
