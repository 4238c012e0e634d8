"""The player in a browser: what is rendered and heard, against the stems, bit by bit."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.web.sound.conftest import song
from tests.web.sound.heard import Song, Sound, Stretch
from tests.web.sound.server import SoundServer

BLOCK = 128
RATE = 44_100
STEMS = ["vocals", "drums", "bass"]
FIVE = ["vocals", "piano", "drums", "bass", "other"]


def made(server: SoundServer, seconds: float, rate: int = RATE, names: list[str] = STEMS) -> dict[str, Sound]:
    """A song on the server."""
    stems, files = song(seconds, rate, tuple(names))
    server.files = files
    return stems


Step = Mapping[str, object]


def rendered(
    page: Page, server: SoundServer, rate: int, seconds: float, steps: list[Step], names: list[str] = STEMS
) -> tuple[Sound, dict[str, Any]]:
    """What the player plays, shape (samples, 2), and what it says at the end."""
    said: list[dict[str, Any]] = []
    call = "([names, rate, seconds, steps]) => harness.render(names, rate, seconds, steps)"
    sent = server.take(lambda: said.append(page.evaluate(call, [names, rate, seconds, steps])))
    return np.frombuffer(sent, np.float32).reshape(-1, 2), said[0]


def of_song(stretches: list[Stretch]) -> list[tuple[int, int]]:
    return [
        (stretch.start, stretch.end) for stretch in stretches if stretch.start is not None and stretch.end
    ]


def fades(stretches: list[Stretch]) -> list[int]:
    return [stretch.length for stretch in stretches if stretch.start is None and not stretch.silent]


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_song_is_the_sum_of_its_stems(page: Page, server: SoundServer, rate: int) -> None:
    stems = made(server, 17, rate)
    samples = len(stems["bass"])
    recording, said = rendered(page, server, rate, 18, [{"at": 0, "play": True}])
    heard = Song(stems).heard(recording)
    assert heard[:2] == [Stretch(0, None, BLOCK), Stretch(BLOCK, BLOCK, samples - BLOCK)]
    assert [stretch.silent for stretch in heard[2:]] == [True]
    assert (said["state"], said["position"]) == ("ended", samples)


def test_it_is_exact_after_each_of_many_seeks(page: Page, server: SoundServer) -> None:
    stems = made(server, 30)
    chance = random.Random(5)
    targets = [chance.randrange(len(stems["bass"]) - RATE) for _ in range(12)]
    steps: list[Step] = [
        {"at": 0, "play": True},
        *({"at": 0.5 * (i + 1), "seek": target} for i, target in enumerate(targets)),
    ]
    recording, _ = rendered(page, server, RATE, 6.5, steps)
    heard = Song(stems).heard(recording)
    found = of_song(heard)
    assert [start for start, _ in found] == [BLOCK, *(target + BLOCK for target in targets)]
    # What is not of the song is the old that fades, and the new that rises: never more than a block of each.
    assert fades(heard) == [BLOCK] + [2 * BLOCK] * len(targets)
    assert sum(end - start for start, end in found) == len(recording) - BLOCK - 2 * BLOCK * len(targets)


@pytest.mark.parametrize(
    ("start", "length"),
    [(100_000, 137), (3, 2 * RATE + 17), (21_999, 60_000), (22_050, 5 * RATE), (7 * RATE, 10 * RATE + 1_234)],
)
def test_loops_are_exact(page: Page, server: SoundServer, start: int, length: int) -> None:
    stems = made(server, 17)
    loop = {"start": start, "end": start + length}
    recording, _ = rendered(page, server, RATE, 14, [{"at": 0, "loop": loop, "seek": start, "play": True}])
    song = Song(stems).sound[start : start + length]
    want = np.tile(song, (len(recording) // length + 1, 1))[: len(recording)]
    np.testing.assert_array_equal(recording[BLOCK:], want[BLOCK:])


def test_a_loop_is_entered_and_left_while_it_plays(page: Page, server: SoundServer) -> None:
    stems = made(server, 17)
    loop = {"start": 30_001, "end": 77_777}
    steps: list[Step] = [{"at": 0, "play": True}, {"at": 1, "loop": loop}, {"at": 3, "loop": None}]
    recording, _ = rendered(page, server, RATE, 6, steps)
    found = of_song(Song(stems).heard(recording))
    assert found[0] == (BLOCK, loop["end"])
    assert set(found[1:-1]) == {(loop["start"], loop["end"])}
    assert found[-1][0] == loop["start"]
    assert found[-1][1] > loop["end"]
    assert sum(end - begin for begin, end in found) == len(recording) - BLOCK


def test_a_gain_that_stands_still_is_exact(page: Page, server: SoundServer) -> None:
    stems = made(server, 8)
    gains = {"drums": 0, "bass": 0.7}
    steps: list[Step] = [*({"at": 0, "gain": gain} for gain in gains.items()), {"at": 0.5, "play": True}]
    recording, _ = rendered(page, server, RATE, 4, steps)
    found = of_song(Song(stems, gains).heard(recording))
    assert [start for start, _ in found] == [BLOCK]
    assert found[0][1] > 3 * RATE


def test_it_plays_on_where_no_timer_runs(page: Page, server: SoundServer) -> None:
    """As in a hidden tab, and worse: 30 s are twice as long as what is fetched at once."""
    stems = made(server, 30)
    page.evaluate("harness.hide()")
    recording, said = rendered(page, server, RATE, 31.5, [{"at": 0, "play": True}])
    assert of_song(Song(stems).heard(recording)) == [(BLOCK, len(stems["bass"]))]
    assert said["state"] == "ended"


def test_memory_is_bounded(page: Page, server: SoundServer) -> None:
    made(server, 30, 48_000, FIVE)
    _, said = rendered(page, server, 48_000, 22, [{"at": 0, "play": True}], FIVE)
    seconds = said["most"] / (len(FIVE) * 8 * 48_000)
    assert 10 < seconds < 15.5
    assert said["most"] < 35e6


def test_seeking_about_piles_nothing_up(page: Page, server: SoundServer) -> None:
    made(server, 30, 48_000, FIVE)
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [FIVE, 48_000])
    page.evaluate("harness.live.scrub([...Array(15).keys()].map((i) => (2 * i * 7919 * 48) % (28 * 48000)))")
    for sample in (5, 20, 1, 15):
        page.evaluate(f"harness.live.player.seek({sample * 48_000})")
        page.evaluate("harness.live.player.play()")
        page.evaluate(f"harness.live.untilSample({sample * 48_000 + 12_000})")
    said = page.evaluate("harness.live.look()")
    assert 5e6 < said["most"] < 35e6


def test_the_first_pieces_are_short(page: Page, server: SoundServer) -> None:
    """So that it begins within a second: one round trip, for one second of sound at most."""
    made(server, 30)
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [STEMS, RATE])
    page.evaluate("harness.live.until('paused')")
    server.asked.clear()
    page.evaluate("harness.live.player.seek(1_034_567)")
    page.evaluate("harness.live.player.play()")
    page.evaluate("harness.live.until('playing')")
    for stem in STEMS:
        first = next(span for name, span in server.asked if name == f"{stem}.player.flac")
        assert first is not None
        begin, end = map(int, first.removeprefix("bytes=").split("-"))
        share = (end - begin) / len(server.files[f"{stem}.player.flac"])
        assert share * 30 < 1.05


def recorded(page: Page, server: SoundServer) -> Sound:
    sent = server.take(lambda: page.evaluate("harness.live.recorded()"))
    return np.frombuffer(sent, np.float32).reshape(-1, 2)


def assert_together(heard: list[Stretch]) -> None:
    """What was heard is the sum of all stems, without a gap in the song; between is silence, and fades."""
    at = 0
    for stretch in heard:
        if stretch.start is not None and stretch.end:
            # A stop and what follows it are faded, a block each.
            assert 0 <= stretch.start - at <= 2 * BLOCK
            at = stretch.end
        elif not stretch.silent:
            assert stretch.length <= 2 * BLOCK


def test_a_slow_network_stops_all_and_loses_nothing(page: Page, server: SoundServer) -> None:
    stems = made(server, 8)
    # A second of a stem has about 175,000 bytes.
    server.network.bytes_a_second = 130_000
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [STEMS, RATE])
    page.evaluate("harness.live.player.play()")
    said = page.evaluate("harness.live.until('ended', 60)")
    assert said["states"].count("waiting") >= 2
    heard = Song(stems).heard(recorded(page, server))
    assert len(of_song(heard)) >= 2
    assert_together(heard)
    assert of_song(heard)[-1][1] == len(stems["bass"])


def test_a_network_that_fails_now_and_then_is_not_heard(page: Page, server: SoundServer) -> None:
    stems = made(server, 8)
    server.network.uses = 2
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [STEMS, RATE])
    server.network.failures = 2
    page.evaluate("harness.live.player.play()")
    said = page.evaluate("harness.live.until('ended', 60)")
    assert server.links > 2 * len(STEMS)
    assert said["error"] is None
    heard = Song(stems).heard(recorded(page, server))
    assert_together(heard)
    assert of_song(heard)[-1][1] == len(stems["bass"])


def test_one_stem_that_cannot_be_had_stops_all_in_words(page: Page, server: SoundServer) -> None:
    stems = made(server, 17)
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [STEMS, RATE])
    page.evaluate("harness.live.player.play()")
    page.evaluate("harness.live.untilSample(10000)")
    server.network.refused.add("drums")
    page.evaluate("harness.live.player.seek(12 * 44100)")
    said = page.evaluate("harness.live.until('failed')")
    assert said["error"] == "The link to the sound of drums is refused, and a new one as well."
    server.network.refused.clear()
    page.evaluate("harness.live.player.play()")
    page.evaluate("harness.live.untilSample(13 * 44100)")
    found = of_song(Song(stems).heard(recorded(page, server)))
    assert len(found) == 2
    assert found[1][0] == 12 * RATE + BLOCK


def test_pieces_that_break_off_are_fetched_again_and_given_up(page: Page, server: SoundServer) -> None:
    made(server, 8)
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [STEMS, RATE])
    server.network.broken.add("bass")
    page.evaluate("harness.live.player.play()")
    said = page.evaluate("harness.live.until('failed')")
    assert "does not bring the sound of bass" in said["error"]
    assert [name for name, _ in server.asked].count("bass.player.flac") >= 5


def test_it_plays_by_a_click_pauses_and_keeps_its_place(page: Page, server: SoundServer) -> None:
    stems = made(server, 8)
    page.evaluate("([names, rate]) => harness.live.open(names, rate)", [STEMS, RATE])
    page.get_by_role("button").click()
    playing = page.evaluate("harness.live.untilSample(44100)")
    assert playing["state"] == "playing"
    assert len(playing["levels"]) == 3
    assert all(0.3 < level <= 11_000 / 32_768 for level in playing["levels"])
    before = page.evaluate("harness.live.clocks()")
    page.wait_for_timeout(500)
    after = page.evaluate("harness.live.clocks()")
    assert after[0] - before[0] == pytest.approx(after[1] - before[1], abs=0.05 * RATE)
    assert after[0] - before[0] > 0
    page.evaluate("harness.live.player.pause()")
    page.wait_for_timeout(300)
    paused = page.evaluate("harness.live.look()")
    page.wait_for_timeout(300)
    assert page.evaluate("harness.live.look()") == paused
    assert (paused["state"], paused["levels"]) == ("paused", [0, 0, 0])
    page.get_by_role("button").click()
    page.evaluate("harness.live.untilSample(3 * 44100)")
    heard = Song(stems).heard(recorded(page, server))
    found = of_song(heard)
    assert found[0][1] == paused["position"] - BLOCK
    assert found[1][0] == paused["position"] + BLOCK
    assert_together(heard)
