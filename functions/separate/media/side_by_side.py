"""Works that report how far they are, run at the same time."""

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait


def side_by_side(works: Sequence[Generator[float]], threads: int | None = None) -> Generator[float]:
    """Run generators of fractions to their ends, each step in a thread; yields the mean of the fractions.

    Parameters
    ----------
    works : sequence of generator
    threads : int, optional
        How many steps are taken at a time; by default one of each.
    """
    fractions = dict.fromkeys(works, 0.0)
    with ThreadPoolExecutor(threads or len(works), "work") as pool:
        running = {pool.submit(next, work, None): work for work in works}
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                work = running.pop(future)
                if (fraction := future.result()) is not None:
                    running[pool.submit(next, work, None)] = work
                    fractions[work] = fraction
                    yield sum(fractions.values()) / len(works)
