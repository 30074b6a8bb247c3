"""Work that still runs when a horizon begins, and what it takes up."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from inputs.timegrid import day_grid, to_us
from outputs.carry_over import EarlierWork, earlier_work, occupancy
from outputs.errors import PlanFormatError
from tests.factories_plan import at, planned_row, small_plan, unplaced_row

GRID = day_grid(date(2026, 11, 22), timezone="UTC", slot_minutes=60)


def running(
    *rows: dict[str, Any], regions: tuple[str, ...] = ("north", "south")
) -> EarlierWork:
    plan = small_plan(list(rows))
    return earlier_work(plan, at=at(0), regions=regions, resources=("cpu", "gpu"))


def row(job: str, start: float, end: float, **columns: Any) -> dict[str, Any]:
    spec = '{"resources":{"cpu":4,"tpu":1}}'
    return planned_row(
        job, **{"start": at(start), "end": at(end), "spec": spec} | columns
    )


def test_only_segments_that_run_across_the_instant_count() -> None:
    work = running(
        row("ended", -3, 0),
        row("ended before", -3, -1),
        row("runs", -3, 1.5),
        row("begins", 0, 2),
        row("later", 1, 2),
        unplaced_row("never"),
    )
    assert len(work) == 1
    assert work.start_us.tolist() == [to_us(at(-3))]
    assert work.end_us.tolist() == [to_us(at(1.5))]
    assert work.power_kw.tolist() == [2.0]
    assert work.demand.tolist() == [[4.0, 0.0]]


def test_replicas_hold_their_resources_each() -> None:
    assert running(row("a", -1, 1, replicas=3)).demand.tolist() == [[12.0, 0.0]]


def test_region_is_found_by_name_and_work_in_one_that_is_gone_takes_nothing() -> None:
    work = running(row("a", -1, 1, region="south"), row("b", -1, 1, region="west"))
    assert work.region.tolist() == [1]
    assert len(running(row("a", -1, 1), regions=())) == 0


def test_running_work_is_known_where_no_job_of_today_holds_any_resource() -> None:
    plan = small_plan([row("a", -1, 1)])
    work = earlier_work(plan, at=at(0), regions=("north",), resources=())
    assert work.demand.shape == (1, 0)
    assert work.power_kw.tolist() == [2.0]


def test_nothing_running_gives_empty_columns() -> None:
    work = running()
    assert len(work) == 0
    assert work.demand.shape == (0, 2)
    assert occupancy(work, GRID, n_regions=2).power_kw.sum() == 0


@pytest.mark.parametrize("spec", ["", "[]", "{}", '{"resources":{"cpu":"x"}}'])
def test_spec_without_resources_is_refused(spec: str) -> None:
    with pytest.raises(PlanFormatError, match="does not name the resources"):
        running(row("a", -1, 1, spec=spec))


def test_touched_slots_are_held_in_full_and_energy_is_in_proportion() -> None:
    used = occupancy(running(row("a", -3, 1.25), row("b", -1, 0.5)), GRID, n_regions=2)
    assert used.power_kw[0, :3].tolist() == [4.0, 2.0, 0.0]
    assert used.demand[0, 0, :3].tolist() == [8.0, 4.0, 0.0]
    assert used.energy_kwh[0, :3].tolist() == [3.0, 0.5, 0.0]
    assert used.power_kw[1].sum() == used.demand[1].sum() == 0


def test_work_beyond_the_horizon_is_cut_off() -> None:
    used = occupancy(running(row("a", -3, 100)), GRID, n_regions=1)
    assert used.energy_kwh.tolist() == [[2.0] * 24]


def test_sun_that_earlier_work_takes_is_bounded_by_both() -> None:
    used = occupancy(running(row("a", -3, 2)), GRID, n_regions=1)
    sun = np.full((1, 24), 0.5)
    sun[0, 1] = -1.0
    assert used.solar_kwh(sun)[0, :3].tolist() == [0.5, 0.0, 0.0]


def test_columns_of_unequal_length_are_refused() -> None:
    work = running(row("a", -1, 1))
    with pytest.raises(ValueError, match="power_kw has 2 entries"):
        EarlierWork(
            region=work.region,
            start_us=work.start_us,
            end_us=work.end_us,
            power_kw=np.ones(2),
            demand=work.demand,
        )
