"""Sums over millions of row-slot pairs on a 25-hour day, worked out in closed form."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa

from inputs.settings import Settings
from inputs.timegrid import day_grid
from outputs.check import check_plan
from outputs.plan import PLAN_SCHEMA, Plan, PolicyOutcome
from tests.factories_check import make_jobs
from tests.factories_plan import plan_meta

N = 30_000
MINUTES = 24 * 60 + 35
HOURS = MINUTES / 60
POWER_KW = 0.002
PUE = 1.25
KWH = POWER_KW * PUE * HOURS


def repeated(value: object, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), N)


def equal_jobs_plan() -> tuple[Plan, dict[str, object]]:
    """30,000 equal jobs of 24:35 h, from the first of 100 quarter hours on."""
    grid = day_grid(date(2026, 10, 25), timezone="Europe/Berlin", slot_minutes=15)
    assert grid.n_slots == 100
    few = make_jobs()
    one = np.zeros(N, np.intp)
    jobs = replace(
        few,
        ids=pa.array([f"job-{i:05}" for i in range(N)]),
        duration_us=np.full(N, MINUTES * 60_000_000),
        power_kw=np.full(N, POWER_KW),
        demand=np.ones((N, 1)),
        allowed=np.ones((N, 1), np.bool_),
        team=few.team.take(pa.array(one)),
        executor=pa.nulls(N, pa.string()),
        command=few.command.take(pa.array(one)),
        spec=few.spec.take(pa.array(one)),
        **{
            name: getattr(few, name)[one]
            for name in (
                *("earliest_us", "deadline_us", "home", "data_gb", "weight"),
                *("pin_region", "pin_start_us", "source"),
            )
        },
    )
    settings = Settings.model_validate(
        {"regions": [{"name": "north", "capacity": {"cpu": float(N)}, "pue": PUE}]}
    )
    emissions = KWH * 0.1
    planned = {
        **{"segment": 0, "status": "planned", "region": "north", "replicas": 1},
        **{"start": grid.start_us, "end": grid.start_us + MINUTES * 60_000_000},
        **{"power_kw": POWER_KW * PUE, "energy_kwh": KWH, "solar_kwh": 0.0},
        **{"grid_kwh": KWH, "emissions_kg": emissions, "baseline_region": "north"},
        **{"baseline_start": grid.start_us, "baseline_emissions_kg": emissions},
        **{"reason": None, "executor": "shell"},
    }
    columns = {
        name: repeated(value, PLAN_SCHEMA.field(name).type)
        for name, value in planned.items()
    }
    columns |= {"job_id": jobs.ids, "team": jobs.team}
    columns |= {"command": jobs.command, "spec": jobs.spec}
    rows = pa.table(
        {name: columns[name] for name in PLAN_SCHEMA.names}, schema=PLAN_SCHEMA
    )
    meta = plan_meta(
        date=grid.date,
        timezone=grid.timezone,
        horizon_start=grid.start,
        horizon_end=grid.end,
        slot_minutes=15,
        objective=N * emissions,
        bound=N * emissions,
        emissions_kg=N * emissions,
        policies={"asap": PolicyOutcome(emissions_kg=N * emissions, unplaced=0)},
    )
    shape = (1, grid.n_slots)
    inputs = {
        **{"jobs": jobs, "settings": settings, "grid": grid},
        **{"carbon": np.full(shape, 100.0), "solar_kw": np.zeros(shape)},
    }
    return Plan(rows=rows, meta=meta), inputs


def test_many_jobs_on_a_long_day_add_up() -> None:
    plan, inputs = equal_jobs_plan()
    assert check_plan(plan, **inputs) == ()  # type: ignore[arg-type]


def test_one_job_too_many_is_seen_in_every_slot_and_listed_in_short() -> None:
    plan, inputs = equal_jobs_plan()
    regions = [{"name": "north", "capacity": {"cpu": N - 1.0}, "pue": PUE}]
    inputs["settings"] = Settings.model_validate({"regions": regions})
    found = check_plan(plan, **inputs)  # type: ignore[arg-type]
    resource = [v for v in found if v.rule == "resource"]
    assert len(resource) == 21
    assert resource[0].found == "30000"
    assert resource[-1].where == "79 more places"
