"""``python -m tests.faults``: schedules of faults on the local cloud, and what must hold after each."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stempipe.jobs.record import Stage
from tests.faults import faults
from tests.faults.end import check_end
from tests.faults.faults import Moment
from tests.faults.history import Version
from tests.faults.noticed import schedule_for
from tests.faults.plan import (
    GOOD,
    LISTENED_TO,
    MIDI,
    Crowd,
    Deed,
    Delivery,
    Plan,
    Restart,
    Way,
    Wish,
    draw,
    separates,
)
from tests.faults.run import Result, Runner, ready
from tests.faults.sabotage import Sabotage
from tests.faults.steps import Step

# From so many schedules on, a kind of fault that never happened is a fault of the suite.
ENOUGH = 200
KINDS = (
    faults.Kill,
    faults.Stop,
    faults.Freeze,
    faults.FullDisk,
    faults.Refuse,
    faults.Stall,
    faults.LoseAnswer,
    faults.ShortRead,
    faults.DropMessage,
    faults.DuplicateMessage,
)
POLLERS_FAULTS = ("kill a poller", "stop a poller", "freeze a poller")
PHASES = ("downloading", "separating", "uploading", "analysing", "completing")

# The songs of the schedules, the ways in which they come, and whether they are listened to.
UNDISTURBED = [
    *((song, Way.API, song == MIDI) for song in GOOD),
    (LISTENED_TO, Way.API, True),
    (LISTENED_TO, Way.STEMS, True),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=ENOUGH, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; each next has the next one")
    parser.add_argument("--only", type=int, action="append", metavar="SEED", help="replay this schedule")
    parser.add_argument("--jobs", type=int, default=8, help="schedules at a time (%(default)s)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the cloud's state and logs here")
    parser.add_argument(
        "--without",
        type=Sabotage,
        choices=list(Sabotage),
        help="take a safeguard away, to see that the suite notices",
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seeds = options.only or range(options.seed, options.seed + options.schedules)
    with tempfile.TemporaryDirectory(prefix="stempipe-faults-") as temporary:
        state = options.state or Path(temporary)
        plans = [draw(seed) for seed in seeds]
        if options.without:  # few schedules may not come to where it is missed: this one does
            plans.append(schedule_for(options.without))
        return asyncio.run(run(plans, state, options.jobs, options.without))


async def run(
    plans: Sequence[Plan | Restart | Crowd], state: Path, jobs: int, sabotage: Sabotage | None
) -> int:
    """Run schedules, print what comes of them; returns the exit status."""
    began = time.monotonic()
    results: list[Result] = []
    free = asyncio.Semaphore(jobs)

    async def one(plan: Plan | Restart | Crowd) -> None:
        async with free:
            result = await runner.run(plan)
        results.append(result)
        if result.violations:
            _print_failure(result, runner)
        if len(results) % 10 == 0:
            failed = sum(bool(result.violations) for result in results)
            seconds = time.monotonic() - began
            print(f"{len(results):4} of {len(plans)} schedules, {failed} failed, {seconds:.0f} s", flush=True)

    async with ready(state, sabotage) as runner:
        # Undisturbed: what stems the others must have. The second wish's moment never comes.
        wishes = (None, Wish(Deed.AGAIN, Moment(step=Step.RELEASE)))
        quiet = [
            Plan(0, song, way, Delivery.PROMPT, [0.0], [], wish=wish, listens=listens)
            for song, way, listens in UNDISTURBED
            for wish in (wishes if separates(way, song) else [None])
        ]
        await asyncio.gather(*map(one, quiet))
        if any(result.violations for result in results):
            return 1
        results.clear()
        await asyncio.gather(*(one(plan) for plan in plans if isinstance(plan, Plan)))
        for plan in plans:
            if isinstance(plan, Restart | Crowd):
                await one(plan)
        at_end, redriven = await check_end(runner.cloud, runner.director, runner.background.sweeping)
    for text in at_end:
        print(text)
    never = _print_summary(runner, results, redriven, time.monotonic() - began)
    missing = never if len(plans) >= ENOUGH else []
    if missing:
        print(f"Never happened: {', '.join(missing)}")
    return 1 if at_end or missing or any(result.violations for result in results) else 0


def _print_failure(result: Result, runner: Runner) -> None:
    print(f"\nschedule {result.plan.seed}: {result.plan}")
    for text in result.violations:
        print(f"  {text}")
    for owner in result.owners:
        print(f"  {owner}", *runner.director.trace(owner), sep="\n    ")
    print(f"  Replay it: python -m tests.faults --only {result.plan.seed}\n", flush=True)


def _print_summary(runner: Runner, results: Sequence[Result], redriven: int, seconds: float) -> list[str]:
    """Print what happened how often; returns what should have happened and never did."""
    happened: Counter[tuple[str, str]] = Counter()
    outcomes: Counter[str] = Counter()
    deeds: Counter[str] = Counter()
    all_plans: list[Plan] = []
    for result in results:
        plans = [result.plan] if isinstance(result.plan, Plan) else []
        all_plans += _plans_of(result.plan)
        deeds.update(_deed(plan.wish) for plan in plans if plan.wish)
        for fault in (fault for plan in plans for fault in plan.faults):
            happened[fault.name, fault.step] += fault.happened
        outcomes.update(result.outcome.split(", "))
    print(f"\n{len(results)} schedules in {seconds:.0f} s")
    print("outcomes:", _counts(outcomes))
    names = [kind.__name__ for kind in KINDS]
    for name in names:
        at = Counter({step: count for (kind, step), count in happened.items() if kind == name})
        print(f"{name:<17}{at.total():5}  {_counts(at)}")
    struck = ("kill", "stop", "freeze", "full disk", *POLLERS_FAULTS)
    for what in struck:
        at = Counter(
            {phase: count for (kind, phase), count in runner.director.struck.items() if kind == what}
        )
        print(f"{what + ' while':<17}{at.total():5}  {_counts(at)}")
    print(f"{'claims':<17}{runner.director.claims.total():5}  {_counts(runner.director.claims)}")
    print(f"{'events':<17}{runner.background.delivered.total():5}  {_counts(runner.background.delivered)}")
    print(f"{'links expired':<17}{runner.links_expired:5}\n{'restarts':<17}{runner.restarts:5}")
    print(f"{'crowds':<17}{runner.crowds:5}")
    print(f"{'redriven':<17}{redriven:5}")
    listened = Counter(_way_in(plan) for plan in all_plans if plan.listens)
    went_on = sum(map(_went_on, runner.director.histories.values()))
    print(f"{'listened to':<17}{listened.total():5}  {_counts(listened)}")
    print(f"{'seen early':<17}{runner.seen_early:5}\n{'went on':<17}{went_on:5}")
    print("owners:", _counts(deeds))
    print("sweep:", _counts(runner.background.swept))
    return [
        *(name for name in names if not sum(n for (kind, _), n in happened.items() if kind == name)),
        *(
            f"{what} while {phase}"
            for what in ("kill", "freeze")
            for phase in PHASES
            if not runner.director.struck[what, phase]
        ),
        *(f"claims, {kind}" for kind in ("lambda", "polls") if not runner.director.claims[kind]),
        *(
            what
            for what in POLLERS_FAULTS
            if not sum(count for (kind, _), count in runner.director.struck.items() if kind == what)
        ),
        *(f"listening, {way}" for way in (Way.API, Way.INBOX, Way.STEMS, "midi") if not listened[way]),
        *["stems seen early"] * (not runner.seen_early),
        *["going on from stems"] * (not went_on),
        *(f"event {delivery}" for delivery in Delivery if not runner.background.delivered[delivery]),
        *(f"owner {deed}" for deed in Deed if not any(done.startswith(deed) for done in deeds)),
        *["links expired"] * (not runner.links_expired),
        *["restart"] * (not runner.restarts),
        *["crowd"] * (not runner.crowds),
    ]


def _plans_of(plan: Plan | Restart | Crowd) -> Sequence[Plan]:
    match plan:
        case Restart():
            return plan.plans
        case Crowd():
            return [plan.plan]
    return [plan]


def _way_in(plan: Plan) -> str:
    return "midi" if plan.song == MIDI else plan.way


def _went_on(versions: Sequence[Version]) -> bool:
    """Whether a worker went on from the stems that another had kept."""
    return any(version.stage == Stage.DOWNLOADING and version.stem_keys for version in versions)


def _deed(wish: Wish) -> str:
    """What the owner did, and whether amid the work and while a deletion went on."""
    amid = ", at once" if wish.moment.happened else ""
    slow = ", slowly" if wish.slow and wish.slow.happened else ""
    return f"{wish.deed}{amid}{slow}"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common() if count)


if __name__ == "__main__":
    sys.exit(main())
