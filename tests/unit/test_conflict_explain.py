"""SO-03: who stands in a job's way, which limit, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from solvers.conflict import Blocked, Change, ChangeKind, explain_unplaced
from solvers.errors import ScheduleMismatchError
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.problem import Problem, RigidJobs
from solvers.solution import Schedule, SolveOptions
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.instances import Sizes, random_problem
from tests.oracles import brute_force, keeps_limits, places_of

AT_ONCE = AJob(slots=2, power_kw=6.0, first=1, last=1)
CALM = ((1.0,) * 6,)


def can_all_be_placed(problem: Problem, jobs: Sequence[int]) -> bool:
    """By the oracle: leaving a job out costs more than anything else could."""
    rows = sorted(jobs)
    columns = {
        name: getattr(problem.jobs, name)[rows]
        for name in RigidJobs.__dataclass_fields__
    }
    columns["unplaced_cost"] = np.full(len(rows), 1e7)
    part = replace(problem, jobs=RigidJobs(**columns))
    return None not in brute_force(part).places


def changed_by(problem: Problem, job: int, change: Change, amount: float) -> Problem:
    """Problem with a change of some amount."""
    if change.kind is ChangeKind.CAPACITY:
        capacity = problem.places.capacity.copy()
        capacity[change.resource, change.region] += amount
        return replace(problem, places=replace(problem.places, capacity=capacity))
    later = change.kind is ChangeKind.DEADLINE
    name = "last" if later else "first"
    edge = getattr(problem.jobs, name).copy()
    edge[job] += int(amount) if later else -int(amount)
    return replace(problem, jobs=replace(problem.jobs, **{name: edge}))


def test_jobs_that_need_more_power_than_there_is_are_named() -> None:
    bystander = AJob(power_kw=0.5, first=1, last=1)
    problem = a_problem(
        [AT_ONCE, bystander, AT_ONCE, AT_ONCE], weight=CALM, capacity={"power_kw": 12.5}
    )
    found = explain_unplaced(problem, a_schedule((0, 1), (0, 1), (0, 1), None), 3)
    assert found.others == (0, 2)
    assert found.minimal
    assert found.held == 0
    assert found.limits_minimal
    assert [(b.resource, b.region) for b in found.limits] == [(0, 0)]
    assert 1 <= found.limits[0].start < found.limits[0].end <= 3


def test_smallest_changes_are_found_and_ordered() -> None:
    problem = a_problem([AT_ONCE] * 3, weight=CALM, capacity={"power_kw": 12.5})
    found = explain_unplaced(problem, a_schedule((0, 1), (0, 1), None), 2)
    more, later = found.changes
    assert (more.kind, more.resource, more.region) == (ChangeKind.CAPACITY, 0, 0)
    assert more.amount == pytest.approx(18 - 12.5)
    assert (later.kind, later.amount) == (ChangeKind.DEADLINE, 2.0)
    assert more.smallest
    assert later.smallest


def test_changes_are_ordered_by_what_they_are_relative_to() -> None:
    jobs = [AJob(slots=4, demand={"cpu": 1}, first=1, last=1)] * 2
    problem = a_problem(jobs, weight=((1.0,) * 5,), capacity={"cpu": [[1] * 4 + [0]]})
    # Only more units help here: the horizon ends; one unit of one is all of it.
    found = explain_unplaced(problem, a_schedule(None, None), 1)
    assert [c.amount for c in found.changes] == [1.0, 1.0]
    assert [c.kind for c in found.changes] == [
        ChangeKind.EARLIEST,
        ChangeKind.CAPACITY,
    ]


def test_an_earlier_release_is_offered_where_it_helps() -> None:
    late = AJob(demand={"cpu": 1}, first=5, last=5)
    problem = a_problem([late, late], weight=CALM, capacity={"cpu": 1})
    found = explain_unplaced(problem, a_schedule((0, 5), None), 1)
    kinds = {change.kind: change.amount for change in found.changes}
    assert kinds == {ChangeKind.CAPACITY: 1.0, ChangeKind.EARLIEST: 1.0}


def test_job_too_large_even_alone_has_no_rivals() -> None:
    job = AJob(demand={"gpu": 5})
    problem = a_problem([AJob(), job], capacity={"gpu": 2, "power_kw": 9})
    found = explain_unplaced(problem, a_schedule((0, 0), None), 1)
    assert found.others == ()
    assert found.minimal
    assert [b.resource for b in found.limits] == [0]
    assert [(c.kind, c.amount) for c in found.changes] == [(ChangeKind.CAPACITY, 3.0)]


def test_every_region_where_the_job_may_run_is_part_of_the_conflict() -> None:
    job = AJob(demand={"cpu": 2}, last=0)
    problem = a_problem(
        [job, job, job], weight=((1.0,), (1.0,)), capacity={"cpu": [[3], [2]]}
    )
    found = explain_unplaced(problem, a_schedule((0, 0), (1, 0), None), 2)
    assert found.others == (0, 1)
    assert [(b.resource, b.region) for b in found.limits] == [(0, 0), (0, 1)]
    amounts = {c.region: c.amount for c in found.changes}
    assert amounts == {0: 1.0, 1: 2.0}


def test_slots_that_do_not_matter_are_left_out() -> None:
    long = AJob(demand={"cpu": 1}, slots=6)
    short = AJob(demand={"cpu": 1}, first=3, last=3)
    problem = a_problem([long, short], weight=CALM, capacity={"cpu": 1})
    found = explain_unplaced(problem, a_schedule((0, 0), None), 1)
    assert found.limits == (Blocked(resource=0, region=0, start=3, end=4),)


def test_a_place_that_moving_others_frees_is_returned_instead() -> None:
    jobs = [AJob(demand={"cpu": 1}), AJob(demand={"cpu": 1}, first=2, last=2)]
    problem = a_problem(jobs, capacity={"cpu": 1})
    found = explain_unplaced(problem, a_schedule((0, 2), None), 1)
    assert found.schedule is not None
    assert found.schedule.n_unplaced == 0
    assert violations(problem, found.schedule) == []


def test_thirds_of_a_unit_add_up() -> None:
    job = AJob(demand={"cpu": 1 / 3}, last=0)
    problem = a_problem([job] * 4, weight=((1.0,),), capacity={"cpu": 1.0})
    last_third = explain_unplaced(problem, a_schedule((0, 0), (0, 0), None, None), 2)
    assert last_third.schedule is not None
    found = explain_unplaced(problem, a_schedule((0, 0), (0, 0), (0, 0), None), 3)
    assert found.others == (0, 1, 2)


def test_placed_job_is_refused() -> None:
    with pytest.raises(ScheduleMismatchError, match="job 0 is placed"):
        explain_unplaced(a_problem([AJob()]), a_schedule((0, 0)), 0)


def test_without_time_nothing_is_claimed() -> None:
    problem = a_problem([AT_ONCE] * 3, weight=CALM, capacity={"power_kw": 12.5})
    schedule = a_schedule((0, 1), (0, 1), None)
    found = explain_unplaced(problem, schedule, 2, time_limit_s=0.0)
    assert not found.decided
    assert not found.minimal
    assert found.changes == ()


def test_large_days_are_answered_in_time_about_a_part_that_may_move() -> None:
    job = AJob(slots=4, demand={"cpu": 1})
    tight = a_problem([job] * 2001, weight=((1.0,) * 40,), capacity={"cpu": 200})
    full = Schedule(
        region=np.append(np.zeros(2000), -1).astype(np.int16),
        start=np.append(np.repeat(np.arange(10) * 4, 200), -1).astype(np.int32),
    )
    began = monotonic()
    found = explain_unplaced(tight, full, 2000, time_limit_s=3.0)
    assert monotonic() - began < 6.0
    assert found.decided
    assert found.schedule is None
    assert found.held + len(found.others) <= 2000
    assert found.held > 0
    assert len(found.others) >= 8
    assert found.limits


@pytest.mark.parametrize("seed", range(0, 600, 12))
def test_conflicts_of_random_days_are_real_minimal_and_mended(seed: int) -> None:
    problem = random_problem(seed, Sizes(jobs=6, slots=8))
    schedule = Greedy().solve(problem, SolveOptions()).schedule
    assert schedule is not None
    placed = np.flatnonzero(schedule.region >= 0).tolist()
    for job in np.flatnonzero(schedule.region < 0)[:2].tolist():
        found = explain_unplaced(problem, schedule, job)
        assert found.decided
        if found.schedule is not None:
            assert keeps_limits(problem, places_of(found.schedule))
            assert set(np.flatnonzero(found.schedule.region >= 0)) == {*placed, job}
            continue
        assert found.minimal
        assert found.held == 0
        assert not can_all_be_placed(problem, [*found.others, job])
        for other in found.others:
            rest = {*found.others, job} - {other}
            assert can_all_be_placed(problem, sorted(rest))
        for change in found.changes:
            step = 1e-3 if change.kind is ChangeKind.CAPACITY else 1
            enough = changed_by(problem, job, change, change.amount)
            less = changed_by(problem, job, change, change.amount - step)
            assert can_all_be_placed(enough, [*placed, job])
            assert not can_all_be_placed(less, [*placed, job])
