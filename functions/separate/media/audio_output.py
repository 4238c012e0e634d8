"""Encodes one stem to a WAV, FLAC or MP3 file."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import av
import lameenc
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet, PacketSideData, packet_sidedata_type_from_literal

from media.samples import CHANNELS, SAMPLE_RATE, Samples

Format = Literal["wav", "flac", "mp3"]
BitDepth = Literal[16, 24, 32]

# Codecs of FFmpeg, and what they take. One of 24 bits takes 32, and leaves out the lowest eight.
_CODECS: Mapping[tuple[Format, BitDepth], tuple[str, str]] = {
    ("wav", 16): ("pcm_s16le", "s16"),
    ("wav", 24): ("pcm_s24le", "s32"),
    ("wav", 32): ("pcm_f32le", "flt"),
    ("flac", 16): ("flac", "s16"),
    ("flac", 24): ("flac", "s32"),
    ("mp3", 16): ("libmp3lame", "s16"),
}
_MUXER_OPTIONS: Mapping[Format, dict[str, str]] = {
    "wav": {"rf64": "auto"},  # WAV ends at 4 GB; what is longer becomes RF64
    "flac": {},
    "mp3": {"id3v2_version": "3"},  # 2.4 is unknown to some players
}


@dataclass(frozen=True)
class AudioOutput:
    """How stems are written.

    Attributes
    ----------
    format : {"wav", "flac", "mp3"}
    sample_rate : {44100, 48000}
        In Hz.
    bitrate : int or None
        In kbit/s; for MP3 only.
    bit_depth : {16, 24, 32}
        Of WAV, where 32 is float, and of FLAC, which ends at 24. MP3 is made of 16 bits.
    """

    format: Format = "wav"
    sample_rate: int = SAMPLE_RATE
    bitrate: int | None = None
    bit_depth: BitDepth = 16

    def gain_db(self, peak: float) -> float:
        """How much to turn stems down, whose largest magnitude is `peak`, so that none clips.

        Returns
        -------
        float
            In dB: 0 if they fit as they are, else so that the peak ends one step below the highest value,
            where no meter takes it for a clipped one.
        """
        if self.bit_depth == 32:
            return 0.0
        highest = 2 ** (self.bit_depth - 1) - 1
        loudest = peak * (highest + 1)
        return 0.0 if round(loudest) <= highest else 20 * math.log10((highest - 1) / loudest)


class AudioWriter:
    """An audio file being written.

    Parameters
    ----------
    path : Path
    output : AudioOutput
        Its format.
    gain_db : float
        What samples are turned up by.
    tags : mapping
        Such as title and artist, by FFmpeg's names.
    """

    def __init__(
        self, path: Path, output: AudioOutput, gain_db: float = 0.0, tags: Mapping[str, str] | None = None
    ) -> None:
        self._container = av.open(
            path, "w", format=output.format, container_options=_MUXER_OPTIONS[output.format]
        )
        self._container.metadata.update(tags or {})
        self._gain = 10 ** (gain_db / 20)
        self._bit_depth = output.bit_depth
        encoder = _Lame if output.format == "mp3" else _Lossless
        self._encoder: _Lame | _Lossless = encoder(self._container, output)

    def write(self, samples: Samples) -> None:
        """Append samples, shape (any, 2), float32 at the output's rate."""
        scaled: npt.NDArray[Any] = samples
        if self._bit_depth != 32:
            scaled = quantize(samples, self._bit_depth, self._gain)
        self._container.mux(self._encoder.encode(scaled))

    def finish(self) -> None:
        """Complete the file."""
        self._container.mux(self._encoder.flush())
        self.close()

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def quantize(
    samples: Samples, bits: Literal[16, 24], gain: float = 1.0
) -> npt.NDArray[np.signedinteger[Any]]:
    """Round samples in +-1, times a gain, to the nearest of 16 or 24 bits; what does not fit saturates.

    Returns
    -------
    ndarray of int16, or of int32 with the 24 bits on top
    """
    steps = 2 ** (bits - 1)
    scaled = np.multiply(samples, np.float32(gain * steps), order="C")
    np.rint(scaled, out=scaled)
    np.clip(scaled, -steps, steps - 1, out=scaled)
    return scaled.astype(np.int16) if bits == 16 else scaled.astype(np.int32) << 8


class _Lossless:
    """WAV and FLAC, by FFmpeg."""

    def __init__(self, container: OutputContainer, output: AudioOutput) -> None:
        codec, self._format = _CODECS[output.format, output.bit_depth]
        stream = container.add_stream(codec, output.sample_rate, layout="stereo", format=self._format)
        self._stream = cast(AudioStream, stream)
        self._samples = 0

    def encode(self, samples: npt.NDArray[Any]) -> "list[Packet[AudioStream]]":
        if not len(samples):
            return []
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), self._format, "stereo")
        frame.sample_rate = self._stream.rate
        frame.pts = self._samples
        self._samples += len(samples)
        return self._stream.encode(frame)

    def flush(self) -> "list[Packet[AudioStream]]":
        return self._stream.encode(None)


class _Lame:
    """MP3 by lameenc's LAME: the LAME in PyAV's wheels is compiled without optimization, and a third as fast.

    FFmpeg writes the file: tags, and a header that says where the song begins and ends. Its stream is set up
    as if for its own LAME, which encodes nothing.
    """

    _FRAME_SAMPLES = 1152
    _DELAY = 576 + 529  # samples before the song: LAME's own and any decoder's
    _QUALITY = 3  # LAME's own default. A step below lifts what is audible of its noise by about 1 dB

    def __init__(self, container: OutputContainer, output: AudioOutput) -> None:
        codec, _ = _CODECS[output.format, output.bit_depth]
        stream = container.add_stream(codec, output.sample_rate, layout="stereo")
        self._stream = cast(AudioStream, stream)
        self._encoder = lameenc.Encoder()
        self._encoder.silence()
        self._encoder.set_channels(CHANNELS)
        self._encoder.set_in_sample_rate(output.sample_rate)
        self._encoder.set_out_sample_rate(output.sample_rate)
        self._encoder.set_quality(self._QUALITY)
        if output.bitrate:
            self._stream.bit_rate = output.bitrate * 1000
            self._encoder.set_bit_rate(output.bitrate)
        self._encoder.encode(b"")  # begins, or flush would fail where no samples come
        container.start_encoding()
        self._frames_of = av.CodecContext.create("mp3", "r").parse
        self._samples = self._coded = 0

    def encode(self, samples: npt.NDArray[Any]) -> "list[Packet[AudioStream]]":
        self._samples += len(samples)
        return self._packets(self._encoder.encode(samples.tobytes()))

    def flush(self) -> "list[Packet[AudioStream]]":
        packets = [*self._packets(self._encoder.flush()), *self._packets(None)]
        padding = self._coded - self._DELAY - self._samples
        ends = PacketSideData(packet_sidedata_type_from_literal("skip_samples"), 10)  # type: ignore[call-arg]
        ends.update(struct.pack("<IIBB", self._DELAY, padding, 0, 0))
        packets[-1].set_sidedata(ends)
        return packets

    def _packets(self, coded: bytes | None) -> "list[Packet[AudioStream]]":
        """Cut what LAME wrote into frames; None ends the last."""
        packets = self._frames_of(coded)
        for packet in packets:
            packet.stream = self._stream
            packet.time_base = Fraction(1, self._stream.rate)
            packet.pts = packet.dts = self._coded
            packet.duration = self._FRAME_SAMPLES
            self._coded += self._FRAME_SAMPLES
        return packets
