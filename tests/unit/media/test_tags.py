"""What a song says of itself: read from any container, whatever is in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio_input import AudioInput
from media.tags import Tags, clean, read_tags
from tests.unit.media.songs import KINDS, tone, write

SONG = {"title": "Grün \U0001f3b5", "artist": "Ä & B", "album": "C"}


def tags_of(path: Path) -> Tags:
    with AudioInput(path, 60) as song:
        return song.tags


@pytest.mark.parametrize(
    "kind",
    [
        "wav",
        "rf64",
        "flac",
        "mp3",
        "ogg opus",
        "ogg flac",
        "m4a",
        "m4a of alac",
        "mp4, index first",
        "mp4, in fragments",
        "matroska",
        "webm",
    ],
)
def test_every_container_has_its_tags_read(tmp_path: Path, kind: str) -> None:
    chosen = KINDS[kind]
    song = tone(0.2, sample_rate=chosen.sample_rate)
    path = write(tmp_path / f"song.{chosen.ending}", song, chosen, tags=SONG)
    assert tags_of(path) == Tags(**SONG)


def test_a_song_without_tags_has_none(tmp_path: Path) -> None:
    assert tags_of(write(tmp_path / "song.wav", tone(0.2))) == Tags()


def test_old_files_in_latin_letters_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", tone(0.2), KINDS["wav"], tags={"title": "Cafe!", "artist": "A"})
    path.write_bytes(path.read_bytes().replace(b"Cafe!", b"Caf\xe9\x85"))
    assert tags_of(path).title == "Café…"


def test_id3_version_1_is_read(tmp_path: Path) -> None:
    kind = KINDS["mp3"]._replace(options={"id3v2_version": "0"})
    path = write(tmp_path / "song.mp3", tone(0.2), kind)
    with path.open("ab") as file:
        file.write(b"TAG" + b"Caf\xe9".ljust(30, b"\0") + b"Me".ljust(30, b"\0") + b"\0" * 64 + b"\xff")
    assert tags_of(path) == Tags("Café", "Me")


def test_megabytes_of_tags_become_a_line(tmp_path: Path) -> None:
    huge = {"title": "la " * 1_000_000, "artist": "\x1b]0;\r\n\x00la"}
    found = tags_of(write(tmp_path / "song.flac", tone(0.2), KINDS["flac"], tags=huge))
    assert found.title == ("la " * 67)[:200].strip()
    assert found.artist == "]0;"  # FFmpeg's strings end at a zero


@given(stored=st.binary() | st.text().map(str.encode))
def test_any_bytes_become_one_short_printable_line(stored: bytes) -> None:
    as_pyav_reads_it = stored.decode("utf-8", "surrogateescape")
    found = read_tags({"TITLE": as_pyav_reads_it}).title
    assert len(found.encode()) <= 800
    assert found == " ".join(found.split()) == clean(found)
    assert not any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in found)


def test_the_first_source_that_says_something_is_believed() -> None:
    assert read_tags({"title": " \n"}, {"Title": "stream", "ARTIST": "A"}) == Tags("stream", "A")
    assert read_tags({"title": "container"}, {"title": "stream"}).title == "container"


@pytest.mark.parametrize(
    ("song", "title", "expected"),
    [
        (Tags("Song", "A"), "file", {"title": "Song (bass)", "artist": "A"}),
        (Tags(album="B"), "file\n", {"title": "file (bass)", "album": "B"}),
        (Tags(), "", {"title": "bass"}),
    ],
)
def test_a_stems_title_names_it(song: Tags, title: str, expected: dict[str, str]) -> None:
    assert song.of_stem("bass", title) == expected
