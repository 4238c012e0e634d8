import numpy as np

from analysis.rows import Rows


def test_rows_are_kept_in_their_order_however_many_come_at_a_time() -> None:
    random = np.random.default_rng(1)
    given = [random.random((count, 3)) for count in (0, 1, 700, 323, 1, 5000, 2)]
    rows = Rows(np.float32, 3)
    for one in given:
        rows.add(one)
    assert len(rows) == 6027
    assert rows.all().dtype == np.float32
    assert np.array_equal(rows.all(), np.concatenate(given).astype(np.float32))


def test_no_rows_have_a_shape_too() -> None:
    assert Rows(np.float16, 88).all().shape == (0, 88)
    assert Rows(np.float64).all().shape == (0,)


def test_what_was_given_may_change_afterwards() -> None:
    rows, given = Rows(np.float32), np.ones(4, np.float32)
    rows.add(given)
    given[:] = 0
    assert rows.all().tolist() == [1] * 4
