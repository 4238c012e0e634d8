"""What is kept of sound as it comes, a few rows at a time."""

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.number[Any])

_FIRST = 1024  # rows that there is room for at first


class Rows(Generic[Number]):
    """Rows in one array, which grows.

    Small arrays in a list would take no more by themselves. But each would lie between large ones that are
    freed, and keep their memory from the next: several times as much as the rows are.

    Parameters
    ----------
    kind : type
        Of the numbers.
    shape : int
        Of a row; nothing for a number by itself.
    """

    def __init__(self, kind: type[Number], *shape: int) -> None:
        self._array: npt.NDArray[Number] = np.empty((_FIRST, *shape), kind)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, rows: npt.NDArray[np.floating[Any]]) -> None:
        """Append rows, shape (any, ...), as numbers of this kind."""
        end = self._count + len(rows)
        if end > len(self._array):
            grown = np.empty((max(end, 2 * len(self._array)), *self._array.shape[1:]), self._array.dtype)
            grown[: self._count] = self.all()
            self._array = grown
        self._array[self._count : end] = rows
        self._count = end

    def all(self) -> npt.NDArray[Number]:
        """Every row until now; no copy."""
        return self._array[: self._count]
