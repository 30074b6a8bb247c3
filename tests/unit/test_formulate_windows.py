from datetime import timedelta

import numpy as np
import pytest

from planner.formulate.windows import windows
from tests.factories_day import GRID, DayJob, at, some_jobs


def first_and_last(job: DayJob) -> tuple[int, int]:
    slots = windows(some_jobs(job), GRID)
    return int(slots.first[0]), int(slots.last[0])


def test_a_job_without_a_window_may_start_in_every_slot_that_leaves_room():
    assert first_and_last(DayJob(duration=timedelta(hours=3))) == (0, 21)


def test_a_job_starts_on_the_first_border_after_its_earliest_instant():
    assert first_and_last(DayJob(earliest=at("05:00")))[0] == 5
    assert first_and_last(DayJob(earliest=at("05:01")))[0] == 6


def test_the_run_itself_must_end_by_the_deadline_not_its_last_slot():
    job = DayJob(duration=timedelta(minutes=90), deadline=at("06:30"))
    assert first_and_last(job)[1] == 5


def test_the_last_slot_is_used_in_proportion():
    slots = windows(some_jobs(DayJob(duration=timedelta(minutes=90))), GRID)
    assert slots.n_slots[0] == 2
    assert slots.last_fraction[0] == pytest.approx(0.5)


def test_slots_of_a_run_stay_within_the_horizon_when_its_end_is_not_on_a_border():
    job = DayJob(duration=timedelta(minutes=90))
    assert first_and_last(job)[1] == 22


def test_a_window_that_cannot_hold_the_job_has_its_last_start_before_its_first():
    first, last = first_and_last(
        DayJob(duration=timedelta(hours=2), earliest=at("05:00"), deadline=at("06:00"))
    )
    assert last < first


def test_a_window_outside_of_the_horizon_holds_nothing():
    for job in (
        DayJob(deadline=at("00:00") - timedelta(hours=1)),
        DayJob(earliest=at("00:00") + timedelta(days=400)),
    ):
        first, last = first_and_last(job)
        assert last < first


def test_a_pinned_start_leaves_one_slot():
    job = DayJob(pin_start=at("07:00"))
    assert first_and_last(job) == (7, 7)


def test_a_start_pinned_to_earliest_means_the_first_border_from_there():
    job = DayJob(earliest=at("07:10"), pin_start=at("07:10"))
    slots = windows(some_jobs(job), GRID)
    assert (slots.first[0], slots.last[0], slots.off_border[0]) == (8, 8, False)


def test_a_pinned_start_between_borders_is_marked():
    slots = windows(some_jobs(DayJob(pin_start=at("07:10"))), GRID)
    assert slots.off_border[0]


def test_a_pinned_start_outside_of_the_window_holds_nothing():
    job = DayJob(pin_start=at("07:00"), deadline=at("06:00"))
    first, last = first_and_last(job)
    assert last < first


def test_waiting_is_counted_from_earliest_cut_to_the_horizon():
    jobs = some_jobs(
        DayJob(earliest=at("05:15")),
        DayJob(earliest=at("00:00") - timedelta(hours=9)),
        DayJob(),
    )
    waited_min = windows(jobs, GRID).waited_us / 60e6
    np.testing.assert_allclose(waited_min, [45, 0, 0])
