import numpy as np
import pytest

from analysis.events import Note
from analysis.pitch import FRAME_RATE, HOP, SAMPLE_RATE, PitchListener, PitchTrack, sung_notes
from media.samples import Samples
from tests.unit.analysis.networks import onnx_runtime, swift_f0
from tests.unit.analysis.sounds import blocks, hertz

MELODY = [
    Note(0.5, 0.5, 60, 0.8),
    Note(1.0, 0.5, 64, 0.8),
    Note(1.5, 0.4, 64, 0.8),  # the same again
    Note(2.0, 1.0, 62, 0.8),
    Note(6.0, 0.6, 67, 0.4),  # softer, after a pause
]


def sung(notes: list[Note], seconds: float, sample_rate: int = 44_100, vibrato: float = 0.3) -> Samples:
    """A voice of ten partials with vibrato (in semitones) and little breaks between notes, shape (any, 2)."""
    sound = np.zeros(round(seconds * sample_rate))
    for note in notes:
        time = np.arange(round(note.duration * sample_rate)) / sample_rate
        frequency = hertz(note.pitch) * 2 ** (vibrato / 12 * np.sin(2 * np.pi * 5.5 * time))
        phase = 2 * np.pi * np.cumsum(frequency) / sample_rate
        envelope = np.minimum(1, time / 0.03) * np.minimum(1, (note.duration - time) / 0.03)
        begin = round(note.time * sample_rate)
        voice = sum(np.sin(k * phase) / k for k in range(1, 11))
        sound[begin : begin + len(time)] += 0.3 * note.velocity**2 * envelope * voice
    return np.repeat(sound[:, np.newaxis], 2, axis=1).astype(np.float32)


def listened(parts: list[Samples], sample_rate: int = 44_100) -> PitchTrack:
    listener = PitchListener(sample_rate, swift_f0())
    for part in parts:
        listener.add(part)
    return listener.finish()


@pytest.fixture(scope="module")
def melody() -> PitchTrack:
    return listened([sung(MELODY, 8)])


def test_pitch_is_as_its_own_runtime_gives_it() -> None:
    """In pieces, against all at once."""
    sound = sung([*MELODY, *(Note(6.7 + 0.2 * i, 0.19, 50 + i, 0.7) for i in range(40))], 15, SAMPLE_RATE)
    track = listened([sound], SAMPLE_RATE)
    frequency, confidence = onnx_runtime("swift_f0").run(
        ["pitch", "confidence"],
        {
            "audio": sound[np.newaxis, :, 0],
            "fmin": np.array(46.875, np.float32),
            "fmax": np.array(2093.75, np.float32),
        },
    )
    sounding = track.confidence > 0
    assert 0.5 < sounding.mean() < 0.9
    np.testing.assert_allclose(track.confidence[sounding], confidence[0][sounding], atol=1e-3)
    voiced = track.confidence >= 0.5
    assert frequency[0][voiced].max() > 1000
    np.testing.assert_allclose(track.frequency[voiced], frequency[0][voiced], rtol=5e-5)  # a tenth of a cent
    low = voiced & (track.frequency < 500)
    np.testing.assert_allclose(track.frequency[low], frequency[0][low], atol=0.01)


def test_how_samples_are_cut_changes_nothing() -> None:
    sound = sung(MELODY, 8)
    whole = listened([sound])
    for seed in range(3):
        cut = listened(blocks(sound, seed))
        np.testing.assert_array_equal(cut.frequency, whole.frequency)
        np.testing.assert_array_equal(cut.confidence, whole.confidence)
        np.testing.assert_array_equal(cut.level, whole.level)


@pytest.mark.parametrize("samples", [0, 1, HOP - 1, HOP, 250 * HOP, 260 * HOP, 261 * HOP, 700 * HOP + 5])
def test_every_length_has_its_frames(samples: int) -> None:
    sound = np.full((samples, 2), 0.1, np.float32)
    assert len(listened([sound], SAMPLE_RATE).frequency) == samples // HOP


def test_silence_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    run = swift_f0().run

    def noting(samples: Samples) -> object:
        heard.append(len(samples))
        return run(samples)

    monkeypatch.setattr(swift_f0(), "run", noting)
    soft = np.random.default_rng(0).uniform(-9e-4, 9e-4, (44_100, 2)).astype(np.float32)
    silent = listened([np.zeros((30 * 44_100, 2), np.float32), soft])
    assert not heard
    assert not silent.voiced.any()
    assert sung_notes(silent) == ()
    listened([np.pad(sung(MELODY, 8), ((0, 60 * 44_100), (0, 0)))])
    assert sum(heard) < 16 * SAMPLE_RATE


def test_the_curve_has_the_pitch_in_the_middle_of_its_frames(melody: PitchTrack) -> None:
    for frame_rate in (24, 25, 30, 50, 60):
        curve = melody.curve(frame_rate, 8 * frame_rate)
        middles = (np.arange(8 * frame_rate) + 0.5) / frame_rate
        assert curve.dtype == np.float32
        for note in MELODY:
            inside = (middles > note.time + 0.1) & (middles < note.time + note.duration - 0.1)
            assert abs(12 * np.log2(np.median(curve[inside]) / hertz(note.pitch))) < 0.2
        assert np.isnan(curve[(middles < 0.4) | ((middles > 3.2) & (middles < 5.8)) | (middles > 6.8)]).all()


def test_a_curve_is_as_long_as_asked_for(melody: PitchTrack) -> None:
    assert np.isnan(melody.curve(60, 1000)[round(len(melody.frequency) / FRAME_RATE * 60) + 1 :]).all()
    assert listened([]).curve(60, 3).shape == (3,)


def test_sung_notes_are_those_of_the_melody(melody: PitchTrack) -> None:
    notes = sung_notes(melody)
    assert [note.pitch for note in notes] == [note.pitch for note in MELODY]
    for found, true in zip(notes, MELODY, strict=True):
        assert abs(found.time - true.time) < 0.035
        assert abs(found.duration - true.duration) < 0.08


def test_velocity_follows_loudness(melody: PitchTrack) -> None:
    """Of the song's own loud notes, whatever its level."""
    loud, soft = [note.velocity for note in sung_notes(melody)][-2:]
    assert loud == pytest.approx(1, abs=0.05)
    assert soft == pytest.approx(0.5, abs=0.05)
    quieter = sung_notes(listened([0.1 * sung(MELODY, 8)]))
    assert [note.velocity for note in quieter][-2:] == pytest.approx([loud, soft], abs=0.01)


def test_what_leaks_into_the_pauses_is_not_sung() -> None:
    leak = [Note(3.2, 2.5, 72, 0.8)]
    track = listened([sung(MELODY, 8) + 0.05 * sung(leak, 8)])
    assert [note.pitch for note in sung_notes(track)] == [note.pitch for note in MELODY]
    assert np.isnan(track.curve(60, 480)[200:330]).all()


def test_noise_is_not_sung() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (5 * 44_100, 2)).astype(np.float32)
    assert sung_notes(listened([noise])) == ()
