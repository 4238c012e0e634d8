import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.samples import Samples
from separation.masks import Magnitude, MaskExtension
from separation.native.transform import NativeTransform
from separation.numpy_transform import NumpyTransform
from separation.spectrum import (
    BINS,
    FRAME,
    HOP,
    SEGMENT_FRAMES,
    SEGMENT_SAMPLES,
    Inverse,
    Transform,
    segments,
)
from tests.unit.media.songs import noise
from tests.unit.separation.libraries import libraries

FIRST_JOIN = SEGMENT_SAMPLES - FRAME  # where the second segment's samples begin


TRANSFORMS: dict[str, Transform] = {
    "numpy": NumpyTransform(),
    **{name: NativeTransform(library) for name, library in libraries().items()},
}
ONES = np.ones((SEGMENT_FRAMES, 1024, 2), np.float32)


def through_and_back(song: Samples, block: int, transform: Transform) -> Samples:
    """Transform and invert a song with masks of ones."""
    inverse = Inverse(transform)
    blocks = (song[:, start : start + block] for start in range(0, song.shape[1], block))
    found = list(segments(blocks, transform, 1024))
    assert np.array_equal(np.concatenate([segment.song for segment in found], axis=1), song)
    parts = [inverse.add(segment, ONES, "average") for segment in found]
    assert [part.shape for part in parts] == [segment.song.shape for segment in found]
    return np.concatenate(parts, axis=1)


@pytest.fixture(params=TRANSFORMS)
def transform(request: pytest.FixtureRequest) -> Transform:
    return TRANSFORMS[request.param]


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
def test_the_inverse_gives_the_song_back_to_the_sample(samples: int, transform: Transform) -> None:
    song = noise(samples / 44_100)
    assert song.shape == (2, samples)
    back = through_and_back(song, 100_003, transform)
    assert back.shape == song.shape
    assert np.abs(back - song).max() < 3e-6


@settings(max_examples=15, deadline=None)
@given(samples=st.integers(1, 3 * FRAME), block=st.integers(1, 2 * FRAME))
def test_the_size_of_the_blocks_does_not_matter(samples: int, block: int) -> None:
    song = noise(samples / 44_100, seed=samples)
    transform = NumpyTransform()
    found, expected = (through_and_back(song, size, transform) for size in (block, samples))
    assert np.array_equal(found, expected)


def test_the_frames_are_spleeters() -> None:
    """One frame of zeros before, a periodic Hann window, hops of 1024, zeros at the end."""
    song = noise((SEGMENT_SAMPLES + 20_000) / 44_100)
    padded = np.pad(song, ((0, 0), (FRAME, 2 * FRAME))).astype(np.float64)
    frames = -(-(song.shape[1] + FRAME) // HOP)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    expected = np.stack(
        [np.fft.rfft(padded[:, HOP * t : HOP * t + FRAME] * window) for t in range(frames)], axis=1
    )

    found = np.concatenate([segment.spectrum for segment in segments([song], NumpyTransform(), 1024)], axis=1)

    assert found.dtype == np.complex64
    assert found.shape == (2, 2 * SEGMENT_FRAMES, BINS)
    assert np.abs(found[:, :frames] - expected).max() < 1e-3
    assert not found[:, frames:].any()


def test_silence_beyond_the_networks_bins_is_silence(transform: Transform) -> None:
    song = noise(1)
    inverse = Inverse(transform)
    (segment,) = segments([song], transform, 1024)
    muted = inverse.add(segment, ONES, "zeros")
    spectrum = np.abs(np.fft.rfft(muted[0]))
    high, low = spectrum[12_000:].mean(), spectrum[1_000:10_000].mean()
    assert high < 1e-3 * low


@pytest.mark.parametrize("instructions", libraries())
@pytest.mark.parametrize("bins", [1024, 1536])
@pytest.mark.parametrize("extension", ["average", "zeros"])
@pytest.mark.parametrize("frames", [SEGMENT_FRAMES, 37, 1])
def test_the_library_transforms_as_numpy_does(
    instructions: str, bins: int, extension: MaskExtension, frames: int
) -> None:
    random = np.random.default_rng(frames)
    song = noise((SEGMENT_SAMPLES + FRAME - HOP) / 44_100)
    song[:, (frames + 3) * HOP :] = 0
    estimates = random.exponential(5, (3, SEGMENT_FRAMES, bins, 2)).astype(np.float32)
    expected, found = (
        _one_segment(transform, song, frames, estimates.copy(), extension)
        for transform in (NumpyTransform(), TRANSFORMS[instructions])
    )
    for one, other in zip(expected, found, strict=True):
        assert np.abs(one - other).max() < 3e-6 * np.abs(one).max()


def _one_segment(
    transform: Transform, song: Samples, frames: int, estimates: Magnitude, extension: MaskExtension
) -> tuple[Magnitude, Magnitude, Samples]:
    """Magnitudes, masks, and the samples of the second stem, added to what was there."""
    spectrum, magnitude = transform.forward(song, frames, estimates.shape[2])
    masks = transform.masks(estimates)
    samples = np.full_like(song, 0.25)
    transform.inverse(spectrum, masks[1], extension, samples)
    return magnitude, masks, samples


@pytest.mark.parametrize("instructions", libraries())
def test_arrays_of_other_shapes_are_refused(instructions: str) -> None:
    transform = TRANSFORMS[instructions]
    song = np.zeros((2, SEGMENT_SAMPLES + FRAME - HOP), np.float32)
    spectrum, _ = transform.forward(song, SEGMENT_FRAMES, 1024)
    with pytest.raises(ValueError, match="one segment"):
        transform.forward(song[:, 1:], SEGMENT_FRAMES, 1024)
    with pytest.raises(ValueError, match="one segment"):
        transform.inverse(spectrum, ONES[1:], "zeros", song)
    with pytest.raises(ValueError, match="one segment"):
        transform.inverse(spectrum, ONES, "zeros", song[:, ::-1])
