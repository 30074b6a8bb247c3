"""Synthetic comparisons and reports, from one job to a full week of regions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from inputs.timegrid import TimeGrid, day_grid
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

NAMES = ("eu-north", "eu-west", "us-east", "us-west", "ap-south", "ap-east", "sa-east")
TEAMS = ("search", "ads", "vision", "etl", None)
HOUR_SECONDS = 3600


def make_policy(
    name: str = "optimal",
    *,
    region: list[int] | None = None,
    emissions_kg: list[float] | None = None,
    n_regions: int = 1,
    n_slots: int = 24,
    n_resources: int = 0,
    **changes: Any,
) -> PolicyDay:
    """Policy over a few jobs; by default one job in region 0 that emits 1 kg."""
    places = np.asarray(region if region is not None else [0], dtype=np.int16)
    kg = np.asarray(emissions_kg if emissions_kg is not None else [1.0], dtype=float)
    kg = np.where(places >= 0, kg, 0.0)
    shape = (n_regions, n_slots)
    values: dict[str, Any] = {
        "name": name,
        "emissions_kg": float(kg.sum()),
        "grid_kwh": 1.0,
        "solar_kwh": 0.0,
        "placed": int((places >= 0).sum()),
        "unplaced": int((places < 0).sum()),
        "seconds": 0.5,
        "load_kw": np.zeros(shape),
        "grid_kw": np.zeros(shape),
        "usage": np.zeros((n_resources, *shape)),
        "job_region": places,
        "job_start_slot": np.where(places >= 0, 0, -1).astype(np.int32),
        "job_energy_kwh": np.where(places >= 0, 1.0, 0.0),
        "job_emissions_kg": kg,
        "job_delay_h": np.zeros(len(places)),
    }
    return PolicyDay(**(values | changes))


def make_comparison(*policies: PolicyDay, **changes: Any) -> Comparison:
    """Comparison in hourly slots of one UTC day around the given policies."""
    chosen = policies or (make_policy("asap"), make_policy("optimal"))
    n_regions, n_slots = chosen[0].load_kw.shape
    n_jobs = len(chosen[0].job_region)
    shape = (n_regions, n_slots)
    values: dict[str, Any] = {
        "grid": day_grid(date(2026, 11, 22), timezone="UTC", slot_minutes=60),
        "regions": NAMES[:n_regions],
        "g_per_kwh": np.full(shape, 100.0),
        "solar_kw": np.zeros(shape),
        "power_cap_kw": np.full(shape, np.inf),
        "resources": (),
        "capacity": np.zeros((0, *shape)),
        "job_team": np.zeros(n_jobs, dtype=np.int32),
        "teams": ("search",),
        "policies": chosen,
        "plan_name": chosen[-1].name,
    }
    return Comparison(**(values | changes))


def synthetic_comparison(
    *,
    n_jobs: int = 400,
    n_regions: int = 3,
    day: date = date(2026, 6, 21),
    timezone: str = "Europe/Berlin",
    slot_minutes: int = 15,
    horizon_hours: int = 24,
    solar: bool = True,
    capped: bool = True,
    unplaced: int = 0,
    seed: int = 7,
    teams: tuple[str | None, ...] = TEAMS,
) -> Comparison:
    """A day that looks real; the policies spread jobs by rules of thumb."""
    rng = np.random.default_rng(seed)
    grid = day_grid(
        day, timezone=timezone, slot_minutes=slot_minutes, horizon_hours=horizon_hours
    )
    hour = local_hours(grid)
    regions = tuple(
        NAMES[r] if r < len(NAMES) else f"region-{r:02d}" for r in range(n_regions)
    )
    level = rng.choice([35.0, 120.0, 260.0, 410.0, 620.0], n_regions)
    level[0] = 42.0
    shift = rng.uniform(-4, 4, n_regions)[:, None]
    duck = 1 - 0.35 * np.exp(-(((hour + shift - 13) / 3.2) ** 2))
    duck += 0.22 * np.exp(-(((hour + shift - 19) / 2.0) ** 2))
    wobble = np.cumsum(rng.normal(0, 0.008, (n_regions, grid.n_slots)), axis=1)
    g_per_kwh = np.maximum(level[:, None] * (duck + wobble), 5.0)
    sun = np.clip(np.sin((hour - 5) / 15 * np.pi), 0, None) ** 1.4 * (hour > 5)
    sun *= hour < 20
    kwp = np.where(np.arange(n_regions) % 2 == 0, 80.0, 0.0)[:, None] * solar
    solar_kw = kwp * sun * 0.8

    hours = rng.choice([0.5, 1.0, 1.5, 2.0, 4.0], n_jobs)
    n = np.maximum(np.round(hours / grid.slot_hours), 1).astype(int)
    kw = rng.gamma(2.0, 0.9, n_jobs)
    gpus = rng.integers(0, 5, n_jobs).astype(float)
    latest = np.minimum(grid.n_slots - n, int(24 / grid.slot_hours))
    earliest = (rng.random(n_jobs) ** 2 * latest * 0.7).astype(int)
    home = rng.integers(0, n_regions, n_jobs)
    free = [
        np.clip(earliest + (rng.random(n_jobs) * k).astype(int), earliest, latest)
        for k in (1, 6 / grid.slot_hours, 8 / grid.slot_hours, 8 / grid.slot_hours)
    ]
    cost = _window_means(g_per_kwh - 3 * solar_kw, n)
    places = [home, home]
    other = (home + 1) % n_regions
    place, start = home.copy(), free[1].copy()
    for trial in (3, 1):
        for _ in range(trial):
            r = np.where(rng.random(n_jobs) < 0.35, other, home)
            s = rng.integers(earliest, latest + 1)
            better = cost(r, s) < cost(place, start)
            place, start = np.where(better, r, place), np.where(better, s, start)
        places.append(place)
        free[len(places) - 1] = start

    peak = 1.02
    days = []
    for i, name in enumerate(("asap", "threshold", "greedy", "optimal")):
        place = places[i].astype(np.int16)
        lost = min(unplaced + (i == 1) * unplaced // 2, n_jobs)
        place[:lost] = -1
        days.append(
            _policy(
                name, grid, place, free[i], n, kw, gpus, earliest, g_per_kwh, solar_kw
            )
        )
    loads = np.array([d.load_kw.max(axis=1) for d in days]).max(axis=0)
    cap = np.where(capped, np.ceil(loads * peak / 10) * 10, np.inf)
    gpu = np.array([d.usage[0].max(axis=1) for d in days]).max(axis=0)
    names, codes = encode_teams(
        pa.array([teams[i % len(teams)] for i in range(n_jobs)], pa.string())
    )
    guessed = np.zeros(g_per_kwh.shape, dtype=bool)
    guessed[0, 8:12] = True
    return Comparison(
        grid=grid,
        regions=regions,
        g_per_kwh=g_per_kwh,
        g_per_kwh_low=g_per_kwh * 0.88,
        g_per_kwh_high=g_per_kwh * 1.1,
        guessed=guessed,
        solar_kw=solar_kw,
        power_cap_kw=np.repeat(cap[:, None], grid.n_slots, axis=1),
        resources=("gpu",),
        capacity=np.repeat(gpu[:, None], grid.n_slots, axis=1)[None],
        job_team=codes,
        teams=names,
        policies=tuple(days),
    )


def local_hours(grid: TimeGrid) -> FloatArray:
    """Local time of day of each slot's start. [h]"""
    zone = ZoneInfo(grid.timezone)
    starts = [
        datetime.fromtimestamp(us / 1e6, UTC).astimezone(zone)
        for us in grid.starts_us().tolist()
    ]
    return np.array([s.hour + s.minute / 60 for s in starts])


