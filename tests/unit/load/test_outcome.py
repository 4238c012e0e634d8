"""The arithmetic of `make load`: what is lost, doubled, late or slow is seen, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from benchmarks.load.outcome import Change, Heard, Made, Outcome, Sent, outcome, schedule

CHANGES = tuple(Change)
START = 1_000_000.0


def run(songs: int = 100, gap: float = 0.1) -> tuple[list[Sent], list[Made], Heard]:
    """One in which all is well: each song is accepted after 0.1 s, begun after 0.2, and done after 0.5."""
    sent, made, heard = [], [], Heard()
    for number in range(songs):
        at = START + number * gap
        sent.append(Sent(f"{number}.wav", "zoe", at, at + 0.1))
        times = dict(zip(CHANGES, (at + 0.1, at + 0.2, at + 0.5), strict=True))
        made.append(Made(f"job-{number}", f"{number}.wav", "completed", 1, times, 1))
        for shown, change in enumerate(CHANGES, start=1):
            heard.hear(f"job-{number}", f"{number}.wav", shown, CHANGES[:shown], times[change] + 0.25)
    return sent, made, heard


def found(sent: list[Sent], made: list[Made], heard: Heard) -> Outcome:
    return outcome(10.0, sent, made, heard)


def test_nothing_is_broken_where_all_is_well() -> None:
    one = found(*run())
    assert one.broken == one.piles_up == []
    assert (one.jobs, one.lost, one.doubled, one.attempts) == (100, [], [], 1.0)
    assert one.accepted.p99 == pytest.approx(0.1)
    assert one.begun.p99 == pytest.approx(0.2)
    assert one.done.p99 == pytest.approx(0.75)  # when it was told
    assert one.told.p99 == pytest.approx(0.25)
    assert one.rate == pytest.approx(100 / (99 * 0.1 + 0.5))


@pytest.mark.parametrize("status", ["failed", "cancelled", "queued", "processing"])
def test_a_song_whose_job_did_not_complete_is_lost(status: str) -> None:
    sent, made, heard = run()
    made[7] = replace(made[7], status=status)
    assert found(sent, made, heard).lost == ["7.wav"]
    assert any("1 lost: 7.wav" in said for said in found(sent, made, heard).broken)


def test_a_song_without_a_job_is_lost() -> None:
    sent, made, heard = run()
    del made[7]
    assert found(sent, made, heard).lost == ["7.wav"]


def test_a_refused_song_is_lost_and_counts_among_the_waits() -> None:
    sent, made, heard = run(10)
    sent[7].accepted = None
    del made[7]
    one = found(sent, made, heard)
    assert one.lost == ["7.wav"]
    assert one.accepted.p95 == inf


def test_a_song_with_two_jobs_is_doubled() -> None:
    sent, made, heard = run()
    made.append(replace(made[7], id="another"))
    heard.changes["another"] = heard.changes["job-7"]
    assert found(sent, made, heard).doubled == ["7.wav"]
    assert any("1 doubled: 7.wav" in said for said in found(sent, made, heard).broken)


def test_a_job_with_the_results_of_two_attempts_is_doubled() -> None:
    sent, made, heard = run()
    made[7] = replace(made[7], results=2)
    assert found(sent, made, heard).doubled == ["7.wav"]


def test_a_job_whose_end_was_told_in_two_versions_is_doubled_but_one_told_again_is_not() -> None:
    sent, made, heard = run()
    heard.hear("job-7", "7.wav", 3, CHANGES, START + 100)  # the same message once more
    assert found(sent, made, heard).doubled == []
    heard.hear("job-7", "7.wav", 4, CHANGES, START + 100)
    assert found(sent, made, heard).doubled == ["7.wav"]


def test_one_attempt_too_many_among_a_thousand_is_seen() -> None:
    sent, made, heard = run(1000)
    made[7] = replace(made[7], attempts=2)
    assert found(sent, made, heard).attempts == pytest.approx(1.001)
    assert any("attempts" in said for said in found(sent, made, heard).broken)


def test_changes_that_are_told_late_or_never_break_the_promise_if_they_are_more_than_five_of_a_hundred() -> (
    None
):
    for late in (3.0, inf):
        sent, made, heard = run()
        for number in range(15):  # of 300 changes 15 are five of a hundred
            heard.changes[f"job-{number}"][Change.BEGUN] = START + number * 0.1 + 0.2 + late
        assert found(sent, made, heard).broken == []
        heard.changes["job-99"][Change.BEGUN] = START + 9.9 + 0.2 + late
        assert [said for said in found(sent, made, heard).broken if "told" in said]


def test_a_change_that_no_message_showed_counts_as_never_told() -> None:
    sent, made, heard = run(1)
    heard.changes.clear()
    assert found(sent, made, heard).told.p95 == inf


def test_a_change_is_told_by_the_first_message_that_shows_it() -> None:
    heard = Heard()
    heard.hear("job", "song.wav", 3, CHANGES[:2], 5.0)
    heard.hear("job", "song.wav", 2, CHANGES[:1], 7.0)  # an older one that comes later
    heard.hear("job", "song.wav", 4, CHANGES, 9.0)
    assert heard.changes["job"] == {Change.MADE: 5.0, Change.BEGUN: 5.0, Change.DONE: 9.0}


def test_a_generator_that_falls_behind_does_not_look_the_faster_for_it() -> None:
    # Each song is done half a second after it was really sent, which is later and later.
    sent, made, heard = run(50)
    for number, song in enumerate(sent):
        song.intended -= number
    one = found(sent, made, heard)
    assert one.done.p99 == pytest.approx(49 + 0.75)
    assert one.begun.p50 == pytest.approx(24 + 0.2)


def test_songs_that_pile_up_break_the_promise() -> None:
    sent, made, heard = run(100, gap=0.2)  # five a second are done where ten were asked for
    assert found(sent, made, heard).piles_up == ["4.93 songs a second are done of 10.00"]


def test_a_run_in_which_nothing_was_done_has_figures() -> None:
    sent, _, heard = run(3)
    one = found(sent, [], heard)
    assert (len(one.lost), one.rate, one.attempts) == (3, 0.0, 0.0)
    assert one.broken


def test_the_schedule_has_as_many_songs_as_were_asked_for_and_is_the_same_for_the_same_seed() -> None:
    moments = schedule(10, 600, seed=1)
    assert len(moments) == 6000
    assert moments == sorted(moments) == schedule(10, 600, seed=1) != schedule(10, 600, seed=2)
    assert moments[0] >= 0
    assert moments[-1] <= 600


def test_the_schedule_is_random_as_independent_songs_are() -> None:
    # Of a Poisson process, the number in a second has a variance as large as its mean.
    moments = schedule(10, 2000, seed=3)
    counts = [0] * 2000
    for moment in moments:
        counts[int(moment)] += 1
    variance = sum((count - 10) ** 2 for count in counts) / len(counts)
    assert variance == pytest.approx(10, rel=0.1)
