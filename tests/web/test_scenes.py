"""The six scenes, drawn by a real browser: the same picture each time, of any song, and few flashes."""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, Page

WEB = Path(__file__).parents[2] / "web"
NODE = WEB.parent / ".venv" / "node" / "bin"
SCENES = ("split", "rig", "roll", "floor", "balance", "loom")
SONGS = {"song": WEB / "public" / "song"} | {
    name: WEB / ".examples" / name for name in ("named", "midi", "frantic", "quiet")
}
WIDTH, HEIGHT = 320, 180
FPS = 30
BEAT = 60 / 104
CHORUS = 12 * 4 * BEAT

Picture = npt.NDArray[np.uint8]  # shape (height, width, 4)


class Stage:
    """Draws pictures in a browser."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def picture(self, song: str, scene: str, time: float, **wish: Any) -> Picture:
        """A picture of a song; `wish` has the bindings, whether to limit, and the view."""
        view = {"width": WIDTH, "height": HEIGHT, **wish.pop("view", {})}
        text = self._page.evaluate(
            "([song, wish, time]) => harness.picture(song, wish, time)",
            [song, {"scene": scene, "view": view, **wish}, time],
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(view["height"], view["width"], 4)

    def luminances(self, song: str, wish: Mapping[str, Any], seconds: float) -> npt.NDArray[np.float64]:
        """The relative luminance of blocks of 8 x 8 pixels, shape (frames, blocks)."""
        times = [frame / FPS for frame in range(round(seconds * FPS))]
        found = self._page.evaluate(
            "([song, wish, times]) => harness.luminances(song, wish, times, 8)", [song, wish, times]
        )
        return np.array(found)

    def slots(self, scene: str) -> list[dict[str, str]]:
        scenes: list[dict[str, Any]] = self._page.evaluate("harness.scenes")
        slots: list[dict[str, str]] = next(one["slots"] for one in scenes if one["id"] == scene)
        return slots


@pytest.fixture(scope="module")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    built = tmp_path_factory.mktemp("harness")
    vite = ["node_modules/vite/bin/vite.js", "build", "--config", "harness/vite.config.ts"]
    subprocess.run([NODE / "node", *vite, "--outDir", built], cwd=WEB, check=True, capture_output=True)
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content("<p>Scenes</p>")
    page.add_script_tag(path=built / "scenes.js")
    for name, folder in SONGS.items():
        curves = base64.b64encode((folder / "curves.bin").read_bytes()).decode()
        document = json.loads((folder / "analysis.json").read_text())
        page.evaluate("(song) => harness.load(...song)", [name, document, curves])
    page.evaluate("harness.load('bare', null, null, ['vocals', 'drums'])")
    yield Stage(page)
    assert not errors
    page.close()


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_song_and_time_are_the_same_picture(stage: Stage, scene: str) -> None:
    times = (0.0, 30.05, 33.3)
    first = [stage.picture("song", scene, time) for time in times]
    again = [stage.picture("song", scene, time) for time in reversed(times)][::-1]
    for before, after in zip(first, again, strict=True):
        assert np.array_equal(before, after)
    assert not np.array_equal(first[1], first[2])


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("song", ["named", "midi", "quiet", "bare"])
def test_a_scene_stands_with_whatever_song(stage: Stage, song: str, scene: str) -> None:
    for time in (-1.0, 0.0, 5.0, 99.0):
        picture = stage.picture(song, scene, time)
        assert picture[..., 3].min() == 255  # no hole in the ground
        assert picture[..., :3].std() > 2  # and something on it


@pytest.mark.parametrize("scene", SCENES)
def test_empty_slots_and_hostile_bindings_are_pictures_too(stage: Stage, scene: str) -> None:
    for signal in (None, "drums.kick", "song.rms", "bass.band_60", "no.such", "__proto__", ""):
        bindings = {slot["id"]: signal for slot in stage.slots(scene)}
        assert stage.picture("song", scene, 30.0, bindings=bindings).any()


@pytest.mark.parametrize("scene", SCENES)
def test_transparent_scenes_let_what_is_under_them_through(stage: Stage, scene: str) -> None:
    alpha = stage.picture("song", scene, 30.05, view={"transparent": True})[..., 3]
    assert (alpha > 200).any()
    # Paper and cloth stay where they are; all other grounds go.
    clear = (alpha < 40).mean()
    assert clear > (0.05 if scene in ("roll", "loom") else 0.3)


@pytest.mark.parametrize("scene", ["split", "rig", "roll", "floor", "balance"])
def test_what_matters_keeps_out_of_the_inset(stage: Stage, scene: str) -> None:
    whole = stage.picture("song", scene, 30.05)
    inset = stage.picture("song", scene, 30.05, view={"inset": 0.25})
    covered = inset[-HEIGHT // 4 + 4 :, :, :3].astype(int)
    columns = np.delete(covered, np.s_[180:204] if scene == "split" else np.s_[88:104], axis=1)
    assert (
        np.abs(np.diff(columns, axis=1)).max() < 40
    )  # no shapes under the shelf, but for the pipe and the bar
    assert not np.array_equal(whole, inset)


@pytest.mark.parametrize("scene", ["rig", "floor", "balance", "loom"])
def test_where_motion_is_unwanted_less_changes(stage: Stage, scene: str) -> None:
    def change(*, still: bool) -> float:
        times = [CHORUS + frame / 15 for frame in range(12)]
        pictures = [stage.picture("song", scene, time, view={"still": still})[..., :3] for time in times]
        return float(np.abs(np.diff(np.array(pictures, int), axis=0)).mean())

    assert change(still=True) < 0.97 * change(still=False)


@pytest.mark.parametrize("scene", ["split", "roll"])
def test_or_passes_more_slowly(stage: Stage, scene: str) -> None:
    def edges(time: float, *, still: bool) -> npt.NDArray[np.int64]:
        """How much each column in the right of the picture differs from the next."""
        right = stage.picture("song", scene, time, view={"still": still})[:, 210:, 1]
        columns: npt.NDArray[np.int64] = np.diff(right.sum(axis=0, dtype=np.int64))
        return columns

    def shift(*, still: bool) -> int:
        """Pixels by which they have moved after 0.2 s."""
        before, after = (edges(time, still=still) for time in (CHORUS, CHORUS + 0.2))
        return int(np.argmin([np.abs(before[by:] - after[: len(after) - by]).mean() for by in range(30)]))

    assert abs(2 * shift(still=True) - shift(still=False)) <= 2 < shift(still=True)


def test_the_example_of_the_documentation_is_a_scene(stage: Stage) -> None:
    assert (WEB / "harness" / "pulse.ts").read_text() in (WEB.parent / "docs" / "scenes.md").read_text()
    struck = stage.picture("song", "pulse", CHORUS + 0.2)
    assert colour(struck, 0.5, 0.5)[2] > 200  # the bass
    assert not np.array_equal(struck, stage.picture("song", "pulse", CHORUS + 0.3))


def colour(picture: Picture, x: float, y: float, reach: int = 2) -> npt.NDArray[np.float64]:
    """The mean colour about a place, in shares of width and height."""
    height, width, _ = picture.shape
    row, column = round(y * height), round(x * width)
    about = picture[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1, :3]
    mean: npt.NDArray[np.float64] = about.mean(axis=(0, 1))
    return mean


def test_split_parts_at_the_pipe(stage: Stage) -> None:
    picture = stage.picture("song", "split", CHORUS + 6)
    assert colour(picture, 0.6, 0.5, 0).min() > 200  # the pipe is white
    red, _, blue = colour(picture, 0.2, 0.5 + 1.5 * 0.205 - 0.03)
    assert blue > 1.5 * red  # the bass runs lowest
    right = picture[:, 220:, :3].astype(int)
    assert np.ptp(right, axis=2).max() < 12  # what comes is grey


def test_rig_has_a_horizon_of_bass_and_blinders_that_follow_the_kick(stage: Stage) -> None:
    kick = stage.picture("song", "rig", CHORUS + 4 * BEAT + 0.03)
    later = stage.picture("song", "rig", CHORUS + 4.9 * BEAT)
    red, _, blue = colour(kick, 0.5, 0.66)
    assert blue > 200
    assert blue > 2 * red
    assert colour(kick, 0.33, 0.4).sum() > colour(later, 0.33, 0.4).sum() + 30


def test_roll_lights_what_sounds(stage: Stage) -> None:
    sounding = stage.picture("song", "roll", CHORUS + 0.4)
    bar = sounding[20:160, 94:98, :3].min(axis=2)
    assert (bar > 240).any()
    bindings = {slot["id"]: None for slot in stage.slots("roll")}
    silent = stage.picture("song", "roll", CHORUS + 0.4, bindings=bindings)
    assert not (silent[20:160, 94:98, :3].min(axis=2) > 240).any()


def test_floor_raises_what_is_struck(stage: Stage) -> None:
    def yellow(time: float) -> int:
        picture = stage.picture("song", "floor", time, limit=False).astype(int)
        return int(((picture[..., 0] > 200) & (picture[..., 1] > 180) & (picture[..., 2] < 170)).sum())

    assert yellow(CHORUS + BEAT + 0.02) > 1.5 * yellow(CHORUS + 0.95 * BEAT)


def test_balance_tilts_to_what_is_loud(stage: Stage) -> None:
    def vocals(time: float) -> float:
        """How low the voice hangs."""
        picture = stage.picture("song", "balance", time, view={"still": True}).astype(int)
        pink = (picture[..., 0] > 230) & (abs(picture[..., 1] - 140) < 25) & (abs(picture[..., 2] - 187) < 25)
        return float(np.nonzero(pink)[0].mean()) if pink.any() else 0.0

    assert vocals(CHORUS + 7.5) > vocals(4.0) + 4  # it sings; it has not begun to


def test_loom_weaves_the_kick_into_the_middle(stage: Stage) -> None:
    picture = stage.picture("song", "loom", CHORUS + 8 * BEAT).astype(int)
    middle = picture[60:170, 156:164, :3].mean(axis=1)
    yellow = (middle[:, 0] > 1.2 * middle[:, 2]) & (middle[:, 0] > 90)
    rises = int((np.diff(yellow.astype(int)) == 1).sum())
    assert 6 <= rises <= 11  # a band for each of the last kicks


def transitions(luminance: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Where a block's luminance has changed by a tenth, against the way it went before."""
    peak, trough = luminance[0].copy(), luminance[0].copy()
    way = np.zeros(luminance.shape[1], int)
    found = np.zeros(luminance.shape, np.int64)
    for frame, light in enumerate(luminance):
        peak, trough = np.maximum(peak, light), np.minimum(trough, light)
        up = (way != 1) & (light - trough >= 0.1) & (trough < 0.8)
        down = (way != -1) & (peak - light >= 0.1) & (light < 0.8)
        peak, trough = np.where(up, light, peak), np.where(down, light, trough)
        way = np.where(up, 1, np.where(down, -1, way))
        found[frame] = up | down
    return found


