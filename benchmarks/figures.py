"""A figure: what the same measurement gave each time it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """Values in the order in which they were measured."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.values)

    def over(self, other: Figure) -> Figure:
        """Ratios of the values that were measured next to each other."""
        return Figure([one / two for one, two in zip(self.values, other.values, strict=True)])

    def text(self, digits: int = 2, unit: str = "") -> str:
        """The median, and the lowest and the highest value if there is more than one."""
        middle = f"{self.median:,.{digits}f}{unit}"
        if len(self.values) == 1:
            return middle
        return f"{middle} ({min(self.values):,.{digits}f} - {max(self.values):,.{digits}f})"
