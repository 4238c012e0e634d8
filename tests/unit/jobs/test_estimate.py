"""Progress and time left, on what real runs reported and on runs that are made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stempipe.jobs.config import AnalysisConfig, JobConfig, Quality
from stempipe.jobs.estimate import Estimate, plan_of, seconds_in_queue
from stempipe.jobs.record import Stage

Report = tuple[float, Stage, float]

# What separating three minutes reported, from a cold start: (seconds, share).
WAV_RUN = [
    (1.186, 0.0683), (1.384, 0.1366), (1.58, 0.2049), (1.773, 0.2732), (1.968, 0.3415), (2.165, 0.4097),
    (2.359, 0.478), (2.556, 0.5463), (2.755, 0.6146), (2.956, 0.6829), (3.194, 0.7512), (3.389, 0.8195),
    (3.575, 0.8878), (3.76, 0.9561), (3.934, 1.0),
]  # fmt: skip
FLAC_RUN = [
    (0.707, 0.0683), (0.946, 0.1366), (1.157, 0.2049), (1.37, 0.2732), (1.579, 0.3415), (1.794, 0.4097),
    (2.002, 0.478), (2.207, 0.5463), (2.415, 0.6146), (2.624, 0.6829), (2.837, 0.7512), (3.036, 0.8195),
    (3.244, 0.8878), (3.453, 0.9561), (3.647, 1.0),
]  # fmt: skip

# On a machine with other things to do; the second half is encoding.
MP3_RUN = [
    (2.269, 0.0341), (2.868, 0.0683), (3.553, 0.1024), (4.444, 0.1366), (5.271, 0.1707), (6.106, 0.2049),
    (6.998, 0.239), (7.812, 0.2732), (8.4, 0.3073), (9.074, 0.3415), (9.695, 0.3756), (10.446, 0.4097),
    (11.259, 0.4439), (12.109, 0.478), (12.739, 0.5), (13.275, 0.5085), (13.725, 0.5341),
    (14.355, 0.5598), (14.932, 0.5854), (15.741, 0.611), (16.418, 0.6366), (17.698, 0.6622),
    (18.272, 0.6878), (19.219, 0.7134), (19.735, 0.739), (20.68, 0.7646), (21.167, 0.7902),
    (22.09, 0.8158), (22.714, 0.8415), (23.626, 0.8671), (24.393, 0.8927), (25.296, 0.9183),
    (26.224, 0.9439), (26.846, 0.9695), (27.611, 0.989), (28.044, 1.0),
]  # fmt: skip


def plan(output_format: str) -> dict[Stage, float]:
    return dict(plan_of(JobConfig(quality=Quality.model_validate({"outputFormat": output_format}))))


def reports(separating: list[tuple[float, float]], download: float, upload: float) -> list[Report]:
    """A job's reports: half the upload is seen on the way."""
    end = download + separating[-1][0]
    return [
        (0.0, Stage.DOWNLOADING, 0.0),
        (download, Stage.DOWNLOADING, 1.0),
        (download, Stage.SEPARATING, 0.0),
        *((download + at, Stage.SEPARATING, share) for at, share in separating),
        (end, Stage.UPLOADING, 0.0),
        (end + upload / 2, Stage.UPLOADING, 0.5),
        (end + upload, Stage.UPLOADING, 1.0),
    ]


def seen(estimate: Estimate, job: list[Report], step: float) -> Iterator[tuple[float, float, float | None]]:
    """Time, progress and time left, as who looks every ``step`` seconds sees them."""
    total, told = job[-1][0], 0
    for tick in range(int(total / step) + 1):
        now = tick * step
        while told < len(job) and job[told][0] <= now:
            estimate.report(job[told][1], job[told][2], job[told][0])
            told += 1
        yield now, estimate.progress(now), estimate.seconds_left(now)


@pytest.mark.parametrize(
    ("output_format", "run", "upload", "within"),
    [
        ("wav", WAV_RUN, 0.4, 0.25),
        ("flac", FLAC_RUN, 0.25, 0.25),
        # Encoding took 1.4 times as long as the separation's shares have it.
        ("mp3", MP3_RUN, 0.5, 0.3),
    ],
)
def test_the_time_left_is_within_a_quarter_from_the_first_third_on(
    output_format: str, run: list[tuple[float, float]], upload: float, within: float
) -> None:
    job = reports(run, 0.1, upload)
    total = job[-1][0]
    for now, _, left in seen(Estimate(plan(output_format), 0.0), job, step=0.05):
        # From a cold start the second segment is done just after the first third; one alone has no pace.
        if now > total * 0.35 and total - now > 0.1 * total:
            assert left == pytest.approx(total - now, rel=within), now


def test_progress_is_the_share_of_the_time_gone_by() -> None:
    job = reports(WAV_RUN, 0.1, 0.4)
    total = job[-1][0]
    for now, progress, _ in seen(Estimate(plan("wav"), 0.0), job, step=0.05):
        if now > total * 0.35:
            assert progress == pytest.approx(100 * now / total, abs=5), now


