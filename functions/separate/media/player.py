"""What a page needs to play and draw one stem: a FLAC to take pieces of, an index of it, and peaks.

The FLAC's frames are a tenth of a second long, and the index says at which byte each begins. The file's head
with any run of frames behind it is a FLAC file too: a page fetches what it is about to play, decodes that by
itself, and puts the pieces together to the sample. docs/player.md has the index's layout and an example.

Samples are of 16 bits, in a stream of 24. Of a stream of 16, Chromium divides positive samples by 32,767 and
negative ones by 32,768; those of 24 bits it decodes exactly.
"""

import struct
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet

from media.audio_output import quantize
from media.peaks import Peaks
from media.samples import Samples

FRAMES_PER_SECOND = 10

_INDEX_VERSION = 1


class PlayerFiles(NamedTuple):
    """Where a stem's files are."""

    audio: Path
    byte_index: Path
    peaks: Path

    @classmethod
    def of_stem(cls, folder: Path, stem: str) -> Self:
        """Named after the stem, and none as the stem's own file, which may be a FLAC too."""
        return cls(
            folder / f"{stem}.player.flac", folder / f"{stem}.player.index", folder / f"{stem}.peaks.dat"
        )


class PlayerWriter:
    """The files of a stem being written. None is left behind unless all are finished.

    Parameters
    ----------
    files : PlayerFiles
    sample_rate : {44100, 48000}
        In Hz.
    gain_db : float
        What samples are turned up by.
    """

    def __init__(self, files: PlayerFiles, sample_rate: int, gain_db: float = 0.0) -> None:
        self._files = files
        self._sample_rate = sample_rate
        self._frame = sample_rate // FRAMES_PER_SECOND
        self._gain = 10 ** (gain_db / 20)
        self._peaks = Peaks(sample_rate)
        self._samples = 0
        self._sizes: list[int] = []  # of frames, in bytes
        self._finished = False
        # A short head: no padding, nor the encoder's version.
        self._container = av.open(
            files.audio,
            "w",
            format="flac",
            container_options={"metadata_header_padding": "0", "fflags": "+bitexact"},
        )
        # Its codec takes 32 bits, and leaves out the lowest eight.
        self._stream = self._container.add_stream(
            "flac",
            sample_rate,
            layout="stereo",
            format="s32",
            options={"frame_size": str(self._frame)},
        )

    def write(self, samples: Samples) -> None:
        """Append samples, shape (any, 2), float32."""
        if not len(samples):
            return
        rounded = quantize(samples, 16, self._gain).astype(np.int16, copy=False)
        self._peaks.add(rounded)
        frame = av.AudioFrame.from_ndarray(rounded.reshape(1, -1).astype(np.int32) << 16, "s32", "stereo")
        frame.sample_rate = self._sample_rate
        frame.pts = self._samples
        self._samples += len(samples)
        self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Complete the files.

        Raises
        ------
        OSError
            The disk is full, for one.
        struct.error
            The FLAC has 4 GiB or more, which is beyond the index.
        """
        self._mux(self._stream.encode(None))
        self._container.close()
        with self._files.audio.open("rb") as audio:
            head = audio.read(self._files.audio.stat().st_size - sum(self._sizes))
        self._files.byte_index.write_bytes(self._index(head))
        self._files.peaks.write_bytes(self._peaks.file())
        self._finished = True

    def close(self) -> None:
        """Let go of the files, and delete them if they are not finished."""
        try:
            self._container.close()
        finally:
            if not self._finished:
                for path in self._files:
                    path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mux(self, packets: "Iterable[Packet[AudioStream]]") -> None:
        for packet in packets:
            if packet.size:  # the last has none: it brings the totals and the MD5 for the head
                self._sizes.append(packet.size)
            self._container.mux(packet)

    def _index(self, head: bytes) -> bytes:
        offsets = tuple(accumulate(self._sizes, initial=len(head)))
        numbers = (_INDEX_VERSION, self._sample_rate, self._frame, self._samples, *offsets)
        return struct.pack(f"<{len(numbers)}I", *numbers) + head
