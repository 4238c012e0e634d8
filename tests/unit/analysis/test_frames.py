import numpy as np
import pytest

from analysis.frames import Framer
from media.samples import Samples


def cut(samples: Samples, block: int, rate: int, frame_rate: int, size: int, before: int) -> Samples:
    framer = Framer(rate, frame_rate, size, before, samples.shape[1])
    batches: list[Samples] = []
    for begin in range(0, len(samples), block):
        batches.extend(framer.add(samples[begin : begin + block]))
    return np.concatenate(
        [np.zeros((samples.shape[1], 0, size), np.float32), *batches, *framer.finish()], axis=1
    )


@pytest.mark.parametrize("block", [1, 37, 1000, 10_000])
@pytest.mark.parametrize(("rate", "frame_rate"), [(44_100, 60), (44_100, 100), (48_000, 24), (1000, 300)])
def test_a_frame_begins_at_the_first_sample_not_before_its_time(
    block: int, rate: int, frame_rate: int
) -> None:
    samples = np.arange(1, 6001, dtype=np.float32).reshape(-1, 2)
    size, before = 50, 20

    frames = cut(samples, block, rate, frame_rate, size, before)

    begins = [
        first
        for first in range(len(samples))
        if first * frame_rate // rate != (first - 1) * frame_rate // rate
    ]
    assert frames.shape == (2, len(begins), size)
    padded = np.pad(samples, ((before, size), (0, 0)))
    for frame, begin in enumerate(begins):
        assert np.array_equal(frames[:, frame], padded[begin : begin + size].T)


def test_nothing_has_no_frames() -> None:
    assert cut(np.empty((0, 1), np.float32), 10, 44_100, 60, 100, 50).shape == (1, 0, 100)
