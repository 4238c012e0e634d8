"""What a file's time stamps say is where it is heard: nothing earlier, nothing later, nothing shorter."""

from pathlib import Path

import av
import numpy as np
import pytest

from media.audio_input import AudioInput
from media.errors import CorruptMediaError, TooLongError
from media.isolated_input import IsolatedInput
from media.notices import Notice
from tests.hostile.containers import ogg_pages
from tests.unit.media.songs import KINDS, Kind, Samples, beats, beats_in, copy, noise, write

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"}
NEAR = 0.03  # encoders' delays, where the container does not say them, and what they smear
PADDING = 0.05  # what encoders add at both ends


def play(path: Path, max_seconds: float = 60) -> tuple[Samples, tuple[Notice, ...]]:
    with AudioInput(path, max_seconds) as song:
        samples = np.concatenate(list(song.blocks()), axis=1)
        assert song.seconds == pytest.approx(samples.shape[1] / 44_100, abs=0.001)
        return samples, song.notices


def codes(notices: tuple[Notice, ...]) -> list[str]:
    return [notice.code for notice in notices]


def made(folder: Path, name: str, seconds: int = 6) -> Path:
    kind = KINDS[name]
    return write(folder / f"made.{kind.ending}", beats(seconds, sample_rate=kind.sample_rate), kind)


def damage(path: Path, *numbers: int) -> Path:
    """Spoil packets, but for what begins them; that of FLAC and MP3 with it."""
    with av.open(path) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.pos is not None and packet.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        start, size = packets[number].pos or 0, packets[number].size
        data[start + 7 : start + size] = b"\xff" * (size - 7)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("made_as", "muxer", "options"),
    [
        ("ogg opus", "webm", {}),
        ("ogg opus", "mp4", {}),
        ("m4a", "matroska", {}),
        ("m4a", "mp4", {}),
        ("m4a", "mp4", FRAGMENTS),
        ("flac", "matroska", {}),
        ("mp3", "matroska", {}),
    ],
)
@pytest.mark.parametrize("hole", [0.06, 0.4, 2.0])
def test_where_packets_are_missing_there_is_silence_and_the_rest_is_in_its_place(
    tmp_path: Path, made_as: str, muxer: str, options: dict[str, str], hole: float
) -> None:
    whole = made(tmp_path, made_as)
    holed = copy(
        whole, tmp_path / "holed", muxer, keep=lambda at: not 2.3 < at < 2.3 + hole + 0.05, options=options
    )
    samples, notices = play(holed)
    assert samples.shape[1] == pytest.approx(6 * 44_100, abs=PADDING * 44_100)
    expected = [second for second in range(6) if not 2.3 < second < 2.3 + hole]
    assert beats_in(samples) == pytest.approx(expected, abs=NEAR)
    silent = samples[:, round(2.42 * 44_100) : round((2.3 + hole) * 44_100)]
    assert np.abs(silent).max(initial=0) < 0.001
    assert codes(notices) == ["gap"]
    assert "at 2." in notices[0].message
    assert notices[0].seconds == pytest.approx(hole + 0.05, abs=0.11)  # whole packets


def test_what_was_filled_is_told_by_the_decoders_process(tmp_path: Path) -> None:
    holed = copy(made(tmp_path, "ogg opus"), tmp_path / "holed", "webm", keep=lambda at: not 1.5 < at < 2.5)
    with IsolatedInput(holed, 60) as song:
        before = song.notices
        assert sum(block.shape[1] for block in song.blocks()) == pytest.approx(6 * 44_100, abs=100)
        assert song.notices == play(holed)[1]
    assert before == ()
    assert codes(song.notices) == ["gap"]


def test_many_holes_are_told_of_and_summed_up(tmp_path: Path) -> None:
    whole = made(tmp_path, "ogg opus", 12)
    samples, notices = play(copy(whole, tmp_path / "holed", "webm", keep=lambda at: (at + 0.1) % 0.25 < 0.2))
    assert beats_in(samples) == pytest.approx(range(12), abs=NEAR)
    assert len(notices) == 21
    assert set(codes(notices)) == {"gap"}
    assert "more" in notices[-1].message
    heard = samples.shape[1] / 44_100
    assert heard == pytest.approx(12, abs=0.06)
    assert 1.8 < sum(notice.seconds for notice in notices) < 2.7


