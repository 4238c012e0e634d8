"""The owner of a schedule's song: uploads it, and has wishes while it is worked on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from stempipe.jobs.record import Status
from stempipe.jobs.uploads import CONFIG_METADATA
from tests.faults.calls import Violation, persist
from tests.faults.cloud import Cloud
from tests.faults.director import Director
from tests.faults.faults import Moment
from tests.faults.history import Version, lives
from tests.faults.plan import GOOD, MIDI, PARTS, Deed, Plan, Way, Wish

# Longer than anything here takes, the second life of a message that was lost included.
STUCK_SECONDS = 150
# Not found, conflict, gone.
REFUSALS = (404, 409, 410)
AS_FLAC: dict[str, Any] = {"quality": {"outputFormat": "flac"}}
# Without notes, which take most of the time.
LISTENING: dict[str, Any] = {"analysis": {"notes": False, "fps": 30}, "player": True}


@dataclass
class Owner:
    """Asks as a client does: again, until there is an answer.

    Attributes
    ----------
    id, api
        Who it is, and the API for it.
    lives
        How often the job is to have been made, once all is done.
    """

    cloud: Cloud
    director: Director
    plan: Plan
    songs: dict[str, Path]
    id: str
    api: httpx.AsyncClient
    lives: int = 1
    _wants_flac: bool = False
    _asked: int = 0

    # -- the song ----------------------------------------------------------------------------

    async def upload(self) -> str:
        """Send the song. Returns the etag that must become a job's, or the id of the job."""
        song = self.songs[self.plan.song].read_bytes()
        if self.plan.way in (Way.INBOX, Way.REPLACED):
            if self.plan.way is Way.REPLACED:
                before = next(name for name in GOOD if name != self.plan.song)
                await self._put(self.songs[before].read_bytes())
            await self._put(song)
            return hashlib.md5(song).hexdigest()
        created = await self._create()
        if self.plan.way is not Way.NEVER:
            await self._send(created)
        return str(created["job"]["id"])

    @property
    def _config(self) -> dict[str, Any]:
        config = LISTENING if self.plan.listens else {}
        return config | AS_FLAC if self._wants_flac else config

    async def _create(self) -> dict[str, Any]:
        request: dict[str, Any] = {"config": self._config}
        if self.plan.way is Way.STEMS:
            request["stems"] = [{"name": name, **self._file(song)} for name, song in PARTS.items()]
        elif self.plan.song == MIDI:
            request["midi"] = self._file(self.plan.song)
        else:
            request |= self._file(self.plan.song)
        # Without a key, whoever hears nothing and asks again has two jobs.
        has_key = self.plan.wish or self.plan.way is Way.STEMS
        headers = {"Idempotency-Key": self.id} if has_key else {}
        answer = await self._ask("POST", "", json=request, headers=headers)
        if answer.status_code != 201:
            raise Violation(f"a job was asked for, and the answer is {answer.status_code} {answer.text}")
        created: dict[str, Any] = answer.json()
        return created

    def _file(self, song: str) -> dict[str, Any]:
        return {"filename": song, "size": self.songs[song].stat().st_size}

    async def _send(self, created: dict[str, Any]) -> None:
        """Send what is asked for: a song, or stems one after the other."""
        songs = PARTS if self.plan.way is Way.STEMS else {"": self.plan.song}
        for name, song in songs.items():
            content = self.songs[song].read_bytes()

            async def send(name: str = name, content: bytes = content) -> None:
                nonlocal created
                link = created["uploads"][name] if name else created["upload"]
                async with httpx.AsyncClient(timeout=30) as anybody:
                    answer = await anybody.post(link["url"], data=link["fields"], files={"file": content})
                if answer.status_code == 403:  # the link has expired
                    created = await self._create()
                answer.raise_for_status()

            await persist(send)

    async def _put(self, content: bytes) -> None:
        bucket, key = self.cloud.deployment.uploads_bucket, f"inbox/{self.id}/{self.plan.song}"
        said = {CONFIG_METADATA: json.dumps(self._config)} if self._config else {}

        def put() -> None:
            self.cloud.deployment.client("s3").put_object(Bucket=bucket, Key=key, Body=content, Metadata=said)

        await persist(lambda: asyncio.to_thread(put))

    async def take_song_away(self) -> None:
        """Delete a direct upload, so that those who look for forgotten ones have less to look at."""
        if self.plan.way in (Way.INBOX, Way.REPLACED):
            bucket, key = self.cloud.deployment.uploads_bucket, f"inbox/{self.id}/{self.plan.song}"

            def delete() -> None:
                self.cloud.deployment.client("s3").delete_object(Bucket=bucket, Key=key)

            await persist(lambda: asyncio.to_thread(delete))

    # -- wishes ------------------------------------------------------------------------------

    def find(self, name: str) -> tuple[str, list[Version]] | None:
        """Id and history of the job of this id, or of the upload of this etag."""
        for job_id, versions in self.director.jobs_of(self.id).items():
            if name in (job_id, versions[-1].etag):
                return job_id, versions
        return None

    def has_ended(self, name: str) -> bool:
        """Whether the job is there, for the last time that it is to be made, and final or forgotten."""
        found = self.find(name)
        return bool(found and len(lives(found[1])) >= self.lives and found[1][-1].status.is_final)

    async def fulfil(self, wish: Wish, name: str) -> None:
        """Wait for the wish's moment, or for the job's end, and do it."""
        awaits_end = wish.deed in (Deed.RETRY, Deed.RETRY_DELETED, Deed.ASK_AGAIN)
        await _until(
            lambda: self.has_ended(name) or (wish.moment.is_come.is_set() and not awaits_end), STUCK_SECONDS
        )
        found = self.find(name)
        if found is None:
            return  # there is no job at all, which whoever waits for it will see
        job_id, versions = found
        try:
            await self._fulfil(wish, job_id, versions)
        finally:
            wish.moment.is_over.set()
            if wish.slow:
                wish.slow.is_over.set()

    async def _fulfil(self, wish: Wish, job_id: str, versions: list[Version]) -> None:
        match wish.deed:
            case Deed.CANCEL:
                await self._cancel(job_id, versions)
            case Deed.FORGET:
                await self._delete(job_id, None)
            case Deed.AGAIN:
                await self._make_again(wish, job_id)
            case Deed.PUT_AGAIN:
                await self._cancel(job_id, versions)
                if self.plan.seed % 2:
                    await self._delete(job_id, None)
                await asyncio.sleep(1.1)  # storage's clock has seconds
                self.lives = 2
                await self._put(self.songs[self.plan.song].read_bytes())
            case Deed.ASK_AGAIN:
                created = await self._create()
                if created["job"]["id"] != job_id or not created["upload"]:
                    raise Violation(f"{job_id} was asked for again, and the answer is {created}")
                await self._send(created)
                await _until(lambda: versions[-1].error_code != "upload_missing", STUCK_SECONDS)
            case Deed.RETRY:
                answer = await self._ask("POST", f"/{job_id}/retry")
                # The repetition of a request whose answer was lost may find the job queued.
                if answer.status_code != 202 and self._asked == 1:
                    raise Violation(f"a retry was refused: {answer.status_code} {answer.text}")
            case Deed.RETRY_DELETED:
                slow = wish.slow
                assert slow
                deleting = asyncio.create_task(self._delete_once(job_id))
                await _until(lambda: deleting.done() or slow.is_come.is_set(), STUCK_SECONDS)
                answer = await self._ask("POST", f"/{job_id}/retry")
                if answer.status_code not in REFUSALS:
                    raise Violation(f"a job that is being deleted was retried: {answer.status_code}")
                slow.is_over.set()
                await deleting
                await self._delete(job_id, None)

    async def _cancel(self, job_id: str, versions: list[Version]) -> None:
        answer = await self._ask("DELETE", f"/{job_id}")
        life = lives(versions)[-1]
        if self._asked == 1 and life[-1].is_forgotten and life[-1].status is Status.CANCELLED:
            raise Violation(f"the one request that cancelled it forgot it as well: {answer.status_code}")

    async def _make_again(self, wish: Wish, job_id: str) -> None:
        slow = await self._delete(job_id, wish.slow)
        self.lives, self._wants_flac = 2, True
        again = await self.upload()
        if again != job_id:
            raise Violation(f"{job_id} was made again, and is {again}")
        if wish.slow:
            # The request to delete the first life goes on once the second has its stems.
            await _until(lambda: self.has_ended(job_id), wish.slow.hold)
            wish.slow.is_over.set()
        await asyncio.gather(*slow)

    async def _delete(self, job_id: str, slow: Moment | None) -> list[asyncio.Task[int | None]]:
        """Delete a job until there is none; returns the requests that were not waited for."""
        left = []
        deadline = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < deadline:
            may_be_slow = slow is not None and not slow.is_come.is_set()
            request = asyncio.create_task(self._delete_once(job_id))
            while not request.done() and not (may_be_slow and slow and slow.is_come.is_set()):
                await asyncio.wait([request], timeout=0.05)
            if not request.done():
                left.append(request)
            elif request.result() == 404:
                return left
        raise Violation(f"{job_id} is not deleted after {STUCK_SECONDS} s")

    async def _delete_once(self, job_id: str) -> int | None:
        with suppress(httpx.HTTPError):
            return (await self.api.delete(f"/v1/jobs/{job_id}")).status_code
        return None

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer, however often it has to be asked for; one that is no fault of the service's."""
        self._asked = 0

        async def ask() -> httpx.Response:
            self._asked += 1
            answer = await self.api.request(method, f"/v1/jobs{path}", **request)
            if answer.status_code not in REFUSALS:
                answer.raise_for_status()
            return answer

        return await persist(ask)


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for something, for so long at most."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
