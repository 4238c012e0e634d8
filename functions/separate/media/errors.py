"""The errors that a song can cause: a stable `code`, and a message for whoever sent the song."""

from typing import ClassVar


class MediaError(Exception):
    """Base of every error that `media` raises on purpose.

    Attributes
    ----------
    code : str
        Stable name of the problem, for clients and for records.
    """

    code: ClassVar[str]


class UnsupportedMediaError(MediaError):
    """The file is not audio, or is in a container, codec or protection that is not supported."""

    code = "unsupported_media"


class NoAudioError(MediaError):
    """A media file without any audio stream."""

    code = "no_audio"


class TruncatedError(MediaError):
    """The file ends before its own headers say it should."""

    code = "truncated"


class CorruptMediaError(MediaError):
    """The file is damaged and what is damaged cannot be decoded."""

    code = "corrupt_media"


class TooLongError(MediaError):
    """The song is longer than allowed. It is never cut."""

    code = "too_long"


class EmptyFileError(MediaError):
    """The file has no bytes, or its audio stream has no samples."""

    code = "empty_file"
