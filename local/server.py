"""MiniStack's process: start it on a port with its state in one folder, wait for it, stop it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import boto3
import httpx
from botocore.config import Config

from local.guard import HEALTH
from local.keys import Keys

HOST = "127.0.0.1"
REGION = "us-east-1"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
KEEPER = Path(__file__).with_name("keeper.py")
ROOT = Path(__file__).resolve().parents[1]


class LocalError(Exception):
    """Something that the person at the terminal can put right; the message says how."""


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running MiniStack.

    Attributes
    ----------
    endpoint
        Base address of its AWS APIs.
    keys
        Whoever has them may do everything there.
    log
        Its log; a function's output is there too, once the invocation has ended.
    """

    endpoint: str
    keys: Keys
    log: Path
    _keeper: subprocess.Popen[bytes] = field(compare=False)

    @classmethod
    def start(
        cls, *, python: Path, state: Path, port: int, host: str = HOST, names: Sequence[str] = ()
    ) -> Server:
        """Start MiniStack on a port of an address of this machine, and wait until it answers.

        Parameters
        ----------
        python
            Interpreter that has MiniStack.
        state
            Folder of its own, which becomes this user's alone.
        port, host
            Where to listen.
        names
            By which callers may name this machine, besides those of loopback.

        Raises
        ------
        LocalError
            The port or the state folder is in use, or MiniStack did not come up.
        """
        if not python.exists():
            raise LocalError(f"{python} does not exist. Run `make ministack` first.")
        state = state.resolve()
        with _for_this_user_alone():
            _claim(state)
            lock = _lock(state)
            try:
                _check_port(port)
                keys = Keys.of(state)
                # What functions left in their /tmp is of no use to the next run.
                shutil.rmtree(state / "tmp", ignore_errors=True)
                (state / "tmp").mkdir()
                _revive_queues(state, port)
                log = state / "ministack.log"
                with log.open("wb") as output:
                    keeper = subprocess.Popen(  # noqa: S603 - _command's
                        [sys.executable, str(KEEPER), *_command(python, host, port)],
                        stdin=subprocess.PIPE,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=_environment(state, port, keys, names),
                        pass_fds=[lock.fileno()],  # held until the last of its processes is gone
                        start_new_session=True,
                    )
            finally:
                lock.close()
        server = cls(f"http://{HOST}:{port}", keys, log, keeper)
        try:
            server._wait_until_ready()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def credentials(self) -> dict[str, str]:
        """The administrator's, as boto3 takes them."""
        return {
            "aws_access_key_id": self.keys.access_key_id,
            "aws_secret_access_key": self.keys.secret_access_key,
            "region_name": REGION,
        }

    def client(self, service: str) -> Any:
        """A boto3 client, as the administrator."""
        config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 2})
        return boto3.client(service, endpoint_url=self.endpoint, config=config, **self.credentials)  # type: ignore[call-overload]

    def stop(self) -> None:
        """Save the state and end MiniStack and every function's process."""
        # A second Ctrl-C waits: it could only orphan what the first one is about to end.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            if self._keeper.stdin:
                self._keeper.stdin.close()
            self._keeper.wait(STOP_SECONDS)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._keeper.poll() is not None:
                raise LocalError(f"MiniStack ended while starting. The end of {self.log}:\n{_tail(self.log)}")
            try:
                if httpx.get(f"{self.endpoint}{HEALTH}", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise LocalError(f"MiniStack did not answer within {START_SECONDS:.0f} s. See {self.log}")


def _command(python: Path, host: str, port: int) -> list[str]:
    # Not `-m ministack`, which also listens on port 443 where it may.
    return [
        *(str(python), "-m", "hypercorn", "local.guarded:app", "--workers", "0"),
        *("--bind", f"{host}:{port}", "--keep-alive", "75"),
    ]


def inherited() -> dict[str, str]:
    """The caller's variables that are for whatever runs here."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "XDG_CACHE_HOME", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _environment(state: Path, port: int, keys: Keys, names: Sequence[str]) -> dict[str, str]:
    """MiniStack's variables: none of the caller's AWS settings among them.

    The functions inherit them, but for AWS's keys, where they get their role's, and PYTHONPATH.
    """
    return inherited() | {
        "GATEWAY_PORT": str(port),
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "GUARD_NAMES": " ".join(names),
        "PYTHONPATH": str(ROOT),  # local.guarded's
        "AUTH": "true",  # the functions may do what the template allows them, and no more
        # Seconds until an event that a function could not take comes again; the second time, twice as many.
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "5",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "PYTHONUNBUFFERED": "1",
        # Listeners on fixed ports that nothing here uses.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }


@contextmanager
def _for_this_user_alone() -> Iterator[None]:
    """Files that are made meanwhile, or by a process that is started meanwhile, are nobody else's to read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _claim(state: Path) -> None:
    """Make the state folder, or see to it that nobody else gets into the one that is there."""
    state.mkdir(parents=True, exist_ok=True)
    if state.stat().st_uid != os.geteuid():
        raise LocalError(f"{state} is another user's. Choose another folder: make local STATE=folder")
    state.chmod(0o700)


def _lock(state: Path) -> IO[bytes]:
    lock = (state / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise LocalError(
            f"A local cloud is running already in {state}. Stop it, or choose another folder:"
            " make local STATE=folder"
        ) from None
    return lock


def _revive_queues(state: Path, port: int) -> None:
    """Let kept queues serve again.

    MiniStack finds a queue by its URL, and that names the port, which may be another one now. And who had
    received a message is gone: it need not stay invisible for the half hour that a lost worker is given.
    """
    note = state / "port"
    before = note.read_text() if note.exists() else str(port)
    for file in (state / "services").glob("*.json"):
        text = file.read_text().replace(f"localhost:{before}/", f"localhost:{port}/")
        if file.name == "sqs.json":
            text = re.sub(r'"visible_at": [\d.]+', '"visible_at": 0', text)
        file.write_text(text)
    note.write_text(str(port))


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = f"Port {port} of {HOST} cannot be used: {error.strerror}."
            raise LocalError(f"{reason} Choose another: make local PORT={port + 1}") from None


def _tail(path: Path, lines: int = 20) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
