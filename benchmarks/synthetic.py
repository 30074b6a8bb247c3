"""Synthetic days of any size, built as arrays; the same seed gives the same day.

Run as a script to print a day's size: ``python -m benchmarks.synthetic 1000``.
"""

from __future__ import annotations

import sys

import numpy as np

from solvers.problem import FloatArray, Int64Array, Places, Problem, RigidJobs

_WEIGHTS = np.array([0.30, 0.30, 0.20, 0.15, 0.05])
_CPUS = np.array([1, 2, 4, 8, 16])


def synthetic_day(
    n_jobs: int,
    *,
    seed: int = 0,
    n_regions: int = 3,
    n_slots: int = 96,
    slot_minutes: int = 15,
    fill: float = 0.6,
    solar_share: float = 0.25,
    slack_hours: tuple[float, float] = (0.5, 10.0),
    max_hours: float = 4.0,
    gpu_share: float = 0.3,
    negative_hours: int = 0,
    budget_share: float | None = None,
) -> Problem:
    """Day of rigid jobs that compete for capacity and solar.

    Parameters
    ----------
    n_jobs
        1 to 10,000,000; memory is about 150 bytes a job.
    seed
        Of all random numbers.
    n_regions, n_slots, slot_minutes
        Places and horizon.
    fill
        Mean use of the cpus over the day; the gpus are as tight. Above 0.9 some
        jobs must stay out.
    solar_share
        On-site solar energy over the energy of all jobs; it shines in daytime.
    slack_hours
        Smallest and largest room of a job's window beyond its run time. [h]
    max_hours
        Longest run; run times are skewed to short ones. [h]
    gpu_share
        Share of jobs that need gpus and run where there are some.
    negative_hours
        Hours at noon in which grid energy has a negative weight, in region 0.
    budget_share
        Daily solar budget over the day's solar energy; None for no budget.
    """
    rng = np.random.default_rng(seed)
    slot_hours = slot_minutes / 60.0
    jobs = _jobs(
        rng,
        n_jobs,
        n_regions=n_regions,
        n_slots=n_slots,
        slack=np.asarray(slack_hours) / slot_hours,
        max_slots=max_hours / slot_hours,
        gpu_share=gpu_share,
    )
    places = _places(
        rng,
        jobs,
        n_regions=n_regions,
        n_slots=n_slots,
        slot_minutes=slot_minutes,
        fill=fill,
        solar_share=solar_share,
        negative_hours=negative_hours,
        budget_share=budget_share,
    )
    return Problem(places=places, jobs=jobs)


def _places(
    rng: np.random.Generator,
    jobs: RigidJobs,
    *,
    n_regions: int,
    n_slots: int,
    slot_minutes: int,
    fill: float,
    solar_share: float,
    negative_hours: int,
    budget_share: float | None,
) -> Places:
    slot_hours = slot_minutes / 60.0
    day = np.arange(n_slots) * slot_minutes // (24 * 60)
    intensity = _intensity(rng, n_regions, n_slots, slot_hours)
    pue = 1.0 + 0.1 * rng.random(n_regions)
    energy = jobs.energy_kwh(slot_hours).sum()
    solar = _solar(rng, n_regions, n_slots, slot_hours) * energy * solar_share
    capacity = _capacity(rng, jobs, n_regions, n_slots, fill)
    return Places(
        slot_hours=slot_hours,
        weight_per_kwh=_weight(intensity, slot_hours, negative_hours),
        g_per_kwh=intensity,
        pue=pue,
        solar_kwh=solar,
        solar_budget_kwh=_budget(solar, day, budget_share),
        day=day,
        capacity=np.repeat(capacity[:, :, None], n_slots, axis=2),
        resources=("cpu", "gpu"),
    )


def _weight(intensity: FloatArray, slot_hours: float, hours: float) -> FloatArray:
    """Weight of carbon alone, turned negative in region 0 for hours from noon."""
    weight, noon = intensity / 1000.0, int(12 / slot_hours)
    weight[0, noon : noon + int(hours / slot_hours)] *= -0.2
    return weight


def _capacity(
    rng: np.random.Generator,
    jobs: RigidJobs,
    n_regions: int,
    n_slots: int,
    fill: float,
) -> FloatArray:
    """Units of each resource, unevenly shared; a region holds any single job."""
    work = jobs.demand * jobs.n_slots[:, None]
    share = 0.5 + rng.random(n_regions)
    share /= share.sum()
    units = work.sum(axis=0)[:, None] / (n_slots * fill) * share
    return np.asarray(np.maximum(np.ceil(units), jobs.demand.max(axis=0)[:, None]))


