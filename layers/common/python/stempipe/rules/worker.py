"""The rules of separate: a claimed job becomes stems, a failed job, or a job to try again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stempipe.adapters.queue import JobMessage, TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import (
    InternalError,
    JobNotFound,
    StempipeError,
    StorageUnavailable,
    UploadGone,
    WorkerLost,
)
from stempipe.jobs.claim import Claim, Stored, StoredFiles
from stempipe.jobs.record import FileFacts, Job, Kind, Stage
from stempipe.jobs.refusals import ClaimLost, JobIsFinal, JobIsHeld
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import stems_prefix
from stempipe.observability import Metric, logger
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.footprint import Footprint
from stempipe.rules.heartbeat import Heartbeat
from stempipe.rules.sound import Report, Separated, Sound

_FIRST_RETRY_SECONDS = 5
_RETRY_FACTOR = 4
# When the table cannot be asked, until it is asked again. The queue gives a message five such chances: in
# seconds they would be gone before the table is back.
_UNCLAIMED_SECONDS = 120

# Of songs that tell how fast the work is.
_LONG_ENOUGH_SECONDS = 60

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
    ".index": "application/octet-stream",
    ".dat": "application/octet-stream",
}


@dataclass(frozen=True)
class Worker:
    """Works on jobs, one at a time.

    Parameters
    ----------
    jobs, storage
        Where jobs and objects are.
    sound
        Separates, and listens.
    dispatch
        Sends the next job when one has ended.
    stems_bucket
        Where stems go.
    lease_seconds
        How long a job is held without a sign of life.
    memory_gb, disk_gb
        What the worker is billed for, in GB: its memory, and its temporary disk beyond what is free.
    scratch
        Folder for files while they are worked on; None is the system's.
    """

    jobs: Jobs
    storage: Storage
    sound: Sound
    dispatch: Dispatch
    stems_bucket: str
    lease_seconds: int
    memory_gb: float
    disk_gb: float = 0.0
    scratch: Path | None = None

    def work_on(self, message: JobMessage, is_over: Callable[[], bool] = lambda: False) -> None:
        """Take the message's job to its end. On return the message is done with.

        Parameters
        ----------
        message
            Says which job.
        is_over
            Whether the worker's time is over; it is asked again and again, and the job given back when it is.

        Raises
        ------
        TryAgain
            The message must come back. After the last attempt it does so at once, again and again,
            until the queue moves it to the dead letters.
        """
        try:
            self._work_on(message, is_over)
        finally:
            self.dispatch.go_on(message.owner)

    def _work_on(self, message: JobMessage, is_over: Callable[[], bool]) -> None:
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
            raise TryAgain(error.code, 0) from error
        except JobNotFound as error:
            logger.warning("There is no such job any more", reason=error.message)
            return
        except Exception as fault:
            logger.exception("The job could not be claimed")
            raise TryAgain("the job could not be claimed", _UNCLAIMED_SECONDS) from fault
        try:
            self._attempt(claim, is_over)
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
            logger.exception("Stems of an attempt that has none are left for sweep")

    def _attempt(self, claim: Claim, is_over: Callable[[], bool]) -> None:
        try:
            self._work(claim, is_over)
        except ClaimLost:
            raise
        except Exception as fault:
            error = fault if isinstance(fault, StempipeError) else InternalError()
            if not error.retryable:
                logger.info("The job fails", code=error.code, reason=error.message)
                claim.fail(error)
                return
            logger.exception("The attempt failed", code=error.code)
            if claim.is_last_attempt:
                claim.fail(error)
                raise TryAgain(error.code, 0) from fault
            claim.release()
            raise TryAgain(error.code, _FIRST_RETRY_SECONDS * _RETRY_FACTOR**claim.tries_before) from fault

    def _work(self, claim: Claim, is_over: Callable[[], bool]) -> None:
        started, is_new = time.monotonic(), claim.job.stem_keys is None
        with TemporaryDirectory(dir=self.scratch) as scratch:
            folder = Path(scratch)
            with (
                Footprint(folder) as footprint,
                Heartbeat(claim, is_over, footprint.look, self.sound.stop) as heartbeat,
            ):
                if Kind(claim.job.kind) is Kind.SONG:
                    stored, found = self._take_song(claim, folder, heartbeat)
                else:
                    stored, found = self._take_the_rest(claim.job, folder, heartbeat)
            took = time.monotonic() - started
            job = claim.complete(
                stored=stored,
                found=found,
                gb_seconds=took * self.memory_gb,
                disk_gb_seconds=took * self.disk_gb,
            )
        seconds = float(job.duration_seconds or 0)
        # What every job takes would tell more of a short one than its sound.
        if is_new and seconds >= _LONG_ENOUGH_SECONDS:
            Metric.REAL_TIME_FACTOR.add((time.monotonic() - started) / seconds)

    # -- a song ------------------------------------------------------------------------------

    def _take_song(
        self, claim: Claim, folder: Path, heartbeat: Heartbeat
    ) -> tuple[Stored | None, StoredFiles | None]:
        """Separate a song, and listen to its stems if that was asked for.

        Returns what is stored and not yet kept, and what was found.
        """
        job, stored = claim.job, None
        song = self._fetch(job, folder, heartbeat)[0]
        stems: Mapping[str, Path]
        if job.stem_keys is None:
            separated = self._separate(job, song, folder, heartbeat)
            stored, stems = self._store(job, separated, heartbeat), separated.stems
        else:
            stems = self._fetch_stems(job, folder, heartbeat)
        if job.config.analysis is None:
            return stored, None
        if stored:
            claim.keep(stored)
        on_progress = _reporter(heartbeat)
        files = self.sound.analyse(song, stems, _new(folder / "found"), job.config, job.song, on_progress)
        return None, self._put(job, files, lambda _: on_progress(1))

    def _separate(self, job: Job, song: Path, folder: Path, heartbeat: Heartbeat) -> Separated:
        heartbeat.at(Stage.SEPARATING, 0)
        return self.sound.separate(
            song,
            _new(folder / "stems"),
            job.config,
            job.song,
            lambda share: heartbeat.at(Stage.SEPARATING, share),
        )

    def _store(self, job: Job, separated: Separated, heartbeat: Heartbeat) -> Stored:
        files = {path: stem for stem, path in separated.stems.items()} | dict(separated.player)
        put = self._put(job, files, lambda share: heartbeat.at(Stage.UPLOADING, share))
        return Stored(
            stem_keys={stem: put.keys[file.name] for stem, file in separated.stems.items()},
            player_keys={file.name: put.keys[file.name] for file in separated.player},
            facts=put.facts,
            gain_db=separated.gain_db,
            residual_db=separated.residual_db,
            duration_seconds=separated.seconds,
            sample_rate=separated.sample_rate,
            channels=separated.channels,
            codec=separated.codec,
            notices=separated.notices,
        )

    def _fetch_stems(self, job: Job, folder: Path, heartbeat: Heartbeat) -> dict[str, Path]:
        """Stems that an attempt before this one has stored."""
        stems = {}
        for stem, key in (job.stem_keys or {}).items():
            stems[stem] = folder / key.rpartition("/")[2]
            size = self.storage.look_up(self.stems_bucket, key).bytes
            self.storage.fetch(
                self.stems_bucket, key, None, stems[stem], lambda _: heartbeat.at(Stage.DOWNLOADING, 1)
            )
            _require_whole(stems[stem], size)
        return stems

    # -- stems, and MIDI ---------------------------------------------------------------------

    def _take_the_rest(self, job: Job, folder: Path, heartbeat: Heartbeat) -> tuple[Stored, StoredFiles]:
        """Listen to what needs no separation."""
        fetched = self._fetch(job, folder, heartbeat)
        on_progress = _reporter(heartbeat)
        found = _new(folder / "found")
        if Kind(job.kind) is Kind.MIDI:
            heard = self.sound.analyse_midi(fetched[0], found, job.config, job.song, on_progress)
        else:
            stems = {part.name or "": file for part, file in zip(job.uploads, fetched, strict=True)}
            heard = self.sound.analyse_stems(stems, found, job.config, job.title, on_progress)
        found_files = self._put(job, heard.files, lambda _: on_progress(1))
        player = self._put(job, heard.player, lambda _: on_progress(1))
        stored = Stored(
            stem_keys={},
            player_keys=player.keys,
            facts=player.facts,
            duration_seconds=heard.seconds,
            sample_rate=heard.sample_rate,
            notices=heard.notices,
        )
        return stored, found_files

    # -- any of them -------------------------------------------------------------------------

    def _fetch(self, job: Job, folder: Path, heartbeat: Heartbeat) -> list[Path]:
        """What was uploaded, in the order of the job's uploads."""
        files, came = [], 0
        whole = max(1, sum(part.bytes for part in job.uploads))
        for number, part in enumerate(job.uploads):
            file = folder / f"upload-{number}"

            def on_bytes(count: int, before: int = came) -> None:
                heartbeat.at(Stage.DOWNLOADING, (before + count) / whole)

            try:
                self.storage.fetch(job.bucket, part.key, part.etag, file, on_bytes)
            except UploadGone as gone:
                raise UploadGone(part.name) from gone
            came += file.stat().st_size
            _require_whole(file, part.bytes)
            files.append(file)
        return files

    def _put(self, job: Job, files: Mapping[Path, str | None], on_progress: Report) -> StoredFiles:
        """Store files, each with the stem that it is of."""
        keys = {}
        sizes = {file: file.stat().st_size for file in files}
        sent, total = 0, sum(sizes.values())

        def on_bytes(count: int) -> None:
            on_progress((sent + count) / max(1, total))

        try:
            for file, size in sizes.items():
                on_bytes(0)
                key = keys[file.name] = stem_key(job, file.name)
                self.storage.put(file, self.stems_bucket, key, _CONTENT_TYPES[file.suffix], on_bytes)
                sent += size
            on_bytes(0)
        except StempipeError:
            self._take_back(job)  # while the lease holds: the next attempt has others
            raise
        return StoredFiles(keys, {file.name: FileFacts(sizes[file], stem) for file, stem in files.items()})


def _require_whole(file: Path, size: float) -> None:
    if file.stat().st_size != size:
        raise StorageUnavailable("The object storage sent less than the whole file. Trying again may help.")


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _reporter(heartbeat: Heartbeat) -> Report:
    """Reports of the analysis, which begins now."""

    def report(share: float) -> None:
        heartbeat.at(Stage.ANALYSING, share)

    report(0)
    return report


def stem_key(job: Job, name: str) -> str:
    """Where a stem goes. With the attempt in it, no attempt overwrites another's stems."""
    return f"{stems_prefix(job.owner, job.id)}{job.attempt:.0f}/{name}"
