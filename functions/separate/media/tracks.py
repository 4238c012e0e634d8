"""The tracks of a file: which of them is the song, when it begins, and how long the file says that it is."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream

from media.edges import Window
from media.errors import CorruptMediaError, NoAudioError, UnsupportedMediaError
from media.mixing import in_order_of_its_own, require_mixable
from media.notices import Notices
from media.packets import DAMAGED
from media.samples import CHANNELS

# The codecs of songs and of films' sound. Left alone, FFmpeg decodes pictures too, to learn their size: a
# cover of kilobytes may unpack to gigabytes.
DECODERS = (
    "aac,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,alac,amrnb,amrwb,dca,eac3,flac,gsm_ms,libopus,mp1,mp1float,mp2,"
    "mp2float,mp3,mp3float,opus,speex,vorbis,"
    + ",".join(n for n in av.codecs_available if n.startswith("pcm_"))
)
# FFmpeg's names. Playlists and other formats that open further files or addresses are not among them.
_CONTAINERS = "wav,w64,aiff,caf,flac,mp3,aac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "codec_whitelist": DECODERS,
    "protocol_whitelist": "",
    "enable_drefs": "0",
}
# PyAV before 19 fails on a title that is not UTF-8, unless told to do as PyAV 19 does without being told.
_METADATA: dict[str, Any] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}
)
_NAMES = frozenset(DECODERS.split(","))
_FIRST_PACKETS = 40  # more than the pictures between which the first one may be
_PROTECTED_TAGS = {"drms", "enca"}
# A clip of a stream may say when it ends, and not how long it is.
_ENDS_BY_THE_CLOCK = {"flac", "ogg", "matroska,webm"}


def opened(file: Window) -> InputContainer:
    """Have FFmpeg open a file.

    Raises
    ------
    CorruptMediaError, UnsupportedMediaError
    """
    file.seek(0)
    try:
        container: InputContainer = av.open(file, "r", container_options=_OPTIONS, **_METADATA)
        return container
    except MemoryError as error:  # as FFmpeg says, too, of sizes that are none
        raise CorruptMediaError(DAMAGED) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnsupportedMediaError(
            "This is no audio file that can be read. Send WAV, FLAC, MP3, AAC, Ogg, AIFF, MP4 or WebM."
        ) from error


def codecs_of(container: InputContainer) -> set[str]:
    """FFmpeg's names of the codecs of its sound."""
    contexts = (stream.codec_context for stream in container.streams.audio)
    return {context.codec.canonical_name for context in contexts if context}


def song_of(container: InputContainer, notices: Notices) -> AudioStream:
    """The track that is the song: the best that can be decoded.

    Raises
    ------
    NoAudioError, UnsupportedMediaError
    """
    streams = container.streams.audio
    if not streams:
        raise NoAudioError("The file has no audio in it. Send one that has sound.")
    decodable = [stream for stream in streams if _is_decodable(stream)]
    if not decodable:
        raise UnsupportedMediaError(
            "The audio is copy-protected or in an unknown codec. Send an unprotected WAV, FLAC or MP3."
        )
    best = container.streams.best("audio")
    song = next((stream for stream in decodable if best and stream.index == best.index), None)
    if song is None:
        song = max(
            decodable,
            key=lambda it: (bool(it.disposition & Disposition.default), it.codec_context.bit_rate or 0),
        )
        notices.add(
            "track_left_out",
            f"Of {len(streams)} sound tracks the one meant to be heard cannot be decoded: another is taken.",
            0.0,
        )
    context = song.codec_context
    # Asked for once: PyAV frees the layout of channels in an order of their own as often as it is asked for.
    layout = context.layout
    channels = layout.nb_channels
    if channels > CHANNELS and in_order_of_its_own(layout):
        context.layout = "mono"  # what frees no memory a second time
        names = ", ".join(channel.name for channel in layout.channels)
        raise UnsupportedMediaError(
            f"The audio has {channels} channels in an order that cannot be mixed down: {names}. "
            "Export it as stereo, or as surround in WAV or FLAC."
        )
    if channels > CHANNELS:
        require_mixable(layout)
    elif channels:
        # One is mono and two are left and right, whatever the file says of them.
        context.layout = "mono" if channels == 1 else "stereo"
    return song


def begin_of(container: InputContainer, song: AudioStream) -> float | None:
    """When the first of the other tracks of sound and of moving pictures begins; None if there is none.

    Of Matroska it reads the first packets, for nothing else there says when a track of pictures begins that
    are not in the order in which they are shown: FFmpeg has it begin with the song.
    """
    others = [stream for stream in _others(container, song) if stream.type in ("audio", "video")]
    if others and container.format.name.startswith("matroska"):
        times = list(_first_stamps(container, others))
    else:
        times = [
            float(stream.start_time * stream.time_base)
            for stream in others
            if stream.start_time is not None and stream.time_base
        ]
    return max(0.0, min(times)) if times else None  # what is before 0 is not for being heard


def _first_stamps(container: InputContainer, streams: list[Stream]) -> Iterator[float]:
    try:
        for packet in islice(container.demux(streams), _FIRST_PACKETS):
            if packet.pts is not None and packet.time_base:
                yield float(packet.pts * packet.time_base)
    except (av.FFmpegError, OSError):
        pass  # decoding will meet it, too, and say what it is


def is_alone(container: InputContainer, song: AudioStream) -> bool:
    """Whether nothing else in the file takes time."""
    return not _others(container, song)


def _others(container: InputContainer, song: AudioStream) -> list[Stream]:
    return [
        stream
        for stream in container.streams
        if stream.index != song.index
        and stream.type != "attachment"
        and not stream.disposition & Disposition.attached_pic
    ]


def seconds_of(container: InputContainer, song: AudioStream, begin: float | None) -> float | None:
    """How long the song is from its beginning on, by what the file says of this track; None if nothing."""
    if not song.duration or not song.time_base:
        return None
    codec = song.codec_context.name
    if (container.format.name, codec) == ("ogg", "flac"):
        return None  # FFmpeg does not know when it begins
    start, seconds = float((song.start_time or 0) * song.time_base), float(song.duration * song.time_base)
    lead = max(0.0, start - begin) if begin is not None else 0.0
    return (seconds if codec == "vorbis" else _length(container, seconds, start)) + lead


def container_seconds(container: InputContainer) -> float | None:
    """How long a file says that it is, which may be any of its tracks."""
    if not container.duration:
        return None
    return _length(container, container.duration / av.time_base, (container.start_time or 0) / av.time_base)


def goes_on_for(container: InputContainer, song: AudioStream, seconds: float) -> bool:
    """Whether the track has so many seconds of sound, by its packets; reads as far as that takes."""
    found = 0.0
    try:
        for packet in container.demux(song):
            if packet.duration and packet.time_base:
                found += float(packet.duration * packet.time_base)
            if found > seconds:
                return True
    except (av.FFmpegError, OSError):
        pass  # decoding will meet it, too, and say what it is
    return False


def _is_decodable(stream: AudioStream) -> bool:
    context = stream.codec_context
    return context is not None and context.codec.name in _NAMES and stream.codec_tag not in _PROTECTED_TAGS


def _length(container: InputContainer, seconds: float, start: float) -> float:
    is_end = container.format.name in _ENDS_BY_THE_CLOCK and 0 < start < seconds
    return seconds - start if is_end else seconds