def test_a_song_that_is_mostly_hole_is_refused_with_how_much_and_where(tmp_path: Path) -> None:
    whole = made(tmp_path, "ogg opus", 10)
    holed = copy(whole, tmp_path / "holed", "webm", keep=lambda at: not 2 < at < 8)
    with pytest.raises(CorruptMediaError, match=r"missing: 6\.0 s of 10\.0 s, from 2\.0 s on"):
        play(holed)


def test_a_hole_of_hours_is_refused_before_it_is_filled(tmp_path: Path) -> None:
    whole = made(tmp_path, "m4a")
    holed = copy(whole, tmp_path / "holed", "matroska", late=lambda at: 10_000 if at > 3 else 0)
    heard: list[int] = []
    with (
        pytest.raises(CorruptMediaError, match=r"missing: 10000\.0 s of 10003\.\d s, from 3\.0 s on"),
        AudioInput(holed, 600) as song,
    ):
        heard.extend(block.shape[1] for block in song.blocks())
    assert 2 * 44_100 < sum(heard) < 4 * 44_100


def test_silence_that_is_filled_in_counts_against_the_longest_allowed(tmp_path: Path) -> None:
    holed = copy(made(tmp_path, "ogg opus"), tmp_path / "holed", "webm", keep=lambda at: not 3 < at < 5)
    assert play(holed, 6)[0].shape[1] == pytest.approx(6 * 44_100, abs=1_000)
    with pytest.raises(TooLongError):
        play(holed, 5)


@pytest.mark.parametrize("made_as", ["ogg opus", "m4a", "flac"])
@pytest.mark.parametrize("jitter", [0.001, 0.005])
def test_stamps_that_shake_move_no_sample(tmp_path: Path, made_as: str, jitter: float) -> None:
    """Matroska rounds to milliseconds, and recorders stamp by a clock."""
    whole = made(tmp_path, made_as)
    steady, _ = play(copy(whole, tmp_path / "steady", "matroska"))
    random = np.random.default_rng(3)
    shaken = copy(
        whole, tmp_path / "shaken", "matroska", late=lambda at: random.uniform(0, jitter) if at > 0.1 else 0
    )
    samples, notices = play(shaken)
    assert np.array_equal(samples, steady)
    assert notices == ()


@pytest.mark.parametrize("speed", [1.02, 0.98])
def test_a_clock_that_goes_wrong_is_followed_as_ffmpeg_does(tmp_path: Path, speed: float) -> None:
    whole = made(tmp_path, "ogg opus", 8)
    samples, notices = play(
        copy(whole, tmp_path / "drifting", "matroska", late=lambda at: (speed - 1) * max(0, at))
    )
    assert samples.shape[1] / 44_100 == pytest.approx(8 * speed, abs=0.11)
    assert set(codes(notices)) == {"gap" if speed > 1 else "overlap"}


def moved_clusters(path: Path, after: int, milliseconds: int) -> Path:
    """Have clusters of Matroska that begin after a time, in ms, begin at another."""
    data = bytearray(path.read_bytes())
    at = data.find(bytes.fromhex("1F43B675"))
    moved = 0
    while at >= 0:
        stamp = at + 4 + 9 - data[at + 4].bit_length()
        assert data[stamp] == 0xE7
        length = data[stamp + 1] & 0x7F
        time = int.from_bytes(data[stamp + 2 : stamp + 2 + length])
        if time > after:
            data[stamp + 2 : stamp + 2 + length] = (time + milliseconds).to_bytes(length)
            moved += 1
        at = data.find(bytes.fromhex("1F43B675"), stamp)
    assert moved
    path.write_bytes(data)
    return path


def test_what_overlaps_is_heard_once_and_the_rest_in_its_place(tmp_path: Path) -> None:
    webm = copy(made(tmp_path, "ogg opus"), tmp_path / "song", "webm", options={"cluster_time_limit": "500"})
    samples, notices = play(moved_clusters(webm, 2_700, -300))
    assert samples.shape[1] == pytest.approx(5.7 * 44_100, abs=1_000)
    assert beats_in(samples) == pytest.approx([0, 1, 2, 3.7, 4.7], abs=NEAR)
    assert codes(notices) == ["overlap"]
    assert notices[0].seconds == pytest.approx(0.3, abs=0.03)


