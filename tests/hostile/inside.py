"""What a song's own process can still do, once FFmpeg in it does whatever its song says.

Tried from inside, by what stands in place of decoding.
"""

import ctypes
import errno
import faulthandler
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from media import confinement, decoder, isolated_input
from media.errors import CorruptMediaError
from media.isolated_input import IsolatedInput
from media.notices import Notice
from tests.unit.media.songs import KINDS, noise, write

LIBRARY = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH = 16
PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
IO_URING_SETUP, OPENAT2, PIDFD_OPEN = 425, 437, 434  # the same on every architecture
NOBODY = 65534


def call(name: str, *arguments: Any) -> None:
    if getattr(LIBRARY, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def fork() -> None:
    if (process := os.fork()) == 0:
        os._exit(0)
    os.waitpid(process, 0)


def read_memory(process: int) -> None:
    """At an address of our own: whether anything is there, the kernel says after it has looked who asks."""
    here = ctypes.create_string_buffer(8)
    piece = (ctypes.c_void_p * 2)(ctypes.addressof(here), 8)
    call("process_vm_readv", process, piece, 1, piece, 1, 0)


ATTEMPTS: dict[str, Callable[[int, Path], Any]] = {
    "read the worker's environment": lambda worker, file: Path(f"/proc/{worker}/environ").read_bytes(),
    "read the worker's memory": lambda worker, file: read_memory(worker),
    "trace the worker": lambda worker, file: call("ptrace", PTRACE_ATTACH, worker, 0, 0),
    "signal the worker": lambda worker, file: os.kill(worker, signal.SIGCONT),
    "hold the worker": lambda worker, file: os.pidfd_open(worker),
    "limit the worker": lambda worker, file: resource.prlimit(worker, resource.RLIMIT_CPU),
    "slow the worker": lambda worker, file: os.setpriority(os.PRIO_PROCESS, worker, 19),
    "connect": lambda worker, file: socket.socket(socket.AF_INET),
    "connect on this machine": lambda worker, file: socket.socketpair(),
    "read another file": lambda worker, file: file.read_bytes(),
    "read another file by a newer call": lambda worker, file: call(
        "syscall", OPENAT2, -100, bytes(file), bytes(24), 24
    ),
    "write a file": lambda worker, file: file.write_bytes(b""),
    "make a file without a name": lambda worker, file: os.memfd_create("file"),
    "delete a file": lambda worker, file: file.unlink(),
    "rename a file": lambda worker, file: file.rename(file.with_suffix(".old")),
    "make a folder": lambda worker, file: file.with_suffix(".folder").mkdir(),
    "list a folder": lambda worker, file: list(file.parent.iterdir()),
    "find a file": lambda worker, file: file.stat(),
    "start a program": lambda worker, file: os.execv("/bin/true", ["true"]),
    "start a process": lambda worker, file: fork(),
    "have the kernel do it unseen": lambda worker, file: call("syscall", IO_URING_SETUP, 1, bytes(120)),
}


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write(tmp_path / "song.wav", noise(2), KINDS["wav"])


@pytest.fixture
def worker() -> Iterator[int]:
    """A process that might be the worker."""
    with subprocess.Popen(["sleep", "60"], env={"AWS_SECRET_ACCESS_KEY": "secret"}) as process:
        yield process.pid
        process.kill()


@contextmanager
def forked_decoder(prepare: Callable[[], None]) -> Iterator[None]:
    """The next songs' decoder is a fork of this process, in which `prepare` has been called."""
    ours, theirs = socket.socketpair()
    if (process := os.fork()) == 0:
        try:
            ours.close()
            prepare()
            decoder.serve(theirs)
        finally:
            os._exit(0)
    theirs.close()
    forked = isolated_input._Decoder.__new__(isolated_input._Decoder)
    answers = ours.makefile("rb")
    vars(forked).update(_channel=ours, _answers=answers, _process=SimpleNamespace(poll=lambda: None))
    isolated_input._waiting.append(forked)
    try:
        yield
    finally:
        isolated_input._waiting.remove(forked)
        answers.close()
        ours.close()
        os.waitpid(process, 0)


def without_seccomp(name: str, *arguments: int) -> None:
    """`prctl` of an old kernel."""
    if name == "PR_SET_SECCOMP":
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
    prctl(name, *arguments)


prctl = confinement._prctl


def outcome(attempt: Callable[[], Any], song: Path, *, is_confined: bool = True) -> str:
    """What comes of an attempt in a song's process."""

    def attempt_instead(source: Path, max_seconds: float, to: Any) -> None:
        try:
            attempt()
            end = "done"
        except OSError as error:
            end = errno.errorcode[error.errno or 0]
        decoder._tell_error(to, CorruptMediaError(end))

    def prepare() -> None:
        decoder.decode = attempt_instead
        if not is_confined:
            confinement._prctl = without_seccomp

    with forked_decoder(prepare):
        try:
            IsolatedInput(song, 600).close()
        except CorruptMediaError as error:
            return str(error)
    return "another program"


@pytest.mark.parametrize("what", ATTEMPTS)
def test_a_songs_process_cannot(what: str, worker: int, song: Path) -> None:
    file = song.with_name("another.song")
    file.write_bytes(b"another song")

    def attempt() -> None:
        ATTEMPTS[what](worker, file)

    assert outcome(attempt, song) == "ENOSYS"
    assert file.read_bytes() == b"another song"
    assert outcome(attempt, song, is_confined=False) != "ENOSYS"  # it is the filter that says so


def test_a_songs_process_can_start_threads_and_say_something_in_the_log(
    song: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def attempt() -> None:
        thread = threading.Thread(target=lambda: os.write(2, b"from a thread"))
        thread.start()
        thread.join()

    assert outcome(attempt, song) == "done"
    assert "from a thread" in capfd.readouterr().err


def test_a_thread_of_a_songs_process_is_confined_too(song: Path) -> None:
    errors: list[OSError] = []

    def attempt() -> None:
        def connect() -> None:
            try:
                socket.socket()
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
        raise errors[0]

    assert outcome(attempt, song) == "ENOSYS"


def test_a_crash_leaves_nothing_on_the_disk(song: Path) -> None:
    def attempt() -> None:
        if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
            raise OSError(errno.EFBIG, "a core dump")

    assert outcome(attempt, song, is_confined=False) == "done"


def test_a_crash_in_a_confined_process_is_the_files_fault(song: Path) -> None:
    """Though the process cannot signal itself, as `abort` does first."""

    def attempt() -> None:
        faulthandler.disable()  # pytest's
        os.abort()

    assert outcome(attempt, song) == isolated_input.UNDECODABLE


def test_where_the_kernel_confines_nothing_songs_are_decoded_and_the_log_says_so_once(
    song: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def prepare() -> None:
        confinement._prctl = without_seccomp

    with forked_decoder(prepare):
        for _ in range(2):
            with IsolatedInput(song, 600) as opened:
                assert sum(block.shape[1] for block in opened.blocks()) == 2 * 44_100
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "Invalid argument: 'PR_SET_SECCOMP'" in said


def test_where_the_kernel_confines_the_log_says_nothing(
    song: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with forked_decoder(lambda: None), IsolatedInput(song, 600) as opened:
        list(opened.blocks())
    assert capfd.readouterr().err == ""


def test_no_process_of_the_same_user_reads_the_environment_of_one_that_forbids_it() -> None:
    """Not even one that no filter confines. Root may, so this is tried as another user."""
    program = f"""
import os, subprocess
from media.confinement import _prctl, forbid_inspection
if os.getuid() == 0:
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    _prctl("PR_SET_DUMPABLE", {PR_SET_DUMPABLE}, 1)  # which a change of the user takes away
for step in (lambda: None, forbid_inspection):
    step()
    read = subprocess.run(["cat", f"/proc/{{os.getpid()}}/environ"], capture_output=True)
    print(read.returncode, b"secret" in read.stdout, b"denied" in read.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"], "SECRET": "secret"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["0 True False", "1 False True"]


def test_songs_processes_and_the_one_that_forks_them_forbid_it(song: Path) -> None:
    def attempt() -> None:
        if LIBRARY.prctl(
            PR_GET_DUMPABLE, 0, 0, 0, 0
        ):  # which is as it was in the process that forked this one
            raise OSError(errno.EPERM, "can be inspected")

    assert outcome(attempt, song, is_confined=False) == "done"


class Speech:
    """A message from a song's process, and what is behind it."""

    def __init__(self, behind: bytes = b"", **changes: Any) -> None:
        said: dict[str, Any] = {
            "codec": "mp3",
            "channels": 2,
            "sample_rate": 44_100,
            "expected_seconds": 1.0,
            "tags": {},
            "notices": [],
            "bytes": len(behind),
        }
        self.data = json.dumps(said | changes).encode() + b"\n" + behind


@pytest.mark.parametrize(
    "speeches",
    [
        [Speech(), Speech(bytes=-1)],
        [Speech(), Speech(bytes=1 << 40)],
        [Speech(codec="x" * (1 << 20))],
        [Speech(), *[Speech(bytes(8 * 44_100))] * 12],
        [Speech(), Speech(bytes(7))],
        [Speech(channels="two")],
        [Speech(notices=[{"code": "gap"}])],
        [Speech(error="none that there is", message="x")],
    ],
    ids=[
        "less than nothing",
        "more than memory",
        "a line without end",
        "more than the longest song",
        "a part of a sample",
        "no number",
        "half a notice",
        "an error of its own",
    ],
)
def test_the_worker_takes_no_more_from_a_songs_process_than_a_song(
    speeches: list[Speech], song: Path
) -> None:
    def prepare() -> None:
        decoder.decode = lambda source, max_seconds, to: to.writelines(speech.data for speech in speeches)

    with (
        forked_decoder(prepare),
        pytest.raises(CorruptMediaError, match="breaks the decoder"),
        IsolatedInput(song, 10) as opened,
    ):
        list(opened.blocks())


def test_what_a_songs_process_says_has_the_types_of_a_jobs_record(song: Path) -> None:
    """Else the job could not be shown, nor any list with it."""
    notice = {"code": ["gap"], "message": 1, "seconds": 2}
    speech = Speech(codec=3, channels=1.5, sample_rate=44_100.5, tags={"title": 4}, notices=[notice])

    def prepare() -> None:
        decoder.decode = lambda source, max_seconds, to: to.writelines([speech.data])

    with forked_decoder(prepare), IsolatedInput(song, 10) as opened:
        assert (opened.codec, opened.channels, opened.sample_rate) == ("3", 1, 44_100)
        assert opened.tags.title == "4"
        assert opened.notices == (Notice("['gap']", "1", 2.0),)


def test_a_songs_process_does_not_say_how_long_its_song_is(song: Path) -> None:
    """An owner is counted for it: with less than nothing, for less than nothing."""
    speeches = [Speech(), Speech(bytes(8 * 44_100), seconds=-1e9)]

    def prepare() -> None:
        decoder.decode = lambda source, max_seconds, to: to.writelines(speech.data for speech in speeches)

    with forked_decoder(prepare), IsolatedInput(song, 10) as opened:
        list(opened.blocks())
    assert opened.seconds == 1


def test_a_songs_process_does_not_say_which_one_the_worker_ends(song: Path, worker: int) -> None:
    speech = Speech(process=worker, _code=None)

    def prepare() -> None:
        decoder.decode = lambda source, max_seconds, to: to.writelines([speech.data])

    with forked_decoder(prepare), IsolatedInput(song, 10) as opened:
        assert opened.codec == "mp3"
    os.kill(worker, 0)
    assert opened.process != worker
