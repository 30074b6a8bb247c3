import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rivals.days import at_home
from benchmarks.rivals.exchange import RivalUnavailableError, ask
from benchmarks.rivals.scoring import made_feasible, score
from benchmarks.synthetic import synthetic_day
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.registry import load
from solvers.solution import UNPLACED, Schedule, SolveOptions
from tests.factories_solvers import AJob, a_problem


def _schedule(*starts: int) -> Schedule:
    start = np.array(starts, dtype=np.int32)
    region = np.where(start < 0, UNPLACED, 0).astype(np.int16)
    return Schedule(region=region, start=start)


def _two_jobs_on_one_cpu(**job: int) -> Problem:
    a_job = AJob(demand={"cpu": 1}, **job)
    return a_problem([a_job, a_job], capacity={"cpu": 1})


def test_an_overbooked_slot_is_counted_once_with_its_share() -> None:
    result = score(_two_jobs_on_one_cpu(slots=2), _schedule(1, 1))
    assert (result.overbooked, result.worst) == (2, 1.0)


def test_a_start_outside_the_window_is_counted_by_job() -> None:
    result = score(_two_jobs_on_one_cpu(last=1), _schedule(0, 3))
    assert (result.outside, result.overbooked) == (1, 0)


def test_emissions_are_shared_by_the_energy_of_placed_jobs_alone() -> None:
    result = score(_two_jobs_on_one_cpu(), _schedule(0, -1))
    assert (result.emissions_kg, result.g_per_kwh) == (1.0, 1000.0)
    assert result.unplaced == 1


def test_the_second_of_two_equal_wishes_waits() -> None:
    repaired = made_feasible(_two_jobs_on_one_cpu(), _schedule(1, 1))
    assert repaired.start.tolist() == [1, 2]


def test_a_wish_without_room_after_it_goes_to_the_nearest_before() -> None:
    repaired = made_feasible(_two_jobs_on_one_cpu(), _schedule(3, 3))
    assert repaired.start.tolist() == [3, 2]


def test_a_wish_without_any_room_is_left_out() -> None:
    repaired = made_feasible(_two_jobs_on_one_cpu(last=0), _schedule(0, 0))
    assert repaired.start.tolist() == [0, UNPLACED]


def test_made_feasible_keeps_every_limit_and_what_already_kept_them() -> None:
    day = synthetic_day(200, seed=3, fill=0.8)
    crowd = Schedule(region=day.jobs.home.copy(), start=day.jobs.first.copy())
    assert violations(day, crowd)
    assert not violations(day, made_feasible(day, crowd))
    kept = load("greedy").solve(day, SolveOptions()).schedule
    assert kept is not None
    again = made_feasible(day, kept)
    assert (again.start == kept.start).all()
    assert (again.region == kept.region).all()


FAKE_RIVAL = """
import json, sys
day = json.load(sys.stdin)
print("a greeting")
found = [[[r, job["last"], 100.0] for r in job["regions"]] for job in day["jobs"]]
print(json.dumps({"seconds": 0.5, "found": found}))
"""


def _two_regions() -> Problem:
    return a_problem(
        [AJob(home=0, last=2, demand={"cpu": 1}, place_kg=[0.0, 0.01])] * 2,
        weight=((1.0,) * 4, (1.0,) * 4),
        pue=[1.5, 1.1],
        capacity={"cpu": 1},
    )


@pytest.mark.parametrize("home_only", [True, False])
def test_a_rival_is_asked_in_its_own_process(tmp_path: Path, home_only: bool) -> None:
    (tmp_path / "run_fake.py").write_text(FAKE_RIVAL)
    day = at_home(_two_regions()) if home_only else _two_regions()
    answer = ask("fake", Path(sys.executable), day, time_limit_s=5.0, drivers=tmp_path)
    assert answer.seconds == 0.5
    assert answer.schedule.start.tolist() == [2, 2]
    # Abroad: 0.11 kg of grid energy and 0.01 of transfer; at home 0.15.
    assert answer.schedule.region.tolist() == ([0, 0] if home_only else [1, 1])


def test_a_wish_without_room_in_its_region_goes_to_another_allowed_one() -> None:
    day = a_problem(
        [AJob(slots=4, demand={"cpu": 1})] * 2,
        weight=((1.0,) * 4, (2.0,) * 4),
        capacity={"cpu": 1},
    )
    assert made_feasible(day, _schedule(0, 0)).region.tolist() == [0, 1]
    assert made_feasible(at_home(day), _schedule(0, 0)).region.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("python", "reason"),
    [(Path("no/such/python"), "does not exist"), (Path(sys.executable), "No module")],
)
def test_a_rival_that_is_not_installed_is_left_out_with_the_reason(
    python: Path, reason: str
) -> None:
    with pytest.raises(RivalUnavailableError, match=reason):
        ask("emhass", python, _two_regions(), time_limit_s=5.0)
