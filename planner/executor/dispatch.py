"""One run of the executor: collect what ended, then send what is due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from outputs.plan import Plan, PlanMeta
from planner.executor.adoption import Adoption, adopt
from planner.executor.backends.backend import Backend
from planner.executor.clock import checked_skew
from planner.executor.collection import Stop, collect, look_up, never, own_up
from planner.executor.dependencies import settle_dependencies
from planner.executor.endings import enforce_time_limits, was_elsewhere
from planner.executor.errors import RootError
from planner.executor.history import newest_step
from planner.executor.instants import from_us, to_us
from planner.executor.journal import Event, Journal
from planner.executor.leases import leased
from planner.executor.ledger import Ledger
from planner.executor.patience import Patience, Silence
from planner.executor.reading import copied
from planner.executor.sending import Queue, send_due
from planner.executor.states import State
from planner.executor.steady import Steady
from planner.executor.wishes import carry_out


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
    held
        Due, but held back by the user.
    dependent
        Due, but waiting for a job that it depends on.
    resting
        Due, but its back end is busy or down.
    planned
        Dispatches that are still ahead.
    next_due_at
        When the next of them is due.
    skew
        How far this clock stands before that of the planner; zero if it does not.
    adoption
        What a newly seen plan changed.
    silences
        What back ends did not tell: how it stands is as it was last known.
    before, after
        Number of the ledger's newest step when this run began to work, and when it
        ended.
    """

    at: datetime
    plan_id: str | None
    at_work: str | None = None
    events: tuple[Event, ...] = ()
    waiting: int = 0
    held: int = 0
    dependent: int = 0
    resting: int = 0
    planned: int = 0
    next_due_at: datetime | None = None
    adoption: Adoption = field(default_factory=Adoption)
    silences: tuple[Silence, ...] = ()
    rehearsal: bool = False
    skew: timedelta = timedelta(0)
    before: int = 0
    after: int = 0

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
    def cancelled_elsewhere(self) -> tuple[Event, ...]:
        """Ended before their time though no user of this program wished it."""
        return tuple(event for event in self.events if was_elsewhere(event))

    @property
    def troubled(self) -> bool:
        """Whether a job will not be done that nobody here has called off."""
        return bool(self.failed or self.missed or self.cancelled_elsewhere)


def run_once(
    *,
    plan: Plan | PlanMeta | None,
    ledger: Ledger,
    backends: Mapping[str, Backend],
    now: datetime,
    actor: str,
    dry_run: bool = False,
    stop: Stop = never,
    forbidden: Collection[str] = (),
    steady: Steady | None = None,
) -> Tick:
    """Do all that is to be done at one instant, and return.

    Safe to call at any time, from any number of processes, and after any crash:
    one works and the others leave at once, and what was begun before is taken up.

    Parameters
    ----------
    plan
        The plan to follow, read and verified, or the metadata alone of one that
        was followed before; None to go on with those.
    backends
        By the names that plans use.
    now
        The clock, aware.
    actor
        Who acts, as transitions and the lease show it.
    dry_run
        Say what would be done; nothing is sent or stored.
    stop
        Asked before each call to a back end: whether to leave the rest for later.
    forbidden
        Back ends that would run jobs as root, which nobody has allowed.
    steady
        Time that nobody sets, by which it shows that the clock was.

    Raises
    ------
    ClockError
        If the clock stands before the plan was made.
    RootError
        If a job is planned for a forbidden back end; nothing was sent then.
    PlanFormatError, StalePlanError
        If the plan cannot be followed; nothing was sent then.
    LedgerError, LeaseLostError
        If the ledger cannot be written; nothing is sent without a record.
    """
    skew = checked_skew(_meta(plan), ledger, now)
    work = Work(
        plan=plan, backends=backends, now=now, actor=actor, stop=stop, skew=skew
    )
    if dry_run:
        with copied(ledger.store) as copy:
            return _work(replace(work, rehearsal=True), copy)
    with leased(ledger, holder=actor, now=now, steady=steady) as mine:
        if not mine:
            return Tick(at=now, plan_id=work.plan_id, at_work=ledger.lease_holder())
        return _work(replace(work, forbidden=frozenset(forbidden)), ledger)


