"""The errors that a MIDI file can cause: a stable `code`, and a message for whoever sent it."""

from typing import ClassVar


class MidiError(Exception):
    """Base of every error that reading MIDI raises on purpose.

    Attributes
    ----------
    code : str
        Stable name of the problem, for clients and for records.
    """

    code: ClassVar[str]


class NotMidiError(MidiError):
    """The file is no Standard MIDI File."""

    code = "not_midi"


class CorruptMidiError(MidiError):
    """The file is cut, or its parts are not what they say they are."""

    code = "corrupt_midi"


class UnsupportedMidiError(MidiError):
    """A format or a division that cannot be read as one song."""

    code = "unsupported_midi"


class MidiTooLargeError(MidiError):
    """More bytes, events, tracks or time than is read."""

    code = "midi_too_large"


class NoNotesError(MidiError):
    """A MIDI file in which nothing sounds."""

    code = "no_notes"


class MidiOptionsError(MidiError):
    """An option has a value that it cannot have."""

    code = "invalid_midi_options"
