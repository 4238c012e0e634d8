"""The fastest engine: Spleeter's checkpoint, run by the library of `separation.native`."""

from downloads.errors import ModelDamagedError
from separation.engine import BINS, Bandwidth
from separation.engines.variables import LEVELS, Floats, StemVariables, Weights
from separation.masks import Magnitude
from separation.models.weights import VARIANTS, VariantName
from separation.native.bindings import Network, open_library
from separation.native.transform import NativeTransform
from separation.spectrum import SEGMENT_FRAMES


class NativeEngine:
    """An `Engine`.

    Parameters
    ----------
    weights : mapping
        Variables by TensorFlow's names, as `read_checkpoint` gives them.
    variant, bandwidth
        See `load_engine`.
    instructions : {"avx512", "avx2"}, optional
        What the library is compiled for; by default the best that the processor has.

    Raises
    ------
    NotBuiltError
        If it cannot run here.
    ModelDamagedError
        If the weights are not those of this variant.
    """

    def __init__(
        self,
        weights: Weights,
        variant: VariantName,
        bandwidth: Bandwidth,
        instructions: str | None = None,
    ) -> None:
        specification = VARIANTS[variant]
        library = open_library(instructions)
        self.stems = specification.stems
        self.bins = BINS[bandwidth]
        self.transform = NativeTransform(library)
        try:
            self._network = Network(
                library,
                [_in_order(StemVariables(weights, stem)) for stem in range(len(self.stems))],
                frames=SEGMENT_FRAMES,
                bins=self.bins,
                is_elu=specification.activation == "elu",
                is_softmax=specification.head == "softmax",
            )
        except (KeyError, ValueError) as error:
            raise ModelDamagedError(f"The weights are not those of {variant}: {error}") from error

    def estimate(self, magnitude: Magnitude) -> Magnitude:
        return self._network.estimate(magnitude)


def _in_order(variables: StemVariables) -> list[Floats]:
    """As the library takes them."""
    found: list[Floats] = []
    for level in range(LEVELS):
        found += [*variables.convolution(level), *variables.norm(level)]
    for level in range(LEVELS):
        found += [*variables.transposed(level), *variables.norm(LEVELS + level)]
    return [*found, *variables.convolution(LEVELS)]