def act_on_wishes(
    *,
    ledger: Ledger,
    backends: Mapping[str, Backend],
    now: datetime,
    actor: str,
) -> str | None:
    """Act on what users asked for, if no executor is at work just now.

    Returns
    -------
    str or None
        The executor that is at work, and will do it in its next run.
    """
    with leased(ledger, holder=actor, now=now) as mine:
        if not mine:
            return ledger.lease_holder() or "another executor"
        journal = Journal(ledger=ledger, at_us=to_us(now), actor=actor)
        own_up(journal)
        carry_out(journal, backends, patience=Patience())
        settle_dependencies(journal)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run is given; see ``run_once``."""

    plan: Plan | PlanMeta | None
    backends: Mapping[str, Backend]
    now: datetime
    actor: str
    stop: Stop
    skew: timedelta
    rehearsal: bool = False
    forbidden: frozenset[str] = frozenset()

    @property
    def plan_id(self) -> str | None:
        """Identity of the plan, None without one."""
        meta = _meta(self.plan)
        return None if meta is None else meta.plan_id


def _meta(plan: Plan | PlanMeta | None) -> PlanMeta | None:
    return plan.meta if isinstance(plan, Plan) else plan


def _work(work: Work, ledger: Ledger) -> Tick:
    journal = Journal(ledger=ledger, at_us=to_us(work.now), actor=work.actor)
    before = newest_step(ledger)
    adoption = Adoption()
    if work.plan is not None:
        adoption = adopt(ledger, work.plan, at_us=journal.at_us, actor=work.actor)
    own_up(journal)
    patience = Patience()
    carry_out(journal, work.backends, patience=patience, rehearsal=work.rehearsal)
    _refuse_root(ledger, work.forbidden)
    collect(journal, work.backends, patience=patience, stop=work.stop)
    if not work.rehearsal:
        enforce_time_limits(journal, work.backends, patience=patience)
    again = look_up(
        journal,
        work.backends,
        patience=patience,
        stop=work.stop,
        rehearsal=work.rehearsal,
    )
    settle_dependencies(journal)
    queue = send_due(
        journal, work.backends, again=again, stop=work.stop, rehearsal=work.rehearsal
    )
    settle_dependencies(journal)
    return replace(
        _tick(work, journal, queue, adoption),
        silences=patience.silences,
        before=before,
        after=newest_step(ledger),
    )


def _tick(work: Work, journal: Journal, queue: Queue, adoption: Adoption) -> Tick:
    planned, next_due_us = journal.ledger.query(
        "select count(*), min(due_us) from dispatches where state = 'planned'"
    )[0]
    return Tick(
        at=work.now,
        plan_id=work.plan_id,
        events=tuple(journal.events.values()),
        waiting=len(queue.waiting),
        held=len(queue.held),
        dependent=len(queue.dependent),
        resting=len(queue.resting),
        planned=planned,
        next_due_at=None if next_due_us is None else from_us(next_due_us),
        adoption=adoption,
        rehearsal=work.rehearsal,
        skew=work.skew,
    )


def _refuse_root(ledger: Ledger, forbidden: frozenset[str]) -> None:
    for name in sorted(forbidden):
        found = ledger.dispatches(
            "executor = ? and state in ('planned', 'unknown') order by due_us limit 1",
            name,
        )
        if found:
            raise RootError(
                f"job {found[0].job_id} would run as root, because back end {name} "
                "runs jobs as the user of the executor; nothing is sent. Call it as "
                "another user, or allow it by --allow-root or allow_root = true in "
                "[executor]"
            )
