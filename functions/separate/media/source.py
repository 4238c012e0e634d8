"""A song's file as FFmpeg is to see it: without what lies around the sound, and among its frames."""

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from media import edges, tracks
from media.containers import CUT, Promise, behind_padding, read_promise, require_bytes, window
from media.errors import EmptyFileError, TruncatedError, UnsupportedMediaError
from media.frames import Frames

SELF_FRAMED = {"mp3", "aac"}  # FFmpeg counts frames for time stamps
_IN_A_CHUNK = {"wav", "w64"}  # as MPEG audio may be, frame behind frame
_MPEG_CODECS = {"mp1", "mp2", "mp3"}


class Source:
    """One file, opened.

    Attributes
    ----------
    size : int
        In bytes.
    container : InputContainer
        FFmpeg's view of it, newly opened.
    file : Window
        What FFmpeg reads.
    sound_start, sound_end : int
        Where the sound begins there, if it is nothing but frames, and where it ends at the latest.
    promise : Promise
        What the file's headers say of its length.
    frames : Frames or None
        Of a file that is nothing but frames.
    """

    def __init__(self, path: Path, max_seconds: float) -> None:
        """Open `path`, which may be longer than `max_seconds`; that is found out later.

        Raises
        ------
        EmptyFileError, UnsupportedMediaError, TruncatedError, CorruptMediaError
        """
        self.size = path.stat().st_size
        if not self.size:
            raise EmptyFileError("The file is empty: it has no bytes. Send it again.")
        self.frames: Frames | None = None
        # Opened as a Python file, so that FFmpeg cannot open anything by name.
        self._bytes: BinaryIO = path.open("rb")
        try:
            self._open(max_seconds)
        except BaseException:
            self._bytes.close()
            raise

    def _open(self, max_seconds: float) -> None:
        file, size = self._bytes, self.size
        bare = edges.front(file, size)
        require_bytes(bare + 1, size)
        padded = behind_padding(file, bare)
        start = edges.front(file, size, padded)
        require_bytes(start + 1, size)
        end = edges.back(file, start, size)
        self.promise: Promise = read_promise(file, start, end)
        first, last = window(file, start, end, size, id3_end=edges.id3v2_end(file, size))
        self.file = edges.Window(file, (first, last))
        self.sound_start, self.sound_end = start - first, end - first
        try:
            self.container = tracks.opened(self.file)
        except UnsupportedMediaError as error:
            if self.promise.is_broken:
                raise TruncatedError(CUT) from error
            raise
        # Padding that is as long as some frames may be these, of which nothing is left.
        self._find_frames(first, bare if start == padded else start, end, last, max_seconds)

    def _find_frames(self, first: int, start: int, end: int, last: int, max_seconds: float) -> None:
        """Of a file of nothing but frames, leave these and the tags around them, and nothing else."""
        name, chunk = self.container.format.name, self.promise.start
        if name in _IN_A_CHUNK and chunk is not None and tracks.codecs_of(self.container) <= _MPEG_CODECS:
            start, end = chunk, min(end, chunk + self.promise.bytes)
            last = end
        elif name not in SELF_FRAMED:
            return
        first = min(first, start)
        frames = Frames(self._bytes, start, end, max_seconds, is_adts=name == "aac")
        if not frames.runs:
            return
        self.frames = frames
        if not frames.gaps:
            return
        if name in SELF_FRAMED:
            self.promise = read_promise(self._bytes, frames.runs[0][0], end)
        parts = [(first, start), *frames.runs, (end, last)]
        self.file = edges.Window(self._bytes, *((a, b) for a, b in parts if a < b))
        self.sound_start = start - first
        self.sound_end = self.sound_start + sum(b - a for a, b in frames.runs)
        self.open_again()

    def open_again(self) -> None:
        """A container that nothing has been read of."""
        self.container.close()
        self.container = tracks.opened(self.file)

    def close(self) -> None:
        self.container.close()
        self._bytes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
