import av
import numpy as np
import pytest

from analysis.events import Loudness
from analysis.loudness import LoudnessMeter, weighting_filters
from media.samples import Samples
from tests.unit.analysis.hearing import hear, sine


def loudness(samples: Samples, sample_rate: int = 48_000, block: int = 1 << 18) -> Loudness:
    return hear(LoudnessMeter(sample_rate), samples, block).finish()


def integrated(samples: Samples, sample_rate: int = 48_000) -> float:
    found = loudness(samples, sample_rate).integrated
    assert found is not None
    return found


def test_the_filters_are_the_standards() -> None:
    """BS.1770-4, tables 1 and 2, at 48 kHz."""
    shelf, high_pass = weighting_filters(48_000)

    assert shelf.numerator == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285), abs=1e-9)
    assert shelf.denominator == pytest.approx((1, -1.69065929318241, 0.73248077421585), abs=1e-9)
    assert high_pass.numerator == (1, -2, 1)
    assert high_pass.denominator == pytest.approx((1, -1.99004745483398, 0.99007225036621), abs=1e-9)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_a_full_sine_on_one_channel_has_minus_3_01(sample_rate: int) -> None:
    wave = sine(997, 5, sample_rate)
    wave[:, 1] = 0

    assert integrated(wave, sample_rate) == pytest.approx(-3.01, abs=0.01)


def test_the_gates_are_those_of_ebu_tech_3341() -> None:
    """Its cases 1 to 4, shortened: steady, soft, and with softer stretches that do not count."""

    def steps(*levels: tuple[float, float]) -> Samples:
        return np.concatenate([sine(1000, seconds, 48_000, 10 ** (level / 20)) for level, seconds in levels])

    assert integrated(steps((-23, 5))) == pytest.approx(-23, abs=0.1)
    assert integrated(steps((-33, 5))) == pytest.approx(-33, abs=0.1)
    assert integrated(steps((-36, 3), (-23, 15), (-36, 3))) == pytest.approx(-23, abs=0.1)
    softest = steps((-72, 3), (-36, 3), (-23, 15), (-36, 3), (-72, 3))
    assert integrated(softest) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_ffmpeg_measures_the_same(noise: Samples, sample_rate: int) -> None:
    dull = (noise[3:] + noise[2:-1] + noise[1:-2] + noise[:-3]) / 2  # as music is
    swelling = (dull * 4 * np.hanning(len(dull))[:, None]).astype(np.float32)
    swelling[:, 1] *= 0.3

    found = loudness(swelling, sample_rate)

    expected = ebur128(swelling, sample_rate)
    assert found.integrated == pytest.approx(expected.integrated, abs=0.06)
    assert found.true_peak == pytest.approx(expected.true_peak, abs=0.3)


def ebur128(samples: Samples, sample_rate: int) -> Loudness:
    """By FFmpeg's filter, which rounds to tenths."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=sample_rate, format="flt", layout="stereo", time_base=None)
    measure = graph.add("ebur128", "metadata=1:peak=true")
    sink = graph.add("abuffersink")
    source.link_to(measure)
    measure.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "flt", "stereo")
    frame.sample_rate = sample_rate
    source.push(frame)
    source.push(None)
    last: dict[str, str] = {}
    while True:
        try:
            last = dict(sink.pull().metadata) or last
        except (av.error.EOFError, av.error.BlockingIOError):
            break
    peaks = [float(last[f"lavfi.r128.true_peaks_ch{channel}"]) for channel in (0, 1)]
    return Loudness(float(last["lavfi.r128.I"]), 20 * float(np.log10(max(peaks))))


def test_a_peak_between_samples_is_seen() -> None:
    """A quarter of the rate, a sample each side of the crest: 3 dB lower than it."""
    time = np.arange(48_000)
    wave = (0.5 * np.sin(np.pi / 2 * time + np.pi / 4)).astype(np.float32)
    samples = np.stack([wave, 0 * wave], axis=1)

    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-9.03, abs=0.01)
    assert loudness(samples).true_peak == pytest.approx(-6.02, abs=0.2)


def test_blocks_make_no_difference(noise: Samples) -> None:
    assert loudness(noise, 44_100, 7919) == loudness(noise, 44_100)


def test_what_is_silent_or_too_short_has_none(noise: Samples, silence: Samples) -> None:
    assert loudness(silence) == loudness(silence[:0]) == Loudness(None, None)
    assert loudness(1e-5 * noise).integrated is None
    short = loudness(noise[:15_000])
    assert short.integrated is None
    assert short.true_peak is not None
