"""The rules of intake: an upload becomes a queued job, or a failed one that says why.

An event may come twice, late, or after a crash half-way: each step is safe to repeat, and the
message goes out only once the job is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stempipe.adapters.storage import Storage, StoredObject, s3_client
from stempipe.errors import (
    NOT_THE_SONGS_FAULT,
    EmptyFile,
    InvalidConfig,
    JobNotFound,
    QuotaExceeded,
    StempipeError,
    TooLarge,
    UploadGone,
    UploadMissing,
)
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.config import JobConfig
from stempipe.jobs.names import MIDI_ENDINGS
from stempipe.jobs.record import Job, Kind, Source, Status
from stempipe.jobs.refusals import JobExists, TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import (
    CONFIG_METADATA,
    DirectUpload,
    JobUpload,
    Upload,
    direct_job_id,
    read_key,
    read_record,
    split_event,
)
from stempipe.observability import Metric, about, about_nothing, logger
from stempipe.rules.creation import config_for
from stempipe.rules.dispatch import Dispatch
from stempipe.settings import IntakeSettings


@dataclass(frozen=True)
class Intake:
    """Takes uploads in.

    Parameters
    ----------
    jobs, storage
        Where jobs are, where uploads are.
    dispatch
        Sends jobs to the workers.
    settings
        The limits.
    """

    jobs: Jobs
    storage: Storage
    dispatch: Dispatch
    settings: IntakeSettings

    @classmethod
    def connect(cls, settings: IntakeSettings) -> Self:
        """The rules, wired to AWS."""
        jobs = Jobs.of(settings)
        storage = Storage(s3_client(settings), settings.storage_provider)
        return cls(jobs, storage, Dispatch.of(settings, jobs), settings)

    def take_in(self, event: Mapping[str, Any]) -> list[dict[str, str]]:
        """Take in every upload of an event. A record that is no good is logged, and the others go on.

        Returns
        -------
        list of dict
            Owner, id and status of each job.

        Raises
        ------
        ExceptionGroup
            Trying some of the records again can help. The whole event should then come again: what was
            taken in stays so.
        """
        jobs, faults = [], []
        for record in split_event(event):
            try:
                if job := self.take_record(record):
                    jobs.append({"owner": job.owner, "id": job.id, "status": job.status})
            except Exception as fault:
                logger.exception("Not taken in; the event should come again")
                faults.append(fault)
        if faults:
            raise ExceptionGroup("records to be tried again", faults)
        return jobs

    def take_record(self, record: Mapping[str, Any] | bytes) -> Job | None:
        """Take in what one record tells of. What would fail again and again is logged, and done with.

        Raises
        ------
        Exception
            Whatever it is, trying again can help; the record should come again.
        """
        about_nothing()
        try:
            upload = read_record(record)
            return self.take_new(upload) if upload else None
        except StempipeError as fault:
            if fault.retryable:
                raise
            logger.warning("Not taken in", code=fault.code, reason=fault.message)
            return None

    def take_new(self, upload: Upload) -> Job | None:
        """As ``take``, for an upload that storage tells of: logged."""
        if job := self.take(upload):
            logger.info("Taken in", status=job.status)
        return job

    def take(self, upload: Upload) -> Job | None:
        """Take one upload in.

        Returns
        -------
        Job or None
            The upload's job, queued, failed, or as an earlier event left it. None for an object
            that is nobody's upload.

        Raises
        ------
        StorageUnavailable
            The object cannot be looked up now; the event should come again.
        JobNotFound
            The key names a job that does not exist.
        """
        if upload.bucket != self.settings.uploads_bucket:
            logger.warning("Not the uploads bucket", bucket=upload.bucket)
            return None
        said = read_key(upload.key)
        if said is None:
            logger.info("Not under a watched prefix", key=upload.key)
            return None
        try:
            stored = self.storage.look_up(upload.bucket, upload.key)
        except UploadGone:
            # Deleted since. An API job goes on awaiting its upload; a direct one never was.
            logger.warning("The object is gone", key=upload.key)
            return None
        if isinstance(said, JobUpload):
            job = self._take_job_upload(said, upload, stored)
        else:
            job = self._take_direct_upload(said, upload, stored)
        if job.state is Status.QUEUED and job.enqueued_at is None:
            return self.dispatch.send(job)
        return job

    def _take_job_upload(self, said: JobUpload, upload: Upload, stored: StoredObject) -> Job:
        about(said.owner, said.job_id)
        try:
            job = self.jobs.get(said.owner, said.job_id)
            numbers = {part.key: number for number, part in enumerate(job.uploads)}
            if upload.key not in numbers:
                raise JobNotFound(said.job_id)  # it was made again; this song is not the present one's
        except JobNotFound:
            self._delete(upload, stored)
            raise
        try:
            if error := self._size_error(stored, job.uploads[numbers[upload.key]].name):
                return Arrivals(self.jobs).refuse_upload(job, error)
            if job.parts is not None:
                return self._take_part(job, numbers[upload.key], stored)
            return Arrivals(self.jobs).upload_arrived(job, etag=stored.etag, size=stored.bytes)
        except TransitionRefused:
            logger.info("Seen before")
            job = self.jobs.get(said.owner, said.job_id)
            if _has_no_use_for(job, upload.key):
                self._delete(upload, stored)
            return job

    def _delete(self, upload: Upload, stored: StoredObject) -> None:
        """A link outlives its job, which was cancelled or deleted: nobody is counted for what comes by it."""
        self.storage.delete(upload.bucket, upload.key, stored.etag)
        logger.warning("Deleted: its job is over", key=upload.key)

    def _take_part(self, job: Job, number: int, stored: StoredObject) -> Job:
        """Take in one of the stems; with the last of them, whichever it is, the job is queued."""
        try:
            job = Arrivals(self.jobs).part_arrived(job, number, stored.etag)
        except TransitionRefused:
            job = self.jobs.get(job.owner, job.id)  # a crash may have come between this part and the queue
        if all(part.etag for part in job.uploads):
            return Arrivals(self.jobs).parts_arrived(job)
        return job

    def _take_direct_upload(self, said: DirectUpload, upload: Upload, stored: StoredObject) -> Job:
        source = Source(upload.provider, upload.bucket, upload.key, said.filename, stored.bytes, stored.etag)
        kind = Kind.MIDI if said.filename.lower().endswith(MIDI_ENDINGS) else Kind.SONG
        job_id = direct_job_id(upload, stored.etag, stored.metadata.get(CONFIG_METADATA, ""))
        about(said.owner, job_id)
        config, error = JobConfig(), self._size_error(stored)
        try:
            config = config_for(kind, self._config_of(stored))
        except InvalidConfig as fault:
            error = error or fault

        def add(error: StempipeError | None) -> Job:
            status = Status.FAILED if error else Status.QUEUED
            try:
                return self.jobs.add(said.owner, job_id, status, source, config, error, kind=kind)
            except QuotaExceeded as full:
                # Nobody hears a refusal: the job says it.
                Metric.REFUSED_BY_QUOTA.add()
                return add(full)

        try:
            return add(error)
        except JobExists:
            job = self.jobs.get(said.owner, job_id)
        if not _was_put_again(job, stored):
            logger.info("Seen before")
            return job
        logger.info("Put again after its job had ended", code=job.error_code)
        try:
            self.jobs.begin_deletion(job)
            self.jobs.delete(job)
            return add(error)
        except (TransitionRefused, JobExists):
            return self.jobs.get(said.owner, job_id)

    def _size_error(self, stored: StoredObject, name: str | None = None) -> StempipeError | None:
        if stored.bytes == 0:
            return EmptyFile(name)
        if stored.bytes > self.settings.max_upload_bytes:
            return TooLarge(stored.bytes, self.settings.max_upload_bytes)
        return None

    def _config_of(self, stored: StoredObject) -> JobConfig:
        text = stored.metadata.get(CONFIG_METADATA)
        if text is None:
            # The default must be one that this deployment has.
            return JobConfig(model_variant=self.settings.model_variants[0])
        config = JobConfig.from_json(text)
        config.check_available(self.settings.model_variants)
        return config


def _has_no_use_for(job: Job, key: str) -> bool:
    """Whether what was uploaded there now is none of the job's uploads, nor will be."""
    if not job.state.is_final or job.error_code == UploadMissing.code:  # it may be asked for again
        return False
    never_came = any(part.key == key and part.etag is None for part in job.uploads)
    return job.state is Status.CANCELLED or bool(job.is_deleting) or never_came


def _was_put_again(job: Job, stored: StoredObject) -> bool:
    """Whether a song was put once more after its job had ended for no fault of the song."""
    # Storage's clock has whole seconds: what came in the second of the end may have come after it, unless it
    # is what the job was made of.
    if job.completed_at is None or stored.modified < job.completed_at.replace(microsecond=0):
        return False
    if stored.modified <= job.created_at:
        return False
    return job.state is Status.CANCELLED or job.error_code in NOT_THE_SONGS_FAULT
