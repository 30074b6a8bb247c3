"""Plans and reports that belong to a comparison, and a report worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from inputs.timegrid import day_grid
from outputs.comparison import (
    NO_TEAM,
    Comparison,
    FloatArray,
    PolicyDay,
    encode_teams,
)
from outputs.limit_prices import LimitPrice, LimitPrices
from outputs.plan import (
    PLAN_SCHEMA,
    ForecastUse,
    InputFile,
    Plan,
    PlanMeta,
    PolicyOutcome,
)
from outputs.report import Report
from tests.factories_comparison import policy_of, synthetic_comparison

HOUR_SECONDS = 3600


def make_plan(comparison: Comparison, **changes: Any) -> Plan:
    """Plan file content that matches a comparison's plan and baseline."""
    grid, plan = comparison.grid, comparison.plan
    before = comparison.find("asap") or plan
    placed = plan.is_placed
    n = comparison.n_jobs
    names = pa.array([*comparison.regions])
    starts = grid.start_us + grid.step_us * plan.job_start_slot.astype(np.int64)
    instants = pa.timestamp("us", tz="UTC")
    ids = [f"job-{i:05d}" for i in range(n)]

    def at(policy: PolicyDay) -> pa.Array:
        us = grid.start_us + grid.step_us * policy.job_start_slot.astype(np.int64)
        return pa.array(us, mask=~policy.is_placed).cast(instants)

    def where(policy: PolicyDay) -> pa.Array:
        index = pa.array(policy.job_region.astype(np.int64), mask=~policy.is_placed)
        return names.take(index)

    reasons = ["no free gpu before the deadline", "runs longer than its window"]
    columns = {
        "job_id": ids,
        "segment": np.zeros(n, dtype=np.int32),
        "status": np.where(placed, "planned", "unplaced").tolist(),
        "reason": [None if p else reasons[i % 2] for i, p in enumerate(placed)],
        "region": where(plan),
        "start": at(plan),
        "end": pa.array(starts + grid.step_us, mask=~placed).cast(instants),
        "replicas": np.ones(n, dtype=np.int32),
        "power_kw": np.ones(n),
        "energy_kwh": plan.job_energy_kwh,
        "solar_kwh": np.zeros(n),
        "grid_kwh": plan.job_energy_kwh,
        "emissions_kg": plan.job_emissions_kg,
        "baseline_region": where(before),
        "baseline_start": at(before),
        "baseline_emissions_kg": before.job_emissions_kg,
        "team": [
            None if t == NO_TEAM else t
            for t in np.array(comparison.teams, dtype=object)[comparison.job_team]
        ],
        "executor": ["shell"] * n,
        "command": [["true"]] * n,
        "spec": ["{}"] * n,
    }
    rows = pa.table(
        {
            k: pa.array(v) if isinstance(v, list | np.ndarray) else v
            for k, v in columns.items()
        }
    ).cast(PLAN_SCHEMA)
    return Plan(rows=rows, meta=make_meta(comparison, **changes))


def make_meta(comparison: Comparison, **changes: Any) -> PlanMeta:
    """Provenance that matches a comparison."""
    grid, plan = comparison.grid, comparison.plan
    issued = grid.start - timedelta(hours=7)
    values: dict[str, Any] = {
        "plan_id": "20261122-1-4f9a",
        "serial": 1,
        "date": grid.date,
        "timezone": grid.timezone,
        "horizon_start": grid.start,
        "horizon_end": grid.end,
        "slot_minutes": int(grid.slot_hours * 60),
        "solver": "exact",
        "solver_versions": {"ortools": "9.15", "highs": "1.12"},
        "seed": 0,
        "status": "optimal" if not plan.unplaced else "partial",
        "objective": plan.emissions_kg,
        "bound": None if plan.gap is None else plan.emissions_kg * (1 - plan.gap),
        "gap": plan.gap,
        "emissions_kg": plan.emissions_kg,
        "unplaced": plan.unplaced,
        "policies": {
            p.name: PolicyOutcome(emissions_kg=p.emissions_kg, unplaced=p.unplaced)
            for p in comparison.policies
            if p is not plan
        },
        "forecasts": tuple(
            ForecastUse(
                series=series,
                region=region,
                provider="file" if i else "typical",
                issued_at=issued if i else None,
                signal="average" if series == "carbon" else None,
                age_s=7.0 * HOUR_SECONDS if i else None,
                filled_slots=4 * (i == 0),
                degraded=i == 0,
                notes=() if i else ("file ends early; typical profile used instead",),
            )
            for series in ("carbon", "solar")
            for i, region in enumerate(comparison.regions)
        ),
        "inputs": (
            InputFile(path="planner.toml", sha256="9f" * 32),
            InputFile(path="inputs/jobs.yaml", sha256="3c" * 32),
        ),
        "seconds": {"load": 0.21, "forecast": 0.4, "solve": 3.2, "check": 0.1},
        "created_at": issued + timedelta(hours=2),
        "planner_version": "0.1.0",
        "digest": "sha256:" + "a7" * 32,
        "degraded": True,
        "warnings": ("inputs/broken.yaml was left out: 2 problems",),
    }
    return PlanMeta(**(values | changes))


