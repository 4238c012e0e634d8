"""GET /v1/jobs: pages and filters."""

from __future__ import annotations

from typing import Any

import pytest
from pynamodb.connection import Connection

from stempipe.errors import InternalError
from stempipe.jobs.table import Jobs
from tests.claims import take
from tests.integration.status.asking import Ask, completed, uploaded


def listed(ask: Ask, **query: str) -> list[str]:
    """Ids of all pages, each as full as was asked for until there are no more."""
    ids, cursor = [], ""
    while True:
        page = ask("GET", "/v1/jobs", query=query | ({"cursor": cursor} if cursor else {})).body
        ids += [job["id"] for job in page["jobs"]]
        cursor = page["cursor"]
        if not cursor:
            return ids
        assert len(page["jobs"]) == int(query["limit"])


def test_jobs_are_listed_newest_first(ask: Ask, jobs: Jobs) -> None:
    for number in range(3):
        completed(jobs, job_id=f"job-{number}")
    first = ask("GET", "/v1/jobs", query={"limit": "2"}).body
    assert [job["id"] for job in first["jobs"]] == ["job-2", "job-1"]
    second = ask("GET", "/v1/jobs", query={"limit": "2", "cursor": first["cursor"]}).body
    assert [job["id"] for job in second["jobs"]] == ["job-0"]
    assert second["cursor"] is None


def test_jobs_are_listed_by_status(ask: Ask, jobs: Jobs) -> None:
    for number in range(9):
        uploaded(jobs, job_id=f"job-{number}")
        if number % 3 == 0:
            take(jobs, "alice", f"job-{number}", 30).fail(InternalError())
        elif number % 3 == 1:
            jobs.cancel("alice", f"job-{number}")
    assert listed(ask, status="failed", limit="2") == ["job-6", "job-3", "job-0"]
    assert listed(ask, status="failed,cancelled", limit="1") == [f"job-{n}" for n in (7, 6, 4, 3, 1, 0)]
    assert listed(ask, status="completed", limit="2") == []


def test_jobs_are_listed_by_when_they_were_made_and_both_times_count(ask: Ask, jobs: Jobs) -> None:
    for number in range(4):
        uploaded(jobs, job_id=f"job-{number}")
    made = [ask("GET", f"/v1/jobs/job-{number}").body["createdAt"] for number in range(4)]
    assert listed(ask, createdAfter=made[1], limit="1") == ["job-3", "job-2", "job-1"]
    assert listed(ask, createdBefore=made[1], limit="5") == ["job-1", "job-0"]
    assert listed(ask, createdAfter=made[1], createdBefore=made[2], limit="5") == ["job-2", "job-1"]
    assert listed(ask, createdAfter=made[2], createdBefore=made[1], limit="5") == []
    assert len(listed(ask, createdAfter="0001-01-01T00:00:00+23:59", limit="5")) == 4
    assert len(listed(ask, createdBefore="9999-12-31T23:59:59-23:59", limit="5")) == 4


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"cursor": "x"},
        {"status": "done"},
        {"status": "failed,"},
        {"createdAfter": "yesterday"},
        {"createdAfter": "1767225600"},
        {"createdAfter": "2026-01-01"},
        {"createdAfter": "2026-01-01T00:00:00"},  # of no time zone
        {"createdBefore": "2026-13-01T00:00:00Z"},
    ],
)
def test_a_bad_page_is_refused(ask: Ask, query: dict[str, str]) -> None:
    answer = ask("GET", "/v1/jobs", query=query)
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert next(iter(query)) in answer.body["error"]["message"]


def test_a_cursor_is_good_for_its_own_list_alone(ask: Ask, jobs: Jobs) -> None:
    for number in range(3):
        uploaded(jobs, job_id=f"job-{number}")
    cursor = ask("GET", "/v1/jobs", query={"limit": "1"}).body["cursor"]
    query = {"createdBefore": "2020-01-01T00:00:00Z", "cursor": cursor}
    answer = ask("GET", "/v1/jobs", query=query)
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")


def test_what_a_call_costs_does_not_grow_with_what_an_owner_has(
    ask: Ask, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the list of a status that hardly any job has, nor the estimate of a queued one."""
    for number in range(30):
        uploaded(jobs, job_id=f"job-{number:02}")
    take(jobs, "alice", "job-00", 30).fail(InternalError())
    monkeypatch.setattr("stempipe.jobs.listing._FILTERED_PAGE", 4)  # a fiftieth
    asked: list[str] = []
    query = Connection.query

    def counted(self: Connection, table: str, *args: Any, **more: Any) -> Any:
        asked.append(table)
        return query(self, table, *args, **more)

    monkeypatch.setattr(Connection, "query", counted)
    first = ask("GET", "/v1/jobs", query={"status": "failed", "limit": "1"}).body
    assert (first["jobs"], len(asked)) == ([], 5)
    assert first["cursor"]
    asked.clear()
    assert ask("GET", "/v1/jobs/job-29").body["estimatedTimeRemaining"] is None
    assert len(asked) == 2  # its place, and how long the last ones took
    # Nothing is lost: the pages lead there.
    ids, cursor = [], first["cursor"]
    while cursor:
        page = ask("GET", "/v1/jobs", query={"status": "failed", "limit": "1", "cursor": cursor}).body
        ids += [job["id"] for job in page["jobs"]]
        cursor = page["cursor"]
    assert ids == ["job-00"]