def test_a_small_overlap_shifts_nothing(tmp_path: Path) -> None:
    webm = copy(made(tmp_path, "ogg opus"), tmp_path / "song", "webm", options={"cluster_time_limit": "500"})
    whole, _ = play(webm)
    samples, notices = play(moved_clusters(webm, 2_700, -60))
    assert np.array_equal(samples, whole)
    assert notices == ()


@pytest.mark.parametrize("name", ["ogg opus", "ogg vorbis", "webm", "mp3 without a header", "aac", "flac"])
def test_songs_joined_end_to_end_are_heard_whole_however_their_time_goes_back(
    tmp_path: Path, name: str
) -> None:
    path = made(tmp_path, name, 3)
    alone, _ = play(path)
    path.write_bytes(path.read_bytes() * 2)
    samples, notices = play(path)
    assert samples.shape[1] == pytest.approx(2 * alone.shape[1], abs=1_500)
    assert np.array_equal(samples[:, : 2 * 44_100], alone[:, : 2 * 44_100])
    assert len(beats_in(samples)) == 6
    assert notices == ()


@pytest.mark.parametrize(
    ("made_as", "muxer"),
    [("m4a", "mp4"), ("m4a", "mov"), ("m4a", "matroska"), ("ogg opus", "webm"), ("mov", "mov")],
)
def test_sound_that_begins_after_the_picture_is_laid_under_it(
    tmp_path: Path, made_as: str, muxer: str
) -> None:
    if muxer == "webm":
        muxer = "matroska"  # which takes the picture, too
    film = copy(made(tmp_path, made_as), tmp_path / "film", muxer, late=lambda at: 2.5, picture=True)
    with AudioInput(film, 60) as song:
        assert song.expected_seconds == pytest.approx(8.5, abs=0.1) or muxer == "matroska"
    samples, notices = play(film)
    assert samples.shape[1] == pytest.approx(8.5 * 44_100, abs=PADDING * 44_100)
    assert beats_in(samples) == pytest.approx([second + 2.5 for second in range(6)], abs=NEAR)
    assert not samples[:, : round(2.4 * 44_100)].any()
    assert codes(notices) == ["starts_late"]
    assert notices[0].seconds == pytest.approx(2.5, abs=NEAR)
    with pytest.raises(TooLongError):
        play(film, 8)


@pytest.mark.parametrize(
    ("made_as", "muxer", "options"),
    [
        ("m4a", "matroska", {}),
        ("ogg opus", "webm", {}),
        ("ogg opus", "ogg", {}),
        ("m4a", "mp4", {}),
        ("m4a", "mp4", FRAGMENTS),
    ],
)
@pytest.mark.parametrize("picture", [False, True])
def test_a_clip_of_a_stream_is_as_long_as_it_takes(
    tmp_path: Path, made_as: str, muxer: str, options: dict[str, str], picture: bool
) -> None:
    if picture and muxer in ("webm", "ogg"):
        pytest.skip("takes no such picture")
    clip = copy(made(tmp_path, made_as), tmp_path / "clip", muxer, late=lambda at: 1867, options=options)
    with AudioInput(clip, 60) as song:
        assert song.expected_seconds == pytest.approx(6, abs=0.1)
    samples, notices = play(clip)
    assert samples.shape[1] == pytest.approx(6 * 44_100, abs=PADDING * 44_100)
    assert beats_in(samples) == pytest.approx(range(6), abs=NEAR)
    assert notices == ()


@pytest.mark.parametrize(
    "name", ["m4a", "mp4, in fragments", "matroska", "mp3", "mp3 without a header", "aac", "flac"]
)
@pytest.mark.parametrize("numbers", [(60,), (40, 60), (60, 61)])
def test_damaged_packets_are_silence_and_shorten_nothing(
    tmp_path: Path, name: str, numbers: tuple[int, ...]
) -> None:
    path = made(tmp_path, name, 8)
    if name in ("matroska", "flac"):  # with fewer and longer ones, of which more than one is too much
        numbers = (20,)
    whole, _ = play(path)
    samples, notices = play(damage(path, *numbers))
    assert samples.shape[1] == pytest.approx(whole.shape[1], abs=45)  # stamps in milliseconds
    assert len(beats_in(samples)) >= 7
    assert all(min(abs(beat - second) for second in range(8)) < NEAR for beat in beats_in(samples))
    assert 1 <= len(notices) <= 2
    assert set(codes(notices)) <= {"damaged", "gap"}
    assert name == "matroska" or np.array_equal(samples[:, 7 * 44_100 :], whole[:, 7 * 44_100 :])


