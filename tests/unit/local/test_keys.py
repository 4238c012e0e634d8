"""The administrator's key, and whose the state folder is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from local.keys import Keys
from local.server import LocalError, Server, free_port


def test_keys_are_made_once_for_each_folder(tmp_path: Path) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    first, second = map(Keys.of, folders)
    assert Keys.of(folders[0]) == first
    values = [getattr(keys, name) for keys in (first, second) for name in vars(first)]
    assert len(set(values)) == len(values)
    # Whom MiniStack takes for its administrator besides.
    assert not {"test", ""} & set(values)
    assert not first.access_key_id.isdigit()


def start(state: Path) -> Server:
    # A MiniStack that ends at once, so that the start fails after the folder is made.
    return Server.start(python=Path("/bin/true"), state=state, port=free_port())


def test_the_folder_and_what_is_in_it_are_the_users_alone(tmp_path: Path) -> None:
    state = tmp_path / "above" / "state"
    state.mkdir(parents=True, mode=0o755)
    umask = os.umask(0o022)
    try:
        with pytest.raises(LocalError, match="ended while starting"):
            start(state)
        assert os.umask(0o022) == 0o022  # as it was
    finally:
        os.umask(umask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [state, *state.rglob("*")]}
    assert modes == {
        "state": 0o700,
        "tmp": 0o700,
        "keys.json": 0o600,
        "lock": 0o600,
        "port": 0o600,
        "ministack.log": 0o600,
    }


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(LocalError, match="another user's"):
        start(tmp_path)
    assert not list(tmp_path.iterdir())
