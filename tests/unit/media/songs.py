"""Songs made on the spot, in every container, and the reading of stems."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

Samples = npt.NDArray[np.float32]


class Kind(NamedTuple):
    """A kind of audio file: its ending, FFmpeg's codec and muxer, and the muxer's options."""

    ending: str
    codec: str
    muxer: str
    sample_rate: int = 44_100
    options: dict[str, str] = {}  # noqa: RUF012


KINDS = {
    "wav": Kind("wav", "pcm_s16le", "wav"),
    "wav of float": Kind("wav", "pcm_f32le", "wav"),
    "wav of 24 bits": Kind("wav", "pcm_s24le", "wav"),
    "wav of mu-law": Kind("wav", "pcm_mulaw", "wav"),
    "wav of adpcm": Kind("wav", "adpcm_ms", "wav"),
    "rf64": Kind("wav", "pcm_s16le", "wav", options={"rf64": "always"}),
    "w64": Kind("w64", "pcm_s16le", "w64"),
    "aiff": Kind("aiff", "pcm_s16be", "aiff"),
    "caf": Kind("caf", "pcm_s16be", "caf"),
    "flac": Kind("flac", "flac", "flac"),
    "mp3": Kind("mp3", "libmp3lame", "mp3"),
    "mp3 without a header": Kind("mp3", "libmp3lame", "mp3", options={"write_xing": "0"}),
    "aac": Kind("aac", "aac", "adts"),
    "ogg opus": Kind("ogg", "libopus", "ogg", 48_000),
    "ogg vorbis": Kind("ogg", "vorbis", "ogg"),
    "ogg flac": Kind("ogg", "flac", "ogg"),
    "m4a": Kind("m4a", "aac", "ipod"),
    "m4a of alac": Kind("m4a", "alac", "ipod"),
    "mp4, index first": Kind("mp4", "aac", "mp4", options={"movflags": "faststart"}),
    "mp4, in fragments": Kind(
        "mp4", "aac", "mp4", options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"}
    ),
    "mov": Kind("mov", "pcm_s16le", "mov"),
    "matroska": Kind("mkv", "flac", "matroska"),
    "webm": Kind("webm", "libopus", "webm", 48_000),
    "webm, live": Kind("webm", "libopus", "webm", 48_000, {"live": "1"}),
}


def noise(seconds: float, *, channels: int = 2, seed: int = 0, sample_rate: int = 44_100) -> Samples:
    """Noise with a beat, peaks below full scale: nothing that an encoder could leave out."""
    count = round(seconds * sample_rate)
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, count)).astype(np.float32)
    samples *= (0.3 + 0.7 * (np.arange(count) // (sample_rate // 4) % 2)).astype(np.float32)
    return samples


def beats(seconds: int, *, sample_rate: int = 44_100) -> Samples:
    """Soft noise with a loud burst of 5 ms at each whole second: what is shifted or missing shows."""
    samples = noise(seconds, sample_rate=sample_rate) * np.float32(0.05)
    burst = 0.9 * np.sin(2 * np.pi * 2_000 * np.arange(sample_rate // 200) / sample_rate)
    for second in range(seconds):
        start = second * sample_rate
        samples[:, start : start + len(burst)] = burst
    return samples


def beats_in(samples: npt.NDArray[Any]) -> list[float]:
    """When the bursts are, in seconds, of samples at 44.1 kHz."""
    loud = np.flatnonzero(np.abs(samples[0]) > 0.3)
    firsts = loud[np.diff(loud, prepend=-44_100) > 11_025]
    return [float(first) / 44_100 for first in firsts]


def tone(seconds: float, hertz: float = 1000.0, *, sample_rate: int = 44_100) -> Samples:
    """A sine on both channels."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sample_rate)) / sample_rate)
    return np.stack([wave, wave]).astype(np.float32)


