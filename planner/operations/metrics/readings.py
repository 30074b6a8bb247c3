"""What is measured: the ledger's dispatches, the plan, the executor's own runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow.compute as pc

from outputs.plan import PLANNED, Plan, PlanMeta
from planner.executor.instants import from_us
from planner.executor.ledger import Ledger
from planner.executor.states import LIVE, State
from planner.operations.budgets import BudgetUse, solar_budgets
from planner.operations.run_record import NO_RUNS, RunRecord

LATENESS_S = (1, 5, 15, 30, 60, 120, 300, 900, 3600)
"""Bounds of the lateness histogram. A start within 120 s is punctual. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late dispatches of a date were sent.

    Parameters
    ----------
    at_most
        How many were sent within each of ``LATENESS_S``; cumulative.
    sent
        How many were sent at all.
    total_s
        Sum over all that were sent. [s]
    """

    at_most: tuple[int, ...] = (0,) * len(LATENESS_S)
    sent: int = 0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReading:
    """What a plan promises.

    Parameters
    ----------
    planned, unplaced
        Number of rows with a place, and of jobs without one.
    emissions_kg, baseline_kg
        Planned emissions, and those under asap, of the jobs that both place.
        [kg CO₂e]
    budgets
        Use of each solar budget.
    """

    meta: PlanMeta
    planned: int
    unplaced: int
    emissions_kg: float
    baseline_kg: float
    budgets: tuple[BudgetUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Everything that the figures are made from, at one instant.

    Parameters
    ----------
    at
        When it was read, aware.
    dispatches
        Number of dispatches of the planned date by state and region.
    at_work
        Number of dispatches of every date in each state that is not final.
    next_due_at
        When the next dispatch is due; None if nothing is ahead.
    holds
        Number of holds in force.
    plan
        The plan for now; None if there is none.
    runs
        What the executor noted of its own runs.
    alerts
        Number of messages by channel and outcome.
    """

    at: datetime
    version: str
    dispatches: Mapping[tuple[str, str], int]
    at_work: Mapping[str, int]
    lateness: Lateness
    next_due_at: datetime | None
    holds: int
    plan: PlanReading | None
    runs: RunRecord = NO_RUNS
    alerts: Mapping[tuple[str, str], int] = field(default_factory=dict)


def read(
    ledger: Ledger,
    plan: Plan | None,
    *,
    now: datetime,
    version: str,
    runs: RunRecord = NO_RUNS,
    alerts: Mapping[tuple[str, str], int] | None = None,
    solar_budgets_kwh: Mapping[str, float] | None = None,
) -> Readings:
    """Measure; nothing is changed.

    Parameters
    ----------
    ledger
        What was sent and what came of it.
    plan
        The plan for now; without one the date followed last is counted.
    """
    day = plan.meta.date.isoformat() if plan is not None else _last_date(ledger)
    next_due_us = ledger.query(
        "select min(due_us) from dispatches where state = 'planned'"
    )[0][0]
    held = ledger.query("select count(*) from holds where lifted_us is null")[0][0]
    return Readings(
        at=now,
        version=version,
        dispatches={} if day is None else _dispatches(ledger, day),
        at_work=_at_work(ledger),
        lateness=Lateness() if day is None else _lateness(ledger, day),
        next_due_at=None if next_due_us is None else from_us(next_due_us),
        holds=held,
        plan=None if plan is None else read_plan(plan, solar_budgets_kwh or {}),
        runs=runs,
        alerts=alerts or {},
    )


def read_plan(plan: Plan, solar_budgets_kwh: Mapping[str, float]) -> PlanReading:
    """What a plan promises, from its rows."""
    rows = plan.rows
    placed = rows.filter(pc.equal(rows["status"], PLANNED))
    both = placed.filter(pc.is_valid(placed["baseline_emissions_kg"]))
    return PlanReading(
        meta=plan.meta,
        planned=placed.num_rows,
        unplaced=plan.meta.unplaced,
        emissions_kg=pc.sum(both["emissions_kg"]).as_py() or 0.0,
        baseline_kg=pc.sum(both["baseline_emissions_kg"]).as_py() or 0.0,
        budgets=solar_budgets(plan, solar_budgets_kwh),
    )


def _last_date(ledger: Ledger) -> str | None:
    found = ledger.query("select date from plans order by followed_us desc limit 1")
    return found[0][0] if found else None


def _dispatches(ledger: Ledger, day: str) -> dict[tuple[str, str], int]:
    rows = ledger.query(
        "select state, region, count(*) from dispatches where date = ? "
        "group by state, region order by state, region",
        day,
    )
    return {(state, region): number for state, region, number in rows}


def _at_work(ledger: Ledger) -> dict[str, int]:
    states = sorted({State.PLANNED, *LIVE})
    listed = ", ".join(f"'{state}'" for state in states)
    rows = ledger.query(
        "select state, count(*) from dispatches "
        f"where state in ({listed}) group by state"
    )
    return {state.value: 0 for state in states} | dict(rows)


def _lateness(ledger: Ledger, day: str) -> Lateness:
    within = ", ".join(
        f"sum(case when intent_us - due_us <= {bound * 1_000_000} then 1 else 0 end)"
        for bound in LATENESS_S
    )
    row = ledger.query(
        "select count(*), sum(case when intent_us > due_us "
        f"then intent_us - due_us else 0 end), {within} "
        "from dispatches where date = ? and intent_us is not null",
        day,
    )[0]
    sent, total_us, *at_most = row
    return Lateness(
        at_most=tuple(int(number or 0) for number in at_most),
        sent=sent,
        total_s=float(total_us or 0) / 1e6,
    )
