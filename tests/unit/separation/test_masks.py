import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from separation.masks import extend, soft_mask, total_power

magnitudes = hnp.arrays(
    np.float32, (3, 2, 4, 5), elements=st.floats(0, 1e4, width=32, allow_subnormal=False), fill=st.nothing()
)


@given(magnitudes)
def test_masks_of_all_stems_sum_to_one(estimates: np.ndarray) -> None:
    total = total_power(estimates)
    masks = [soft_mask(estimate, total, 3) for estimate in estimates]
    assert np.allclose(np.sum(masks, axis=0), 1, atol=1e-5)


def test_silence_is_shared_evenly() -> None:
    silence = np.zeros((4, 2, 3, 5), np.float32)
    assert np.allclose(soft_mask(silence[0], total_power(silence), 4), 0.25)


def test_a_mask_is_the_stems_share_of_power() -> None:
    estimates = np.array([3.0, 4.0], np.float32).reshape(2, 1, 1, 1)
    assert np.allclose(soft_mask(estimates[0], total_power(estimates), 2), 9 / 25)


def test_average_extends_each_frame_by_its_own_mean() -> None:
    mask = np.array([[[0.0, 1.0], [0.2, 0.4]]], np.float32)
    beyond = extend(mask, "average")
    assert beyond is not None
    assert np.allclose(beyond, [[[0.5], [0.3]]])


def test_zeros_extends_by_nothing() -> None:
    assert extend(np.ones((2, 3, 4), np.float32), "zeros") is None
