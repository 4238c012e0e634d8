"""Decodes the one uploaded file to 44.1 kHz float samples, and refuses what is not a whole song."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from media.containers import TRUNCATED, Promise, mpeg_frame_bytes, read_promise
from media.errors import (
    CorruptMediaError,
    EmptyFileError,
    NoAudioError,
    TooLongError,
    TruncatedError,
    UnsupportedMediaError,
)
from media.samples import SAMPLE_RATE, Samples
from media.tags import read_tags

# FFmpeg's names. Playlists and other formats that open further files or addresses are not among them.
_CONTAINERS = "wav,w64,aiff,caf,flac,mp3,aac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
# The codecs of songs and of films' sound. Left alone, FFmpeg decodes pictures too, to learn their size: a
# cover of kilobytes may unpack to gigabytes.
_DECODERS = (
    "aac,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,alac,amrnb,amrwb,dca,eac3,flac,gsm_ms,libopus,mp1,mp1float,mp2,"
    "mp2float,mp3,mp3float,opus,speex,vorbis,"
    + ",".join(n for n in av.codecs_available if n.startswith("pcm_"))
)
_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "codec_whitelist": _DECODERS,
    "protocol_whitelist": "",
    "enable_drefs": "0",
}
# Those below are no sound, but would make gigabytes of it; those above are no song's.
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000
# PyAV before 19 fails on a title that is not UTF-8, unless told to do as PyAV 19 does without being told.
_METADATA: dict[str, Any] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}
)
_SELF_FRAMED = {"mp3", "aac"}  # FFmpeg only estimates the duration of these
_PROTECTED_TAGS = {"drms", "enca"}
_LOUDEST = np.float32(65_536)  # a float file may hold anything; what is as far beyond full scale is no sound
_DAMAGED = "The audio is damaged and cannot be decoded. Export or download it again."
_GAP_SECONDS = 0.5
_PADDING_SECONDS = 0.1  # encoders fill a song up to whole frames, and count that as its length
_BAD_PACKETS = 0.02  # stray tags between frames are common in MP3, and FFmpeg skips them


@dataclass
class _Decoding:
    """What decoding has met so far; `end` is in seconds, by the file's own time stamps."""

    packets: int = 0
    bad_packets: int = 0
    is_last_bad: bool = False
    is_last_cut: bool = False
    end: Fraction | None = None

    def advance(self, frame: AudioFrame) -> None:
        """Take note of a frame.

        Raises
        ------
        CorruptMediaError
            The frames before it are missing: the stems would no longer fit a picture.
        """
        self.is_last_bad = False
        if frame.pts is None or frame.time_base is None:
            return
        start = frame.pts * frame.time_base
        if self.end is not None and start - self.end > _GAP_SECONDS:
            raise CorruptMediaError(_DAMAGED)
        self.end = start + Fraction(frame.samples, frame.sample_rate)


