"""Standard MIDI Files: a song's events as MIDI, and MIDI as a song's events."""

from analysis.midi.errors import MidiError
from analysis.midi.options import MidiOptions
from analysis.midi.reading import read
from analysis.midi.writing import song_file, stem_file

__all__ = ["MidiError", "MidiOptions", "read", "song_file", "stem_file"]
