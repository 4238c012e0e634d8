import tracemalloc

import numpy as np
import pytest

from analysis.curves import BANDS, CHROMA, FIELDS, FLOOR, CurveMeter
from analysis.events import FRAME_RATES, Curves
from analysis.onsets import OnsetDetector
from media.samples import SAMPLE_RATE, Samples
from tests.unit.analysis.hearing import hear, sine

NO_ONSETS = np.zeros(0, np.float32)


def curves(
    samples: Samples, frame_rate: int = 60, sample_rate: int = SAMPLE_RATE, block: int = 1 << 18
) -> Curves:
    return hear(CurveMeter(sample_rate, frame_rate), samples, block).finish(NO_ONSETS)


@pytest.mark.parametrize("frame_rate", FRAME_RATES)
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_a_frame_is_of_its_own_samples(noise: Samples, frame_rate: int, sample_rate: int) -> None:
    samples = noise[: 2 * sample_rate + 777]
    frame_of = np.arange(len(samples)) * frame_rate // sample_rate

    found = curves(samples, frame_rate, sample_rate)

    assert all(len(values) == frame_of[-1] + 1 for values in found.values.values())
    for frame in range(frame_of[-1]):
        own = samples[frame_of == frame].astype(float)
        assert found.values["rms"][frame] == pytest.approx(10 * np.log10((own**2).mean()), abs=1e-3)
        assert found.values["peak"][frame] == pytest.approx(20 * np.log10(np.abs(own).max()), abs=1e-3)


@pytest.mark.parametrize(
    ("frequency", "band", "pitch_class"),
    [(196, "band_120", 7), (440, "band_250", 9), (740, "band_500", 6), (3136, "band_2000", 7)],
)
def test_a_sine_is_in_its_band_at_minus_three(frequency: float, band: str, pitch_class: int) -> None:
    values = curves(sine(frequency)).values
    middle = slice(20, 100)

    assert values[band][middle] == pytest.approx(-3.01, abs=0.3)
    assert max(values[other][middle].max() for other in BANDS if other != band) < -20
    assert values["centroid"][middle] == pytest.approx(frequency, rel=0.02)
    chroma = np.array([values[name][middle] for name in CHROMA])
    assert np.all(chroma.argmax(axis=0) == pitch_class)
    assert np.all(chroma.max(axis=0) == 1)


def test_low_sines_are_told_apart() -> None:
    for frequency, band in ((40, "band_20"), (90, "band_60")):
        values = curves(sine(frequency)).values
        assert values[band][20:100] == pytest.approx(-3.01, abs=0.5)


def test_bands_sum_to_the_level(noise: Samples) -> None:
    """White noise, of which a tenth is above 20 kHz: channels that differ add up."""
    values = curves(noise).values

    together = 10 * np.log10(np.sum([10 ** (values[band] / 10) for band in BANDS], axis=0))

    assert np.mean(together - values["rms"]) == pytest.approx(10 * np.log10(19_980 / 22_050), abs=0.1)


def test_an_onset_is_in_its_frame() -> None:
    click = np.zeros((2 * SAMPLE_RATE, 2), np.float32)
    click[SAMPLE_RATE : SAMPLE_RATE + 4000] = sine(2000)[:4000]
    strength = hear(OnsetDetector(SAMPLE_RATE, percussive=True), click).finish().strength

    for frame_rate in FRAME_RATES:
        onset = hear(CurveMeter(SAMPLE_RATE, frame_rate), click).finish(strength).values["onset"]
        assert abs(int(onset.argmax()) - frame_rate) <= 1
        assert onset.max() == 1
        assert not onset[: frame_rate - 4].any()


def test_blocks_make_no_difference(noise: Samples) -> None:
    sound = noise[: 2 * SAMPLE_RATE]
    whole, pieces = curves(sound).values, curves(sound, block=7919).values

    assert list(whole) == list(FIELDS)
    for field, values in whole.items():
        assert np.array_equal(values, pieces[field], equal_nan=True)


def test_silence_is_at_the_floor(silence: Samples) -> None:
    values = curves(silence).values

    for field in ("rms", "peak", *BANDS):
        assert np.all(values[field] == FLOOR)
    assert np.all(np.isnan(values["centroid"]))
    assert not any(values[field].any() for field in ("onset", *CHROMA))
    assert all(len(curve) == 0 for curve in curves(silence[:0]).values.values())


def test_memory_grows_by_what_is_found_alone(noise: Samples) -> None:
    def most(seconds: int) -> int:
        meter = CurveMeter(SAMPLE_RATE, 30)
        tracemalloc.start()
        for _ in range(seconds):
            meter.add(noise[:SAMPLE_RATE])
        meter.finish(NO_ONSETS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    # Samples would be 350 kB a second; 25 fields of 30 frames, kept twice when they are joined, are 6 kB.
    assert most(25) - most(5) < 20 * 10_000