def make_report(comparison: Comparison | None = None, **changes: Any) -> Report:
    """Report on a comparison, by default a small synthetic day."""
    day_ = comparison or synthetic_comparison(n_jobs=40, unplaced=3)
    meta = {k: v for k, v in changes.items() if k in PlanMeta.__dataclass_fields__}
    rest = {k: v for k, v in changes.items() if k not in meta}
    return Report(**({"plan": make_plan(day_, **meta), "comparison": day_} | rest))


def known_prices(hour: FloatArray, solar_kw: FloatArray) -> LimitPrices:
    """Gpus dear at noon and half as dear in the evening; sun worth 0.05 at ten."""
    gpu = np.where(hour == 12, 0.2, np.where(hour >= 18, 0.1, 0.0))
    return LimitPrices(
        limits=(
            LimitPrice(region="eu-north", limit="gpu", kg=gpu, available=0 * hour + 4),
            LimitPrice(
                region="eu-north",
                limit="sun kW",
                kg=np.where(hour == 10, 0.05, 0.0),
                available=solar_kw,
            ),
            LimitPrice(
                region="eu-west", limit="gpu", kg=0 * hour, available=0 * hour + 8
            ),
        ),
        notes=("Worked out by hand.",),
    )


def known_report(case: str = "clean") -> Report:
    """Small report worked out by hand, for golden files.

    ``clean``: four jobs, all placed, a proven gap. ``shortfalls``: a 25-hour day,
    no bound, one job left out, a degraded forecast, and names full of markup.
    """
    clean = case == "clean"
    zone, day_ = ("UTC", date(2026, 11, 22))
    if not clean:
        zone, day_ = "Europe/Berlin", date(2026, 10, 25)
    grid = day_grid(day_, timezone=zone, slot_minutes=60)
    hour = np.arange(grid.n_slots, dtype=float)
    g_per_kwh = np.stack([40 + 10 * (hour // 12), 400 - 100 * (hour // 12)])
    solar_kw = np.stack([np.where((hour >= 10) & (hour < 14), 3.0, 0.0), 0 * hour])
    n = np.array([2, 2, 4, 1])
    kw = np.array([1.0, 2.0, 0.5, 8.0])
    gpus = np.array([1.0, 0.0, 2.0, 4.0])
    earliest = np.zeros(4, dtype=int)
    last = 1 if clean else -1
    choices = {
        "asap": ([0, 1, 1, last], [0, 0, 0, 0]),
        "greedy": ([0, 1, 1, last], [10, 12, 12, 14]),
        "optimal": ([0, 0, 1, last], [10, 11, 12, 14]),
    }
    days = tuple(
        policy_of(
            *(name, grid, np.array(region, dtype=np.int16), np.array(start)),
            *(n, kw, gpus, earliest, g_per_kwh, solar_kw),
        )
        for name, (region, start) in choices.items()
    )
    if not clean:
        days = (*days[:2], replace(days[2], gap=None))
    teams = ("search", None) if clean else ("<b>|*ads*", "=cmd()\u202e")
    names, codes = encode_teams(pa.array([*teams, *teams], pa.string()))
    comparison = Comparison(
        grid=grid,
        regions=("eu-north", "eu-west"),
        g_per_kwh=g_per_kwh,
        solar_kw=solar_kw,
        power_cap_kw=np.stack([0 * hour + 10, 0 * hour + np.inf]),
        resources=("gpu",),
        capacity=np.stack([0 * hour + 4, 0 * hour + 8])[None],
        job_team=codes,
        teams=names,
        policies=days,
        limit_prices=known_prices(hour, solar_kw[0]) if clean else None,
    )
    changes: dict[str, Any] = {"degraded": False, "warnings": ()} if clean else {}
    return make_report(comparison, **changes)