@pytest.mark.parametrize("name", ["ogg opus", "ogg vorbis", "ogg flac"])
@pytest.mark.parametrize("spoilt", [0, 200])
def test_a_page_of_ogg_that_is_damaged_is_silence_and_the_rest_is_in_its_place(
    tmp_path: Path, name: str, spoilt: int
) -> None:
    path = made(tmp_path, name, 12)
    whole, _ = play(path)
    pages = ogg_pages(path.read_bytes())
    sixth = next(
        n
        for n, page in enumerate(pages)
        if int.from_bytes(page[6:14], "little") > 5.5 * KINDS[name].sample_rate
    )
    start = sum(map(len, pages[:sixth])) + spoilt
    data = bytearray(path.read_bytes())
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    samples, notices = play(path)
    assert samples.shape == whole.shape
    assert codes(notices) == ["gap"]
    assert notices[0].seconds == pytest.approx(0.52 if name == "ogg flac" else 1, abs=0.05)
    assert np.array_equal(samples[:, : 4 * 44_100], whole[:, : 4 * 44_100])
    assert beats_in(samples[:, 7 * 44_100 - 2_000 :]) == pytest.approx(
        beats_in(whole[:, 7 * 44_100 - 2_000 :]), abs=0.001
    )


@pytest.mark.parametrize("name", ["ogg opus", "ogg vorbis", "ogg flac"])
@pytest.mark.parametrize("number", [2, -1])
@pytest.mark.parametrize("spoilt", [0, 300, None])
def test_the_first_and_the_last_page_of_ogg_count_too(
    tmp_path: Path, name: str, number: int, spoilt: int | None
) -> None:
    path = made(tmp_path, name, 8)
    whole, _ = play(path)
    pages = ogg_pages(path.read_bytes())
    if spoilt is None:
        del pages[number]
    else:
        pages[number] = pages[number][:spoilt] + b"\xff" * 40 + pages[number][spoilt + 40 :]
    path.write_bytes(b"".join(pages))
    samples, notices = play(path)
    expected = beats_in(whole)
    if number > 0 or spoilt:  # nothing is promised by a last page that is not there
        assert samples.shape[1] == pytest.approx(whole.shape[1], abs=600)  # Opus counts what it skips
        assert codes(notices) == ["damaged"]
    assert beats_in(samples)[-4:] == pytest.approx(expected[-4:], abs=0.001) or number < 0


def test_a_stream_that_was_joined_midway_begins_with_its_sound(tmp_path: Path) -> None:
    """Its headers come first, whatever is heard then, and pages keep their numbers."""
    path = made(tmp_path, "ogg opus", 8)
    pages = ogg_pages(path.read_bytes())
    path.write_bytes(b"".join(pages[:2] + pages[7:]))
    samples, notices = play(path)
    assert samples.shape[1] == pytest.approx(3 * 44_100, abs=1_000)
    assert beats_in(samples) == pytest.approx(range(3), abs=NEAR)
    assert notices == ()


@pytest.mark.parametrize("name", ["ogg opus", "ogg vorbis"])
@pytest.mark.parametrize("first", ["", "later"])
def test_streams_in_a_row_follow_on_whatever_time_they_are_of(tmp_path: Path, name: str, first: str) -> None:
    song = made(tmp_path, name, 3)
    clip = copy(song, tmp_path / "clip", "ogg", late=lambda at: 1867)
    parts = [clip, song] if first == "later" else [song, clip]
    alone = play(song)[0].shape[1]
    path = tmp_path / "both.ogg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    samples, notices = play(path)
    assert samples.shape[1] == pytest.approx(2 * alone, abs=1_500)
    assert len(beats_in(samples)) == 6
    assert notices == ()


