"""A song through the whole pipeline: the template on a local cloud, from the upload to `completed`."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ROOT, BenchError
from local.cloud import running
from local.server import free_port
from separation.models.weights import VariantName
from stempipe.adapters.storage import Storage
from stempipe_client import Client, Config, Pace, Status, StempipeError
from stempipe_client.config import ModelVariant

_PACE = Pace(poll=0.2)


@dataclass(frozen=True)
class Pipeline:
    """A new local cloud, and its API, signed in."""

    _client: Client
    _storage: Storage
    _stems_bucket: str

    def upload_to_completed(self, song: Path, variant: ModelVariant) -> tuple[float, float]:
        """Send a song.

        Returns
        -------
        upload, completed
            Seconds from the start of the upload until it is done, and until the job is seen to be completed.

        Raises
        ------
        BenchError
            If the job is refused, or fails.
        """
        try:
            created = self._client.create(song, Config(model_variant=variant))
            began = time.perf_counter()
            if created.upload:
                self._client.upload(created.upload, song)
            uploaded = time.perf_counter()
            *_, job = self._client.watch(created.job.id)
        except StempipeError as error:
            raise BenchError(str(error)) from error
        if job.status is not Status.COMPLETED:
            raise BenchError(f"The job {job.status}: {job.error}")
        return uploaded - began, time.perf_counter() - began

    def put_stems(self, stems: Sequence[Path]) -> float:
        """Seconds in which files are put where stems go, one after another as the worker does it."""
        began = time.perf_counter()
        for stem in stems:
            self._storage.put(stem, self._stems_bucket, f"bench/{stem.name}", "audio/wav", lambda _: None)
        return time.perf_counter() - began


@contextmanager
def pipeline(folder: Path) -> Iterator[Pipeline]:
    """A local cloud that has 2stems and 4stems, the latter with random weights if it is not installed."""
    python = python_with_random_weights(folder, "2stems", "4stems")
    with running(port=free_port(), state=folder / "cloud", python=python) as deployment:
        storage = Storage(deployment.client("s3"), "s3")
        with Client(deployment.api_url, deployment.token(), pace=_PACE) as client:
            yield Pipeline(client, storage, deployment.stems_bucket)


def python_with_random_weights(folder: Path, *variants: VariantName) -> Path:
    """A program that runs functions as the interpreter would, in the way of random_worker.py."""
    return python_by("benchmarks.random_worker", folder, MODEL_VARIANTS=",".join(variants))


def python_by(module: str, folder: Path, **variables: str) -> Path:
    """A program that runs functions as the interpreter would, by a module and with more variables."""
    command = folder / "python"
    told = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    command.write_text(
        "#!/bin/sh\n"
        f'export {told} PYTHONPATH="$PYTHONPATH":{shlex.quote(str(ROOT))}\n'
        f'exec {shlex.quote(sys.executable)} -m {module} "$@"\n'
    )
    command.chmod(0o755)
    return command
