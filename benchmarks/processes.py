"""Other processes: one that runs to its end, and one that stays and answers line by line."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[1]
Command = Sequence[str | Path]


class BenchError(Exception):
    """Something could not be measured; the message says why."""


@dataclass(frozen=True)
class Finished:
    """A process that has ended.

    Attributes
    ----------
    seconds
        From its start to its end.
    peak_mb
        The most memory it held, in MB of 2**20 bytes: its own, or that of the largest of its children.
    output
        What it wrote to its standard output.
    """

    seconds: float
    peak_mb: float
    output: str


def run(command: Command, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a program to its end.

    Raises
    ------
    BenchError
        With the end of its standard error, if it fails.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = _start(command, environment, subprocess.DEVNULL, output, errors)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # interrupted
            process.kill()
            raise
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise BenchError(_failure(command, errors))
        output.seek(0)
        return Finished(seconds, usage.ru_maxrss / 1024, output.read().decode())


class Worker:
    """A process that answers each line of JSON with another."""

    def __init__(self, command: Command, environment: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self._process = _start(command, environment, subprocess.PIPE, subprocess.PIPE, self._errors)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises
        ------
        BenchError
            With the end of its standard error, if it ends instead.
        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            line = b""
        else:
            line = self._process.stdout.readline()
        if not line:
            raise BenchError(_failure(self._command, self._errors))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()
        self._errors.close()


def _start(
    command: Command,
    environment: Mapping[str, str] | None,
    stdin: int,
    output: IO[bytes] | int,
    errors: IO[bytes],
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the commands are this package's own
        command, cwd=ROOT, env=environment, stdin=stdin, stdout=output, stderr=errors
    )


def _failure(command: Command, errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").splitlines()[-20:]
    return "\n".join([f"This failed: {' '.join(map(str, command))}", *lines])
