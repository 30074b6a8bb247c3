"""What people do to jobs while the executor works: cancel, retry, close, hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import pyarrow.compute as pc

from outputs.errors import PlanError
from outputs.plan import PLANNED
from outputs.plan_file import read_plan
from outputs.plan_name import plan_path
from planner.executing import opened
from planner.executor.backends.host_bound import bind_to_host
from planner.executor.backends.registry import Place, load_all
from planner.executor.dispatch import act_on_wishes
from planner.executor.errors import JobUnknownError
from planner.executor.holds import Scope, lift_holds, place_hold
from planner.executor.instants import to_us
from planner.executor.keys import KEY_PATTERN
from planner.executor.ledger import Ledger
from planner.executor.states import State
from planner.executor.wishes import Verb, make_wish, targets, wishes_numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one wish.

    Parameters
    ----------
    target
        What it was about: a job, key, region, or ``all``.
    outcome
        For people; None if it is stored and waits for the next run or plan.
    """

    target: str
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came of one command.

    Parameters
    ----------
    at_work
        The executor that is at work just now, and acts on the wishes in its next
        run; None if they were acted on at once.
    """

    answers: tuple[Answer, ...]
    at_work: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, when and why; the history of every job touched shows it.

    Parameters
    ----------
    actor
        Name of the user.
    process
        Name of this process, under which it may take the lease.
    """

    actor: str
    process: str
    now: datetime
    reason: str | None = None


def ask(
    place: Place,
    verb: Verb,
    jobs: Sequence[str],
    *,
    day: date,
    asker: Asker,
    state: State | None = None,
) -> Answers:
    """Have jobs cancelled, tried again or closed, now or by the executor at work.

    Parameters
    ----------
    jobs
        Ids of jobs or arrays of the day, or keys.
    state
        What became of them, as the asker says; with ``close`` alone.

    Raises
    ------
    JobUnknownError
        If one of them is in neither ledger nor plan; nothing was asked then.
    LedgerError
        If the ledger cannot be used.
    """
    with opened(place, now=asker.now, rehearsal=False) as ledger:
        dates = [_date_of(place, ledger, job, day) for job in jobs]
        numbers = [
            make_wish(
                ledger,
                verb=verb,
                date=planned,
                target=job,
                at_us=to_us(asker.now),
                actor=asker.actor,
                reason=asker.reason,
                state=state,
            )
            for job, planned in zip(jobs, dates, strict=True)
        ]
        at_work = act_on_wishes(
            ledger=ledger,
            backends=bind_to_host(load_all(place), ledger, actor=asker.process),
            now=asker.now,
            actor=asker.process,
        )
        found = {wish.sequence: wish for wish in wishes_numbered(ledger, numbers)}
    answers = (
        Answer(target=job, outcome=found[number].outcome)
        for job, number in zip(jobs, numbers, strict=True)
    )
    return Answers(answers=tuple(answers), at_work=at_work)


def hold(
    place: Place,
    scope: Scope,
    names: Sequence[str],
    *,
    day: date | None,
    asker: Asker,
) -> Answers:
    """Send none of them until they are released; counts at once.

    Parameters
    ----------
    names
        Ids of jobs or arrays, or regions; one empty name for all.
    day
        Planned date; None for every date until the release.
    """
    with opened(place, now=asker.now, rehearsal=False) as ledger:
        if scope is Scope.JOB and day is not None:
            for name in names:
                _date_of(place, ledger, name, day)
        answers = []
        for name in names:
            new = place_hold(ledger, target=name, **_facts(scope, day, asker))
            outcome = "held" if new else "was held before"
            answers.append(Answer(target=name or "all", outcome=outcome))
    return Answers(answers=tuple(answers))


def release(
    place: Place,
    scope: Scope,
    names: Sequence[str],
    *,
    day: date | None,
    asker: Asker,
) -> Answers:
    """Lift holds, so that what is due is sent by the next run."""
    with opened(place, now=asker.now, rehearsal=False) as ledger:
        answers = []
        for name in names:
            lifted = lift_holds(ledger, target=name, **_facts(scope, day, asker))
            outcome = "; ".join(f"no longer: {hold.words}" for hold in lifted)
            answers.append(
                Answer(target=name or "all", outcome=outcome or "was not held")
            )
    return Answers(answers=tuple(answers))


def _facts(scope: Scope, day: date | None, asker: Asker) -> dict[str, Any]:
    return {
        "scope": scope,
        "date": None if day is None else day.isoformat(),
        "at_us": to_us(asker.now),
        "actor": asker.actor,
        "reason": asker.reason,
    }


def _date_of(place: Place, ledger: Ledger, job: str, day: date) -> str:
    """Planned date of what a name means.

    Raises
    ------
    JobUnknownError
        If nothing is called so.
    """
    found = targets(ledger, date=day.isoformat(), target=job)
    if found:
        return found[0].date
    names = _planned_names(place, day)
    if job in names:
        return day.isoformat()
    raise JobUnknownError(_unknown(ledger, job, day, names))


def _planned_names(place: Place, day: date) -> set[str]:
    """Jobs and arrays of the plan that will be followed on a date, if there is one."""
    try:
        plan = read_plan(plan_path(place.outputs / "plans", day))
    except PlanError:
        return set()
    ids = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))["job_id"]
    names = {name for name in ids.to_pylist() if name is not None}
    return names | {name.partition("[")[0] for name in names}


def _unknown(ledger: Ledger, job: str, day: date, names: set[str]) -> str:
    if KEY_PATTERN.fullmatch(job):
        return f"no dispatch has the key {job}"
    elsewhere = ledger.query(
        "select max(date) from dispatches where job_id = ? or substr(job_id, 1, ?) = ?",
        *(job, len(job) + 1, f"{job}["),
    )[0][0]
    text = f"no job {job} is planned for {day}"
    if elsewhere is not None:
        return f"{text}; there is one for {elsewhere}: --date {elsewhere}"
    rows = ledger.query(
        "select distinct job_id from dispatches where date = ?", day.isoformat()
    )
    near = get_close_matches(job, sorted({*names, *(row[0] for row in rows)}), n=1)
    return f"{text}; did you mean {near[0]}?" if near else text
