"""A song's packets, and what FFmpeg does not say of them: what it passes over, where a stream begins anew."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from media.edges import Window
from media.errors import CorruptMediaError

DAMAGED = "The audio is damaged and cannot be decoded. Export or download it again."
_MOST_BREAKS = 100  # a stream that cannot be read on ends in one after the other
_HEAD = 16  # bytes by which a frame is known again
_FARTHEST = 1 << 16


@dataclass
class Decoding:
    """What decoding has met so far."""

    packets: int = 0
    bad_packets: int = 0
    lost_frames: int = 0  # before the next one, if that is one
    hidden_frames: int = 0
    hidden_frames_behind: int = 0  # the last one, if more comes
    has_sound: bool = False
    is_last_bad: bool = False
    cut_seconds: float = 0.0
    stamped_end: float | None = None
    frame_seconds: float = 0.0  # of the last one
    has_stumbled: bool = False  # over bytes since the last frame

    def stumble(self) -> None:
        """FFmpeg could make nothing of what is there, and goes on behind it."""
        self.bad_packets += 1
        self.has_stumbled = True

    def count_lost(self) -> None:
        """There were frames before this one."""
        self.hidden_frames += self.lost_frames
        self.bad_packets += self.lost_frames
        self.lost_frames = 0


def packets_of(
    container: InputContainer, stream: AudioStream, end: int
) -> "Iterator[Packet[AudioStream] | None]":
    """The packets that begin before `end`, in bytes; None where FFmpeg stumbles, and is told to go on.

    Raises
    ------
    CorruptMediaError
        It does nothing but stumble.
    """
    is_broken = False
    for _ in range(_MOST_BREAKS):
        try:
            for packet in container.demux(stream):
                if packet.pos is None or packet.pos < end:
                    if is_broken and packet.size:  # what is behind all sound is no damage to it
                        is_broken = False
                        yield None
                    yield packet
        except av.InvalidDataError:
            is_broken = True
        except (av.FFmpegError, OSError) as error:
            raise CorruptMediaError(DAMAGED) from error
        else:
            return
    raise CorruptMediaError(DAMAGED)


class AdtsFrames:
    """Finds what FFmpeg has passed over between two frames of AAC, of which its positions say nothing."""

    def __init__(self, file: Window, start: int) -> None:
        self._file = file
        self._position: int | None = start

    def passed_over(self, frame: bytes) -> bytes:
        """What is in the file between the last frame and this one."""
        if self._position is None:
            return b""
        head, skipped = frame[:_HEAD], b""
        if self._file.peek(self._position, len(head)) != head:
            rest = self._file.peek(self._position, _FARTHEST)
            found = rest.find(head)
            if found < 0:
                self._position = None
                return b""
            skipped = rest[:found]
        self._position += len(skipped) + len(frame)
        return skipped


class OggPages:
    """Finds where streams begin: a file of Ogg may have several in a row, each with a time of its own."""

    def __init__(self, file: Window) -> None:
        self._file = file
        self._page: int | None = None

    def first_page_end(self, packet: "Packet[AudioStream]") -> float | None:
        """When a stream's first page ends, of its first packet; None of all others.

        Up to there FFmpeg may have counted, from 0 or from the last stream on, instead of reading.
        """
        last, self._page = self._page, packet.pos
        if self._page is None or last == self._page or not packet.time_base:
            return None
        if last is not None and b"OggS\0\2" not in self._file.peek(last, self._page - last):
            return None
        position = int.from_bytes(self._file.peek(self._page + 6, 8), "little", signed=True)
        return float(position * packet.time_base)
