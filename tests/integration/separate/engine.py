"""A stand-in for the engine where a test needs a fault on demand, and one job for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stempipe.adapters.queue import JobMessage
from stempipe.jobs.config import JobConfig
from stempipe.rules.sound import Heard, Separated
from tests.aws import STEMS, Aws

MESSAGE = JobMessage(owner="alice", id="01K")
KEY = "jobs/alice/01K"


class Engine:
    """Writes a file a stem, or does what a test tells it to in between."""

    def __init__(self) -> None:
        self.during: Callable[[], None] = lambda: None
        self.while_listening: Callable[[], None] = lambda: None
        self.residual_db: float | None = -133.4248
        self.playing: Sequence[str] = ()
        self.songs: list[bytes] = []
        self.heard: list[dict[str, bytes]] = []
        self.titles: list[str | None] = []  # of what was heard
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stopped.set()

    def separate(
        self,
        source: Path,
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Callable[[float], None],
    ) -> Separated:
        self.songs.append(source.read_bytes())
        self.on_progress = on_progress
        on_progress(0.5)
        self.during()
        on_progress(1.0)
        stems = {}
        for stem in config.kept:
            stems[stem] = destination / f"{stem}.{config.quality.output_format}"
            self.write(stems[stem])
        return Separated(
            stems,
            seconds=180.0,
            sample_rate=48000,
            channels=1,
            codec="mp3",
            gain_db=-1.5,
            residual_db=self.residual_db,
        )

    def analyse(
        self,
        song: Path,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str | None,
        on_progress: Callable[[float], None],
    ) -> dict[Path, str | None]:
        """Write down what was heard: the names of the files."""
        self.titles.append(title)
        heard = {"song": song, **stems}
        self.heard.append({name: file.read_bytes() for name, file in heard.items() if file.is_file()})
        on_progress(0.5)
        self.while_listening()
        found = destination / "analysis.json"
        found.write_text("{}")
        files: dict[Path, str | None] = {found: None}
        for stem in self.playing:
            of_stem = destination / f"{stem}.mid"
            of_stem.write_bytes(b"MThd")
            files[of_stem] = stem
        return files

    def analyse_stems(
        self,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str | None,
        on_progress: Callable[[float], None],
    ) -> Heard:
        files = self.analyse(destination, stems, destination, config, title, on_progress)
        return Heard(files, seconds=12.0, sample_rate=44100)

    def analyse_midi(
        self,
        midi: Path,
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Callable[[float], None],
    ) -> Heard:
        return Heard(self.analyse(midi, {}, destination, config, title, on_progress), seconds=12.0)

    def write(self, path: Path) -> None:
        path.write_bytes(path.stem.encode())


def raising(error: Exception) -> Callable[[], None]:
    """Work that ends in an error."""

    def fault() -> None:
        raise error

    return fault


def stems(cloud: Aws) -> list[str]:
    """The keys of all stems that are stored."""
    return [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=STEMS).get("Contents", [])]


def received(cloud: Aws, body: str) -> dict[str, Any]:
    """An event of one message that really is in the queue."""
    cloud.sqs.send_message(QueueUrl=cloud.jobs_queue_url, MessageBody=body)
    (message,) = cloud.sqs.receive_message(QueueUrl=cloud.jobs_queue_url, VisibilityTimeout=1800)["Messages"]
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
                "awsRegion": "us-east-1",
            }
        ]
    }
