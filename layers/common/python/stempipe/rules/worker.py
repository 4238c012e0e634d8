"""The rules of separate: a claimed job becomes stems, a failed job, or a job to try again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from stempipe.adapters.queue import JobMessage, TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import (
    InternalError,
    JobNotFound,
    StempipeError,
    StorageUnavailable,
    WorkerLost,
)
from stempipe.jobs.claim import Claim, Stored
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Notice, Stage
from stempipe.jobs.refusals import ClaimLost, JobIsFinal, JobIsHeld
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import stems_prefix
from stempipe.observability import MetricUnit, logger, metrics
from stempipe.rules.heartbeat import Heartbeat

_FIRST_RETRY_SECONDS = 5
_RETRY_FACTOR = 4
# When the table cannot be asked, until it is asked again. The queue gives a message five such chances: in
# seconds they would be gone before the table is back.
_UNCLAIMED_SECONDS = 120

_CONTENT_TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".mid": "audio/midi",
    ".json": "application/json",
    ".jams": "application/json",
    ".csv": "text/csv",
    ".chan": "text/plain",
    ".bin": "application/octet-stream",
    ".dat": "application/octet-stream",
}


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
    player
        Files that a page plays and draws the stems from; none unless they were asked for.
    """

    stems: Mapping[str, Path]
    seconds: float
    sample_rate: int
    channels: int
    codec: str
    gain_db: float
    notices: Sequence[Notice] = ()
    player: Sequence[Path] = ()


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


class Analyse(Protocol):
    """Finds what there is to hear in a song and its stems, and writes it to files in ``destination``.

    Calls ``on_progress`` as ``Separate`` does, and raises the same.
    """

    def __call__(
        self,
        song: Path,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Callable[[float], None],
    ) -> Sequence[Path]: ...


@dataclass(frozen=True)
class Worker:
    """Works on jobs, one at a time.

    Parameters
    ----------
    jobs, storage
        Where jobs and objects are.
    separate, analyse
        The engine, and what listens to its stems.
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
    analyse: Analyse
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
        """Delete what an attempt has stored that its job does not point to."""
        in_use: Set[str] = frozenset()
        with suppress(JobNotFound):
            # This worker may have kept it: then not the write was lost, but the table's answers to it.
            in_use = self.jobs.get(job.owner, job.id).keys_in_use
        try:
            for item in self.storage.list(self.stems_bucket, stem_key(job, "")):
                if item.key not in in_use:
                    self.storage.delete(self.stems_bucket, item.key)
        except StorageUnavailable:
            logger.exception("Stems of a lost attempt are left for sweep")

    def _attempt(self, claim: Claim, deadline: float) -> None:
        try:
            self._work(claim, deadline)
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

    def _work(self, claim: Claim, deadline: float) -> None:
        started = time.monotonic()
        job, config = claim.job, claim.job.config
        stored: Stored | None = None
        stems: Mapping[str, Path]
        analysis_keys: dict[str, str] | None = None
        with TemporaryDirectory(dir=self.scratch) as scratch:
            folder = Path(scratch)
            with Heartbeat(claim, deadline) as heartbeat:
                song = self._fetch_song(job, folder, heartbeat)
                if job.stem_keys is None:
                    separated = self._separate(job, song, folder, heartbeat)
                    stored = self._store(job, separated, heartbeat)
                    stems = separated.stems
                else:
                    stems = self._fetch_stems(job, folder, heartbeat)
                if config.analysis:
                    if stored:
                        claim.keep(stored)
                        stored = None
                    analysis_keys = self._analyse(job, song, stems, folder, heartbeat)
            claim.complete(
                stored=stored,
                analysis_keys=analysis_keys,
                gb_seconds=(time.monotonic() - started) * self.memory_gb,
            )
        metrics.add_metric("JobsCompleted", MetricUnit.Count, 1)
        metrics.add_metric("WorkSeconds", MetricUnit.Seconds, time.monotonic() - started)

    def _fetch_song(self, job: Job, folder: Path, heartbeat: Heartbeat) -> Path:
        song = folder / "song"
        self.storage.fetch(
            job.bucket,
            job.key,
            job.etag,
            song,
            on_bytes=lambda count: heartbeat.at(Stage.DOWNLOADING, count / max(1.0, job.bytes)),
        )
        if song.stat().st_size != job.bytes:
            raise StorageUnavailable(
                "The object storage sent less than the whole song. Trying again may help."
            )
        return song

    def _fetch_stems(self, job: Job, folder: Path, heartbeat: Heartbeat) -> dict[str, Path]:
        """Stems that an attempt before this one has stored."""
        stems = {}
        for stem, key in (job.stem_keys or {}).items():
            stems[stem] = folder / key.rpartition("/")[2]
            self.storage.fetch(
                self.stems_bucket, key, None, stems[stem], lambda _: heartbeat.at(Stage.DOWNLOADING, 1)
            )
        return stems

    def _separate(self, job: Job, song: Path, folder: Path, heartbeat: Heartbeat) -> Separated:
        stems = folder / "stems"
        stems.mkdir()
        heartbeat.at(Stage.SEPARATING, 0)
        separated = self.separate(
            song, stems, job.config, job.song, lambda share: heartbeat.at(Stage.SEPARATING, share)
        )
        metrics.add_metric("SongSeconds", MetricUnit.Seconds, separated.seconds)
        return separated

    def _store(self, job: Job, separated: Separated, heartbeat: Heartbeat) -> Stored:
        files = [*separated.stems.values(), *separated.player]
        keys = self._put(job, files, lambda share: heartbeat.at(Stage.UPLOADING, share))
        return Stored(
            stem_keys={stem: keys[file.name] for stem, file in separated.stems.items()},
            player_keys={file.name: keys[file.name] for file in separated.player},
            gain_db=separated.gain_db,
            duration_seconds=separated.seconds,
            sample_rate=separated.sample_rate,
            channels=separated.channels,
            codec=separated.codec,
            notices=separated.notices,
        )

    def _analyse(
        self, job: Job, song: Path, stems: Mapping[str, Path], folder: Path, heartbeat: Heartbeat
    ) -> dict[str, str]:
        found = folder / "analysis"
        found.mkdir()

        def on_progress(share: float) -> None:
            heartbeat.at(Stage.ANALYSING, share)

        on_progress(0)
        files = self.analyse(song, stems, found, job.config, job.song, on_progress)
        return self._put(job, files, lambda _: on_progress(1))

    def _put(self, job: Job, files: Iterable[Path], on_progress: Callable[[float], None]) -> dict[str, str]:
        """Store files, and give their keys by their names."""
        keys = {}
        sizes = {file: file.stat().st_size for file in files}
        sent, total = 0, max(1, sum(sizes.values()))

        def on_bytes(count: int) -> None:
            on_progress((sent + count) / total)

        for file, size in sizes.items():
            on_bytes(0)
            keys[file.name] = stem_key(job, file.name)
            self.storage.put(file, self.stems_bucket, keys[file.name], _CONTENT_TYPES[file.suffix], on_bytes)
            sent += size
        on_bytes(0)
        return keys


def stem_key(job: Job, name: str) -> str:
    """Where a stem goes. With the attempt in it, no attempt overwrites another's stems."""
    return f"{stems_prefix(job.owner, job.id)}{job.attempt:.0f}/{name}"
