"""Settings: what the template tells a function, parsed once from its environment.

Each function has one model. Call ``from_environment`` on first use, never at import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeInt, PositiveInt

from stempipe.jobs.config import ModelVariant
from stempipe.jobs.usage import Limits


def _split_commas(value: object) -> object:
    return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


HostNames = Annotated[tuple[str, ...], BeforeValidator(_split_commas)]


class StorageSettings(BaseModel):
    """Where objects are: S3, or R2, which is S3 with an endpoint and keys of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    storage_provider: Literal["s3", "r2"] = "s3"
    storage_endpoint: str = ""
    storage_secret_arn: str = ""
    aws_endpoint_url: str = ""

    @property
    def endpoint(self) -> str | None:
        """Endpoint to use in place of AWS's own, if any. ``storage_endpoint`` is R2's, and not for S3."""
        return (self.storage_provider == "r2" and self.storage_endpoint) or self.aws_endpoint_url or None


class Settings(StorageSettings):
    """What every function knows."""

    jobs_table: str
    usage_table: str
    uploads_bucket: str
    stems_bucket: str
    model_variants: Annotated[tuple[ModelVariant, ...], BeforeValidator(_split_commas)] = ("2stems",)
    max_upload_bytes: PositiveInt = 500 * 1024 * 1024
    max_song_seconds: PositiveInt = 600
    max_open_jobs: PositiveInt = 1000
    max_minutes_a_day: PositiveInt = 10_000
    max_bytes_kept: PositiveInt = 200_000_000_000
    retention_days: PositiveInt = 7
    upload_seconds: PositiveInt = 4500
    message_seconds: PositiveInt = 10800

    @property
    def limits(self) -> Limits:
        """What an owner may take."""
        return Limits(self.max_open_jobs, self.max_minutes_a_day, self.max_bytes_kept)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings from environment variables named as the fields, in capitals."""
        variables = os.environ if environment is None else environment
        return cls.model_validate({name.lower(): value for name, value in variables.items()})


class DispatchSettings(Settings):
    """What is known to every function that lets jobs in to the workers."""

    jobs_queue_url: str
    max_concurrency: NonNegativeInt = 2
    """Workers that Lambda runs at the same time."""
    other_workers: NonNegativeInt = 0
    """Workers that others run, at most, which take from the same queue."""

    @property
    def workers(self) -> int:
        """Jobs that are worked on at the same time."""
        return max(1, self.max_concurrency + self.other_workers)


class IntakeSettings(DispatchSettings):
    """What intake knows."""


class PullSettings(IntakeSettings):
    """What pull knows: where R2's notifications are queued."""

    cloudflare_queue_url: str
    cloudflare_secret_arn: str


class ReceiveSettings(IntakeSettings):
    """What receive knows: what R2's notifications are signed with, and where their ids are kept."""

    received_table: str
    webhook_secret_arn: str


class SeparateSettings(DispatchSettings):
    """What a worker knows."""

    engine: Literal["native", "openvino", "tensorflow"] | None = None
    inference_precision: Literal["float32", "bfloat16"] = "float32"
    lease_seconds: PositiveInt = 30
    disk_mb: PositiveInt = 512
    """Temporary disk, which is billed. Lambda tells a function its memory, and not this."""


class PollSettings(SeparateSettings):
    """What a worker knows besides that Lambda does not run. Lambda tells its own as much."""

    work_seconds: PositiveInt = 3600
    """How long it may work on a job."""
    memory_mb: PositiveInt = 3008
    """What a job's cost is reckoned by: the memory for which Lambda asks as much as this worker costs."""


class ViewSettings(Settings):
    """What is known to every function that shows jobs to their owners."""

    download_link_seconds: PositiveInt = 3600


class StatusSettings(ViewSettings, DispatchSettings):
    """What the HTTP API knows."""

    upload_link_seconds: PositiveInt = 3600
    callback_key_id: str
    webhook_allowed_hosts: HostNames = ()


class AuthorizeSettings(Settings):
    """What the WebSocket's authorizer knows."""

    jwt_issuer: str
    jwt_audiences: Annotated[tuple[str, ...], BeforeValidator(_split_commas)]
    """Any of which a token must name: each client of a user pool is one."""
    issuer_url: str
    """Where the issuer is reached: itself, but for on a local cloud."""


class ConnectSettings(ViewSettings):
    """What the WebSocket's routes know."""

    connections_table: str
    live_endpoint: str
    """Where messages to connections are posted."""


class NotifySettings(ConnectSettings):
    """What notify knows."""

    webhooks_queue_url: str
    notify_dead_letter_queue_url: str


class WebhookSettings(ViewSettings):
    """What the deliverer of webhooks knows."""

    webhooks_queue_url: str
    webhooks_dead_letter_queue_url: str
    webhook_retry_seconds: Annotated[tuple[PositiveInt, ...], BeforeValidator(_split_commas)]
    """How long to wait after each failed delivery but the last."""
    webhook_allowed_hosts: HostNames = ()
    callback_key_id: str
    turns_table: str


class SweepSettings(IntakeSettings):
    """What sweep knows."""

    jobs_dead_letter_queue_url: str
    intake_dead_letter_queue_url: str
