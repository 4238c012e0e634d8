"""Which files are songs, and what their stems are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stempipe_client import StempipeError
from stempipe_client.command.songs import collect
from stempipe_client.names import safe


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return folder


def names(folder: Path, *paths: str) -> list[str]:
    """Where the stems go, relative to the output."""
    out = folder / "out"
    songs = collect([folder / path for path in paths], out)
    return [str((song.folder / song.name).relative_to(out)) for song in songs]


def test_a_folder_keeps_its_sub_folders(tmp_path: Path) -> None:
    make(tmp_path, "album/cd1/track01.mp3", "album/cd2/track01.mp3", "album/intro.WAV")
    assert names(tmp_path, "album") == ["cd1/track01", "cd2/track01", "intro"]


def test_songs_of_one_name_are_numbered(tmp_path: Path) -> None:
    make(tmp_path, "a/song.mp3", "b/song.mp3", "b/song.wav", "c/Song.mp3")
    assert names(tmp_path, "a", "b", "c/Song.mp3") == ["song", "song (2)", "song (3)", "Song (4)"]


def test_long_names_that_begin_alike_stay_apart(tmp_path: Path) -> None:
    make(tmp_path, f"{'x' * 210}a.mp3", f"{'x' * 210}b.mp3")
    first, second = names(tmp_path, ".")
    assert first != second


def test_a_file_that_is_named_twice_is_one_song(tmp_path: Path) -> None:
    make(tmp_path, "a/song.mp3")
    assert names(tmp_path, "a/song.mp3", "a") == ["song"]


def test_a_folder_has_no_songs_that_are_hidden_or_no_sound_or_stems_of_before(tmp_path: Path) -> None:
    make(tmp_path, "song.mp3", "._song.mp3", ".trash/old.mp3", "cover.jpg", "out/song - vocals.wav")
    assert names(tmp_path, ".") == ["song"]


def test_a_file_that_is_named_may_have_any_ending(tmp_path: Path) -> None:
    make(tmp_path, "take.amr")
    assert names(tmp_path, "take.amr") == ["take"]


@pytest.mark.parametrize("path", ["none.mp3", "empty"])
def test_what_is_not_there_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StempipeError, match=path) as failure:
        names(tmp_path, path)
    assert failure.value.code == "no_such_file"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("AC/DC: Back?", "AC_DC_ Back_"),
        ("../../etc/passwd", "_.._.._etc_passwd"),
        (".bashrc", "_.bashrc"),
        ("\u202e3pm.gnos", "_3pm.gnos"),
        (os.fsdecode(b"caf\xe9"), "caf_"),
        ("con", "_con"),
        ("LPT1.mix", "_LPT1.mix"),
        ("...", "_"),
        ("", "_"),
        ("tab\tand\x85", "tab_and_"),
        ("ends with. ", "ends with"),
        ("日本語", "日本語"),
    ],
)
def test_names_are_made_fit(name: str, made: str) -> None:
    assert safe(name) == made


def test_long_names_are_cut_between_letters_and_keep_their_end() -> None:
    name = safe("é" * 200, " - vocals.wav")
    assert name.endswith("é - vocals.wav")
    assert 254 <= len(name.encode()) <= 255
