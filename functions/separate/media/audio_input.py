"""Decodes the one uploaded file to 44.1 kHz float samples, and refuses what is not a whole song."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from media import tracks
from media.containers import CUT, Promise, truncated
from media.errors import (
    CorruptMediaError,
    EmptyFileError,
    NoAudioError,
    TooLongError,
    TruncatedError,
    UnsupportedMediaError,
)
from media.flac import FlacFrames
from media.frames import Gap
from media.mixing import format_of, resampled, resampler
from media.notices import Notice, Notices, text
from media.packets import DAMAGED, Decoding, OggPages, packets_of, seconds_of
from media.samples import SAMPLE_RATE, Samples
from media.source import SELF_FRAMED, Source
from media.tags import read_tags
from media.timeline import Timeline, silence

# Those below are no sound, but would make gigabytes of it; those above are no song's.
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000
_UNBROKEN = {"flac"}  # numbers its samples, which jump where frames are damaged, and nowhere else
_OF_ONE_RATE = {"wav", "w64", "aiff", "caf"}  # as many bytes for each second
_MISSING_SECONDS = 0.1  # what an end cut amid a frame lacks is less, and sizes are often a little too large
_UNHEARD_SECONDS = 0.001
_PADDING_SECONDS = 0.1  # encoders fill a song up to whole frames, and count that as its length
_PAGE_SECONDS = 1.2  # of Ogg: one that is damaged is lost with all of its packets
_FIRST_PAGES = 3
_BAD_PACKETS = 0.02  # stray tags between frames are common in MP3, and FFmpeg skips them


class _Placed(NamedTuple):
    """A frame, when it begins, and which run of frames with nothing between them it is of."""

    frame: AudioFrame
    start: float
    stretch: int


class AudioInput:
    """One song, opened and found to be decodable.

    Attributes
    ----------
    channels, sample_rate : int
        Of the source.
    codec : str
        FFmpeg's name of the source's codec.
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
        self._notices = Notices()
        with ExitStack() as opened:
            self._source = opened.enter_context(Source(source, max_seconds + _PADDING_SECONDS))
            try:
                self._take_song()
            except (UnsupportedMediaError, NoAudioError) as error:
                if self._source.promise.is_broken:
                    raise TruncatedError(CUT) from error
                raise
            self.close = opened.pop_all().close

    def _take_song(self) -> None:
        source, frames = self._source, self._source.frames
        self._stream = tracks.song_of(source.container, self._notices)
        self._promise: Promise = source.promise
        name = source.container.format.name
        begin = tracks.begin_of(source.container, self._stream)
        if not tracks.is_alone(source.container, self._stream):
            self._open_again()  # what was read of the other tracks is read once more
        declared = self._promise.seconds or (frames and frames.seconds)
        declared = declared or tracks.seconds_of(source.container, self._stream, begin)
        if name == "ogg" and declared and self._is_too_long(declared):
            declared = None  # it may be when the last of several streams ends
        if declared is not None and (self._promise.seconds or frames or name not in SELF_FRAMED):
            self._refuse_longer_than_allowed(declared)
        if declared is None:
            declared = tracks.container_seconds(source.container)
            if declared is not None and self._is_too_long(declared):  # or another track is
                if tracks.goes_on_for(source.container, self._stream, self._max_seconds + _PADDING_SECONDS):
                    self._refuse_longer_than_allowed(declared)
                declared = None
                self._open_again()
            if not tracks.is_alone(source.container, self._stream):
                declared = None
        self._declared = declared
        self._timeline = Timeline(
            begin, is_stamped=not frames and name not in SELF_FRAMED, notices=self._notices
        )
        context = self._stream.codec_context
        self.codec: str = context.codec.canonical_name
        self.sample_rate = context.sample_rate
        self.channels = context.channels
        self.tags = read_tags(source.container.metadata, self._stream.metadata)
        self._refuse_cut()

    def _open_again(self) -> None:
        """Begin with the first packet again."""
        self._source.open_again()
        self._stream = tracks.song_of(self._source.container, Notices())

    def _refuse_cut(self) -> None:
        """Refuse what is cut before it is decoded, where that can be told."""
        promised, promise = self._declared, self._promise
        bit_rate = self._stream.codec_context.bit_rate
        if self._source.container.format.name in _OF_ONE_RATE and bit_rate:
            promised = 8 * promise.bytes / bit_rate
        # Matroska's may be those of a part alone; decoding shows how much there is.
        if (
            promised
            and promise.missing_bytes
            and not self._source.container.format.name.startswith("matroska")
        ):
            missing = promised * promise.missing_bytes / promise.bytes
            if missing > _MISSING_SECONDS:
                raise truncated(promised - missing, promised)

    @property
    def seconds(self) -> float:
        """The song's length so far, with the silence that was filled in; after the last block, all of it."""
        return self._timeline.seconds

    @property
    def expected_seconds(self) -> float:
        """The song's duration, or an estimate of it from how far the file has been read."""
        if self._declared is not None:
            return max(self._declared, self.seconds)
        return self.seconds * self._source.size / max(1, self._source.file.tell())

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What has been filled or left out so far."""
        return self._notices.all()

    def blocks(self) -> Iterator[Samples]:
        """Decode the song once.

        Yields
        ------
        ndarray (2, any), float32
            Samples at 44.1 kHz, nominally in +-1. Mono is duplicated; more than two channels are mixed down.
            There is silence where the file's time stamps leave a hole.

        Raises
        ------
        CorruptMediaError, TruncatedError, TooLongError, EmptyFileError, UnsupportedMediaError
        """
        written = 0
        # A chained stream may change its format midway.
        for _, run in groupby(self._frames(), key=lambda placed: (placed.stretch, format_of(placed.frame))):
            first = next(run)
            start = round(first.start * SAMPLE_RATE)
            yield from silence(start - written)
            twice = max(0, written - start)
            written = max(written, start)
            converter = resampler(first.frame)
            for frame in chain([first.frame], (placed.frame for placed in run), [None]):
                for samples in resampled(converter, frame):
                    fresh = samples[:, twice:]
                    twice -= samples.shape[1] - fresh.shape[1]
                    written += fresh.shape[1]
                    if fresh.shape[1]:
                        yield fresh
        if self._timeline.ends_in_silence:
            yield from silence(round(self.seconds * SAMPLE_RATE) - written)

    def _frames(self) -> Iterator[_Placed]:
        decoding = Decoding()
        source = self._source
        gaps = deque(source.frames.gaps if source.frames else [])
        pages = OggPages(source.file) if source.container.format.name == "ogg" else None
        numbered = FlacFrames() if pages and self.codec == "flac" else None
        for packet in packets_of(source.container, self._stream, source.sound_end):
            if packet is None:
                decoding.stumble()
                continue
            decoding.packets += bool(packet.size)
            if pages and (counted_until := pages.first_page_end(packet)) is not None:
                self._timeline.begin_anew(counted_until if numbered is None else -math.inf)
                if numbered:
                    numbered.begin_anew()
            if numbered and packet.size:
                packet.pts = numbered.first_sample(bytes(packet))
            if pages and decoding.packets == 1:
                self._expect_first_pages(pages.lost_before(packet), packet)
            while gaps and packet.size and source.sound_start + gaps[0].position <= (packet.pos or 0):
                self._pass_over(gaps.popleft(), decoding)
            try:
                frames = packet.decode()
            except av.FFmpegError:
                decoding.bad_packets += 1
                decoding.is_last_bad = True
                self._timeline.lose(
                    seconds_of(packet, packet.duration) or 0.0, seconds_of(packet, packet.pts)
                )
                continue
            for frame in frames:
                if numbered:
                    frame.time_base = Fraction(1, frame.sample_rate)
                yield self._placed(frame, decoding)
        for gap in gaps:
            self._pass_over(gap, decoding)
        self._end(decoding)

    def _expect_first_pages(self, count: int, packet: "Packet[AudioStream]") -> None:
        """Take note of pages missing before the first packet; more are a stream that was joined later."""
        lost = count * _PAGE_SECONDS
        if 0 < count <= _FIRST_PAGES and (seconds_of(packet, packet.pts) or 0.0) <= lost:
            self._timeline.lose_beginning(lost)

    def _pass_over(self, gap: Gap, decoding: Decoding) -> None:
        """Take note of what is no frame, among frames."""
        if gap.frames:
            self._timeline.lose(gap.seconds)
            decoding.lost_frames += gap.frames
            decoding.bad_packets += gap.frames
        elif not gap.is_known:
            self._notices.add(
                "left_out",
                f"{gap.bytes:,} bytes at {self.seconds:.2f} s are no sound: they are left out.",
                0.0,
            )

    def _placed(self, frame: AudioFrame, decoding: Decoding) -> _Placed:
        if not _LOWEST_RATE <= frame.sample_rate <= _HIGHEST_RATE:
            raise UnsupportedMediaError(
                f"A sample rate of {frame.sample_rate} Hz is no song's. Export it again at 44,100 Hz."
            )
        decoding.has_sound, decoding.is_last_bad = True, False
        timeline, filled = self._timeline, self._timeline.filled
        start = timeline.place(frame)
        self.sample_rate = self.sample_rate or frame.sample_rate
        self.channels = self.channels or frame.layout.nb_channels
        if timeline.filled > filled:
            timeline.refuse_holes(self._max_seconds / 2)
            hole = timeline.filled - filled
            is_damage = decoding.has_stumbled and hole > _PAGE_SECONDS
            if is_damage or self._source.container.format.name in _UNBROKEN:
                decoding.bad_packets += round(hole * frame.sample_rate / max(1, frame.samples))
        decoding.has_stumbled = False
        self._refuse_longer_than_allowed(self.seconds)
        decoding.frame_seconds = frame.samples / frame.sample_rate
        if frame.time is not None:
            decoding.stamped_end = frame.time + decoding.frame_seconds
        return _Placed(frame, start, timeline.stretch)

    def _end(self, decoding: Decoding) -> None:
        """Refuse what is no whole song, and say what its end lacks."""
        missing = self._missing_at_the_end(decoding) if decoding.has_sound else 0.0
        # A file that counts its samples shows a last frame that FFmpeg has passed over, and Ogg a last page.
        is_last = self._promise.samples is not None and missing < decoding.frame_seconds + _UNHEARD_SECONDS
        is_last = is_last or (self._promise.is_end_damaged and missing < _PAGE_SECONDS)
        self._timeline.end(missing if is_last else 0.0)
        self._refuse_longer_than_allowed(self.seconds)
        allowed = max(1, _BAD_PACKETS * decoding.packets) if decoding.has_sound else 0
        if decoding.bad_packets > allowed:
            raise CorruptMediaError(DAMAGED)
        if not decoding.has_sound:
            raise EmptyFileError("The file has an audio track without any sound in it: 0 samples.")
        missing = 0.0 if is_last else self._missing_at_the_end(decoding)
        if missing > _MISSING_SECONDS:
            if decoding.bad_packets > decoding.is_last_bad:
                raise CorruptMediaError(DAMAGED)
            raise truncated(self.seconds, self.seconds + missing)
        self._timeline.refuse_holes(self.seconds / 2)
        cut = self._source.frames.cut_seconds if self._source.frames and not decoding.is_last_bad else 0.0
        if cut < missing and self._promise.frames is not None:
            missing_what = "The file has less sound than it says, nobody knows where"
        else:
            missing_what = "The file ends too early"
        missing = max(missing, cut)
        if missing > _UNHEARD_SECONDS:
            self._notices.add("cut_end", f"{missing_what}: {text(missing)} are missing.", missing)

    def _missing_at_the_end(self, decoding: Decoding) -> float:
        """Seconds that the file promises beyond what is there; less than 0 if there is more."""
        promise, missing = self._promise, 0.0
        if promise.frames is not None:
            missing = (promise.frames - decoding.packets - decoding.lost_frames) * promise.frame_seconds
        if promise.samples is not None:
            # Of a clip that was taken out unchanged, they are counted from the beginning of the whole.
            end = max(self.seconds, decoding.stamped_end or 0.0)
            missing = promise.samples / self.sample_rate - end
        if promise.position is not None and self._stream.time_base:
            missing = float(promise.position * self._stream.time_base) - (decoding.stamped_end or 0.0)
        if promise.missing_bytes:
            missing = self.seconds * promise.missing_bytes / max(1, promise.bytes - promise.missing_bytes)
            if self._declared:
                missing = max(missing, self._declared - self.seconds)
        return missing

    def _refuse_longer_than_allowed(self, seconds: float) -> None:
        if self._is_too_long(seconds):
            raise TooLongError(
                f"The song is longer than {self._max_seconds:.0f} s, the most allowed. Send a shorter one."
            )

    def _is_too_long(self, seconds: float) -> bool:
        return seconds > self._max_seconds + _PADDING_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
