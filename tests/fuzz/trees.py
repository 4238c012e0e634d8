"""Mutations that leave JSON valid: bytes changed at random seldom do."""

import json
import random
from copy import deepcopy
from typing import Any

import atheris

_STRANGE: list[Any] = [
    None,
    True,
    -1,
    1e308,
    "",
    "/",
    "\0",
    "%",
    "é🎵",
    "\u202e",
    "\ud800",
    [],
    {},
    [[]],
    {"s3": {}},
]


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change a JSON document in one place; where it is none, its bytes."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(data, max_size))
    chance, holder = random.Random(seed), [tree]
    for _ in range(chance.randint(1, 3)):
        parent, key = chance.choice(_places(holder))
        _change(parent, key, chance)
    try:
        return json.dumps(holder[0]).encode()[:max_size]
    except RecursionError:
        return data


def _places(holder: list[Any]) -> list[tuple[Any, Any]]:
    """Every value in a tree, as the container that holds it and its key there."""
    places, waiting = [], [holder]
    while waiting:
        node: Any = waiting.pop()
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                waiting.append(node[key])
    return places


def _change(parent: Any, key: Any, chance: random.Random) -> None:
    value = parent[key]
    match chance.randrange(5):
        case 0:
            parent[key] = deepcopy(chance.choice(_STRANGE))
        case 1 if isinstance(parent, dict):
            parent[chance.choice([*parent, "x"])] = parent.pop(key)
        case 2 if isinstance(value, list):
            parent[key] = value + deepcopy(value)
        case 3 if isinstance(value, str):
            at = chance.randint(0, len(value))
            parent[key] = value[:at] + str(chance.choice(_STRANGE)) + value[at:]
        case _ if isinstance(value, str):
            changed = atheris.Mutate(value.encode(errors="surrogatepass"), len(value) + 20)
            parent[key] = bytes(changed).decode(errors="replace")
        case _:
            parent[key] = [value]
