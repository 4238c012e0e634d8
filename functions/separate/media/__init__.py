"""Files to samples, and samples to files: any song in, WAV, FLAC or MP3 out. Knows nothing of AWS."""

from media.audio_output import AudioOutput
from media.errors import MediaError

__all__ = ["AudioOutput", "MediaError"]
