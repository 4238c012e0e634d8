"""Decoded frames to samples at 44.1 kHz of two channels."""

from collections.abc import Iterator
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler

from media.errors import UnsupportedMediaError
from media.samples import CHANNELS, SAMPLE_RATE, Samples

_LOUDEST = np.float32(65_536)  # a float file may hold anything; what is as far beyond full scale is no sound
# FFmpeg's, of the channels of a layout.
_ORDER = (  # noqa: SIM905
    "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR DL DR WL WR SDL SDR LFE2 TSL TSR"
    " BFC BFL BFR"
).split()


def in_order_of_its_own(layout: AudioLayout) -> bool:
    """Whether the channels are those of a usual layout, but in another order: PyAV breaks on their frames."""
    names = [channel.name for channel in layout.channels]
    known = [name for name in names if name in _ORDER]
    return known != sorted(known, key=_ORDER.index)


def require_mixable(layout: AudioLayout) -> None:
    """Refuse channels of which nobody knows what each is.

    Raises
    ------
    UnsupportedMediaError
    """
    frame = AudioFrame("fltp", layout, 1)
    frame.sample_rate = SAMPLE_RATE
    list(resampled(resampler(frame), frame))


def format_of(frame: AudioFrame) -> tuple[int, str, str]:
    """What a resampler is made for."""
    return frame.sample_rate, frame.layout.name, frame.format.name


def resampler(frame: AudioFrame) -> AudioResampler:
    """One for frames like this.

    One channel is mono, and two are left and right, whatever the file says of them: by that, FFmpeg would mix
    them at another level, or leave one out. A mix-down of more is scaled so that it cannot clip.
    """
    if frame.layout.nb_channels <= CHANNELS:
        return AudioResampler("fltp", frame.layout, SAMPLE_RATE)
    return AudioResampler("fltp", "stereo", SAMPLE_RATE, options={"rematrix_maxval": "1"})


def resampled(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    """Resample a frame; None flushes.

    Yields
    ------
    ndarray (2, any), float32

    Raises
    ------
    UnsupportedMediaError
    """
    try:
        parts = resampler.resample(frame)
    except av.FFmpegError as error:
        count = frame.layout.nb_channels if frame else 0
        raise UnsupportedMediaError(
            f"The audio has {count} channels, and nothing says what each of them is, so they cannot be mixed "
            "down. Send mono, stereo, or surround of up to 8 channels."
        ) from error
    for part in parts:
        if part is not None:  # where there is nothing to resample, flushing gives None back
            yield _samples(part)


def _samples(frame: AudioFrame) -> Samples:
    samples = cast(Samples, frame.to_ndarray())
    if not np.abs(samples).max(initial=0) <= _LOUDEST:  # true of NaN, too
        samples = np.where(np.abs(samples) <= _LOUDEST, samples, np.float32(0))
    return np.repeat(samples, 2, axis=0) if samples.shape[0] == 1 else samples
