"""What a stem is, by what it is called."""

import re
from typing import Literal

Role = Literal["drums", "bass", "vocals", "piano", "accompaniment", "other"]

# The first that is found. Words begin where they are: a rising pad is no singer.
_NAMES: tuple[tuple[re.Pattern[str], Role], ...] = (
    (re.compile(r"accompan|instrumental|\bno (vocals?|drums|bass|piano|other)\b"), "accompaniment"),
    (re.compile(r"drum|\bperc|\bkick|\bsnare|\bhi ?hat|cymbal|\btoms?\b|\bkit\b|\bbeats?\b"), "drums"),
    (re.compile(r"bass(?!oon)"), "bass"),
    (re.compile(r"vocal|\bvox|voice|\bsing|choir"), "vocals"),
    (re.compile(r"piano|rhodes|\bkeys\b|\bepi?\b"), "piano"),
)


def role_named(name: str) -> Role:
    """What something of that name most likely is."""
    words = re.sub(r"[\W_]+", " ", name.casefold())
    return next((role for pattern, role in _NAMES if pattern.search(words)), "other")
