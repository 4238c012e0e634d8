"""Which files are songs, and what their stems are called."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from stempipe_client import StempipeError
from stempipe_client.command.songs import LeftOut, collect
from stempipe_client.endings import ENDINGS, UNREADABLE, begins_as_a_song
from stempipe_client.names import plain, safe
from tests.cli.conftest import Run
from tests.cli.service import Service
from tests.unit.media.songs import KINDS, noise, write


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


def test_what_is_left_out_of_a_folder_is_told_with_the_reason(tmp_path: Path) -> None:
    files = "album/a.MP3 album/b.wma album/c album/d.jpg album/e.m4b album/.hidden out/f.txt"
    make(tmp_path, *files.split(" "))
    (tmp_path / "loop.mp3").symlink_to(tmp_path / "loop.mp3")
    left_out: list[LeftOut] = []
    songs = collect([tmp_path], tmp_path / "out", left_out.append)
    assert [song.path.name for song in songs] == ["a.MP3", "e.m4b"]
    assert [(left.path.name, left.may_be_song) for left in left_out] == [
        ("b.wma", True),
        ("c", True),
        ("d.jpg", False),
    ]


def test_a_song_with_the_ending_of_another_format_is_one(tmp_path: Path) -> None:
    (make(tmp_path, "album/a.wma", "album/b.wma") / "album/a.wma").write_bytes(b"\0\0\0\x1cftypM4A \0\0\2\0")
    (tmp_path / "album/b.wma").write_bytes(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"))
    assert names(tmp_path, "album") == ["a"]


@pytest.mark.parametrize("name", ["Mr. Brightside", "Vol.2", "take one", "feat. Dr. No.1"])
def test_a_file_without_an_ending_is_a_song_if_it_begins_as_one(tmp_path: Path, name: str) -> None:
    (make(tmp_path, f"album/{name}") / "album" / name).write_bytes(b"\xff\xfb\x90\0" + bytes(400))
    assert names(tmp_path, "album") == [name]
    assert names(tmp_path, f"album/{name}") == [name]


@pytest.mark.parametrize(
    "head",
    [b"# Read me\n", b"\xff\xfet\0e\0x\0t\0", b"\xff\xd8\xff\xe0\0\x10JFIF", b"RIFF\0\0\0\0WEBPVP8 ", b""],
)
def test_what_begins_as_something_else_is_none(tmp_path: Path, head: bytes) -> None:
    (make(tmp_path, "album/README", "album/a.mp3") / "album/README").write_bytes(head)
    assert names(tmp_path, "album") == ["a"]


def test_every_kind_of_file_that_is_made_here_begins_as_a_song(tmp_path: Path) -> None:
    for name, kind in KINDS.items():
        made = write(tmp_path / f"song.{kind.ending}", noise(0.1, sample_rate=kind.sample_rate), kind)
        assert begins_as_a_song(made.read_bytes()[:16]), name


def test_left_out_files_are_named(configured: Service, stempipe: Run, tmp_path: Path) -> None:
    make(tmp_path, "album/a.mp3", "album/b.wma", "album/c", *(f"album/{number}.jpg" for number in range(5)))
    done = stempipe("separate", "album")
    assert done.exit_code == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("left out")] == [
        "left out  album/b.wma: it cannot be read; make a FLAC or WAV of it",
        "left out  album/c: no ending, and no song by its beginning; name it to have it tried",
        "left out  album/0.jpg, album/1.jpg, album/2.jpg and 2 more: no song, by its ending",
    ]
    done = stempipe("separate", "album", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(event["event"] == "left_out" for event in events) == 7
    assert "left out  album/b.wma" in done.stderr


def test_a_folder_of_nothing_else_says_what_was_left_out(
    configured: Service, stempipe: Run, tmp_path: Path
) -> None:
    make(tmp_path, "album/b.wma")
    done = stempipe("separate", "album")
    assert done.exit_code == 2
    assert "left out  album/b.wma" in done.stdout
    assert "There is no song in album" in done.stderr


def test_the_documentation_names_the_endings(root: Path) -> None:
    said = re.search(r"[Tt]hese endings: ([^.]+)\.", (root / "docs/cli.md").read_text())
    assert said
    assert set(re.findall(r"\w+", said[1])) == ENDINGS
    assert not ENDINGS & UNREADABLE


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
        ("\u3000 .bashrc", "_.bashrc"),
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc\u2028d", "a b c d"),
        ("\x1b[2J\x9b2J\x07\x7f", "\ufffd[2J\ufffd2J\ufffd\ufffd"),
        ("\u202egpm.3\u2069\u200f", "\ufffdgpm.3\ufffd\ufffd"),
        (os.fsdecode(b"caf\xe9"), "caf\ufffd"),
        ("日本 \U0001f3b5 [bold]", "日本 \U0001f3b5 [bold]"),
    ],
)
def test_what_is_printed_is_plain(text: str, shown: str) -> None:
    assert plain(text) == shown
