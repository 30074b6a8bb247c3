"""What happened that people or programs should know, each with a code that stays.

Log lines and alerts say the same, because both are made from incidents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from planner.executor.endings import was_elsewhere
from planner.executor.states import State

if TYPE_CHECKING:
    from inputs.errors import PlannerError
    from planner.executing import Run
    from planner.executor.dispatch import Tick
    from planner.executor.journal import Event

QUIET_REFUSALS = frozenset({"lock-held"})
"""Refusals that are no trouble: another planner is at work and will do it."""


class Level(StrEnum):
    """How grave it is, in the words of logging."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Trouble(StrEnum):
    """What alerts can be about; the words of ``on`` in ``[[alerts]]``."""

    FAILED = "failed"
    MISSED = "missed"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    REFUSED = "refused"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that happened.

    Parameters
    ----------
    code
        Word for programs, the same for ever; listed in docs/operations.md.
    level
        How grave it is.
    message
        The same for people.
    at
        When, aware.
    trouble
        Which alerts want it; None if it is not worth waking anybody.
    subject
        What it is about. An incident of the same code and subject is the same
        trouble again.
    facts
        ``job_id``, ``key``, ``plan_id``, ``region`` …, as far as they apply.
    """

    code: str
    level: Level
    message: str
    at: datetime
    trouble: Trouble | None = None
    subject: str = ""
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


_LEVELS = {
    State.FAILED: Level.ERROR,
    State.MISSED: Level.ERROR,
    State.UNKNOWN: Level.WARNING,
    State.BLOCKED: Level.WARNING,
    State.CANCELLED: Level.WARNING,
}
_TROUBLES = {
    State.FAILED: Trouble.FAILED,
    State.MISSED: Trouble.MISSED,
    State.UNKNOWN: Trouble.UNKNOWN,
}


def notes_of(run: Run) -> Iterator[Incident]:
    """What kept one run of the executor from doing more."""
    yield from _plans_passed_over(run)
    if run.tick.at_work is not None:
        yield _other_executor(run.tick)
        return
    if run.plan_path is None:
        yield _no_plan(run.tick)
    if run.tick.skew:
        yield _clock_skew(run.tick)
    yield from _silent_back_ends(run.tick)


def _plans_passed_over(run: Run) -> Iterator[Incident]:
    for passed in run.passed_over:
        yield Incident(
            code=passed.code,
            level=Level.ERROR,
            message=f"passed over {passed.path}: {passed.reason}",
            at=run.tick.at,
            trouble=Trouble.REFUSED,
            subject=str(passed.path),
            facts={"plan": str(passed.path)},
        )


def _other_executor(tick: Tick) -> Incident:
    return Incident(
        code="executor-at-work",
        level=Level.INFO,
        message=f"{tick.at_work} is at work; nothing done",
        at=tick.at,
    )


def _no_plan(tick: Tick) -> Incident:
    return Incident(
        code="plan-none",
        level=Level.WARNING,
        message="there is no valid plan for now; going on with what is known",
        at=tick.at,
        trouble=Trouble.REFUSED,
    )


def _clock_skew(tick: Tick) -> Incident:
    return Incident(
        code="clock-skew",
        level=Level.WARNING,
        message=f"the clock stands {tick.skew} before that of the planner",
        at=tick.at,
        facts={"skew_s": tick.skew.total_seconds()},
    )


def _silent_back_ends(tick: Tick) -> Iterator[Incident]:
    for silence in tick.silences:
        yield Incident(
            code="back-end-silent",
            level=Level.WARNING,
            message=(
                f"back end {silence.executor} did not tell how {silence.dispatches} of "
                f"its runs stand; they are as last known: {silence.reason}"
            ),
            at=tick.at,
            subject=silence.executor,
            facts={"executor": silence.executor, "dispatches": silence.dispatches},
        )


def events_of(run: Run) -> Iterator[Incident]:
    """What one run of the executor did; nothing, if it only rehearsed."""
    for event in () if run.tick.rehearsal else run.tick.events:
        yield of_event(event, at=run.tick.at, plan_id=run.tick.plan_id)


def of_event(event: Event, *, at: datetime, plan_id: str | None) -> Incident:
    """Where one dispatch stands after a run that touched it."""
    detail = f": {event.detail}" if event.detail else ""
    return Incident(
        code=f"dispatch-{event.state.value}",
        level=_LEVELS.get(event.state, Level.INFO),
        message=f"{event.job_id} in {event.region} is {event.state.value}{detail}",
        at=at,
        trouble=Trouble.FAILED if was_elsewhere(event) else _TROUBLES.get(event.state),
        subject=event.key,
        facts={
            "job_id": event.job_id,
            "segment": event.segment,
            "attempt": event.attempt,
            "key": event.key,
            "region": event.region,
            "state": event.state.value,
            "plan_id": plan_id,
        },
    )


def of_refusal(error: PlannerError | OSError, *, at: datetime) -> Incident:
    """Why a command ended without doing what it was asked."""
    code = getattr(error, "code", "storage")
    return Incident(
        code=code,
        level=Level.ERROR,
        message=str(error),
        at=at,
        trouble=None if code in QUIET_REFUSALS else Trouble.REFUSED,
    )
