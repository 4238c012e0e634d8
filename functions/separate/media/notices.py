"""What was filled or left out of a song, said to whoever sent it: nothing is mended in silence."""

from dataclasses import dataclass

_KEPT = 20  # one by one; a job's record and its messages have room for no more


@dataclass(frozen=True)
class Notice:
    """One thing that was mended.

    Attributes
    ----------
    code : str
        Stable name of what it is.
    message : str
        For a person: what, and where.
    seconds : float
        How much of the song it is.
    """

    code: str
    message: str
    seconds: float


def text(seconds: float) -> str:
    """Seconds, for a person."""
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


class Notices:
    """Collects them: the first ones as they are, of the rest one sum for each code."""

    def __init__(self) -> None:
        self._kept: list[Notice] = []
        self._rest: dict[str, tuple[int, float]] = {}

    def add(self, code: str, message: str, seconds: float) -> None:
        if len(self._kept) < _KEPT:
            self._kept.append(Notice(code, message, round(seconds, 3)))
        else:
            count, total = self._rest.get(code, (0, 0.0))
            self._rest[code] = (count + 1, total + seconds)

    def all(self) -> tuple[Notice, ...]:
        """Those kept, and the sums."""
        sums = (
            Notice(code, f"And {count} more of these, {text(total)} in all.", round(total, 3))
            for code, (count, total) in self._rest.items()
        )
        return (*self._kept, *sums)
