"""Comparisons of policies, by hand or synthetic, up to a full week of regions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from inputs.timegrid import TimeGrid, day_grid
from outputs.comparison import (
    Comparison,
    FloatArray,
    PolicyDay,
    encode_teams,
)

NAMES = ("eu-north", "eu-west", "us-east", "us-west", "ap-south", "ap-east", "sa-east")
TEAMS = ("search", "ads", "vision", "etl", None)


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
    g_per_kwh, solar_kw = _signals(rng, local_hours(grid), n_regions, solar=solar)
    jobs = _jobs(rng, grid, n_jobs, n_regions)
    days = []
    for name, (place, start) in _choices(rng, grid, jobs, g_per_kwh, solar_kw).items():
        lost = min(unplaced + (name == "threshold") * unplaced // 2, n_jobs)
        place = place.astype(np.int16)
        place[:lost] = -1
        facts = (jobs.n, jobs.kw, jobs.gpus, jobs.earliest, g_per_kwh, solar_kw)
        days.append(policy_of(name, grid, place, start, *facts))
    loads = np.array([d.load_kw.max(axis=1) for d in days]).max(axis=0)
    cap = np.where(capped, np.ceil(loads * 1.02 / 10) * 10, np.inf)
    gpu = np.array([d.usage[0].max(axis=1) for d in days]).max(axis=0)
    names, codes = encode_teams(
        pa.array([teams[i % len(teams)] for i in range(n_jobs)], pa.string())
    )
    guessed = np.zeros(g_per_kwh.shape, dtype=bool)
    guessed[0, 8:12] = True
    return Comparison(
        grid=grid,
        regions=tuple(
            NAMES[r] if r < len(NAMES) else f"region-{r:02d}" for r in range(n_regions)
        ),
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


def _signals(
    rng: np.random.Generator, hour: FloatArray, n_regions: int, *, solar: bool
) -> tuple[FloatArray, FloatArray]:
    """Intensity and solar power by region and slot. [g/kWh, kW]"""
    level = rng.choice([35.0, 120.0, 260.0, 410.0, 620.0], n_regions)
    level[0] = 42.0
    shift = rng.uniform(-4, 4, n_regions)[:, None]
    duck = 1 - 0.35 * np.exp(-(((hour + shift - 13) / 3.2) ** 2))
    duck += 0.22 * np.exp(-(((hour + shift - 19) / 2.0) ** 2))
    wobble = np.cumsum(rng.normal(0, 0.008, (n_regions, len(hour))), axis=1)
    g_per_kwh = np.maximum(level[:, None] * (duck + wobble), 5.0)
    sun = np.clip(np.sin((hour - 5) / 15 * np.pi), 0, None) ** 1.4 * (hour > 5)
    sun *= hour < 20
    kwp = np.where(np.arange(n_regions) % 2 == 0, 80.0, 0.0)[:, None] * solar
    return g_per_kwh, kwp * sun * 0.8


class _Jobs(NamedTuple):
    """Slots, power, gpus, first and last start, and home of each."""

    n: np.ndarray
    kw: np.ndarray
    gpus: np.ndarray
    earliest: np.ndarray
    latest: np.ndarray
    home: np.ndarray


def _jobs(
    rng: np.random.Generator, grid: TimeGrid, n_jobs: int, n_regions: int
) -> _Jobs:
    hours = rng.choice([0.5, 1.0, 1.5, 2.0, 4.0], n_jobs)
    n = np.maximum(np.round(hours / grid.slot_hours), 1).astype(int)
    kw = rng.gamma(2.0, 0.9, n_jobs)
    gpus = rng.integers(0, 5, n_jobs).astype(float)
    latest = np.minimum(grid.n_slots - n, int(24 / grid.slot_hours))
    earliest = (rng.random(n_jobs) ** 2 * latest * 0.7).astype(int)
    home = rng.integers(0, n_regions, n_jobs)
    return _Jobs(n, kw, gpus, earliest, latest, home)


def _choices(
    rng: np.random.Generator,
    grid: TimeGrid,
    jobs: _Jobs,
    g_per_kwh: FloatArray,
    solar_kw: FloatArray,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Region and start of each job under each policy, the later ones the better."""
    n_jobs, n_regions = len(jobs.n), len(g_per_kwh)
    early, late = [
        np.clip(
            jobs.earliest + (rng.random(n_jobs) * k).astype(int),
            jobs.earliest,
            jobs.latest,
        )
        for k in (1, 6 / grid.slot_hours)
    ]
    cost = _window_means(g_per_kwh - 3 * solar_kw, jobs.n)
    found = {"asap": (jobs.home, early), "threshold": (jobs.home, late)}
    other = (jobs.home + 1) % n_regions
    place, start = jobs.home, late
    for name, trials in (("greedy", 3), ("optimal", 1)):
        for _ in range(trials):
            r = np.where(rng.random(n_jobs) < 0.35, other, jobs.home)
            s = rng.integers(jobs.earliest, jobs.latest + 1)
            better = cost(r, s) < cost(place, start)
            place, start = np.where(better, r, place), np.where(better, s, start)
        found[name] = (place, start)
    return found


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


def policy_of(
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
