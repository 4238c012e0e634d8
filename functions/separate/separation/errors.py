"""The errors that a song or a model can cause: a stable `code`, and a message for whoever sent the song."""

from typing import ClassVar


class SeparationError(Exception):
    """Base of every error that `separation` raises on purpose.

    Attributes
    ----------
    code : str
        Stable name of the problem, for clients and for records.
    """

    code: ClassVar[str] = "separation_failed"


class UnsupportedMediaError(SeparationError):
    """The file is not audio, or is in a container, codec or protection that is not supported."""

    code = "unsupported_media"


class NoAudioError(SeparationError):
    """A media file without any audio stream."""

    code = "no_audio"


class TruncatedError(SeparationError):
    """The file ends before its own headers say it should."""

    code = "truncated"


class CorruptMediaError(SeparationError):
    """The file is damaged and what is damaged cannot be decoded."""

    code = "corrupt_media"


class TooLongError(SeparationError):
    """The song is longer than allowed. It is never cut."""

    code = "too_long"


class EmptyFileError(SeparationError):
    """The file has no bytes, or its audio stream has no samples."""

    code = "empty_file"


class ModelMissingError(SeparationError):
    """The weights of the variant have not been fetched."""

    code = "model_missing"


class ModelDamagedError(SeparationError):
    """A file of the weights is not what was fetched."""

    code = "model_damaged"