@pytest.mark.parametrize("late", [2.0, 20.0, 1867.0])
def test_a_clip_of_flac_in_ogg_begins_with_its_sound(tmp_path: Path, late: float) -> None:
    """FFmpeg counts its first page from 0."""
    clip = copy(made(tmp_path, "flac"), tmp_path / "clip", "ogg", late=lambda at: late)
    samples, notices = play(clip)
    assert samples.shape[1] == pytest.approx(6 * 44_100, abs=10)
    assert beats_in(samples) == pytest.approx(range(6), abs=0.001)
    assert notices == ()


def test_flac_in_ogg_is_where_its_frames_say(tmp_path: Path) -> None:
    """FFmpeg counts on from the last page, and has what is behind a hole a page too early."""
    path = made(tmp_path, "ogg flac")
    whole, _ = play(path)
    pages = ogg_pages(path.read_bytes())
    path.write_bytes(b"".join(pages[:5] + pages[7:]))
    samples, notices = play(path)
    assert samples.shape == whole.shape
    behind = int.from_bytes(pages[6][6:14], "little")
    assert np.array_equal(samples[:, behind:], whole[:, behind:])
    assert codes(notices) == ["gap"]


def test_streams_of_flac_in_a_row_may_be_of_different_rates(tmp_path: Path) -> None:
    path = made(tmp_path, "ogg flac", 3)
    kind = KINDS["ogg flac"]._replace(sample_rate=48_000)
    other = write(tmp_path / "other.ogg", beats(3, sample_rate=48_000), kind)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    samples, notices = play(path)
    assert beats_in(samples) == pytest.approx(range(6), abs=0.001)
    assert notices == ()


def test_a_clip_of_flac_that_says_how_long_the_whole_was_is_not_cut(tmp_path: Path) -> None:
    path = made(tmp_path, "flac")
    data = path.read_bytes()
    with av.open(path) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    head, third = packets[0].pos or 0, packets[20].pos or 0
    path.write_bytes(data[:head] + data[third:])
    with AudioInput(path, 60) as song:
        assert song.expected_seconds == pytest.approx(3.9, abs=0.1)
    samples, notices = play(path)
    assert samples.shape[1] == 6 * 44_100 - (packets[20].pts or 0)
    assert notices == ()


def test_a_last_frame_of_flac_that_is_passed_over_is_silence(tmp_path: Path) -> None:
    path = made(tmp_path, "flac")
    whole, _ = play(path)
    samples, notices = play(damage(path, -1))
    assert samples.shape == whole.shape
    assert codes(notices) == ["damaged"]


@pytest.mark.parametrize("where", [0, -1])
def test_damage_at_the_ends_shortens_nothing_either(tmp_path: Path, where: int) -> None:
    path = made(tmp_path, "m4a")
    whole, _ = play(path)
    samples, _ = play(damage(path, where))
    assert samples.shape[1] == pytest.approx(whole.shape[1], abs=1_100)
    assert [beat for beat in beats_in(samples) if beat > 0.5] == pytest.approx(range(1, 6), abs=NEAR)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_mended_in_a_song_that_is_whole(tmp_path: Path, name: str) -> None:
    _, notices = play(made(tmp_path, name, 3))
    assert notices == ()


@pytest.mark.parametrize("codec", ["mp2", "libmp3lame"])
def test_what_fills_up_a_chunk_is_no_frame(tmp_path: Path, codec: str) -> None:
    song = write(tmp_path / "song.w64", beats(3), Kind("w64", codec, "w64"))
    samples, notices = play(song)
    assert samples.shape[1] == pytest.approx(3 * 44_100, abs=2_304)
    assert notices == ()


def test_raw_frames_have_no_time_to_go_by(tmp_path: Path) -> None:
    """Two rates in one stream: FFmpeg counts one of them wrong."""
    kind = KINDS["aac"]
    fast = write(
        tmp_path / "fast.aac", noise(1, sample_rate=96_000), kind._replace(sample_rate=96_000)
    ).read_bytes()
    slow = write(
        tmp_path / "slow.aac", noise(2, sample_rate=8_000), kind._replace(sample_rate=8_000)
    ).read_bytes()
    path = tmp_path / "song.aac"
    path.write_bytes(fast + slow + fast)
    samples, notices = play(path)
    assert samples.shape[1] / 44_100 == pytest.approx(4, abs=0.4)
    assert notices == ()