def flashing(luminance: npt.NDArray[np.float64]) -> float:
    """The largest share of the picture that flashes more than three times, up and down, in a second."""
    summed = np.cumsum(np.vstack([np.zeros((1, luminance.shape[1]), int), transitions(luminance)]), axis=0)
    in_a_second = summed[FPS:] - summed[:-FPS]
    return float((in_a_second > 6).mean(axis=1).max())


def everywhere(stage: Stage, scene: str, signal: str) -> dict[str, str]:
    return {slot["id"]: signal for slot in stage.slots(scene)}


def test_counting_flashes() -> None:
    times = np.arange(2 * FPS) / FPS
    for rate, expected in ((3, 0.0), (5, 1.0)):
        square = (np.sin(2 * np.pi * rate * times + 0.1) > 0).astype(float)[:, None]
        assert flashing(0.5 * square) == expected
        assert flashing(0.09 * square) == 0.0


def test_without_the_limiter_a_frantic_song_flashes(stage: Stage) -> None:
    wish = {"scene": "rig", "bindings": everywhere(stage, "rig", "drums.kick"), "limit": False}
    assert flashing(stage.luminances("frantic", wish, 2.0)) > 0.25


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("signal", ["drums.kick", "bass.rms"])
def test_with_it_no_scene_does(stage: Stage, scene: str, signal: str) -> None:
    wish = {"scene": scene, "bindings": everywhere(stage, scene, signal), "limit": True}
    assert flashing(stage.luminances("frantic", wish, 2.5)) < 0.25


def test_a_frame_takes_the_page_little_time() -> None:
    """Processor time of the page's own work for a frame of 1920 x 1080, the canvas' work left out."""
    cost = subprocess.run(
        [NODE / "node", "harness/cost.mjs", "public/song"], cwd=WEB, check=True, capture_output=True
    )
    milliseconds = json.loads(cost.stdout)
    assert set(milliseconds) == set(SCENES)
    assert max(milliseconds.values()) < 4
