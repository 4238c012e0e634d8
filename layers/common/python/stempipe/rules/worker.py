"""The rules of separate: a claimed job becomes stems, a failed job, or a job to try again."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Protocol, Self

from stempipe.adapters.queue import JobMessage, TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import (
    InternalError,
    JobNotFound,
    OutOfTime,
    StempipeError,
    StorageUnavailable,
    WorkerLost,
)
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.estimate import Estimate, plan_of
from stempipe.jobs.record import Job, Notice, Stage, Status
from stempipe.jobs.refusals import ClaimLost, JobIsFinal, JobIsHeld
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import stems_prefix
from stempipe.observability import MetricUnit, logger, metrics

HEARTBEAT_SECONDS = 0.5
"""From one write of progress to the next. Whoever watches hears of it once a second at least: Lambda looks at
the table's stream four times a second, and what is left is for the write and for notify."""

_FIRST_RETRY_SECONDS = 5
_RETRY_FACTOR = 4
# When the table cannot be asked, until it is asked again. The queue gives a message five such chances: in
# seconds they would be gone before the table is back.
_UNCLAIMED_SECONDS = 120

_CONTENT_TYPES = {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg"}


@dataclass(frozen=True, slots=True)
class Separated:
    """What separation made of a song.

    Parameters
    ----------
    stems
        File of each kept stem.
    seconds, sample_rate, channels, codec
        Of the song, as decoded.
    gain_db
        What all stems were turned down by, so that none clips: negative, or 0.
    notices
        What of the song was filled or left out.
    """

    stems: Mapping[str, Path]
    seconds: float
    sample_rate: int
    channels: int
    codec: str
    gain_db: float
    notices: Sequence[Notice] = ()


class Separate(Protocol):
    """Separates the song in ``source`` into files in ``destination``.

    ``title`` is the song's, if it does not say so itself. Calls ``on_progress`` with the share done, 0 to
    1; what that raises ends the work. Raises ``UnusableMedia`` for a song that cannot be separated.
    """

    def __call__(
        self,
        source: Path,
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Callable[[float], None],
    ) -> Separated: ...


class Heartbeat:
    """Writes progress and keeps the lease, beside the work.

    The work says where it is by ``at``, as often as it likes; a thread writes the latest, so that
    neither the work waits for the table nor the table is written more often than needed.

    Parameters
    ----------
    claim
        What is renewed.
    deadline
        When the work must have ended, on the monotonic clock.
    """

    def __init__(self, claim: Claim, deadline: float) -> None:
        self._claim = claim
        self._deadline = deadline
        self._estimate = Estimate(plan_of(claim.job.config), time.monotonic())
        self._lock = threading.Lock()
        self._lost: ClaimLost | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def at(self, stage: Stage, share: float) -> None:
        """Say where the work is: ``share`` of the stage is done.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's; the work must stop.
        OutOfTime
            The worker is about to be stopped.
        """
        with self._lock:
            self._estimate.report(stage, share, time.monotonic())
        if self._lost:
            raise self._lost
        if time.monotonic() > self._deadline:
            raise OutOfTime

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        due = time.monotonic()
        while True:
            try:
                self._write()
            except ClaimLost as lost:
                self._lost = lost
                return
            except Exception:
                # The table may be back at the next beat; if not, the lease lapses and the job is
                # another's.
                logger.exception("Progress could not be written")
            # From due time to due time, however long a write takes; what is overdue is not made up for.
            due = max(due + HEARTBEAT_SECONDS, time.monotonic())
            if self._done.wait(due - time.monotonic()):
                return

    def _write(self) -> None:
        with self._lock:
            now = time.monotonic()
            stage, progress = self._estimate.stage, self._estimate.progress(now)
            left = self._estimate.seconds_left(now)
        # 100 is for the completed job alone.
        self._claim.report(stage, min(int(progress), 99), left)


@dataclass(frozen=True)
class Worker:
    """Works on jobs, one at a time.

    Parameters
    ----------
    jobs, storage
        Where jobs and objects are.
    separate
        The engine.
    stems_bucket
        Where stems go.
    lease_seconds
        How long a job is held without a sign of life.
    memory_gb
        What the worker is billed for, in GB.
    scratch
        Folder for files while they are worked on; None is the system's.
    """

    jobs: Jobs
    storage: Storage
    separate: Separate
    stems_bucket: str
    lease_seconds: int
    memory_gb: float
    scratch: Path | None = None

    def work_on(self, message: JobMessage, deadline: float = math.inf) -> None:
        """Take the message's job to its end. On return the message is done with.

        Parameters
        ----------
        message
            Says which job.
        deadline
            When the work must have ended, on the monotonic clock; the job is given back then.

        Raises
        ------
        TryAgain
            The message must come back. After the last attempt it does so at once, again and again,
            until the queue moves it to the dead letters.
        """
        try:
            claim = Claim.take(self.jobs, message.owner, message.id, self.lease_seconds)
        except JobIsFinal as done:
            logger.info("Nothing left to do", reason=str(done))
            if done.job.was_given_up:
                raise TryAgain(str(done), 0) from done
            return
        except JobIsHeld as held:
            # If the holder dies, sweep sends another message.
            logger.info("Nothing to do", reason=str(held))
            return
        except WorkerLost as error:
            logger.warning("All attempts are spent", code=error.code, reason=error.message)
            metrics.add_metric("JobsFailed", MetricUnit.Count, 1)
            raise TryAgain(error.code, 0) from error
        except JobNotFound as error:
            logger.warning("There is no such job any more", reason=error.message)
            return
        except Exception as fault:
            logger.exception("The job could not be claimed")
            raise TryAgain("the job could not be claimed", _UNCLAIMED_SECONDS) from fault
        try:
            self._attempt(claim, deadline)
        except ClaimLost as lost:
            # It is another worker's by now, or waits in the queue again, or is final, or deleted.
            logger.warning("Lost the claim", reason=str(lost))
            self._take_back(claim.job)

    def _take_back(self, job: Job) -> None:
        """Delete the stems of an attempt that is not to have any."""
        with suppress(JobNotFound):
            now = self.jobs.get(job.owner, job.id)
            if now.state is Status.COMPLETED and now.attempt == job.attempt:
                return  # This worker completed it: not the write was lost, but the table's answers to it.
        self._delete_stems(job)

    def _delete_stems(self, job: Job) -> None:
        try:
            self.storage.delete_under(self.stems_bucket, stem_key(job, ""))
        except StorageUnavailable:
            logger.exception("Stems of an attempt that has none are left for sweep")

    def _attempt(self, claim: Claim, deadline: float) -> None:
        try:
            self._make_stems(claim, deadline)
        except ClaimLost:
            raise
        except Exception as fault:
            error = fault if isinstance(fault, StempipeError) else InternalError()
            if not error.retryable:
                logger.info("The job fails", code=error.code, reason=error.message)
                self._fail(claim, error)
                return
            logger.exception("The attempt failed", code=error.code)
            if claim.is_last_attempt:
                self._fail(claim, error)
                raise TryAgain(error.code, 0) from fault
            claim.release()
            raise TryAgain(error.code, _FIRST_RETRY_SECONDS * _RETRY_FACTOR**claim.tries_before) from fault

    def _fail(self, claim: Claim, error: StempipeError) -> None:
        claim.fail(error)
        metrics.add_metric("JobsFailed", MetricUnit.Count, 1)

    def _make_stems(self, claim: Claim, deadline: float) -> None:
        started = time.monotonic()
        job, config = claim.job, claim.job.config
        with TemporaryDirectory(dir=self.scratch) as folder:
            source, stems = Path(folder) / "song", Path(folder) / "stems"
            stems.mkdir()
            with Heartbeat(claim, deadline) as heartbeat:
                self.storage.fetch(
                    job.bucket,
                    job.key,
                    job.etag,
                    source,
                    on_bytes=lambda count: heartbeat.at(Stage.DOWNLOADING, count / max(1.0, job.bytes)),
                )
                if source.stat().st_size != job.bytes:
                    raise StorageUnavailable(
                        "The object storage sent less than the whole song. Trying again may help."
                    )
                heartbeat.at(Stage.SEPARATING, 0)
                separated = self.separate(
                    source, stems, config, job.song, lambda share: heartbeat.at(Stage.SEPARATING, share)
                )
                keys = self._put(job, config, separated, heartbeat)
            claim.complete(
                keys,
                gain_db=separated.gain_db,
                duration_seconds=separated.seconds,
                sample_rate=separated.sample_rate,
                channels=separated.channels,
                codec=separated.codec,
                gb_seconds=(time.monotonic() - started) * self.memory_gb,
                notices=separated.notices,
            )
        metrics.add_metric("JobsCompleted", MetricUnit.Count, 1)
        metrics.add_metric("SongSeconds", MetricUnit.Seconds, separated.seconds)
        metrics.add_metric("WorkSeconds", MetricUnit.Seconds, time.monotonic() - started)

    def _put(self, job: Job, config: JobConfig, separated: Separated, heartbeat: Heartbeat) -> dict[str, str]:
        keys = {}
        content_type = _CONTENT_TYPES[config.quality.output_format]
        sent, total = 0, sum(file.stat().st_size for file in separated.stems.values())

        def on_bytes(count: int) -> None:
            heartbeat.at(Stage.UPLOADING, (sent + count) / total)

        try:
            for stem, file in separated.stems.items():
                on_bytes(0)
                keys[stem] = stem_key(job, file.name)
                self.storage.put(file, self.stems_bucket, keys[stem], content_type, on_bytes)
                sent += file.stat().st_size
            on_bytes(0)
        except StempipeError:
            self._delete_stems(job)  # while the lease holds: the next attempt has others
            raise
        return keys


def stem_key(job: Job, name: str) -> str:
    """Where a stem goes. With the attempt in it, no attempt overwrites another's stems."""
    return f"{stems_prefix(job.owner, job.id)}{job.attempt:.0f}/{name}"
