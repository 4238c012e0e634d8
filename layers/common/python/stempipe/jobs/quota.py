"""What an owner may take, and what of it is left, as its owner sees it: in JSON, and in headers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from stempipe.jobs.camel_case import CamelCase
from stempipe.jobs.usage import Standing, day_of, midnight_after, until_midnight

_LEFT = Field(description="Never less than 0, though more may be used.")


class AllowanceView(CamelCase):
    """So many, and no more."""

    limit: int
    used: int
    left: int = _LEFT


class DailyView(CamelCase):
    """So much a day."""

    limit: int
    used: float
    left: float = _LEFT
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
            limit=limits.minutes_a_day,
            used=round(minutes, 2),
            left=round(max(0.0, limits.minutes_a_day - minutes), 2),
            resets_at=midnight_after(now),
        ),
        bytes_kept=_allowance(limits.bytes_kept, standing.total("bytes")),
    )


def _allowance(limit: int, used: int) -> AllowanceView:
    return AllowanceView(limit=limit, used=used, left=max(0, limit - used))


def rate_limit_headers(quota: QuotaView, now: datetime) -> dict[str, str]:
    """The same in the fields of draft-ietf-httpapi-ratelimit-headers-09."""
    policies = (
        ("open-jobs", quota.open_jobs, ';qu="jobs"', ""),
        ("minutes-a-day", quota.minutes_today, ';qu="minutes";w=86400', f";t={until_midnight(now)}"),
        ("bytes-kept", quota.bytes_kept, ';qu="bytes"', ""),
    )
    return {
        "RateLimit-Policy": ", ".join(f'"{name}";q={one.limit}{of}' for name, one, of, _ in policies),
        "RateLimit": ", ".join(f'"{name}";r={int(one.left)}{when}' for name, one, _, when in policies),
    }
