"""The whole template on a local cloud of its own, and songs to send through it."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import numpy.typing as npt
import pytest

from local import demo
from local.cloud import Deployment, running
from local.server import free_port

RATE = 44100
Samples = npt.NDArray[np.float32]


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of everything that the local cloud keeps: logs, and keys, too."""
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="session")
def cloud(state: Path) -> Iterator[Deployment]:
    """The template, deployed with an empty state."""
    with running(port=free_port(), state=state, parameters={"WebhookRetrySeconds": "1,2"}) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def song(root: Path) -> Path:
    """11 s of a real song with vocals."""
    return demo.example_song(root / ".local")


@pytest.fixture(scope="session")
def decode() -> Callable[[Path], Samples]:
    """Reads audio as float32 of shape (channels, samples), 44,100 Hz."""

    def read(path: Path) -> Samples:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        with av.open(str(path)) as container:
            frames = [
                resampled.to_ndarray()
                for frame in container.decode(audio=0)
                for resampled in resampler.resample(frame)
            ]
        return np.concatenate(frames, axis=1)

    return read


@pytest.fixture(scope="session")
def long_song(
    song: Path, decode: Callable[[Path], Samples], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Three minutes: the song again and again."""
    samples = np.tile(decode(song), 16)
    path = tmp_path_factory.mktemp("songs") / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples.T * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def sign_in(cloud: Deployment) -> Iterator[Callable[[str], httpx.Client]]:
    """The API, as somebody."""
    clients = []

    def signed_in(email: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {cloud.token(email)}"}
        clients.append(httpx.Client(base_url=cloud.api_url, headers=headers, timeout=60))
        return clients[-1]

    yield signed_in
    for client in clients:
        client.close()


@pytest.fixture
def api(sign_in: Callable[[str], httpx.Client]) -> httpx.Client:
    """The API, as a producer."""
    return sign_in("producer@example.com")
