"""Which limit keeps unplaced jobs out, counted start by start."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.board import Board
from solvers.greedy import Greedy
from solvers.reasons import NO_LIMIT, Why, reasons
from solvers.solution import Schedule, SolveOptions
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.instances import random_problem


def test_job_larger_than_any_region_is_too_large() -> None:
    job = AJob(demand={"cpu": 1, "gpu": 3})
    capacity = {"cpu": 8, "gpu": [[1], [2]]}
    problem = a_problem([job], weight=((1.0,) * 3,) * 2, capacity=capacity)
    found = reasons(problem, a_schedule(None))
    assert found.why.tolist() == [Why.TOO_LARGE]
    assert (found.resource.tolist(), found.region.tolist()) == ([1], [0])
    assert found.share.tolist() == [1.0]


def test_limit_that_blocks_most_starts_is_named() -> None:
    # Cpu is short in slot 0, gpu in slots 2 and 3; a run of two slots has starts
    # 0, 1, 2: cpu blocks the first, gpu the other two.
    jobs = [
        AJob(demand={"cpu": 4}, first=0, last=0),
        AJob(slots=2, demand={"gpu": 1}, first=2, last=2),
        AJob(slots=2, demand={"cpu": 1, "gpu": 1}),
    ]
    problem = a_problem(jobs, capacity={"cpu": 4, "gpu": 1})
    found = reasons(problem, a_schedule((0, 0), (0, 2), None))
    assert found.job.tolist() == [2]
    assert found.why.tolist() == [Why.TAKEN]
    assert found.resource.tolist() == [1]
    assert found.share.tolist() == pytest.approx([2 / 3])


def test_ties_name_the_home_region() -> None:
    jobs = [
        AJob(demand={"cpu": 1}, regions=[0], last=0),
        AJob(demand={"cpu": 1}, regions=[1], last=0),
        AJob(demand={"cpu": 1}, home=1, last=0),
    ]
    problem = a_problem(jobs, weight=((1.0,),) * 2, capacity={"cpu": 1})
    found = reasons(problem, a_schedule((0, 0), (1, 0), None))
    assert found.region.tolist() == [1]


def test_job_that_would_fit_has_room() -> None:
    problem = a_problem([AJob(demand={"cpu": 1})], capacity={"cpu": 1})
    found = reasons(problem, a_schedule(None))
    assert found.why.tolist() == [Why.ROOM]
    assert found.resource.tolist() == [NO_LIMIT]


def test_limits_elsewhere_in_the_day_do_not_count() -> None:
    jobs = [AJob(demand={"cpu": 1}, first=1, last=1)] * 2
    jobs.append(AJob(slots=1, demand={"cpu": 1}, first=3, last=3))
    problem = a_problem(jobs, capacity={"cpu": 1})
    found = reasons(problem, a_schedule((0, 1), None, None))
    assert found.why.tolist() == [Why.TAKEN, Why.ROOM]


def test_everything_placed_gives_no_reasons() -> None:
    problem = a_problem([AJob()], capacity={"cpu": 1})
    assert len(reasons(problem, a_schedule((0, 0))).job) == 0


def test_no_limits_at_all_leave_room() -> None:
    assert reasons(a_problem([AJob()]), a_schedule(None)).why.tolist() == [Why.ROOM]


@pytest.mark.parametrize("seed", range(0, 300, 5))
def test_reasons_agree_with_the_board(seed: int) -> None:
    problem = random_problem(seed)
    schedule = Greedy().solve(problem, SolveOptions()).schedule
    assert schedule is not None
    board, nothing = Board(problem), Board(problem)
    for job in np.flatnonzero(schedule.region >= 0).tolist():
        board.place(job, int(schedule.region[job]), int(schedule.start[job]))
    found = reasons(problem, schedule)
    for job, why in zip(found.job.tolist(), found.why.tolist(), strict=True):
        assert (why == Why.ROOM) == board.open_starts(job).any()
        assert (why == Why.TOO_LARGE) == (not nothing.open_starts(job).any())


def test_many_jobs_are_explained_as_one_by_one() -> None:
    jobs = [AJob(demand={"cpu": 1 + i % 3}, first=i % 4) for i in range(40)]
    problem = a_problem(jobs, capacity={"cpu": [[0, 1, 2, 0]]})
    empty = Schedule.empty(40)
    found = reasons(problem, empty)
    for i in (0, 7, 25, 39):
        alone = reasons(
            a_problem([jobs[i]], capacity={"cpu": [[0, 1, 2, 0]]}), Schedule.empty(1)
        )
        assert found.why[i] == alone.why[0]
        assert found.share[i] == alone.share[0]
