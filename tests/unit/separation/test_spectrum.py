import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.samples import Samples
from separation.masks import extend
from separation.spectrum import BINS, FRAME, HOP, SEGMENT_FRAMES, SEGMENT_SAMPLES, Inverse, segments
from tests.unit.media.songs import noise

FIRST_JOIN = SEGMENT_SAMPLES - FRAME  # where the second segment's samples begin


def through_and_back(song: Samples, block: int) -> Samples:
    """Transform and invert a song with masks of ones."""
    inverse = Inverse()
    blocks = (song[:, start : start + block] for start in range(0, song.shape[1], block))
    ones = np.ones((2, SEGMENT_FRAMES, 1024), np.float32)
    parts = [inverse.add(segment, ones, extend(ones, "average")) for segment in segments(blocks)]
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize(
    "samples",
    [
        *(1, 2, HOP - 1, HOP, HOP + 1, FRAME - 1, FRAME, FRAME + 1, 44_100),
        *(
            FIRST_JOIN + offset
            for offset in (-HOP, -1, 0, 1, HOP - 1, HOP, 3 * HOP - 1, 3 * HOP, 3 * HOP + 1)
        ),
        *(SEGMENT_SAMPLES - 1, SEGMENT_SAMPLES, SEGMENT_SAMPLES + 1, FIRST_JOIN + SEGMENT_SAMPLES + 1),
    ],
)
def test_the_inverse_gives_the_song_back_to_the_sample(samples: int) -> None:
    song = noise(samples / 44_100)
    assert song.shape == (2, samples)
    back = through_and_back(song, 100_003)
    assert back.shape == song.shape
    assert np.abs(back - song).max() < 3e-6


@settings(max_examples=15, deadline=None)
@given(samples=st.integers(1, 3 * FRAME), block=st.integers(1, 2 * FRAME))
def test_the_size_of_the_blocks_does_not_matter(samples: int, block: int) -> None:
    song = noise(samples / 44_100, seed=samples)
    assert np.array_equal(through_and_back(song, block), through_and_back(song, samples))


def test_the_frames_are_spleeters() -> None:
    """One frame of zeros before, a periodic Hann window, hops of 1024, zeros at the end."""
    song = noise((SEGMENT_SAMPLES + 20_000) / 44_100)
    padded = np.pad(song, ((0, 0), (FRAME, 2 * FRAME))).astype(np.float64)
    frames = -(-(song.shape[1] + FRAME) // HOP)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    expected = np.stack(
        [np.fft.rfft(padded[:, HOP * t : HOP * t + FRAME] * window) for t in range(frames)], axis=1
    )

    found = np.concatenate([segment.spectrum for segment in segments([song])], axis=1)

    assert found.dtype == np.complex64
    assert found.shape == (2, 2 * SEGMENT_FRAMES, BINS)
    assert np.abs(found[:, :frames] - expected).max() < 1e-3
    assert not found[:, frames:].any()


def test_silence_beyond_the_networks_bins_is_silence() -> None:
    song = noise(1)
    inverse = Inverse()
    (segment,) = segments([song])
    ones = np.ones((2, SEGMENT_FRAMES, 1024), np.float32)
    muted = inverse.add(segment, ones, None)
    spectrum = np.abs(np.fft.rfft(muted[0]))
    high, low = spectrum[12_000:].mean(), spectrum[1_000:10_000].mean()
    assert high < 1e-3 * low
