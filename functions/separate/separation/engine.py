"""What an engine is: it estimates stems, one segment of magnitudes in, one per stem out."""

from typing import Literal, Protocol

from separation.masks import Magnitude
from separation.spectrum import Transform

Bandwidth = Literal["11khz", "16khz"]
EngineName = Literal["native", "openvino", "tensorflow"]
Precision = Literal["float32", "bfloat16"]

BINS: dict[Bandwidth, int] = {"11khz": 1024, "16khz": 1536}


class Engine(Protocol):
    """Estimates the magnitudes of each stem.

    Attributes
    ----------
    stems : tuple of str
        In the order of the estimates.
    bins : int
        How many of the lowest frequency bins it takes.
    transform : Transform
        What makes magnitudes of samples, and samples of its estimates.
    """

    @property
    def stems(self) -> tuple[str, ...]: ...

    @property
    def bins(self) -> int: ...

    @property
    def transform(self) -> Transform: ...

    def estimate(self, magnitude: Magnitude) -> Magnitude:
        """Run the networks on one segment.

        Parameters
        ----------
        magnitude : ndarray (512, bins, 2), float32
            Of the mix: frames, frequency bins, channels.

        Returns
        -------
        ndarray (stems, 512, bins, 2), float32
            Estimated magnitudes, which the caller may overwrite.
        """
        ...
