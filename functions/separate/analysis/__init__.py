"""What there is to hear in a song and its stems, from beats to curves. Knows samples, and nothing of AWS."""

from analysis.analyse import AnalysedStems, analyse, analyse_stems
from analysis.events import Analysis
from analysis.files import write_files
from analysis.midi import read as read_midi

__all__ = ["AnalysedStems", "Analysis", "analyse", "analyse_stems", "read_midi", "write_files"]
