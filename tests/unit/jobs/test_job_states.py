"""The state machine: no sequence of events, workers and clocks leads off the design's arrows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite
from ulid import ULID

from stempipe.errors import EmptyFile, InternalError, WorkerLost
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.line import Line
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import MAX_ATTEMPTS, TRANSITIONS, FileFacts, Job, Source, Stage, Status
from stempipe.jobs.refusals import ClaimLost, JobIsFinal, JobIsHeld, NoRoom, TransitionRefused
from stempipe.jobs.table import Jobs
from tests.aws import TABLE, USAGE, aws
from tests.stored import stored_song

LEASE = 30
# Seconds of the song, and what is counted for five bytes until they are known.
LENGTH, RESERVED = 2.5, 1
SOURCE = Source("s3", "uploads", "jobs/alice/01K", "song.mp3", bytes=5)


class JobLife(RuleBasedStateMachine):
    """One job, made again after it was deleted; any number of workers that may freeze at any time; a clock
    that jumps; and answers of the table that are lost, so that a write is sent again."""

    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, now=lambda: self.clock)
        self.answers_are_lost = False
        self._send_again_what_is_not_answered()
        self.version = 0
        self.id = str(ULID())
        self.owner = f"alice-{self.id}"  # whose account is hers alone
        self.line = Line(self.jobs, 1)
        self.counted = 0.0
        self.seen: list[Status] = []
        self.holder: Claim | None = None
        self.attempts, self.last_attempt = 0, MAX_ATTEMPTS
        self.progress = self.messages = 0

    def teardown(self) -> None:
        # The index of open jobs is everybody's.
        self.job.delete()

    def _send_again_what_is_not_answered(self) -> None:
        life = self

        class Lossy(self.jobs.model):  # type: ignore[name-defined,misc]
            class Meta(self.jobs.model.Meta):  # type: ignore[name-defined,misc]
                pass

            def update(self, actions: list[Action], condition: Condition | None = None) -> Any:
                for _ in range(1 + life.answers_are_lost):
                    answer = super().update(actions, condition=condition)
                return answer

            def save(self, condition: Condition | None = None) -> Any:
                for _ in range(1 + life.answers_are_lost):
                    answer = super().save(condition=condition)
                return answer

            @classmethod
            def transaction(cls) -> TransactWrite:
                return Twice(connection=cls._get_connection().connection)

        class Twice(TransactWrite):
            def _commit(self) -> Any:
                for _ in range(1 + life.answers_are_lost):
                    answer = super()._commit()
                return answer

        self.jobs.model = Lossy

    @property
    def job(self) -> Job:
        return self.jobs.get(self.owner, self.id)

    @initialize(status=st.sampled_from([Status.AWAITING_UPLOAD, Status.QUEUED]))
    def make(self, status: Status) -> None:
        self.jobs.add(self.owner, self.id, status, SOURCE, JobConfig())
        self.seen = [status]
        self.opened_at = 0

    @rule(lost=st.booleans())
    def network_changes(self, lost: bool) -> None:
        self.answers_are_lost = lost

    @rule(status=st.sampled_from([Status.AWAITING_UPLOAD, Status.QUEUED]))
    def owner_deletes_it_and_makes_it_again(self, status: Status) -> None:
        """Workers, messages and sweeps of before are still about."""
        before = self.job
        try:
            self.jobs.begin_deletion(before)
        except TransitionRefused:
            assert not before.state.is_final
            return
        self.jobs.delete(before)
        assert self.account("open", "bytes") == [0, 0]
        self.clock += timedelta(seconds=1)
        self.make(status)
        self.attempts, self.last_attempt, self.holder = 0, MAX_ATTEMPTS, None
        self.jobs.mark_enqueued(before, "of before")
        assert self.job.message_id is None

    @rule()
    def owner_asks_for_another_link(self) -> None:
        before = self.job
        may = before.state is Status.AWAITING_UPLOAD or before.error_code == "upload_missing"
        try:
            after = Arrivals(self.jobs).await_upload(before)
        except TransitionRefused:
            assert not may
        else:
            assert may
            if before.state is Status.FAILED:
                self.opened_at = self.attempts
            assert after.due_at == self.clock.timestamp() + 3600

    @rule(seconds=st.sampled_from([1, LEASE - 1, LEASE + 1, 3 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.clock += timedelta(seconds=seconds)

    @rule(usable=st.booleans())
    def upload_event(self, usable: bool) -> None:
        job, before = self.job, self.seen[-1]
        try:
            if usable:
                Arrivals(self.jobs).upload_arrived(job, etag="e", size=5)
            else:
                Arrivals(self.jobs).refuse_upload(job, EmptyFile())
        except TransitionRefused:
            assert before is not Status.AWAITING_UPLOAD
        else:
            assert before is Status.AWAITING_UPLOAD

    @rule(target=claims)
    def message(self) -> Any:
        before = self.job
        lapsed = before.state is Status.PROCESSING and before.due_at < self.clock.timestamp()
        try:
            claim = Claim.take(self.jobs, self.owner, self.id, LEASE)
        except JobIsFinal:
            assert before.state.is_final
        except JobIsHeld:
            assert not lapsed
            assert before.state is not Status.QUEUED or before.in_line_since is not None
        except WorkerLost:
            assert lapsed
            assert self.attempts == self.last_attempt
            self.holder = None
        else:
            assert lapsed or (before.state is Status.QUEUED and before.in_line_since is None)
            self.attempts += 1
            assert claim.job.attempts == self.attempts
            self.holder, self.progress = claim, 0
            return claim
        return multiple()

    @rule()
    def its_turn_comes(self) -> None:
        before = self.job
        try:
            after = self.line.let_in(before)
        except TransitionRefused:
            assert before.state is not Status.QUEUED or before.in_line_since is None
        except NoRoom:
            # The one worker has this job already.
            assert self.account("let_in") == [1]
        else:
            assert before.in_line_since is not None
            assert (after.state, after.version) == (Status.QUEUED, before.version)

    @rule()
    def message_is_sent(self) -> None:
        self.messages += 1
        self.jobs.mark_enqueued(self.job, str(self.messages))

    @rule(stale=st.booleans())
    def message_is_a_dead_letter(self, stale: bool) -> None:
        job, message = self.job, "stale" if stale else str(self.messages)
        waits_for_it = job.state is Status.QUEUED and job.message_id == message
        try:
            Overdue(self.jobs).give_up_message(job, message)
        except TransitionRefused:
            assert not waits_for_it
        else:
            assert waits_for_it

    @rule()
    def sweep(self) -> None:
        """What is overdue moves on, and nothing else."""
        before = self.job
        overdue = before.due_at is not None and before.due_at < self.clock.timestamp()
        late = Overdue(self.jobs)
        found = [*late.awaiting_upload()] if before.state is Status.AWAITING_UPLOAD else [*late.under_way()]
        assert [job.id for job in found if job.id == self.id] == [self.id] * overdue
        if not overdue:
            return
        match before.state:
            case Status.AWAITING_UPLOAD:
                assert Overdue(self.jobs).give_up_upload(before).state is Status.FAILED
            case Status.PROCESSING:
                after = Overdue(self.jobs).requeue(before)
                spent = self.attempts == self.last_attempt
                assert after.state is (Status.FAILED if spent else Status.QUEUED)
                self.holder = None

    @rule()
    def owner_cancels(self) -> None:
        before = self.job
        try:
            self.jobs.cancel(self.owner, self.id)
        except JobIsFinal:
            assert before.state.is_final
        else:
            assert not before.state.is_final
            self.holder = None

    @rule()
    def owner_retries(self) -> None:
        before = self.job.state
        try:
            after = self.jobs.retry(self.job)
        except TransitionRefused:
            assert before is not Status.FAILED
        else:
            assert before is Status.FAILED
            assert after.progress == 0
            assert after.started_at is None
            assert after.enqueued_at is None
            self.last_attempt = self.attempts + MAX_ATTEMPTS
            self.opened_at = self.attempts

    @rule()
    def sweep_comes_too_late(self) -> None:
        """A sweep that looked before somebody else moved the job changes nothing."""
        before = self.job
        if before.state is Status.PROCESSING and before.due_at >= self.clock.timestamp():
            with pytest.raises(TransitionRefused):
                Overdue(self.jobs).requeue(before)

    def writes(self, claim: Claim, write: str) -> None:
        """Only the holder's writes get through."""
        try:
            match write:
                case "complete":
                    claim.complete(
                        stored=stored_song(
                            {"vocals": "k"}, duration_seconds=LENGTH, facts={"k": FileFacts(70)}
                        ),
                        gb_seconds=1,
                    )
                case "fail":
                    claim.fail(InternalError())
                case "release" if not claim.is_last_attempt:
                    claim.release()
                case _:
                    claim.report(Stage.SEPARATING, self.progress, 1.0)
        except ClaimLost:
            assert claim is not self.holder
        else:
            assert claim is self.holder
            if self.job.state is not Status.PROCESSING:
                self.holder = None

    @rule(claim=claims, more=st.integers(0, 30))
    def reports(self, claim: Claim, more: int) -> None:
        self.progress = min(99, self.progress + more)
        self.writes(claim, "report")

    @rule(claim=consumes(claims), write=st.sampled_from(["complete", "fail", "release"]))
    def ends(self, claim: Claim, write: str) -> None:
        self.writes(claim, write)

    @invariant()
    def states_follow_the_arrows(self) -> None:
        state = self.job.state
        if state is not self.seen[-1]:
            assert state in TRANSITIONS[self.seen[-1]]
            self.seen.append(state)
            if state.is_final and self.attempts > self.opened_at:
                self.counted += LENGTH if state is Status.COMPLETED else RESERVED

    @invariant()
    def no_version_is_older_than_what_was_seen_before(self) -> None:
        version = int(self.job.version)
        assert version >= self.version
        self.version = version

    @invariant()
    def the_record_says_what_its_state_implies(self) -> None:
        job = self.job
        assert int(job.attempts) == self.attempts <= self.last_attempt
        assert (job.error_code is not None) == (job.state is Status.FAILED)
        assert (job.stem_keys is not None) == (job.state is Status.COMPLETED)
        assert (job.completed_at is not None) == job.state.is_final
        assert (job.due_at is None) == (job.open_shard is None)
        waits = job.state is Status.QUEUED and job.in_line_since is not None
        assert job.due_at is not None or job.state.is_final or waits
        assert job.due_at is None or not job.state.is_final
        assert (job.reserved_seconds is None) == job.state.is_final
        assert (job.stage is not None) == (job.state is Status.PROCESSING)

    @invariant()
    def the_account_says_what_there_is(self) -> None:
        job = self.job
        is_with_workers = job.state in (Status.QUEUED, Status.PROCESSING) and job.in_line_since is None
        uploaded = 5 if job.etag or not job.state.is_final else 0
        stored = 70 if job.state is Status.COMPLETED else 0
        assert self.account("open", "let_in", "seconds", "bytes") == [
            not job.state.is_final,
            is_with_workers,
            self.counted + (0 if job.state.is_final else RESERVED),
            0 if job.state is Status.CANCELLED else uploaded + stored,
        ]

    def account(self, *what: str) -> list[float]:
        standing = self.jobs.accounts.standing(self.owner)
        return [sum(standing.of(day, each) for day in standing.days) for each in what]


@pytest.mark.slow
def test_no_sequence_of_events_leads_off_the_arrows(monkeypatch: pytest.MonkeyPatch) -> None:
    with aws(monkeypatch):
        run_state_machine_as_test(
            JobLife, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
        )


def test_a_retry_is_the_way_out_of_final_states() -> None:
    assert TRANSITIONS[Status.COMPLETED] == {Status.QUEUED}
    assert TRANSITIONS[Status.CANCELLED] == set()
    assert TRANSITIONS[Status.FAILED] == {Status.QUEUED, Status.AWAITING_UPLOAD}
    assert {state for state in Status if state.is_final} == {
        Status.COMPLETED,
        Status.FAILED,
        Status.CANCELLED,
    }