def write(
    path: Path,
    samples: Samples,
    kind: Kind = KINDS["wav of float"],
    layout: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Encode samples of shape (channels, any)."""
    names = {1: "mono", 2: "stereo", 6: "5.1"}
    layout = layout or names[samples.shape[0]]
    with av.open(path, "w", format=kind.muxer, options=kind.options) as container:
        container.metadata.update(tags or {})
        # FFmpeg calls its own encoder of Vorbis experimental.
        strict = {"strict": "experimental"}
        stream: Any = container.add_stream(kind.codec, kind.sample_rate, options=strict, layout=layout)
        for start in range(0, samples.shape[1], 20_000):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 20_000]), "fltp", layout
            )
            frame.sample_rate = kind.sample_rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def copy(
    source: Path,
    target: Path,
    muxer: str,
    *,
    keep: Callable[[float], bool] = lambda seconds: True,
    late: Callable[[float], float] = lambda seconds: 0.0,
    picture: bool = False,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Copy the packets whose time is to be kept, each so many seconds later; with a film of 2 s if wanted."""
    with av.open(source) as reader, av.open(target, "w", format=muxer, options=dict(options or {})) as writer:
        if picture:
            film: Any = writer.add_stream("libx264", 25)
            film.width, film.height, film.pix_fmt = 64, 64, "yuv420p"
            film.codec_context.max_b_frames = 2  # as films of recorders are
        sound = writer.add_stream_from_template(reader.streams.audio[0])
        if picture:
            for _ in range(50):
                writer.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
            writer.mux(film.encode(None))
        for packet in reader.demux(audio=0):
            if packet.pts is None or packet.dts is None:
                continue
            seconds = float(packet.pts * packet.time_base)
            if keep(seconds):
                shift = round(late(seconds) / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, sound
                writer.mux(packet)
    return target


def two_tracks(
    path: Path, first: Samples, second: Samples, rates: tuple[int, int], muxer: str | None = None
) -> Path:
    """A film of two sound tracks of AAC; the one of more bits is FFmpeg's choice."""
    with av.open(path, "w", format=muxer) as container:
        streams: list[Any] = [container.add_stream("aac", 44_100, layout="stereo") for _ in rates]
        for stream, rate in zip(streams, rates, strict=True):
            stream.bit_rate = rate
            stream.disposition = Disposition.default
        for stream, samples in zip(streams, (first, second), strict=True):
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
            frame.sample_rate = 44_100
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def with_subtitles(path: Path, seconds: float, last: float, name: str = "flac") -> Path:
    """Matroska with a last subtitle at a time."""
    kind = KINDS[name]
    song = write(path.with_name("song." + kind.ending), noise(seconds), kind)
    with av.open(song) as reader, av.open(path, "w", format="matroska") as writer:
        stream = writer.add_stream_from_template(reader.streams.audio[0])
        text: Any = writer.add_mux_stream("subrip")
        for packet in reader.demux(audio=0):
            if packet.pts is not None:
                packet.stream = stream
                writer.mux(packet)
        line = av.Packet(b"la")
        line.stream, line.time_base = text, text.time_base
        line.pts = line.dts = round(last / text.time_base)
        line.duration = round(1 / text.time_base)
        writer.mux(line)
    return path


def write_video(path: Path, *, seconds: float = 0.4) -> Path:
    """A film without sound."""
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("mpeg4", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(round(25 * seconds)):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_subtitled(path: Path) -> Path:
    """A song with a track of its words."""
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("flac", 44_100, layout="stereo")
        words: Any = container.add_stream("srt")
        words.codec_context.subtitle_header = b"[Events]\nFormat: Layer, Start, End, Text\n"
        frame = av.AudioFrame.from_ndarray(noise(1), "fltp", "stereo")
        frame.sample_rate = 44_100
        frame.pts = 0
        converter = av.AudioResampler("s16", "stereo", 44_100)
        for converted in converter.resample(frame):
            container.mux(stream.encode(converted))
        word = av.Packet(b"la")
        word.stream, word.pts, word.dts, word.duration = words, 0, 0, 1000
        container.mux(word)
        container.mux(stream.encode(None))
    return path


def read(path: Path) -> npt.NDArray[np.float64]:
    """Decode a stem to float64 in +-1, shape (channels, any)."""
    with av.open(path) as container:
        frames = [
            frame.to_ndarray().reshape(
                (frame.layout.nb_channels, -1), order="A" if frame.format.is_planar else "F"
            )
            for frame in container.decode(audio=0)
        ]
    samples = np.concatenate(frames, axis=1)
    full_scale = 1 if samples.dtype.kind == "f" else 2 ** (8 * samples.dtype.itemsize - 1)
    return samples.astype(np.float64) / full_scale


def tags(path: Path) -> dict[str, str]:
    """A file's tags, by FFmpeg's names in small letters."""
    with av.open(path) as container:
        return {name.lower(): value for name, value in container.metadata.items()}


def describe(path: Path) -> tuple[str, int, int]:
    """Codec, sample rate and bit rate of a file's audio."""
    with av.open(path) as container:
        context = container.streams.audio[0].codec_context
        return context.codec.canonical_name, context.sample_rate, context.bit_rate or 0
