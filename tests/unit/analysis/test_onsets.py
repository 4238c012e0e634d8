import mir_eval
import numpy as np
import pytest

from analysis.onsets import OnsetDetector, Onsets
from media.samples import SAMPLE_RATE, Samples
from tests.unit.analysis.conftest import Heard
from tests.unit.analysis.hearing import hear, sine


def onsets(samples: Samples, percussive: bool, block: int = 1 << 18) -> Onsets:
    return hear(OnsetDetector(SAMPLE_RATE, percussive), samples, block).finish()


def times(found: Onsets) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([onset.time for onset in found.onsets])


# F within 50 ms of true parts and of separated ones, by part and by beats a minute, a few points short of
# what is reached. At 163, where strokes are 92 ms apart, the softer ones are missed.
GOALS = {
    "drums": {76: (0.95, 0.92), 112: (0.97, 0.95), 163: (0.81, 0.84)},
    "bass": {76: (0.97, 0.9), 112: (0.97, 0.9), 163: (0.97, 0.9)},
    "piano": {76: (0.95, 0.75), 112: (0.97, 0.84), 163: (0.97, 0.67)},
}


@pytest.mark.parametrize("part", GOALS)
def test_onsets_of_true_and_separated_parts_are_found(heard: Heard, part: str) -> None:
    truth = np.array(heard.song.truth.onset_times(part))
    goals = GOALS[part][round(heard.song.truth.bpm)]
    for sound, goal in zip((heard.song.parts[part], heard.stems[part]), goals, strict=True):
        found = times(onsets(sound, part == "drums"))

        assert mir_eval.onset.f_measure(truth, found, window=0.05)[0] >= goal


def test_drums_are_timed_to_two_milliseconds(heard: Heard) -> None:
    truth = np.array(heard.song.truth.onset_times("drums"))

    found = times(onsets(heard.song.parts["drums"], percussive=True))

    pairs = mir_eval.util.match_events(truth, found, 0.05)
    assert np.median([abs(found[one] - truth[other]) for other, one in pairs]) < 0.002


@pytest.mark.parametrize("percussive", [True, False])
def test_blocks_make_no_difference(noise: Samples, percussive: bool) -> None:
    clicks = noise * (np.arange(len(noise)) % 20_000 < 3000)[:, None]

    whole, pieces = onsets(clicks, percussive), onsets(clicks, percussive, block=7919)

    assert len(whole.onsets) == 22
    assert whole.onsets == pieces.onsets
    assert np.array_equal(whole.strength, pieces.strength)


@pytest.mark.parametrize("percussive", [True, False])
def test_the_loudest_onset_is_the_strongest(percussive: bool) -> None:
    bursts = np.zeros((4 * SAMPLE_RATE, 2), np.float32)
    for second, level in enumerate((0.5, 0.25, 0.5, 0.35)):
        begin = round((second + 0.3) * SAMPLE_RATE)
        fading = np.exp(-np.arange(25_000) / 2000)[:, None]
        bursts[begin : begin + 25_000] = level * sine(440)[:25_000] * fading

    found = onsets(bursts, percussive)

    strengths = [onset.strength for onset in found.onsets]
    assert times(found) == pytest.approx([0.3, 1.3, 2.3, 3.3], abs=0.01)
    assert strengths[1] < strengths[3] < strengths[0] == pytest.approx(strengths[2], rel=0.1)
    assert max(strengths) <= 1


@pytest.mark.parametrize("percussive", [True, False])
def test_of_silence_and_its_like_nothing_is_made(silence: Samples, percussive: bool) -> None:
    for sound in (silence, silence[:1], silence[:0], np.full_like(silence, 0.0)):
        found = onsets(sound, percussive)
        assert found.onsets == ()
        assert not found.strength.any()


@pytest.mark.parametrize("percussive", [True, False])
def test_steady_noise_has_few_onsets(noise: Samples, percussive: bool) -> None:
    assert len(onsets(noise, percussive).onsets) < 2 * len(noise) / SAMPLE_RATE
