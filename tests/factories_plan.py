"""Smallest valid plans, and rows to build others from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from outputs.plan import (
    PLAN_SCHEMA,
    ForecastUse,
    InputFile,
    Plan,
    PlanMeta,
    PolicyOutcome,
)

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
EMPTY_SPEC = '{"resources":{}}'


def at(hour: float) -> datetime:
    """Instant of the planned day, in hours after its midnight."""
    return MIDNIGHT + timedelta(hours=hour)


def planned_row(job_id: str = "a", **columns: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "job_id": job_id,
        "segment": 0,
        "status": "planned",
        "reason": None,
        "region": "north",
        "start": at(1),
        "end": at(2.5),
        "replicas": 1,
        "power_kw": 2.0,
        "energy_kwh": 3.0,
        "solar_kwh": 0.0,
        "grid_kwh": 3.0,
        "emissions_kg": 0.3,
        "baseline_region": "north",
        "baseline_start": at(0),
        "baseline_emissions_kg": 0.6,
        "team": "search",
        "executor": "shell",
        "command": ["python", "embed.py"],
        "spec": EMPTY_SPEC,
    }
    return row | columns


def unplaced_row(job_id: str = "z", **columns: Any) -> dict[str, Any]:
    nulls = dict.fromkeys(
        name
        for name in PLAN_SCHEMA.names
        if name not in ("job_id", "segment", "status", "reason", "command", "spec")
    )
    row = planned_row(job_id) | nulls
    return row | {"status": "unplaced", "reason": "window too short"} | columns


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=PLAN_SCHEMA)


def plan_meta(**fields: Any) -> PlanMeta:
    values: dict[str, Any] = {
        "plan_id": "2026-11-22-1",
        "serial": 1,
        "date": date(2026, 11, 22),
        "timezone": "UTC",
        "horizon_start": MIDNIGHT,
        "horizon_end": at(24),
        "slot_minutes": 60,
        "solver": "exact",
        "solver_versions": {"ortools": "9.15"},
        "seed": 0,
        "status": "optimal",
        "objective": 0.3,
        "bound": 0.3,
        "gap": 0.0,
        "emissions_kg": 0.3,
        "unplaced": 0,
        "policies": {"asap": PolicyOutcome(emissions_kg=0.6, unplaced=0)},
        "forecasts": (
            ForecastUse(
                series="carbon",
                region="north",
                provider="file",
                issued_at=at(-6),
                signal="average",
                age_s=3600.0,
                filled_slots=0,
                degraded=False,
            ),
        ),
        "inputs": (InputFile(path="jobs.yaml", sha256="0" * 64),),
        "seconds": {"load": 0.1, "solve": 1.5},
        "created_at": at(-5),
        "planner_version": "0.1.0",
    }
    return PlanMeta(**(values | fields))


def small_plan(rows: Sequence[Mapping[str, Any]] | None = None, **fields: Any) -> Plan:
    """Plan of two placed jobs and one left out, or of the rows given."""
    if rows is None:
        rows = [
            planned_row("a"),
            planned_row("b", start=at(0), end=at(2), command=None, team=None),
            unplaced_row("c"),
        ]
    return Plan(rows=table_of(rows), meta=plan_meta(**fields))
