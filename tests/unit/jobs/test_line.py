"""An owner's share of the workers: what others leave, and at least as much as each."""

import pytest

from stempipe.jobs.line import share


@pytest.mark.parametrize(
    ("workers", "others", "jobs"),
    [
        (2, {}, 2),  # alone: all of them
        (2, {"zoe": 1}, 1),
        (2, {"zoe": 1, "yan": 1}, 1),  # nobody has none
        (3, {}, 2),  # from three workers on one is left to whoever comes
        (3, {"zoe": 1}, 1),
        (3, {"zoe": 2}, 1),
        (3, {"zoe": 1, "yan": 1, "xu": 1}, 1),  # and is theirs then
        (50, {"zoe": 1}, 48),
        (50, {"zoe": 49}, 24),  # who came first takes no more than half once there are two
        (50, {"zoe": 24, "yan": 5}, 20),
        (1, {"zoe": 1}, 1),
    ],
)
def test_a_share_is_what_others_leave_and_at_least_as_much_as_each_has(
    workers: int, others: dict[str, int], jobs: int
) -> None:
    assert share(workers, others) == jobs


def test_who_comes_to_a_full_house_has_a_place_in_the_queue_and_no_more() -> None:
    # All messages together are as many as the workers, or the owners, however many songs there are.
    for workers in (1, 2, 5, 50):
        for owners in range(1, 2 * workers):
            taken = dict.fromkeys(range(owners), 0)
            for owner in (owner for _ in range(workers) for owner in taken):
                others = {str(other): count for other, count in taken.items() if other != owner and count}
                if taken[owner] < share(workers, others):
                    taken[owner] += 1
            assert sum(taken.values()) <= max(workers, owners)
