"""What a job can begin with: a song, stems, or MIDI."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stempipe_client.errors import TransientError
from stempipe_client.models import Created, Upload
from stempipe_client.names import safe, said

MOST_STEMS = 16


@dataclass(frozen=True)
class Stems:
    """Stems that somebody has already.

    Attributes
    ----------
    files
        By the stems' names.
    title
        What is made of them is named after it.
    """

    files: Mapping[str, Path]
    title: str | None = None


@dataclass(frozen=True)
class Midi:
    """A MIDI file."""

    file: Path


Source = Path | Stems | Midi
"""A path alone is a song."""


def files_of(source: Source) -> tuple[Path, ...]:
    """Every file of it."""
    match source:
        case Stems():
            return tuple(source.files.values())
        case Midi():
            return (source.file,)
    return (source,)


def request(source: Source) -> dict[str, Any]:
    """What the API is told of it."""
    match source:
        case Stems():
            stems = [{"name": name} | _file(path) for name, path in source.files.items()]
            return {"stems": stems} | ({"title": source.title} if source.title else {})
        case Midi():
            return {"midi": _file(source.file)}
    return _file(source)


def awaited(source: Source, created: Created) -> list[tuple[Upload, Path]]:
    """Where the files go that a new job awaits.

    Raises
    ------
    TransientError
        `api_error`: it awaits others.
    """
    if isinstance(source, Stems):
        uploads = created.uploads or {}
        if unknown := uploads.keys() - source.files.keys():
            raise TransientError(
                "api_error", f"The job awaits stems that it was not told of: {said(sorted(unknown))}"
            )
        return [(upload, source.files[name]) for name, upload in uploads.items()]
    path = source.file if isinstance(source, Midi) else source
    return [(created.upload, path)] if created.upload else []


def _file(path: Path) -> dict[str, Any]:
    return {"filename": safe(path.name), "size": path.stat().st_size}
