"""Files to samples, and samples to files: any song in, WAV, FLAC or MP3 out. Knows nothing of AWS."""

from media.audio_output import AudioOutput
from media.errors import MediaError
from media.isolated_input import stop_all

__all__ = ["AudioOutput", "MediaError", "stop_all"]
