"""Fuzzes what a client may ask for: it is understood, or refused by the errors for that."""

import json
import sys
from collections.abc import Iterator

import atheris

with atheris.instrument_imports(include=["stempipe"]):
    from stempipe.errors import InvalidConfig
    from stempipe.jobs.config import JobConfig
    from stempipe.jobs.requests import JobRequest
from tests.fuzz import trees


def one(data: bytes) -> None:
    try:
        config = JobConfig.from_json(data)
    except InvalidConfig as refusal:
        assert refusal.message.encode()
    else:
        assert config.kept
        assert JobConfig.from_json(config.to_json()) == config
    try:
        request = JobRequest.model_validate(json.loads(data))  # as Powertools does
    except (ValueError, RecursionError):
        return
    assert request.filename.encode()
    assert request.config.kept


def seeds() -> Iterator[bytes]:
    config = (
        b'{"model": "spleeter", "modelVariant": "5stems", "stems": {"vocals": true, "piano": false},'
        b' "quality": {"sampleRate": 48000, "outputFormat": "mp3", "bitrate": 192}, "bandwidth": "16khz",'
        b' "maskExtension": "zeros"}'
    )
    yield config
    yield b'{"filename": "song.mp3", "size": 3, "contentType": "audio/mpeg", "config": ' + config + b"}"


if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=trees.mutate)
    atheris.Fuzz()
