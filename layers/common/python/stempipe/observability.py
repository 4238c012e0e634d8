"""Logs, traces and metrics: one of each for every function.

``POWERTOOLS_SERVICE_NAME`` says of which stack.
"""

import os
import warnings
from enum import Enum

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["SERVICE", "Metric", "about", "about_nothing", "logger", "metrics", "tracer"]

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "stempipe")

logger = Logger(service=SERVICE)
tracer = Tracer(service=SERVICE)
metrics = Metrics(namespace="Stempipe", service=SERVICE)

# Not every call has something to count.
warnings.filterwarnings("ignore", message="No application metrics to publish")


class Metric(Enum):
    """Every metric that is counted, with its unit. Their only dimension is the stack.

    CloudWatch takes a price for each name in each month in which it is sent, and as much again for each
    value of each dimension: hence few, and none by owner, job or code. What is rare is in the log.
    """

    # Counted by notify, which sees every job's every change, whoever made it.
    QUEUE_WAIT = "QueueWaitSeconds", MetricUnit.Seconds
    """From the job's being queued, its owner's line included, to a worker's first claim of it."""
    UPLOAD_TO_COMPLETED = "UploadToCompletedSeconds", MetricUnit.Seconds
    """From the job's being queued to its end with all that was asked for."""
    JOBS_FAILED = "JobsFailed", MetricUnit.Count
    """Of each job that ended, 1 if it did so by our fault, else 0: its mean is the share of those."""
    SONGS_FAILED = "SongsFailed", MetricUnit.Count
    """Of each job that ended, 1 if it did so for what its owner sent, or did not send, else 0."""
    SONG_SECONDS = "SongSeconds", MetricUnit.Seconds
    """Sound of jobs that completed."""

    # Counted by separate, for each attempt.
    REAL_TIME_FACTOR = "RealTimeFactor", MetricUnit.NoUnit
    """Seconds of work for a second of sound, of songs of a minute and more."""
    PEAK_MEMORY = "PeakMemoryMegabytes", MetricUnit.Megabytes
    """Most that the worker's process ever held; the decoder's is another, and not in it."""
    DISK = "DiskMegabytes", MetricUnit.Megabytes
    """Most that a job took of the temporary disk."""

    REFUSED_BY_QUOTA = "RefusedByQuota", MetricUnit.Count
    """Requests of the API and direct uploads, by status and intake."""
    UPLOADS_RETURNED = "UploadsReturned", MetricUnit.Count
    """R2's notifications that pull could not take in, and that come again."""
    SWEEP_FAULTS = "SweepFaults", MetricUnit.Count
    """What sweep could not put right."""
    MESSAGES_THROTTLED = "MessagesThrottled", MetricUnit.Count
    """Messages to WebSockets that API Gateway refused, because it was asked too often."""

    def add(self, value: float = 1) -> None:
        """Count it; it is sent when the invocation ends."""
        name, unit = self.value
        metrics.add_metric(name, unit, value)


COLD_START = "ColdStart"
"""What Powertools counts where a handler asks for it, as separate does; the function is a dimension, too."""


def about(owner: str, job_id: str) -> None:
    """From here on each line of the log names the job, and so does the trace."""
    logger.append_keys(owner=owner, job_id=job_id)
    tracer.put_annotation("job_id", job_id)


def about_nothing() -> None:
    """What follows is about no job, or about another one that is still to be told."""
    logger.remove_keys(["owner", "job_id"])
