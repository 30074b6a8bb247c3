"""One run of the executor in a workspace: choose the plan, open the ledger, work."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_plan
from outputs.plan_signature import key_ring
from planner.executor.backends.backend import Backend
from planner.executor.backends.host_bound import bind_to_host
from planner.executor.backends.registry import Place, load_all
from planner.executor.collection import Stop, never
from planner.executor.dispatch import Tick, run_once
from planner.executor.holds import Hold, holds_in_force
from planner.executor.hosts import SilentHost, silent_hosts
from planner.executor.ledger import Ledger
from planner.executor.ledger_place import open_ledger_at
from planner.executor.plan_choice import PassedOver, choose_plan, read_if_new
from planner.executor.plan_trust import Trust
from planner.executor.retention import remove_old_runs
from planner.executor.status import DispatchStatus, status
from planner.executor.steady import Steady
from planner.executor.wishes import Wish, pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Which steps of the ledger are those of one run.

    Parameters
    ----------
    site
        Identity of the ledger.
    before, after
        Number of the newest step when the run began, and when it ended.
    actor
        Whose they are.
    """

    site: str
    before: int
    after: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of the executor did, and by which plan.

    Parameters
    ----------
    tick
        What was done.
    plan, plan_path
        The plan that was followed, its metadata alone where the ledger held its rows
        already; None if there was none.
    passed_over
        Newer plans that could not be followed, and why.
    removed_runs
        How many folders of runs that ended long ago were removed.
    steps
        What it stored.
    """

    tick: Tick
    plan_path: Path | None
    passed_over: tuple[PassedOver, ...]
    removed_runs: int = 0
    plan: Plan | PlanMeta | None = None
    steps: Steps | None = None


@contextmanager
def opened(place: Place, *, now: datetime, rehearsal: bool) -> Iterator[Ledger]:
    """The ledger of a workspace, for as long as the block lasts."""
    ledger = open_ledger_at(
        place.outputs / "ledger", url=place.ledger, now=now, rehearsal=rehearsal
    )
    try:
        yield ledger
    finally:
        ledger.close()


def execute(
    place: Place,
    *,
    plan_path: Path | None,
    now: datetime,
    actor: str,
    dry_run: bool = False,
    backends: Mapping[str, Backend] | None = None,
    stop: Stop = never,
    forbidden: Collection[str] = (),
    keep_runs_days: int = 0,
    steady: Steady | None = None,
) -> Run:
    """Send what is due, collect what ended, and leave.

    Parameters
    ----------
    place
        The workspace's folders and the executor's environment.
    plan_path
        The plan to follow; None for the newest valid one for now.
    now
        The clock, aware.
    actor
        Who acts, as the ledger shows it.
    dry_run
        Say what would be done; nothing is sent or stored.
    backends
        By name; None for all that there are, set up anew.
    stop
        Asked before each call to a back end: whether to leave the rest for later.
    forbidden
        Back ends that must not be used.
    keep_runs_days
        Age of planned dates from which on folders of ended runs are removed; 0 keeps
        them for ever. [days]
    steady
        Time that nobody sets, by which it shows that the clock was; None where ``now``
        is not the clock.

    Raises
    ------
    PlanError, ExecutionError
        If the plan or the ledger cannot be trusted; nothing was sent then.
    """
    with opened(place, now=now, rehearsal=dry_run) as ledger:
        plan, path, passed_over = plan_to_follow(place, plan_path, now, ledger)
        tick = run_once(
            plan=plan,
            ledger=ledger,
            backends=bind_to_host(
                load_all(place) if backends is None else backends, ledger, actor=actor
            ),
            now=now,
            actor=actor,
            dry_run=dry_run,
            stop=stop,
            forbidden=forbidden,
            steady=steady,
        )
        site = ledger.site
        removed = 0
        if keep_runs_days and not dry_run and tick.at_work is None and not stop():
            oldest = (now - timedelta(days=keep_runs_days)).date()
            removed = remove_old_runs(place.outputs / "runs", ledger, before=oldest)
    return Run(
        tick=tick,
        plan=plan,
        plan_path=path,
        passed_over=passed_over,
        removed_runs=removed,
        steps=Steps(site=site, actor=actor, before=tick.before, after=tick.after),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a planned date stands.

    Parameters
    ----------
    rows
        Every attempt at every segment, by planned start and job id.
    holds
        Every hold in force, for whichever date.
    wishes
        What users asked for and nobody has acted on yet.
    silent_hosts
        Hosts that may be gone though open runs of theirs, of whichever date, are
        known to them alone.
    """

    plan: Plan
    rows: tuple[DispatchStatus, ...]
    holds: tuple[Hold, ...]
    wishes: tuple[Wish, ...]
    silent_hosts: tuple[SilentHost, ...] = ()


def standing(place: Place, *, plan_path: Path, now: datetime) -> Standing:
    """How every segment of a plan's date stands; nothing is changed."""
    backends: Mapping[str, Backend] = load_all(place)
    plan = read_plan(plan_path)
    with opened(place, now=now, rehearsal=True) as ledger:
        return Standing(
            plan=plan,
            rows=status(ledger, plan, now=now, backends=backends),
            holds=holds_in_force(ledger),
            wishes=pending(ledger),
            silent_hosts=silent_hosts(ledger, now=now),
        )


def plan_to_follow(
    place: Place, plan_path: Path | None, now: datetime, ledger: Ledger
) -> tuple[Plan | PlanMeta | None, Path | None, tuple[PassedOver, ...]]:
    """The plan that was asked for, or the newest valid one, and what was not."""
    trust = Trust(keys=key_ring(place.environ), site=place.site)
    if plan_path is not None:
        plan = read_if_new(plan_path, now=now, ledger=ledger, trust=trust)
        return plan, plan_path, ()
    choice = choose_plan(place.outputs / "plans", now=now, ledger=ledger, trust=trust)
    return choice.plan, choice.path, choice.passed_over
