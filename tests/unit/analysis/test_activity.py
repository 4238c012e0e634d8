import numpy as np
import pytest

from analysis.activity import LEVEL_RATE, LevelMeter, stretches
from analysis.events import Stretch
from media.samples import SAMPLE_RATE, Samples
from tests.unit.analysis.conftest import Heard
from tests.unit.analysis.hearing import hear, sine


def levels(samples: Samples, block: int = 1 << 18) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return hear(LevelMeter(SAMPLE_RATE), samples, block).finish()


def frames(found: tuple[Stretch, ...], count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    sounds = np.zeros(count, bool)
    for stretch in found:
        sounds[round(stretch.start * LEVEL_RATE) : round(stretch.end * LEVEL_RATE)] = True
    return sounds


def test_sound_between_silences_is_found(silence: Samples) -> None:
    samples = np.concatenate(
        [silence, sine(440, 2), silence, sine(440, 1), silence[:1000], sine(440, 1), silence]
    )

    found = stretches(levels(samples))

    assert [stretch.start for stretch in found] == pytest.approx([5, 12], abs=0.08)
    assert [stretch.end for stretch in found] == pytest.approx([7, 14.02], abs=0.08)


def test_a_leak_is_not_sounding(heard: Heard) -> None:
    """Where the lead pauses, its separated stem has what leaks from all the others."""
    true, leaking, mix = (
        levels(sound) for sound in (heard.song.parts["lead"], heard.stems["lead"], heard.song.mix)
    )
    truth = frames(stretches(true), len(mix))

    found = frames(stretches(leaking, mix), len(mix))

    assert np.mean(found == truth) > 0.9
    assert np.mean(frames(stretches(leaking), len(mix)) == truth) < np.mean(found == truth)


def test_blocks_make_no_difference(noise: Samples) -> None:
    assert np.array_equal(levels(noise, 7919), levels(noise))


def test_silence_does_not_sound(noise: Samples, silence: Samples) -> None:
    for sound in (silence, silence[:0], silence[:1], 1e-4 * noise):
        assert stretches(levels(sound)) == ()
        assert stretches(levels(sound), levels(sound)) == ()


def test_clipped_noise_sounds_all_the_time(noise: Samples) -> None:
    (stretch,) = stretches(levels(np.clip(100 * noise, -1, 1)))

    assert (stretch.start, stretch.end) == (0, 10)
