"""Where each frame belongs in its song, by its time stamp.

What should hold of a song's time is what FFmpeg's `aresample=async=1:first_pts=0` makes of it: silence where
nothing is, nothing twice, and else sample after sample, however its stamps shake.
"""

import math
from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame

from media.errors import CorruptMediaError
from media.notices import Notices, text
from media.samples import CHANNELS, SAMPLE_RATE, Samples

_LEAST = 0.001  # Matroska's stamps are in milliseconds
_DRIFT = 0.1  # FFmpeg's tolerance: what clocks of recorders and rounded stamps add up to
_HOLE = 0.015  # a step that no rounding is
_PACKET = 0.7  # a packet that is missing is a step of all that it lasts, and clocks shake by less
_BACK_TO_THE_START = 1.0  # farther back than sound overlaps: a stream that begins anew


class Timeline:
    """Lays frames out one after another, and says of each where it goes.

    Parameters
    ----------
    begin : float or None
        The file's time at which the song begins, or earlier if the sound does; None if only the sound says.
    is_stamped : bool
        Whether time stamps are the file's own. If not, they are FFmpeg's count of frames, and say nothing.
    notices : Notices
        Is told of what is filled or left out.

    Attributes
    ----------
    seconds : float
        How long the song is so far.
    filled : float
        How much of that is silence in the place of something missing; silence before the sound is not.
    stretch : int
        Counts the runs of frames that follow each other without silence between them.
    ends_in_silence : bool
        Whether the last frame is not the end.
    """

    def __init__(self, begin: float | None, *, is_stamped: bool, notices: Notices) -> None:
        self.seconds = 0.0
        self.filled = 0.0
        self.stretch = 0
        self.ends_in_silence = False
        self._zero = begin
        self._is_stamped = is_stamped
        self._is_new = False
        self._counted_until = -math.inf  # stamps up to this one may be FFmpeg's count
        self._notices = notices
        self._next = 0.0  # where the next frame goes if it follows at once
        # Counted in samples while that goes, for fractions of seconds do not add up.
        self._begun, self._samples, self._rate = 0.0, 0, 0
        self._stamped_end: float | None = None
        self._lost: float | None = None  # seconds of packets since the last frame that gave none
        self._first_filled = 0.0

    def begin_anew(self, counted_until: float) -> None:
        """What comes follows on, whatever its time stamps say, up to one of them."""
        self._is_new = self._stamped_end is not None
        self._counted_until = counted_until

    def lose(self, seconds: float, stamp: float | None = None) -> None:
        """Take note of a packet, or of several, of which nothing, or not all, could be decoded."""
        self._lost = (self._lost or 0.0) + seconds
        if self._zero is None and self._is_stamped:
            self._zero = stamp

    def lose_beginning(self, seconds: float) -> None:
        """Take note that there was sound from 0 on, of so many seconds at most."""
        if self._zero is None:
            self._zero = 0.0
        self.lose(seconds)

    def place(self, frame: AudioFrame) -> float:
        """Where a frame goes, in seconds. Less than `seconds`: it begins with what has been there before."""
        is_first, lost = self._stamped_end is None, self._lost
        lag = self._lag(frame)
        if lag > 0:
            is_lead = is_first and lag > (lost or 0.0) + _LEAST
            self._fill(lag, is_lead=is_lead, is_damage=lost is not None)
        elif lag < 0:
            self._notices.add(
                "overlap",
                f"{text(-lag)} of the sound are there twice at {self._next + lag:.2f} s: the first is kept.",
                -lag,
            )
        if lag:
            self.stretch += 1
        start = self._next + min(lag, 0.0)
        if lag or frame.sample_rate != self._rate:
            self._begun, self._samples, self._rate = start, 0, frame.sample_rate
        self._samples += frame.samples
        self._next = self._begun + self._samples / self._rate
        self.seconds = max(self.seconds, self._next)
        return start

    def end(self, lost: float = 0.0) -> None:
        """Fill what was lost at the end, by the packets, or by what is known besides."""
        lost = max(lost, self._lost or 0.0)
        if lost > 0:
            self.ends_in_silence = True
            self._fill(lost, is_damage=True)

    def refuse_holes(self, allowed: float) -> None:
        """Refuse a song of which more than `allowed` seconds are missing.

        Raises
        ------
        CorruptMediaError
        """
        if self.filled > allowed:
            raise CorruptMediaError(
                f"Most of the sound is missing: {self.filled:.1f} s of {self.seconds:.1f} s, "
                f"from {self._first_filled:.1f} s on. Record or download it again."
            )

    def _lag(self, frame: AudioFrame) -> float:
        """Seconds by which a frame belongs later than at once after the last one; less than 0 is earlier."""
        lost, self._lost = self._lost, None
        stamp, seconds = frame.time, frame.samples / frame.sample_rate
        if not self._is_stamped or stamp is None:
            if self._stamped_end is not None:
                self._stamped_end += (lost or 0.0) + seconds
            return lost or 0.0
        last_end, self._stamped_end = self._stamped_end, stamp + seconds
        if self._zero is None or (last_end is None and stamp < self._zero + self._next):
            self._zero = stamp - self._next
        late = stamp - self._zero - self._next
        is_counted = last_end is not None and stamp < self._counted_until + _LEAST
        if self._is_new or is_counted:
            self._is_new = False
            self._zero += late
            return 0.0
        if late > 0:
            if last_end is None or lost is not None:
                tolerance = _LEAST
            else:
                hole = min(_DRIFT, max(_HOLE, _PACKET * seconds))
                tolerance = hole if stamp - last_end > hole else _DRIFT
            return late if late > tolerance else 0.0
        if late >= -_DRIFT:
            return 0.0
        if late < -_BACK_TO_THE_START:
            self._zero += late
            return 0.0
        return late

    def _fill(self, seconds: float, *, is_lead: bool = False, is_damage: bool = False) -> None:
        if is_lead:
            self._notices.add(
                "starts_late",
                f"The sound begins {text(seconds)} after the picture: silence is before it.",
                seconds,
            )
        else:
            code, what = ("damaged", "damaged") if is_damage else ("gap", "missing")
            self._notices.add(
                code,
                f"{text(seconds)} of the sound are {what} at {self._next:.2f} s: silence is in their place.",
                seconds,
            )
            self._first_filled = self._first_filled if self.filled else self._next
            self.filled += seconds
        self._next += seconds
        self.seconds = max(self.seconds, self._next)


def silence(count: int) -> Iterator[Samples]:
    """So many samples of it, about a second at a time; none if the count is less than 0."""
    for start in range(0, count, SAMPLE_RATE):
        yield np.zeros((CHANNELS, min(SAMPLE_RATE, count - start)), np.float32)
