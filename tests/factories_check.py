"""A day worked out by hand: three jobs placed, one left out, in two regions.

Hourly slots of 22 November 2026, UTC. North: PUE 1.5, 1 kW of base load, sun of
5.5 kW in slot 1 and 2 kW in slot 2, at most 3.5 kWh of it a day; 100 g/kWh but 200
in slot 2. South: PUE 1, 50 g/kWh. Energy costs 0.2 a kWh at a weight of 0.5; a kg
weighs 2, an hour of waiting 0.01, a job left out 100. Weight of a kWh: 0.3 in the
north, 0.5 in its slot 2, 0.2 in the south. Earlier work draws 1.5 kW in the north
until 02:00, on 1 cpu.

Slot 1: a draws 3 kWh, b 6, earlier work and base load leave 3 of the sun. Slot 2: a
draws 1.5, the sun has 1 left. The budget goes to slot 2 first: 1, then 2.5 to slot 1.
So 6.5 of 9 kWh come from the grid in slot 1, 0.5 of 1.5 in slot 2.
    a: 3 × 6.5/9 + 0.5 = 8/3 kWh of grid, 0.65/3 + 0.1 = 0.95/3 kg
    b: 6 × 6.5/9 = 13/3 kWh of grid, 1.3/3 kg
    c: 2 kWh at 50 g; 100 GB at 0.01 kWh/GB at the north's mean of 2500/24 g
Objective: 6.5 × 0.3 + 0.5 × 0.5 + 2 × 0.2, transfer 2 × 2.5/24 + 0.1, two hours of
waiting 0.02, and 2 × 100 for d, of weight 2.

Baseline: a at 00:00, b at 01:00, c at home at 02:00. Slot 1: 5 of 7.5 kWh from the
grid, slot 2: 0.5 of 1.5. a: 0.3 + 0.1, b: 0.4, c: 0.1 + 0.15 kg.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from inputs.jobs import NO_INSTANT, NO_REGION, Jobs
from inputs.settings import Settings
from inputs.timegrid import TimeGrid, day_grid, to_us
from outputs.carry_over import EarlierWork
from outputs.check import Violation, check_plan
from outputs.plan import Plan, PolicyOutcome
from tests.factories_plan import at, plan_meta, planned_row, table_of, unplaced_row

MEAN_NORTH_KG = 2.5 / 24
OBJECTIVE = 1.95 + 0.25 + 0.4 + (2 * MEAN_NORTH_KG + 0.1) + 0.02 + 200.0
BOUND = 202.0


def make_jobs(**columns: Any) -> Jobs:
    """Jobs a, b, c, d of the hand-worked day; any column may be replaced."""
    n = 4
    none = np.full(n, NO_INSTANT)
    earliest, pin_start = none.copy(), none.copy()
    earliest[1], earliest[2] = to_us(at(1)), to_us(at(2))
    pin_start[1] = to_us(at(1))
    hour = 3_600_000_000
    values: dict[str, Any] = {
        "ids": pa.array(["a", "b", "c", "d"]),
        "duration_us": np.array([1.5 * hour, hour, 2 * hour, 24 * hour], np.int64),
        "power_kw": np.array([2.0, 4.0, 1.0, 1.0]),
        "resource_names": ("cpu",),
        "demand": np.array([[1.0], [2.0], [2.0], [1.0]]),
        "earliest_us": earliest,
        "deadline_us": none.copy(),
        "allowed": np.ones((n, 2), np.bool_),
        "home": np.zeros(n, np.int16),
        "data_gb": np.array([0.0, 7.0, 100.0, 0.0]),
        "weight": np.array([1.0, 1.0, 1.0, 2.0]),
        "pin_region": np.full(n, NO_REGION),
        "pin_start_us": pin_start,
        "team": pa.array(["search", None, "ads", "ads"]),
        "executor": pa.array(["slurm", None, None, None], pa.string()),
        "command": pa.array([["run", "a"], ["b"], None, ["d"]], pa.list_(pa.string())),
        "spec": pa.array([f'{{"resources":{{"cpu":{k}}}}}' for k in (1, 2, 2, 1)]),
        "source": np.zeros(n, np.int32),
        "source_paths": ("jobs.yaml",),
    }
    return Jobs(**(values | columns))


def make_settings(
    north: Mapping[str, Any] | None = None,
    south: Mapping[str, Any] | None = None,
    objective: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings of the hand-worked day; keys of any table may be replaced."""
    return Settings.model_validate(
        {
            "objective": {
                "carbon_price_per_kg": 2.0,
                "energy_cost": 0.5,
                "delay_per_hour": 0.01,
                "unplaced": 100.0,
                **(objective or {}),
            },
            "transfer": {"kwh_per_gb": 0.01},
            "regions": [
                {
                    "name": "north",
                    "capacity": {"cpu": 4.0},
                    "power_cap_kw": 10.5,
                    "pue": 1.5,
                    "base_load_kw": 1.0,
                    "solar_budget_kwh": 3.5,
                    **(north or {}),
                },
                {
                    "name": "south",
                    "capacity": {"cpu": 2.0},
                    "executor": "kubernetes",
                    **(south or {}),
                },
            ],
        }
    )


