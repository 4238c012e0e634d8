"""What an owner may take, and what of it is left, as its owner sees it: in JSON, and in headers."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from stempipe.jobs.camel_case import CamelCase
from stempipe.jobs.usage import Standing, day_of, until_midnight


class AllowanceView(CamelCase):
    """So much, and no more."""

    limit: int
    used: float
    left: float = Field(description="Never less than 0, though more may be used.")


class DailyView(AllowanceView):
    """So much a day."""

    resets_at: datetime = Field(description="When the next day begins: midnight UTC.")


class QuotaView(CamelCase):
    """What you may take, and what of it is left."""

    open_jobs: AllowanceView = Field(description="Jobs that have not ended, at once.")
    minutes_today: DailyView = Field(
        description="Minutes of sound in the jobs made today, counted each time that they are worked on."
    )
    bytes_kept: AllowanceView = Field(
        description="Bytes of your uploads and of their results, until they expire."
    )


def quota_view(standing: Standing, now: datetime) -> QuotaView:
    """What an owner's account says."""
    limits, today = standing.limits, day_of(now)
    minutes = standing.of(today, "seconds") / 60
    return QuotaView(
        open_jobs=_allowance(limits.open_jobs, standing.total("open")),
        minutes_today=DailyView(
            **_allowance(limits.minutes_a_day, minutes).model_dump(),
            resets_at=now + timedelta(seconds=until_midnight(now)),
        ),
        bytes_kept=_allowance(limits.bytes_kept, standing.total("bytes")),
    )


def _allowance(limit: int, used: float) -> AllowanceView:
    return AllowanceView(limit=limit, used=round(used, 2), left=round(max(0, limit - used), 2))


def rate_limit_headers(quota: QuotaView, now: datetime) -> dict[str, str]:
    """The same in the fields of draft-ietf-httpapi-ratelimit-headers-09."""
    reset = round((quota.minutes_today.resets_at - now).total_seconds())
    policies = (
        ("open-jobs", quota.open_jobs, ';qu="jobs"', ""),
        ("minutes-a-day", quota.minutes_today, ';qu="minutes";w=86400', f";t={reset}"),
        ("bytes-kept", quota.bytes_kept, ';qu="bytes"', ""),
    )
    return {
        "RateLimit-Policy": ", ".join(f'"{name}";q={one.limit}{of}' for name, one, of, _ in policies),
        "RateLimit": ", ".join(f'"{name}";r={int(one.left)}{when}' for name, one, _, when in policies),
    }
