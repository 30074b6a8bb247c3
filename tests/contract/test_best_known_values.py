"""SO-08: recorded best values of days that are too large for brute force."""

from __future__ import annotations

import pytest

from solvers.registry import load
from tests.golden.best_known import OPTIONS, SEEDS, instance, recorded
from tests.promises import check_answer

TOLERANCE = 1e-6


def asked_of(name: str) -> dict[int, float]:
    """All days, but only some of the solver that goes on to search after proving."""
    every = recorded()
    step = 8 if name == "auto" else 1
    return {seed: every[seed] for seed in list(every)[::step]}


def test_so_08_every_seed_is_recorded() -> None:
    assert list(recorded()) == list(SEEDS)


@pytest.mark.parametrize("name", ["exact", "auto", "greedy"])
def test_so_08_no_solver_beats_or_bounds_away_a_recorded_value(name: str) -> None:
    """Those that claim the optimum reach it, too."""
    solver = load(name)
    for seed, best in asked_of(name).items():
        solution = solver.solve(instance(seed), OPTIONS)
        objective, _ = check_answer(instance(seed), solution)
        bound = solution.bound
        slack = TOLERANCE * max(1.0, abs(best))
        assert objective >= best - slack, seed
        assert bound is None or bound <= best + slack, seed
        if name != "greedy":
            assert objective <= best + slack, seed
