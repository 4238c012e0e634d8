"""MIDI files of bytes, as programs write them and as nobody should."""

import struct
from collections.abc import Iterable

END = b"\x00\xff\x2f\x00"


def number(value: int) -> bytes:
    """A number of variable length."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


def after(ticks: int, message: bytes) -> bytes:
    """A message, so many ticks after the one before it."""
    return number(ticks) + message


def meta(kind: int, content: bytes) -> bytes:
    return bytes([0xFF, kind]) + number(len(content)) + content


def named(name: str) -> bytes:
    return after(0, meta(0x03, name.encode()))


def tempo(quarter: int, ticks: int = 0) -> bytes:
    """From so many ticks later, a quarter note takes so many microseconds."""
    return after(ticks, meta(0x51, quarter.to_bytes(3)))


def signature(over: int, power: int, ticks: int = 0) -> bytes:
    return after(ticks, meta(0x58, bytes([over, power, 24, 8])))


def note(pitch: int, ticks: int = 480, channel: int = 0, velocity: int = 100, wait: int = 0) -> bytes:
    """A note of so many ticks, after a wait of so many."""
    on = bytes([0x90 | channel, pitch, velocity])
    return after(wait, on) + after(ticks, bytes([0x80 | channel, pitch, 0]))


def chunk(name: bytes, content: bytes, declared: int | None = None) -> bytes:
    """A chunk that says that it has `declared` bytes, or says the truth."""
    return name + struct.pack(">I", len(content) if declared is None else declared) + content


def head(kind: int, tracks: int, division: int = 480) -> bytes:
    return chunk(b"MThd", struct.pack(">HHH", kind, tracks, division))


def file(*tracks: Iterable[bytes], kind: int = 1, division: int = 480) -> bytes:
    """A file of tracks, each of which is events without an end."""
    chunks = [chunk(b"MTrk", b"".join(track) + END) for track in tracks]
    return head(kind, len(chunks), division) + b"".join(chunks)
