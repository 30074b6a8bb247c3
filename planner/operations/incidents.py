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
    from outputs.plan import PlanMeta
    from planner.executing import Run
    from planner.executor.journal import Event

SPELT_OUT = 100
"""Jobs of one kind of trouble that are named one by one."""

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
    tick = run.tick
    for passed in run.passed_over:
        yield Incident(
            code=passed.code,
            level=Level.ERROR,
            message=f"passed over {passed.path}: {passed.reason}",
            at=tick.at,
            trouble=Trouble.REFUSED,
            subject=str(passed.path),
            facts={"plan": str(passed.path)},
        )
    if tick.at_work is not None:
        yield Incident(
            code="executor-at-work",
            level=Level.INFO,
            message=f"{tick.at_work} is at work; nothing done",
            at=tick.at,
        )
        return
    if run.plan_path is None:
        yield Incident(
            code="plan-none",
            level=Level.WARNING,
            message="there is no valid plan for now; going on with what is known",
            at=tick.at,
            trouble=Trouble.REFUSED,
        )
    if tick.skew:
        yield Incident(
            code="clock-skew",
            level=Level.WARNING,
            message=f"the clock stands {tick.skew} before that of the planner",
            at=tick.at,
            facts={"skew_s": tick.skew.total_seconds()},
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


def of_plan(
    meta: PlanMeta,
    *,
    at: datetime,
    left_out: int = 0,
    unplaced: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Incident]:
    """Shortfalls of a plan that was written.

    Parameters
    ----------
    meta
        Provenance of the plan.
    at
        When it was written.
    left_out
        Number of manifests that could not be used.
    unplaced
        Reason for each job without a place.
    """
    about = {"plan_id": meta.plan_id, "date": meta.date.isoformat()}
    yield Incident(
        code=f"plan-{meta.status}",
        level=Level.INFO,
        message=f"plan {meta.plan_id} of {meta.date} by {meta.solver}: {meta.status}",
        at=at,
        subject=meta.plan_id,
        facts={**about, "gap": meta.gap, "emissions_kg": meta.emissions_kg},
    )
    yield from _inputs(meta, left_out, at=at, about=about)
    yield from _forecasts(meta, at=at, about=about)
    for warning in meta.warnings:
        yield Incident(
            code="plan-warning",
            level=Level.WARNING,
            message=warning,
            at=at,
            subject=meta.plan_id,
            facts=about,
        )
    yield from _unplaced(meta, unplaced, at=at, about=about)


def _inputs(
    meta: PlanMeta, left_out: int, *, at: datetime, about: Mapping[str, object]
) -> Iterator[Incident]:
    """What of a plan's inputs was weak, or was not there."""
    if meta.degraded:
        yield Incident(
            code="plan-degraded",
            level=Level.WARNING,
            message=f"plan {meta.plan_id} of {meta.date} is degraded: {_why(meta)}",
            at=at,
            trouble=Trouble.DEGRADED,
            subject=meta.plan_id,
            facts=about,
        )
    if left_out:
        yield Incident(
            code="manifest-left-out",
            level=Level.WARNING,
            message=f"manifests left out: {left_out}",
            at=at,
            subject=meta.plan_id,
            facts={**about, "manifests": left_out},
        )


def _why(meta: PlanMeta) -> str:
    weak = [
        f"{use.series} of {use.region} from {use.provider}"
        for use in meta.forecasts
        if use.degraded
    ]
    return "; ".join([*weak, *meta.warnings][:3]) or "see its warnings"


def _forecasts(
    meta: PlanMeta, *, at: datetime, about: Mapping[str, object]
) -> Iterator[Incident]:
    for use in meta.forecasts:
        if use.degraded:
            yield Incident(
                code="forecast-degraded",
                level=Level.WARNING,
                message=(
                    f"{use.series} of {use.region} comes from {use.provider}"
                    + (f": {use.notes[0]}" if use.notes else "")
                ),
                at=at,
                subject=f"{meta.plan_id}:{use.series}:{use.region}",
                facts={
                    **about,
                    "series": use.series,
                    "region": use.region,
                    "provider": use.provider,
                    "filled_slots": use.filled_slots,
                },
            )


def _unplaced(
    meta: PlanMeta,
    unplaced: Mapping[str, str],
    *,
    at: datetime,
    about: Mapping[str, object],
) -> Iterator[Incident]:
    for job_id in list(unplaced)[:SPELT_OUT]:
        yield Incident(
            code="job-unplaced",
            level=Level.WARNING,
            message=f"{job_id} is unplaced: {unplaced[job_id]}",
            at=at,
            subject=f"{meta.plan_id}:{job_id}",
            facts={**about, "job_id": job_id},
        )
    if len(unplaced) > SPELT_OUT:
        yield Incident(
            code="jobs-unplaced",
            level=Level.WARNING,
            message=f"{len(unplaced):,} jobs are unplaced",
            at=at,
            subject=meta.plan_id,
            facts={**about, "jobs": len(unplaced)},
        )
