"""Encodes one stem to a WAV, FLAC or MP3 file as its samples come."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import av
import numpy as np
import numpy.typing as npt
import soxr
from av.audio.stream import AudioStream

from separation.spectrum import CHANNELS, SAMPLE_RATE, Samples

# LAME stays at its default quality: each step below it is 15 to 20 % faster, and lifts the coding noise in
# vocals above what music masks, by 3 dB at the first step and by 10 dB at the next.
_CODECS = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame"}
_SCALE = np.float32(32_768)


@dataclass(frozen=True)
class AudioOutput:
    """How stems are written.

    Attributes
    ----------
    format : {"wav", "flac", "mp3"}
        WAV and FLAC hold 16-bit samples.
    sample_rate : {44100, 48000}
        In Hz.
    bitrate : int or None
        In kbit/s; for MP3 only.
    """

    format: Literal["wav", "flac", "mp3"] = "wav"
    sample_rate: int = SAMPLE_RATE
    bitrate: int | None = None


class AudioWriter:
    """An audio file being written."""

    def __init__(self, path: Path, output: AudioOutput) -> None:
        self._output = output
        self._received = self._written = 0
        self._resampler: Any = None
        if output.sample_rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(SAMPLE_RATE, output.sample_rate, CHANNELS, "float32", "HQ")
        self._container = av.open(path, "w", format=output.format)
        stream = self._container.add_stream(_CODECS[output.format], output.sample_rate, layout="stereo")
        self._stream = cast(AudioStream, stream)
        if output.format == "mp3" and output.bitrate:
            self._stream.bit_rate = output.bitrate * 1000

    def write(self, samples: Samples) -> None:
        """Append samples, shape (2, any), float32 at 44.1 kHz. What exceeds +-1 is clipped."""
        self._received += samples.shape[1]
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(np.ascontiguousarray(samples.T)).T
        self._encode(samples)

    def finish(self) -> None:
        """Complete the file: as long as what was written, to the nearest sample at another rate."""
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(np.empty((0, CHANNELS), np.float32), last=True).T
            missing = round(self._received * self._output.sample_rate / SAMPLE_RATE) - self._written
            self._encode(np.pad(rest, ((0, 0), (0, max(0, missing - rest.shape[1]))))[:, :missing])
        self._container.mux(self._stream.encode(None))
        self.close()

    def close(self) -> None:
        self._container.close()

    def _encode(self, samples: Samples) -> None:
        if not samples.shape[1]:
            return
        if self._output.format == "mp3":
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", "stereo")
        else:
            frame = av.AudioFrame.from_ndarray(to_int16(samples.T).reshape(1, -1), "s16", "stereo")
        frame.sample_rate = self._output.sample_rate
        frame.pts = self._written
        self._written += samples.shape[1]
        self._container.mux(self._stream.encode(frame))


def to_int16(samples: Samples) -> npt.NDArray[np.int16]:
    """Round samples to 16 bits; what does not fit saturates."""
    scaled = np.multiply(samples, _SCALE, order="C")
    np.rint(scaled, out=scaled)
    return np.clip(scaled, -32_768, 32_767, out=scaled).astype(np.int16)
