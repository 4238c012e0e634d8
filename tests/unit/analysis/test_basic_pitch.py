import numpy as np
import pytest

from analysis.basic_pitch import (
    FRAME_RATE,
    HOP,
    LOWEST,
    NOTES,
    SAMPLE_RATE,
    WINDOW,
    NoteActivations,
    NoteListener,
)
from analysis.events import Note
from media.samples import Samples
from tests.unit.analysis.networks import basic_pitch, onnx_runtime
from tests.unit.analysis.sounds import blocks, plucked

CHORDS = [Note(0.3 + 0.7 * i, 0.6, pitch, 0.8) for i in range(10) for pitch in (48 + i, 55 + i, 64 + i)]


@pytest.fixture(scope="module")
def sound() -> Samples:
    """Chords of 7.5 seconds."""
    return plucked(CHORDS, 7.5, SAMPLE_RATE)[:, 0]


def listened(parts: list[Samples]) -> NoteActivations:
    listener = NoteListener(basic_pitch())
    for part in parts:
        listener.add(part)
    return listener.finish()


def test_activations_are_those_of_its_own_runtime(sound: Samples) -> None:
    for window in (sound[:WINDOW], sound[-WINDOW:], 0.01 * sound[:WINDOW]):
        outputs = onnx_runtime("basic_pitch").run(
            ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"],
            {"serving_default_input_2:0": window.reshape(1, -1, 1)},
        )
        for ours, theirs in zip(basic_pitch().run(window), outputs, strict=True):
            assert theirs.max() > 0.5
            np.testing.assert_allclose(ours, theirs[0], atol=1e-3)


def test_the_whole_sound_is_as_its_windows_are_in_its_own_runtime(sound: Samples) -> None:
    """By the same 142 of a window's 172 frames as upstream, the next ones being 142 hops on."""
    activations = listened([sound])
    padded = np.pad(sound, (15 * HOP, WINDOW))
    frames = -(-len(sound) // HOP)
    assert activations.sounding.shape == activations.beginning.shape == (frames, NOTES)
    for first in range(0, frames, 142):
        window = padded[first * HOP : first * HOP + WINDOW].reshape(1, -1, 1)
        expected = onnx_runtime("basic_pitch").run(
            ["StatefulPartitionedCall:1"], {"serving_default_input_2:0": window}
        )[0][0, 15:157]
        ours = activations.sounding[first : first + 142]
        np.testing.assert_allclose(ours, expected[: len(ours)], atol=1e-3)


def test_frames_are_where_the_notes_are(sound: Samples) -> None:
    activations = listened([sound])
    for note in CHORDS:
        begins = activations.beginning[:, note.pitch - LOWEST]
        near = slice(round((note.time - 0.1) * FRAME_RATE), round((note.time + 0.1) * FRAME_RATE))
        late = (near.start + int(begins[near].argmax())) / FRAME_RATE - note.time
        assert abs(late) < 0.03


def test_how_samples_are_cut_changes_nothing(sound: Samples) -> None:
    whole = listened([sound])
    for seed in range(3):
        cut = listened(blocks(sound, seed))
        np.testing.assert_array_equal(cut.sounding, whole.sounding)
        np.testing.assert_array_equal(cut.beginning, whole.beginning)


@pytest.mark.parametrize("samples", [0, 1, HOP, WINDOW - 15 * HOP, WINDOW, 142 * HOP, 142 * HOP + 1])
def test_every_length_has_its_frames(samples: int) -> None:
    assert listened([np.zeros(samples, np.float32)]).sounding.shape == (-(-samples // HOP), NOTES)


def test_silence_is_not_computed(sound: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    run = basic_pitch().run

    def noting(window: Samples) -> object:
        heard.append(window)
        return run(window)

    monkeypatch.setattr(basic_pitch(), "run", noting)
    minute = np.zeros(60 * SAMPLE_RATE, np.float32)
    silent = listened([minute, np.full(SAMPLE_RATE, 9e-4, np.float32)])
    assert not heard
    assert not silent.sounding.any()
    minute[: len(sound)] = sound
    listened([minute])
    assert len(heard) == len(sound) // (142 * HOP) + 1


def test_loudness_matters_little(sound: Samples) -> None:
    """So nothing has to be known of the song before its first window is heard."""
    loud, soft = listened([sound]), listened([0.03 * sound])
    assert np.abs(loud.sounding.astype(np.float32) - soft.sounding).mean() < 0.01
