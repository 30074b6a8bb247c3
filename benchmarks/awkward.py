"""Days that break planners: too full, no slack, huge horizons, nothing to choose by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.synthetic import synthetic_day
from solvers.problem import Problem

AWKWARD = {
    "overfull": "too tight: some jobs must stay unplaced",
    "no_slack": "no slack at all: each job has one start",
    "five_minutes_72_h": "5-minute slots over 72 h",
    "twenty_regions": "20 regions",
    "all_equal": "all jobs equal",
    "flat": "intensity is flat",
    "negative": "negative weights at noon",
    "budget": "a daily solar budget",
}
"""Family to what is awkward about it."""


def awkward_day(name: str, n_jobs: int) -> Problem:
    """Day of one of the awkward families."""
    if name == "overfull":
        return synthetic_day(n_jobs, seed=2, fill=1.3)
    if name == "no_slack":
        return synthetic_day(n_jobs, seed=3, slack_hours=(0.0, 0.0), fill=0.3)
    if name == "five_minutes_72_h":
        return synthetic_day(n_jobs, n_slots=864, slot_minutes=5)
    if name == "twenty_regions":
        return synthetic_day(n_jobs, seed=4, n_regions=20)
    if name == "negative":
        return synthetic_day(n_jobs, seed=7, negative_hours=3)
    if name == "budget":
        return synthetic_day(n_jobs, seed=8, budget_share=0.4)
    return _alike(name, synthetic_day(n_jobs, seed=5))


def _alike(name: str, problem: Problem) -> Problem:
    """All jobs equal, or the same intensity everywhere."""
    jobs, places = problem.jobs, problem.places
    if name == "flat":
        weight = np.full(places.weight_per_kwh.shape, 0.2)
        return replace(problem, places=replace(places, weight_per_kwh=weight))
    columns = {
        field: np.repeat(getattr(jobs, field)[:1], len(jobs), axis=0)
        for field in jobs.__dataclass_fields__
    }
    held = columns["demand"][0] * columns["n_slots"][0] * len(jobs)
    wanted = np.ceil(held / (places.n_slots * places.n_regions * 0.3)) + 1.0
    capacity = np.broadcast_to(wanted[:, None, None], places.capacity.shape).copy()
    return replace(
        problem,
        jobs=replace(jobs, **columns),
        places=replace(places, capacity=capacity),
    )