def test_loading_the_model_is_not_taken_for_the_pace_of_the_song() -> None:
    slow_start = [(20.0, 0.1), (21.0, 0.2), (22.0, 0.3)]
    estimate = Estimate(plan("wav"), 0.0)
    *_, (_, _, left) = seen(estimate, reports(slow_start, 0.0, 1.0)[:-3], step=1.0)
    # Seven tenths at ten seconds the whole, and the upload.
    assert left == pytest.approx(7 + 10 * 0.10 / 0.87, abs=0.01)


def test_nothing_is_said_of_the_time_left_before_anything_was_measured() -> None:
    estimate = Estimate(plan("wav"), 0.0)
    estimate.report(Stage.DOWNLOADING, 1.0, 1.0)
    estimate.report(Stage.SEPARATING, 0.0, 1.0)
    assert estimate.seconds_left(2.0) is None
    estimate.report(Stage.SEPARATING, 0.1, 3.0)
    assert estimate.seconds_left(3.0) is None
    estimate.report(Stage.SEPARATING, 0.2, 4.0)
    assert estimate.seconds_left(4.0) is not None


def test_a_song_of_one_segment_has_an_estimate_while_it_is_uploaded() -> None:
    estimate = Estimate(plan("wav"), 0.0)
    estimate.report(Stage.SEPARATING, 0.0, 0.0)
    estimate.report(Stage.SEPARATING, 1.0, 8.7)
    estimate.report(Stage.UPLOADING, 0.0, 8.7)
    assert estimate.seconds_left(8.7) == pytest.approx(1.0)


def test_an_upload_that_is_slower_than_planned_is_measured() -> None:
    estimate = Estimate(plan("wav"), 0.0)
    estimate.report(Stage.SEPARATING, 0.0, 0.0)
    estimate.report(Stage.SEPARATING, 1.0, 8.7)
    estimate.report(Stage.UPLOADING, 0.0, 8.7)
    estimate.report(Stage.UPLOADING, 0.5, 18.7)
    assert estimate.seconds_left(18.7) == pytest.approx(10.0)


@settings(max_examples=50)
@given(
    pauses=st.lists(st.floats(0, 60), min_size=1, max_size=40),
    download=st.floats(0, 30),
    upload=st.floats(0, 60),
    output_format=st.sampled_from(["wav", "flac", "mp3"]),
)
def test_progress_never_goes_back_and_stays_within_bounds(
    pauses: list[float], download: float, upload: float, output_format: str
) -> None:
    at, run = 0.0, []
    for number, pause in enumerate(pauses, 1):
        at += pause
        run.append((at, number / len(pauses)))
    job = reports(run, download, upload)
    last = 0.0
    for _, progress, left in seen(Estimate(plan(output_format), 0.0), job, step=max(0.1, job[-1][0] / 50)):
        assert last <= progress <= 100
        assert left is None or left >= 0
        last = progress


@pytest.mark.parametrize("output_format", ["wav", "flac", "mp3"])
def test_a_plan_is_of_the_whole(output_format: str) -> None:
    assert sum(plan(output_format).values()) == pytest.approx(1)
    assert list(plan(output_format)) == [Stage.DOWNLOADING, Stage.SEPARATING, Stage.UPLOADING]


@pytest.mark.parametrize("notes", [True, False])
def test_a_plan_with_analysis_is_of_the_whole_too(notes: bool) -> None:
    config = JobConfig(model_variant="4stems", analysis=AnalysisConfig(notes=notes))
    longer = plan_of(config)
    assert sum(longer.values()) == pytest.approx(1)
    assert list(longer) == list(Stage)
    without = plan_of(JobConfig(model_variant="4stems"))
    assert longer[Stage.UPLOADING] / longer[Stage.SEPARATING] == pytest.approx(
        without[Stage.UPLOADING] / without[Stage.SEPARATING]
    )
    assert sum(plan_of(config, separates=False).values()) == pytest.approx(1)


def test_analysing_alone_is_measured_by_itself() -> None:
    estimate = Estimate(plan_of(JobConfig(analysis=AnalysisConfig()), separates=False), 0.0)
    estimate.report(Stage.DOWNLOADING, 1.0, 0.1)
    estimate.report(Stage.ANALYSING, 0.0, 0.1)
    for tenth in range(1, 10):
        estimate.report(Stage.ANALYSING, tenth / 10, 0.1 + tenth)
        if tenth > 2:
            assert estimate.seconds_left(0.1 + tenth) == pytest.approx(10 - tenth, rel=0.05)
            assert estimate.progress(0.1 + tenth) == pytest.approx(10 * tenth, abs=2)


def test_in_the_queue_others_come_first() -> None:
    assert seconds_in_queue(0, workers=5, recent=[8.0, 12.0]) == 10
    assert seconds_in_queue(10, workers=5, recent=[8.0, 12.0]) == 30
