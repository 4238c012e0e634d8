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
_PAGE_HEAD = 27
_FARTHEST = 1 << 18
_MOST_BREAKS = 100  # a stream that cannot be read on ends in one after the other


@dataclass
class Decoding:
    """What decoding has met so far."""

    packets: int = 0
    bad_packets: int = 0
    lost_frames: int = 0  # that are no packets
    has_sound: bool = False
    is_last_bad: bool = False
    stamped_end: float | None = None
    frame_seconds: float = 0.0  # of the last one
    has_stumbled: bool = False  # over bytes since the last frame

    def stumble(self) -> None:
        """FFmpeg could make nothing of what is there, and goes on behind it."""
        self.bad_packets += 1
        self.has_stumbled = True


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


def seconds_of(packet: "Packet[AudioStream]", units: int | None) -> float | None:
    """A packet's duration or time stamp in seconds; None if it has none."""
    return float(units * packet.time_base) if units is not None and packet.time_base else None


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

    def lost_before(self, packet: "Packet[AudioStream]") -> int:
        """How many pages are missing between a file's headers and its first packet, by their numbers."""
        start = packet.pos or 0
        head = self._file.peek(start, _PAGE_HEAD)
        before = max(0, start - _FARTHEST)
        headers = self._file.peek(before, start - before)
        last = headers.rfind(bytes(8) + head[14:18])  # of the same stream, and no time yet
        if last < 6 or headers[last - 6 : last - 2] != b"OggS":
            return 0
        number = int.from_bytes(headers[last + 12 : last + 16], "little")
        return int.from_bytes(head[18:22], "little") - number - 1
