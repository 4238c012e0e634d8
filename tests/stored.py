"""What a worker has stored of a song, for tests to which it is all the same."""

from collections.abc import Mapping
from typing import Any

from stempipe.jobs.claim import Stored


def stored_song(stem_keys: Mapping[str, str], **changes: Any) -> Stored:
    """Stems of a second of an MP3."""
    facts: dict[str, Any] = {
        "player_keys": {},
        "gain_db": 0.0,
        "duration_seconds": 1.0,
        "sample_rate": 44100,
        "channels": 2,
        "codec": "mp3",
    }
    return Stored(stem_keys=dict(stem_keys), **facts | changes)
