"""From a workspace and a date to a checked plan file: the order of things."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from forecasts.snapshot import write_snapshot
from inputs.settings import Workspace
from outputs.limit_prices import LimitPrices
from outputs.limit_prices_file import write_limit_prices
from outputs.plan import Plan
from outputs.plan_file import write_plan
from outputs.plan_signature import KeyRing, key_ring
from outputs.plan_store import next_serial, save_plan
from outputs.storage import exclusive_lock, probe
from planner.day import Day, prepare_day
from planner.drafts import first_valid
from planner.limit_prices import limit_prices, prices_path
from planner.policies import BASELINES, PolicyRun, run_baselines, run_policy
from planner.provenance import Occasion
from planner.recall import snapshot_path
from planner.stopwatch import Stopwatch
from solvers.solution import SolveOptions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveRequest:
    """What is asked of one run.

    Parameters
    ----------
    workspace
        Where.
    day
        The local date to plan.
    solver
        Registered name.
    options
        What the solver is told.
    out
        Where to write the plan; None for the workspace's own place and versions.
    """

    workspace: Workspace
    day: date
    solver: str
    options: SolveOptions
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """A written plan and all that was found on the way.

    Parameters
    ----------
    plan, path
        What was written, and where.
    day
        What was planned.
    run
        The policy that the plan follows.
    baselines
        The policies that it is compared with, by name.
    prices
        What each limit costs, where the solver's bound has prices; also written,
        to ``planner.limit_prices.prices_path``.
    seconds
        Elapsed time of every stage; the plan itself cannot know how long it took
        to write. [s]
    """

    plan: Plan
    path: Path
    day: Day
    run: PolicyRun
    baselines: Mapping[str, PolicyRun]
    prices: LimitPrices | None
    seconds: Mapping[str, float]


def solve_day(
    request: SolveRequest,
    *,
    now: datetime,
    environment: Mapping[str, str],
    watch: Stopwatch,
) -> Outcome:
    """Plan one day and write the plan, or leave everything as it was.

    Parameters
    ----------
    request
        What is asked.
    now
        The clock, aware.
    environment
        Variables from which forecast providers take their keys, and the plan its
        signature.
    watch
        Measures the stages.

    Raises
    ------
    InputError, ForecastError, SolverError, PlanError
        Nothing was written.
    """
    keys = key_ring(environment)
    plans = _writable(request)
    with exclusive_lock(request.workspace.outputs):
        day = prepare_day(
            request.workspace,
            request.day,
            now=now,
            environment=environment,
            watch=watch,
        )
        baselines = run_baselines(day, request.options, watch=watch)
        wanted = _wanted(request, day, baselines, watch)
        occasion = Occasion(
            now=now,
            serial=next_serial(plans, request.day),
            options=request.options,
            seconds=_stages(watch, wanted),
        )
        plan, run = _checked(day, wanted, baselines, occasion, watch)
        with watch.stage("write", "writing the plan"):
            write_snapshot(snapshot_path(request.workspace, plan), day.forecasts)
            prices = _write_prices(request.workspace, day, plan, wanted)
            path, plan = _write(plan, request.out, plans, keys)
    return Outcome(
        plan=plan,
        path=path,
        day=day,
        run=run,
        baselines=baselines,
        prices=prices,
        seconds=_stages(watch, run),
    )


def _writable(request: SolveRequest) -> Path:
    """Folder of the plans; whatever will be written can be."""
    plans = request.workspace.outputs / "plans"
    probe(plans if request.out is None else request.out.parent)
    probe(plans)
    return plans


def _wanted(
    request: SolveRequest,
    day: Day,
    baselines: Mapping[str, PolicyRun],
    watch: Stopwatch,
) -> PolicyRun:
    """Run the solver that was asked for, unless it has run as a baseline."""
    if request.solver in BASELINES:
        return baselines[request.solver]
    hint = baselines["greedy"].schedule
    return run_policy(request.solver, day, request.options, watch=watch, hint=hint)


def _checked(
    day: Day,
    wanted: PolicyRun,
    baselines: Mapping[str, PolicyRun],
    occasion: Occasion,
    watch: Stopwatch,
) -> tuple[Plan, PolicyRun]:
    """The plan of the first run that passes the check, the wanted one first."""
    runs = [wanted, baselines["greedy"], baselines["asap"]]
    with watch.stage("check", "checking every limit and number"):
        plan, run = first_valid(day, runs, baselines=baselines, occasion=occasion)
    return _timed(plan, _stages(watch, run)), run


def _write_prices(
    workspace: Workspace, day: Day, plan: Plan, run: PolicyRun
) -> LimitPrices | None:
    prices = limit_prices(
        day, run.solution.prices, some_unplaced=run.schedule.n_unplaced > 0
    )
    if prices is not None:
        write_limit_prices(prices_path(workspace, plan), prices, day.grid)
    return prices


def _write(
    plan: Plan, out: Path | None, plans: Path, keys: KeyRing
) -> tuple[Path, Plan]:
    """Write to the file that was asked for, else as the newest plan of its date."""
    if out is None:
        path, written = save_plan(plan, plans, keys=keys)
    else:
        path, written = out, write_plan(plan, out, keys=keys)
    meta = written.meta
    logger.info("plan %s: %s, gap %s", meta.plan_id, meta.status, meta.gap)
    return path, written


def _stages(watch: Stopwatch, run: PolicyRun) -> dict[str, float]:
    """Seconds of the contract's stages so far; baselines are not part of solving."""
    names = ("load", "forecast", "formulate", "solve", "check", "write")
    return {name: watch.seconds.get(name, 0.0) for name in names} | {
        "solve": run.seconds
    }


def _timed(plan: Plan, seconds: dict[str, float]) -> Plan:
    return replace(plan, meta=replace(plan.meta, seconds=seconds))
