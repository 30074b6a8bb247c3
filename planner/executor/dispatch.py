"""One run of the executor: collect what ended, then send what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from outputs.plan import Plan
from planner.executor.adoption import Adoption, adopt
from planner.executor.backends.backend import Backend
from planner.executor.collection import collect
from planner.executor.errors import ClockError
from planner.executor.instants import from_us, to_us
from planner.executor.journal import Event, Journal
from planner.executor.leases import leased
from planner.executor.ledger import Ledger
from planner.executor.sending import send_due
from planner.executor.states import State

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the planner's and the executor's clocks may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one run of the executor did.

    Parameters
    ----------
    at
        The instant at which it looked.
    plan_id
        The plan that was followed, None if none was given.
    at_work
        Another executor that was at work, so that this one did nothing.
    events
        Every dispatch that was touched, where it stands now, in the order of the
        first touch.
    waiting
        Due, but held back until its region has power left.
    planned
        Dispatches that are still ahead.
    next_due_at
        When the next of them is due.
    adoption
        What a newly seen plan changed.
    """

    at: datetime
    plan_id: str | None
    at_work: str | None = None
    events: tuple[Event, ...] = ()
    waiting: int = 0
    planned: int = 0
    next_due_at: datetime | None = None
    adoption: Adoption = field(default_factory=Adoption)
    rehearsal: bool = False

    def in_state(self, *states: State) -> tuple[Event, ...]:
        """Events of dispatches that stand in one of some states now."""
        return tuple(event for event in self.events if event.state in states)

    @property
    def started(self) -> tuple[Event, ...]:
        """Handed to a back end; in a rehearsal, would be."""
        return self.in_state(State.INTENT, State.SENT, State.RUNNING)

    @property
    def finished(self) -> tuple[Event, ...]:
        """Found to have ended well."""
        return self.in_state(State.DONE)

    @property
    def failed(self) -> tuple[Event, ...]:
        """Found to have failed, or impossible to send."""
        return self.in_state(State.FAILED)

    @property
    def missed(self) -> tuple[Event, ...]:
        """Too late to be sent."""
        return self.in_state(State.MISSED)

    @property
    def unknown(self) -> tuple[Event, ...]:
        """Newly in doubt; looked up again by the next run."""
        return self.in_state(State.UNKNOWN)

    @property
    def troubled(self) -> bool:
        """Whether a job failed or was missed in this run."""
        return bool(self.failed or self.missed)


def run_once(
    *,
    plan: Plan | None,
    ledger: Ledger,
    backends: Mapping[str, Backend],
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Tick:
    """Do all that is to be done at one instant, and return.

    Safe to call at any time, from any number of processes, and after any crash:
    one works and the others leave at once, and what was begun before is taken up.

    Parameters
    ----------
    plan
        The plan to follow, read and verified; None to go on with those followed
        before.
    backends
        By the names that plans use.
    now
        The clock, aware.
    actor
        Who acts, as transitions and the lease show it.
    dry_run
        Say what would be done; nothing is sent or stored.

    Raises
    ------
    ClockError
        If the clock stands before the plan was made.
    PlanFormatError, StalePlanError
        If the plan cannot be followed; nothing was sent then.
    LedgerError, LeaseLostError
        If the ledger cannot be written; nothing is sent without a record.
    """
    _check_clock(plan, ledger, now)
    if dry_run:
        with ledger.transaction(rehearsal=True):
            return _work(plan, ledger, backends, now, actor, rehearsal=True)
    with leased(ledger, holder=actor, now=now) as mine:
        if not mine:
            plan_id = None if plan is None else plan.meta.plan_id
            return Tick(at=now, plan_id=plan_id, at_work=ledger.lease_holder())
        return _work(plan, ledger, backends, now, actor, rehearsal=False)


def _work(
    plan: Plan | None,
    ledger: Ledger,
    backends: Mapping[str, Backend],
    now: datetime,
    actor: str,
    *,
    rehearsal: bool,
) -> Tick:
    journal = Journal(ledger=ledger, at_us=to_us(now), actor=actor)
    adoption = Adoption()
    if plan is not None:
        adoption = adopt(ledger, plan, at_us=journal.at_us, actor=actor)
    again = collect(journal, backends)
    waiting = send_due(journal, backends, again=again, rehearsal=rehearsal)
    planned, next_due_us = ledger.query(
        "select count(*), min(due_us) from dispatches where state = 'planned'"
    )[0]
    return Tick(
        at=now,
        plan_id=None if plan is None else plan.meta.plan_id,
        events=tuple(journal.events.values()),
        waiting=len(waiting),
        planned=planned,
        next_due_at=None if next_due_us is None else from_us(next_due_us),
        adoption=adoption,
        rehearsal=rehearsal,
    )


def _check_clock(plan: Plan | None, ledger: Ledger, now: datetime) -> None:
    newest_us = ledger.query("select max(created_us) from plans")[0][0]
    made = [from_us(newest_us)] if newest_us is not None else []
    made += [plan.meta.created_at] if plan is not None else []
    if made and now < max(made) - CLOCK_TOLERANCE:
        raise ClockError(
            f"the clock says {now:%Y-%m-%dT%H:%M:%SZ}, but the plan was made at "
            f"{max(made):%Y-%m-%dT%H:%M:%SZ}; nothing is sent until the clock is right"
        )
