"""The board's room and marginal costs are those of the oracle, place by place."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.board import Board
from solvers.problem import Problem
from tests.instances import random_problem
from tests.oracles import Place, keeps_limits, places_of, price


@pytest.mark.parametrize("seed", range(60))
def test_costs_and_room_agree_with_the_oracle(seed: int) -> None:
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    board = Board(problem)
    for job in range(problem.n_jobs):
        _compare(problem, board, job)
        places = np.argwhere(board.open_starts(job))
        if len(places) and rng.random() < 0.8:
            region, start = rng.choice(places).tolist()
            board.place(job, region, int(problem.jobs.first[job]) + start)


def _compare(problem: Problem, board: Board, job: int) -> None:
    places = places_of(board.schedule())
    before = price(problem, places) - float(problem.jobs.unplaced_cost[job])
    costs, fits = board.costs(job), board.open_starts(job)
    for region in range(problem.places.n_regions):
        assert fits[region].tolist() == board.open_starts_in(job, region).tolist()
    for region, shift in np.ndindex(costs.shape):
        place: Place = (region, int(problem.jobs.first[job]) + shift)
        trial = [*places[:job], place, *places[job + 1 :]]
        assert fits[region, shift] == keeps_limits(problem, trial)
        if problem.jobs.allowed[job, region]:
            added = price(problem, trial) - before
            assert costs[region, shift] == pytest.approx(added, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_cheapest_is_the_least_cost_that_fits(seed: int) -> None:
    problem = random_problem(seed)
    board = Board(problem)
    for job in range(problem.n_jobs):
        fits, costs = board.open_starts(job), board.costs(job)
        found = board.cheapest(job)
        assert (found is None) == (not fits.any())
        if found is not None:
            least, (region, start) = found
            assert least == costs[fits].min()
            assert costs[region, start - problem.jobs.first[job]] == pytest.approx(
                least, abs=1e-9
            )
            board.place(job, region, start)
