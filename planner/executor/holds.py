"""Jobs that the user holds back: nothing is sent until the hold is lifted.

A hold counts from the moment when it is stored, also for a run of the executor that
is just sending. It is not a state: a held dispatch stays planned, and is missed when
its rule or deadline forbids to start it later still.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from planner.executor.ledger import Ledger
from planner.executor.records import Dispatch
from planner.executor.states import State


class Scope(StrEnum):
    """What a hold is on."""

    JOB = "job"
    REGION = "region"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold that is in force.

    Parameters
    ----------
    target
        Id of a job or array, or name of a region; empty for all.
    date
        Planned date that it is for, None for every date until it is lifted.
    """

    sequence: int
    scope: Scope
    target: str
    date: str | None
    at_us: int
    actor: str
    reason: str | None

    @property
    def words(self) -> str:
        """Who holds what and why, for people."""
        what = {
            Scope.JOB: f"job {self.target}",
            Scope.REGION: f"region {self.target}",
            Scope.ALL: "everything",
        }[self.scope]
        return f"{self.actor} holds {what}" + (
            f": {self.reason}" if self.reason else ""
        )

    def covers(self, *, date: str, job_id: str, region: str) -> bool:
        """Whether a dispatch is held by it."""
        if self.date not in (None, date):
            return False
        if self.scope is Scope.JOB:
            return self.target in (job_id, job_id.partition("[")[0])
        return self.scope is Scope.ALL or self.target == region


_FIELDS = ", ".join(field.name for field in fields(Hold))


def holds_in_force(ledger: Ledger) -> tuple[Hold, ...]:
    """Every hold that was not lifted, oldest first."""
    rows = ledger.query(
        f"select {_FIELDS} from holds where lifted_us is null order by sequence"
    )
    names = [field.name for field in fields(Hold)]
    found = (dict(zip(names, row, strict=True)) for row in rows)
    return tuple(Hold(**{**facts, "scope": Scope(facts["scope"])}) for facts in found)


def hold_on(dispatch: Dispatch, holds: tuple[Hold, ...]) -> Hold | None:
    """The oldest hold on a dispatch, None if it is free."""
    where = {
        "date": dispatch.date,
        "job_id": dispatch.job_id,
        "region": dispatch.region,
    }
    return next((hold for hold in holds if hold.covers(**where)), None)


def place_hold(
    ledger: Ledger,
    *,
    scope: Scope,
    target: str,
    date: str | None,
    at_us: int,
    actor: str,
    reason: str | None,
) -> bool:
    """Hold something back; False if it was held just so before."""
    with ledger.transaction():
        for hold in holds_in_force(ledger):
            if (hold.scope, hold.target, hold.date) == (scope, target, date):
                return False
        ledger.execute(
            "insert into holds (scope, target, date, at_us, actor, reason) "
            "values (?, ?, ?, ?, ?, ?)",
            *(scope, target, date, at_us, actor, reason),
        )
        placed = holds_in_force(ledger)[-1]
        _note(ledger, placed, at_us=at_us, actor=actor, detail=placed.words)
    return True


def lift_holds(
    ledger: Ledger,
    *,
    scope: Scope,
    target: str,
    date: str | None,
    at_us: int,
    actor: str,
    reason: str | None,
) -> tuple[Hold, ...]:
    """Lift the holds on something; on ``all``, every hold there is.

    Parameters
    ----------
    date
        Only holds for this planned date, None for holds for any.

    Returns
    -------
    tuple of Hold
        What was lifted; empty if nothing was held so.
    """
    with ledger.transaction():
        lifted = tuple(
            hold
            for hold in holds_in_force(ledger)
            if date in (None, hold.date)
            and (scope is Scope.ALL or (hold.scope, hold.target) == (scope, target))
        )
        for hold in lifted:
            ledger.execute(
                "update holds set lifted_us = ?, lifted_by = ? where sequence = ?",
                *(at_us, actor, hold.sequence),
            )
            why = f": {reason}" if reason else ""
            detail = f"{actor} lifts the hold{why}"
            _note(ledger, hold, at_us=at_us, actor=actor, detail=detail)
    return lifted


def _note(ledger: Ledger, hold: Hold, *, at_us: int, actor: str, detail: str) -> None:
    """Record the step in the history of every dispatch that it touches."""
    condition, values = "state = ?", [State.PLANNED.value]
    if hold.date is not None:
        condition, values = f"{condition} and date = ?", [*values, hold.date]
    for dispatch in ledger.dispatches(f"{condition} order by key", *values):
        if hold_on(dispatch, (hold,)) is not None:
            ledger.move(
                dispatch, State.PLANNED, at_us=at_us, actor=actor, detail=detail
            )
