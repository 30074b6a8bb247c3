"""Which rows of a plan the executor refuses, whatever its signature says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from planner.executor.plan_limits import broken_limits
from tests.factories_executor import (
    DAY,
    plan_of,
    row,
)


def test_every_broken_row_is_named_with_its_job_and_times() -> None:
    plan = plan_of(row("x", "01:00"), row("y", "23:30"), row("z", "23:45"))
    assert broken_limits(plan) == [
        "y, segment 0: ends after the horizon (2026-11-22T23:30Z to 2026-11-23T00:30Z)",
        "z, segment 0: ends after the horizon (2026-11-22T23:45Z to 2026-11-23T00:45Z)",
    ]


def test_a_segment_that_is_there_twice_or_overlaps_another_is_refused() -> None:
    twice = plan_of(row("x", "01:00"), row("x", "03:00"))
    assert broken_limits(twice) == ["x, segment 0: is there twice"]
    over = plan_of(row("x", "01:00"), row("x", "01:30", segment=1))
    assert broken_limits(over) == ["x, segment 1: begins before another ends"]
    apart = plan_of(row("x", "01:00"), row("x", "02:00", segment=1))
    assert broken_limits(apart) == []


def test_rows_out_of_order_are_refused() -> None:
    plan = plan_of(row("x", "03:00"), row("y", "01:00"))
    assert ["is out of order" in problem for problem in broken_limits(plan)] == [True]


@pytest.mark.parametrize(("cap_kw", "problems"), [(3.0, 0), (2.9, 1)])
def test_the_power_cap_that_the_plan_names_is_kept(
    cap_kw: float, problems: int
) -> None:
    rows = (
        row("x", "01:00", power_kw=0.5),
        row("far", "01:30", power_kw=50.0, region="south"),
        row("y", "01:30", power_kw=2.0, minutes=40),
        # The slot in which y ends counts in full, the next one is free again.
        row("z", "02:00", power_kw=1.0),
        row("zz", "02:15", power_kw=1.5),
    )
    plan = plan_of(*rows, settings={"power_caps_kw": {"north": cap_kw}})
    assert len(broken_limits(plan)) == problems


def test_a_horizon_of_another_date_is_refused() -> None:
    plan = plan_of(row("x", "01:00"), date=DAY + timedelta(days=1))
    assert any("not on 2026-11-23" in problem for problem in broken_limits(plan))