class AudioInput:
    """One song, opened and found to be decodable.

    Attributes
    ----------
    channels, sample_rate : int
        Of the source.
    codec : str
        FFmpeg's name of the source's codec.
    seconds : float
        Decoded so far; after the last block, the source's duration.
    tags : Tags
        Title, artist and album of the source.
    """

    def __init__(self, source: Path, max_seconds: float) -> None:
        """Open `source`.

        Raises
        ------
        EmptyFileError, UnsupportedMediaError, NoAudioError, TruncatedError, CorruptMediaError, TooLongError
        """
        self._max_seconds = max_seconds
        self._size = source.stat().st_size
        if not self._size:
            raise EmptyFileError("The file is empty: it has no bytes. Send it again.")
        with ExitStack() as opened:
            # Opened as a Python file, so that FFmpeg cannot open anything by name.
            self._file = opened.enter_context(source.open("rb"))
            self._promise: Promise = read_promise(self._file, self._size)
            self._file.seek(0)
            self._open(opened)
            self.close = opened.pop_all().close

    def _open(self, opened: ExitStack) -> None:
        try:
            container = av.open(self._file, "r", container_options=_OPTIONS, **_METADATA)
        except MemoryError as error:  # as FFmpeg says, too, of sizes that are none
            raise CorruptMediaError(_DAMAGED) from error
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnsupportedMediaError(
                "This is no audio file that can be read. Send WAV, FLAC, MP3, AAC, Ogg, AIFF, MP4 or WebM."
            ) from error
        self._container = opened.enter_context(container)
        streams = self._container.streams.audio
        if not streams:
            raise NoAudioError("The file has no audio in it. Send one that has sound.")
        stream = self._container.streams.best("audio")
        self._stream = stream if isinstance(stream, AudioStream) else streams[0]
        context = self._stream.codec_context
        if (
            context is None
            or context.codec.name not in _DECODERS.split(",")
            or self._stream.codec_tag in _PROTECTED_TAGS
        ):
            raise UnsupportedMediaError(
                "The audio is copy-protected or in an unknown codec. Send an unprotected WAV, FLAC or MP3."
            )
        self.codec: str = context.codec.canonical_name
        self.sample_rate = context.sample_rate
        self.channels = context.channels
        self.tags = read_tags(self._container.metadata, self._stream.metadata)
        self._samples = Counter[int]()  # by sample rate
        self._declared = self._declared_seconds()
        certain = self._promise.seconds is not None or self._container.format.name not in _SELF_FRAMED
        if certain and self._declared is not None:
            self._refuse_longer_than_allowed(self._declared)

    def _declared_seconds(self) -> float | None:
        if self._promise.seconds is not None:
            return self._promise.seconds
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / av.time_base if self._container.duration else None

    @property
    def seconds(self) -> float:
        return sum(samples / rate for rate, samples in self._samples.items())

    @property
    def expected_seconds(self) -> float:
        """The song's duration, or an estimate of it from how far the file has been read."""
        if self._declared is not None:
            return max(self._declared, self.seconds)
        return self.seconds * self._size / max(1, self._file.tell())

    def blocks(self) -> Iterator[Samples]:
        """Decode the song once.

        Yields
        ------
        ndarray (2, any), float32
            Samples at 44.1 kHz, nominally in +-1. Mono is duplicated; more than two channels are mixed down.

        Raises
        ------
        CorruptMediaError, TruncatedError, TooLongError, EmptyFileError, UnsupportedMediaError
        """
        # A chained stream may change its format midway.
        for _, frames in groupby(self._frames(), key=_format):
            first = next(frames)
            resampler = _resampler(first)
            for frame in chain([first], frames, [None]):
                yield from _resampled(resampler, frame)

    def _frames(self) -> Iterator[AudioFrame]:
        decoding = _Decoding()
        for packet in self._packets():
            if packet.size:
                decoding.packets += 1
                decoding.is_last_cut = self._is_cut(packet)
            try:
                frames = packet.decode()
            except av.FFmpegError:
                decoding.bad_packets += 1
                decoding.is_last_bad = True
                continue
            for frame in frames:
                if not _LOWEST_RATE <= frame.sample_rate <= _HIGHEST_RATE:
                    raise UnsupportedMediaError(
                        f"A sample rate of {frame.sample_rate} Hz is no song's. Export it again at 44,100 Hz."
                    )
                decoding.advance(frame)
                self._samples[frame.sample_rate] += frame.samples
                self.sample_rate = self.sample_rate or frame.sample_rate
                self._refuse_longer_than_allowed(self.seconds)
                yield frame
        self._refuse_incomplete(decoding)

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        try:
            yield from self._container.demux(self._stream)
        except (av.FFmpegError, OSError) as error:
            raise CorruptMediaError(_DAMAGED) from error

    def _is_cut(self, packet: "Packet[AudioStream]") -> bool:
        if self._container.format.name not in _SELF_FRAMED:
            return False
        length = mpeg_frame_bytes(bytes(packet)[:7])
        return length is not None and length > packet.size

    def _refuse_incomplete(self, decoding: "_Decoding") -> None:
        samples, frames = self._promise.samples, self._promise.frames
        is_short = (samples is not None and self._samples.total() < samples) or (
            # Some encoders count the header's own frame.
            frames is not None and decoding.packets < frames - 1
        )
        is_end_reached = (
            samples is not None and decoding.end is not None and decoding.end * self.sample_rate >= samples
        )
        is_damaged_inside = decoding.bad_packets > decoding.is_last_bad
        if decoding.is_last_cut or (is_short and not is_end_reached and not is_damaged_inside):
            raise TruncatedError(TRUNCATED)
        allowed = max(1, _BAD_PACKETS * decoding.packets) if self._samples.total() else 0
        if is_short or decoding.bad_packets > allowed:
            raise CorruptMediaError(_DAMAGED)
        if not self._samples.total():
            raise EmptyFileError("The file has an audio track without any sound in it: 0 samples.")

    def _refuse_longer_than_allowed(self, seconds: float) -> None:
        if seconds > self._max_seconds + _PADDING_SECONDS:
            raise TooLongError(
                f"The song is longer than {self._max_seconds:.0f} s, the most allowed. Send a shorter one."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _resampler(frame: AudioFrame) -> AudioResampler:
    """Mono stays mono, because FFmpeg would change its level; a mix-down is scaled so that it cannot clip."""
    if frame.layout.nb_channels <= 2:
        return AudioResampler("fltp", "mono" if frame.layout.nb_channels == 1 else "stereo", SAMPLE_RATE)
    return AudioResampler("fltp", "stereo", SAMPLE_RATE, options={"rematrix_maxval": "1"})


def _format(frame: AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.layout.name, frame.format.name


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    """Resample a frame; None flushes."""
    try:
        resampled = resampler.resample(frame)
    except av.FFmpegError as error:  # more channels than there is a layout for
        raise UnsupportedMediaError(
            "The audio has channels that cannot be mixed down to stereo. Send mono, stereo or surround."
        ) from error
    for part in resampled:
        if part is not None:  # where there is nothing to resample, flushing gives None back
            yield _samples(part)


def _samples(frame: AudioFrame) -> Samples:
    samples = cast(Samples, frame.to_ndarray())
    if not np.abs(samples).max(initial=0) <= _LOUDEST:  # true of NaN, too
        samples = np.where(np.abs(samples) <= _LOUDEST, samples, np.float32(0))
    return np.repeat(samples, 2, axis=0) if samples.shape[0] == 1 else samples
