"""Plans before they are believed: built from a schedule, then checked from outside."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from outputs.check import Violation, check_plan
from outputs.errors import PlanCheckError
from outputs.plan import Plan
from planner.day import Day
from planner.formulate.plan_rows import PricedSchedule, plan_rows
from planner.policies import PolicyRun
from planner.provenance import Occasion, plan_meta
from planner.unplaced import unplaced_reasons

logger = logging.getLogger(__name__)

_SHOWN = 5


def draft_plan(
    day: Day,
    run: PolicyRun,
    *,
    baselines: Mapping[str, PolicyRun],
    occasion: Occasion,
) -> Plan:
    """Plan that follows one policy's schedule, not yet checked or written."""
    baseline = baselines["asap"]
    rows = plan_rows(
        day.loaded.jobs,
        day.formulation,
        grid=day.grid,
        settings=day.workspace.settings,
        planned=PricedSchedule(schedule=run.schedule, evaluation=run.evaluation),
        baseline=PricedSchedule(
            schedule=baseline.schedule, evaluation=baseline.evaluation
        ),
        reasons=unplaced_reasons(day, run, time_limit_s=occasion.options.time_limit_s),
    )
    meta = plan_meta(day, run, baselines=baselines, occasion=occasion)
    return Plan(rows=rows, meta=meta)


def check_draft(day: Day, plan: Plan) -> Sequence[Violation]:
    """Every limit and number that does not hold, by code of its own."""
    return check_plan(
        plan,
        jobs=day.loaded.jobs,
        settings=day.workspace.settings,
        grid=day.grid,
        carbon=day.forecasts.g_per_kwh,
        solar_kw=day.forecasts.solar_kw,
        price=day.forecasts.price_per_kwh,
        earlier=day.earlier,
    )


def first_valid(
    day: Day,
    runs: Iterable[PolicyRun],
    *,
    baselines: Mapping[str, PolicyRun],
    occasion: Occasion,
) -> tuple[Plan, PolicyRun]:
    """First plan that passes the independent check, best policy first.

    Raises
    ------
    PlanCheckError
        If none passes; nothing may be written then.
    """
    rejected: list[str] = []
    for run in runs:
        plan = draft_plan(day, run, baselines=baselines, occasion=occasion)
        broken = check_draft(day, plan)
        if not broken:
            return _with_warnings(plan, rejected), run
        rejected.append(_rejection(run, broken))
        logger.error(rejected[-1])
    raise PlanCheckError("\n".join(rejected))


def _rejection(run: PolicyRun, broken: Sequence[Violation]) -> str:
    shown = "; ".join(str(violation) for violation in broken[:_SHOWN])
    more = f"; and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    return f"the plan of {run.name} failed the independent check: {shown}{more}"


def _with_warnings(plan: Plan, rejected: Sequence[str]) -> Plan:
    if not rejected:
        return plan
    meta = replace(plan.meta, warnings=(*rejected, *plan.meta.warnings), degraded=True)
    return replace(plan, meta=meta)