def _budget(solar: FloatArray, day: Int64Array, share: float | None) -> FloatArray:
    """Daily budgets of each region: a share of its sun, or no limit."""
    budget = np.full((len(solar), int(day[-1]) + 1), np.inf)
    if share is not None:
        for d in range(budget.shape[1]):
            budget[:, d] = share * solar[:, day == d].sum(axis=1)
    return budget


def _jobs(
    rng: np.random.Generator,
    n_jobs: int,
    *,
    n_regions: int,
    n_slots: int,
    slack: FloatArray,
    max_slots: float,
    gpu_share: float,
) -> RigidJobs:
    longest = max(1, min(int(max_slots), n_slots))
    run: FloatArray = np.minimum(
        0.25 + rng.exponential(longest / 4, n_jobs), float(longest)
    )
    n = np.maximum(np.ceil(run), 1).astype(np.int32)
    room = np.minimum(rng.uniform(slack[0], slack[1], n_jobs).astype(int), n_slots - n)
    first = (rng.random(n_jobs) * (n_slots - n - room + 1)).astype(np.int32)
    demand = _demand(rng, n_jobs, gpu_share)
    home = rng.integers(0, n_regions, n_jobs)
    allowed = rng.random((n_jobs, n_regions)) < 0.6
    allowed[np.arange(n_jobs), home] = True
    away = np.arange(n_regions) != home[:, None]
    place_kg = np.round(rng.exponential(0.02, n_jobs), 4)[:, None] * away
    power = np.round(0.02 * demand[:, 0] + 0.35 * demand[:, 1], 3)
    return RigidJobs(
        n_slots=n,
        last_fraction=np.asarray(np.clip(run - (n - 1), 0.05, 1.0), np.float64),
        first=first,
        last=(first + room).astype(np.int32),
        allowed=allowed,
        power_kw=power,
        demand=demand,
        place_cost=place_kg.copy(),
        place_kg=place_kg,
        delay_cost=np.zeros(n_jobs),
        unplaced_cost=np.full(n_jobs, 50.0 * float((power * n).max(initial=1.0))),
        home=home.astype(np.int16),
    )


def _demand(rng: np.random.Generator, n_jobs: int, gpu_share: float) -> FloatArray:
    """Cpus and gpus of each job, shape (n_jobs, 2)."""
    cpu = rng.choice(_CPUS, n_jobs, p=_WEIGHTS).astype(np.float64)
    gpu = np.where(
        rng.random(n_jobs) < gpu_share, rng.choice([1.0, 2.0, 4.0], n_jobs), 0.0
    )
    return np.column_stack([cpu, gpu])


def _intensity(
    rng: np.random.Generator, n_regions: int, n_slots: int, slot_hours: float
) -> FloatArray:
    """Daily and half-daily waves around a regional mean. [g/kWh]"""
    hour = np.arange(n_slots) * slot_hours
    mean = rng.uniform(120.0, 450.0, n_regions)[:, None]
    phase = rng.uniform(0.0, 24.0, (n_regions, 2))
    wave = 0.30 * np.cos(2 * np.pi * (hour - phase[:, :1]) / 24.0)
    wave += 0.12 * np.cos(4 * np.pi * (hour - phase[:, 1:]) / 24.0)
    noise = 0.02 * rng.standard_normal((n_regions, n_slots))
    return np.asarray(mean * (1.0 + wave + noise))


def _solar(
    rng: np.random.Generator, n_regions: int, n_slots: int, slot_hours: float
) -> FloatArray:
    """Shares of the horizon's solar energy, summing to 1 over regions and slots."""
    hour = (np.arange(n_slots) * slot_hours) % 24.0
    sun = np.maximum(0.0, np.sin(np.pi * (hour - 6.0) / 12.0)) * (hour < 18.0)
    size = rng.uniform(0.2, 1.0, n_regions)[:, None]
    solar = size * sun * (0.8 + 0.2 * rng.random((n_regions, n_slots)))
    return np.asarray(solar / max(solar.sum(), 1e-12))


if __name__ == "__main__":
    problem = synthetic_day(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    print("jobs, regions, slots, resources:", problem.shape)