def _window_means(values: FloatArray, n: np.ndarray) -> Any:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return lambda r, s: (sums[r, s + n] - sums[r, s]) / n


def _policy(
    name: str,
    grid: TimeGrid,
    place: np.ndarray,
    start: np.ndarray,
    n: np.ndarray,
    kw: np.ndarray,
    gpus: np.ndarray,
    earliest: np.ndarray,
    g_per_kwh: FloatArray,
    solar_kw: FloatArray,
) -> PolicyDay:
    shape = g_per_kwh.shape
    placed = place >= 0
    load, usage = np.zeros((2, shape[0], shape[1] + 1))
    for target, units in ((load, kw), (usage, gpus)):
        np.add.at(target, (place[placed], start[placed]), units[placed])
        np.add.at(target, (place[placed], (start + n)[placed]), -units[placed])
    load = np.maximum(np.cumsum(load, axis=1)[:, :-1], 0).round(9)
    usage = np.cumsum(usage, axis=1)[:, :-1].round(9)
    grid_kw = np.maximum(load - solar_kw, 0)
    share = np.divide(grid_kw, load, out=np.ones(shape), where=load > 0)
    carbon = _window_means(share * g_per_kwh, n)
    energy = np.where(placed, kw * n * grid.slot_hours, 0.0)
    kg = np.where(placed, energy * carbon(np.maximum(place, 0), start) / 1000, 0.0)
    return PolicyDay(
        name=name,
        emissions_kg=float(kg.sum()),
        grid_kwh=float(grid_kw.sum() * grid.slot_hours),
        solar_kwh=float((load - grid_kw).sum() * grid.slot_hours),
        placed=int(placed.sum()),
        unplaced=int((~placed).sum()),
        seconds={"asap": 0.004, "threshold": 0.011, "greedy": 0.08}.get(name, 3.2),
        gap=0.00083 if name == "optimal" else None,
        load_kw=load,
        grid_kw=grid_kw,
        usage=usage[None],
        job_region=place,
        job_start_slot=np.where(placed, start, -1).astype(np.int32),
        job_energy_kwh=energy,
        job_emissions_kg=kg,
        job_delay_h=np.where(placed, (start - earliest) * grid.slot_hours, np.nan),
    )


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
        _policy(
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
