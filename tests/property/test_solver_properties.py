"""What holds of the optimum of any problem, asked of the oracle and of ``exact``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.problem import Places, Problem, RigidJobs
from solvers.registry import SOLVERS, load
from tests.instances import Sizes, problems
from tests.oracles import brute_force
from tests.promises import EXACT

FEW = Sizes(jobs=4, regions=2, slots=8, resources=1)
CASES = settings(max_examples=25, deadline=None)

Optimum = Callable[[Problem], float]


def by_oracle(problem: Problem) -> float:
    return brute_force(problem).objective


def by_exact(problem: Problem) -> float:
    if "exact" not in SOLVERS:
        pytest.skip("no exact solver is registered")
    objective = load("exact").solve(problem, EXACT).objective
    assert objective is not None
    return objective


every_optimum = pytest.mark.parametrize("optimum", [by_oracle, by_exact])


def with_places(problem: Problem, **changes: object) -> Problem:
    places: Places = replace(problem.places, **changes)  # type: ignore[arg-type]
    return replace(problem, places=places)


def with_jobs(problem: Problem, **changes: object) -> Problem:
    jobs: RigidJobs = replace(problem.jobs, **changes)  # type: ignore[arg-type]
    return replace(problem, jobs=jobs)


def no_more(value: float, than: float) -> bool:
    return value <= than + 1e-6 * max(1.0, abs(than))


@every_optimum
@CASES
@given(problem=problems(FEW), extra=st.integers(0, 3))
def test_more_capacity_never_raises_the_optimum(
    optimum: Optimum, problem: Problem, extra: int
) -> None:
    roomier = with_places(problem, capacity=problem.places.capacity + extra)
    assert no_more(optimum(roomier), optimum(problem))


@every_optimum
@CASES
@given(problem=problems(FEW), extra=st.integers(0, 3))
def test_more_sun_never_raises_the_optimum_where_grid_energy_costs(
    optimum: Optimum, problem: Problem, extra: int
) -> None:
    weight = np.maximum(problem.places.weight_per_kwh, 0.0)
    dull = with_places(problem, weight_per_kwh=weight)
    sunny = with_places(dull, solar_kwh=problem.places.solar_kwh + extra)
    assert no_more(optimum(sunny), optimum(dull))


@every_optimum
@CASES
@given(problem=problems(FEW), extra=st.integers(0, 3))
def test_a_larger_solar_budget_never_raises_the_optimum_where_grid_energy_costs(
    optimum: Optimum, problem: Problem, extra: int
) -> None:
    weight = np.maximum(problem.places.weight_per_kwh, 0.0)
    tight = with_places(problem, weight_per_kwh=weight)
    wide = with_places(tight, solar_budget_kwh=problem.places.solar_budget_kwh + extra)
    assert no_more(optimum(wide), optimum(tight))


@every_optimum
@CASES
@given(problem=problems(FEW), slots=st.integers(1, 3))
def test_a_later_deadline_never_raises_the_optimum(
    optimum: Optimum, problem: Problem, slots: int
) -> None:
    jobs = problem.jobs
    horizon = problem.places.n_slots - jobs.n_slots
    later = with_jobs(problem, last=np.minimum(jobs.last + slots, horizon))
    assert no_more(optimum(later), optimum(problem))


@every_optimum
@CASES
@given(problem=problems(FEW), factor=st.sampled_from([0.5, 2.0, 3.0]))
def test_scaling_every_weight_scales_the_optimum(
    optimum: Optimum, problem: Problem, factor: float
) -> None:
    jobs = problem.jobs
    scaled = with_jobs(
        with_places(problem, weight_per_kwh=problem.places.weight_per_kwh * factor),
        place_cost=jobs.place_cost * factor,
        delay_cost=jobs.delay_cost * factor,
        unplaced_cost=jobs.unplaced_cost * factor,
    )
    assert optimum(scaled) == pytest.approx(
        factor * optimum(problem), rel=1e-6, abs=1e-6
    )


@every_optimum
@CASES
@given(problem=problems(FEW), seed=st.integers(0, 99))
def test_order_of_jobs_and_regions_does_not_matter(
    optimum: Optimum, problem: Problem, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    j = rng.permutation(problem.n_jobs)
    r = rng.permutation(problem.places.n_regions)
    places, jobs = problem.places, problem.jobs
    shuffled = with_places(
        problem,
        **{
            name: getattr(places, name)[r]
            for name in (
                "weight_per_kwh",
                "g_per_kwh",
                "pue",
                "solar_kwh",
                "solar_budget_kwh",
            )
        },
        capacity=places.capacity[:, r],
    )
    columns = {name: getattr(jobs, name)[j] for name in RigidJobs.__dataclass_fields__}
    for name in ("allowed", "place_cost", "place_kg"):
        columns[name] = columns[name][:, r]
    columns["home"] = np.argsort(r)[columns["home"]].astype(np.int16)
    shuffled = with_jobs(shuffled, **columns)
    assert optimum(shuffled) == pytest.approx(optimum(problem), rel=1e-6, abs=1e-6)


@every_optimum
@CASES
@given(problem=problems(FEW))
def test_one_job_less_never_raises_the_optimum_where_grid_energy_costs(
    optimum: Optimum, problem: Problem
) -> None:
    weight = np.maximum(problem.places.weight_per_kwh, 0.0)
    whole = with_places(problem, weight_per_kwh=weight)
    columns = {
        name: getattr(problem.jobs, name)[:-1]
        for name in RigidJobs.__dataclass_fields__
    }
    assert no_more(optimum(with_jobs(whole, **columns)), optimum(whole))