def make_rows() -> list[dict[str, Any]]:
    """Rows of the hand-worked plan."""
    return [
        planned_row(
            "a",
            start=at(1),
            end=at(2.5),
            power_kw=3.0,
            energy_kwh=4.5,
            solar_kwh=4.5 - 8 / 3,
            grid_kwh=8 / 3,
            emissions_kg=0.95 / 3,
            baseline_emissions_kg=0.4,
            baseline_start=at(0),
            team="search",
            executor="slurm",
            command=["run", "a"],
            spec='{"resources":{"cpu":1}}',
        ),
        planned_row(
            "b",
            start=at(1),
            end=at(2),
            power_kw=6.0,
            energy_kwh=6.0,
            solar_kwh=6 - 13 / 3,
            grid_kwh=13 / 3,
            emissions_kg=1.3 / 3,
            baseline_emissions_kg=0.4,
            baseline_start=at(1),
            team=None,
            executor="shell",
            command=["b"],
            spec='{"resources":{"cpu":2}}',
        ),
        planned_row(
            "c",
            region="south",
            start=at(3),
            end=at(5),
            power_kw=1.0,
            energy_kwh=2.0,
            solar_kwh=0.0,
            grid_kwh=2.0,
            emissions_kg=0.1 + MEAN_NORTH_KG,
            baseline_emissions_kg=0.25,
            baseline_start=at(2),
            team="ads",
            executor="kubernetes",
            command=None,
            spec='{"resources":{"cpu":2}}',
        ),
        unplaced_row("d", team="ads", command=["d"], spec='{"resources":{"cpu":1}}'),
    ]


def make_earlier() -> EarlierWork:
    """One segment on the north's first two slots."""
    return EarlierWork(
        region=np.zeros(1, np.int16),
        start_us=np.array([to_us(at(-1))]),
        end_us=np.array([to_us(at(2))]),
        power_kw=np.array([1.5]),
        demand=np.array([[1.0]]),
    )


def make_carbon() -> np.ndarray:
    carbon = np.full((2, 24), 100.0)
    carbon[0, 2] = 200.0
    carbon[1] = 50.0
    return carbon


def make_solar() -> np.ndarray:
    solar = np.zeros((2, 24))
    solar[0, 1], solar[0, 2] = 5.5, 2.0
    return solar


def make_meta_fields() -> dict[str, Any]:
    return {
        "status": "partial",
        "objective": OBJECTIVE,
        "bound": BOUND,
        "gap": (OBJECTIVE - BOUND) / OBJECTIVE,
        "emissions_kg": 0.75 + 0.1 + MEAN_NORTH_KG,
        "unplaced": 1,
        "policies": {"asap": PolicyOutcome(emissions_kg=1.05, unplaced=1)},
    }


@dataclass(frozen=True)
class Case:
    """A plan with its inputs; a test replaces what it is about."""

    rows: Sequence[Mapping[str, Any]] = field(default_factory=make_rows)
    meta: Mapping[str, Any] = field(default_factory=make_meta_fields)
    jobs: Jobs = field(default_factory=make_jobs)
    settings: Settings = field(default_factory=make_settings)
    grid: TimeGrid = field(
        default_factory=lambda: day_grid(
            date(2026, 11, 22), timezone="UTC", slot_minutes=60
        )
    )
    carbon: np.ndarray = field(default_factory=make_carbon)
    solar_kw: np.ndarray = field(default_factory=make_solar)
    price: np.ndarray | None = field(default_factory=lambda: np.full((2, 24), 0.2))
    earlier: EarlierWork | None = field(default_factory=make_earlier)

    def with_row(self, index: int, **columns: Any) -> Case:
        rows = [dict(row) for row in self.rows]
        rows[index].update(columns)
        return replace(self, rows=rows)

    def with_meta(self, **fields: Any) -> Case:
        return replace(self, meta={**self.meta, **fields})

    def with_job(self, column: str, index: Any, value: Any) -> Case:
        values = np.array(getattr(self.jobs, column))
        values[index] = value
        return replace(self, jobs=replace(self.jobs, **{column: values}))

    def plan(self) -> Plan:
        return Plan(rows=table_of(self.rows), meta=plan_meta(**self.meta))

    def violations(self) -> tuple[Violation, ...]:
        return check_plan(
            self.plan(),
            jobs=self.jobs,
            settings=self.settings,
            grid=self.grid,
            carbon=self.carbon,
            solar_kw=self.solar_kw,
            price=self.price,
            earlier=self.earlier,
        )

    def broken(self) -> set[str]:
        """Names of the rules that the plan breaks."""
        return {violation.rule.value for violation in self.violations()}


def hours(amount: float) -> timedelta:
    return timedelta(hours=amount)
