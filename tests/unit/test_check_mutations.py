"""A valid plan passes; each way to break it is found under its own name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from inputs.timegrid import to_us
from outputs.check import Rule
from outputs.plan import PolicyOutcome
from tests.factories_check import (
    BOUND,
    OBJECTIVE,
    Case,
    make_jobs,
    make_rows,
    make_settings,
)
from tests.factories_plan import at

PLAN_MUTATIONS: dict[str, Callable[[Case], Case]] = {
    "layout": lambda c: c.with_row(0, status="maybe"),
    "layout of an unplaced row": lambda c: c.with_row(3, power_kw=0.0),
    "order": lambda c: replace(c, rows=[c.rows[i] for i in (1, 0, 2, 3)]),
    "job-missing": lambda c: replace(c, rows=c.rows[:3]),
    "job-repeated": lambda c: replace(c, rows=[c.rows[0], *c.rows]),
    "segment": lambda c: c.with_row(0, segment=1),
    "region-unknown": lambda c: c.with_row(0, region="west"),
    "reason": lambda c: c.with_row(3, reason=None),
    "reason that is empty": lambda c: c.with_row(3, reason=""),
    "replicas": lambda c: c.with_row(1, replicas=2),
    "duration": lambda c: c.with_row(0, end=at(3)),
    "power_kw": lambda c: c.with_row(0, power_kw=3.0001),
    "energy_kwh": lambda c: c.with_row(0, energy_kwh=4.5001),
    "solar_kwh": lambda c: c.with_row(1, solar_kwh=1.7),
    "grid_kwh": lambda c: c.with_row(1, grid_kwh=4.3),
    "emissions_kg": lambda c: c.with_row(1, emissions_kg=0.43),
    "emissions_kg without transfer": lambda c: c.with_row(2, emissions_kg=0.1),
    "team": lambda c: c.with_row(0, team="ads"),
    "team made up": lambda c: c.with_row(1, team="ads"),
    "executor": lambda c: c.with_row(0, executor="shell"),
    "executor of the region": lambda c: c.with_row(2, executor="shell"),
    "command": lambda c: c.with_row(0, command=["run", "b"]),
    "command split otherwise": lambda c: c.with_row(0, command=["run a"]),
    "command made up": lambda c: c.with_row(2, command=[]),
    "spec": lambda c: c.with_row(3, spec="{}"),
    "baseline emissions": lambda c: c.with_row(0, baseline_emissions_kg=0.41),
    "baseline half given": lambda c: c.with_row(0, baseline_start=None),
    "baseline region": lambda c: c.with_row(0, baseline_region="west"),
    "horizon date": lambda c: c.with_meta(date=at(24).date()),
    "horizon zone": lambda c: c.with_meta(timezone="Etc/UTC"),
    "horizon start": lambda c: c.with_meta(horizon_start=at(1)),
    "horizon end": lambda c: c.with_meta(horizon_end=at(25)),
    "horizon slots": lambda c: c.with_meta(slot_minutes=30),
    "total-emissions": lambda c: c.with_meta(emissions_kg=0.95),
    "unplaced": lambda c: c.with_meta(unplaced=0),
    "bound": lambda c: c.with_meta(
        bound=OBJECTIVE * 1.001, gap=(OBJECTIVE - OBJECTIVE * 1.001) / OBJECTIVE
    ),
    "gap": lambda c: c.with_meta(gap=0.0),
    "gap that is hidden": lambda c: c.with_meta(gap=None),
    "gap without bound": lambda c: c.with_meta(bound=None),
    "objective": lambda c: c.with_meta(
        objective=OBJECTIVE + 0.01, gap=1 - BOUND / (OBJECTIVE + 0.01)
    ),
    "status feasible with jobs left out": lambda c: c.with_meta(status="feasible"),
    "status infeasible with jobs placed": lambda c: c.with_meta(status="infeasible"),
    "status that does not exist": lambda c: c.with_meta(status="best"),
    "status beyond the gap asked for": lambda c: c.with_meta(
        status="optimal", settings={"gap": 0.001}
    ),
    "status without proof": lambda c: c.with_meta(
        status="optimal", bound=None, gap=None
    ),
    "policy": lambda c: c.with_meta(
        policies={"asap": PolicyOutcome(emissions_kg=1.2, unplaced=1)}
    ),
    "policy that is missing": lambda c: c.with_meta(policies={}),
    "policy with another count": lambda c: c.with_meta(
        policies={"asap": PolicyOutcome(emissions_kg=1.05, unplaced=0)}
    ),
}

LIMIT_MUTATIONS: dict[str, Callable[[Case], Case]] = {
    "window ends too late": lambda c: c.with_job("deadline_us", 2, to_us(at(4.9))),
    "region": lambda c: c.with_job("allowed", (2, 1), False),
    "pin to a region": lambda c: c.with_job("pin_region", 2, 0),
    "pin to a start": lambda c: c.with_job("pin_start_us", 2, to_us(at(2))),
    "resource": lambda c: replace(c, settings=make_settings(south={"capacity": {}})),
    "resource by a little": lambda c: replace(
        c, settings=make_settings(south={"capacity": {"cpu": 1.9999}})
    ),
    "power-cap": lambda c: replace(
        c, settings=make_settings(south={"power_cap_kw": 0.999})
    ),
}


def named_rule(name: str) -> str:
    """First word of a mutation's name is the rule that must speak."""
    return name.split()[0]


def test_plan_worked_out_by_hand_passes() -> None:
    assert Case().violations() == ()


@pytest.mark.parametrize("name", PLAN_MUTATIONS)
def test_one_broken_entry_breaks_exactly_its_rule(name: str) -> None:
    assert PLAN_MUTATIONS[name](Case()).broken() == {named_rule(name)}


@pytest.mark.parametrize("name", LIMIT_MUTATIONS)
def test_limit_that_is_tightened_is_reported_alone(name: str) -> None:
    assert LIMIT_MUTATIONS[name](Case()).broken() == {named_rule(name)}


def test_start_before_earliest_breaks_the_window() -> None:
    broken = Case().with_job("earliest_us", 2, to_us(at(4))).broken()
    assert "window" in broken
    assert "slot-border" not in broken


def test_every_rule_has_a_mutation_that_breaks_it() -> None:
    tried = {named_rule(name) for name in (*PLAN_MUTATIONS, *LIMIT_MUTATIONS)}
    assert tried | {"job-unknown", "slot-border"} == {rule.value for rule in Rule}


def test_job_of_no_manifest_is_named() -> None:
    case = Case().with_row(3, job_id="dd")
    assert case.broken() == {"job-unknown", "job-missing"}
    assert 'job "dd"' in str(case.violations())


def test_start_between_slot_borders_is_reported() -> None:
    case = Case().with_row(2, start=at(3.25), end=at(5.25))
    assert case.broken() == {"slot-border", "objective"}


def test_job_outside_of_the_horizon_breaks_its_window() -> None:
    case = Case().with_row(2, start=at(23), end=at(25))
    assert "window" in case.broken()


def test_earlier_work_takes_capacity_power_and_sun_first() -> None:
    earlier = Case().earlier
    assert earlier is not None
    hungry = replace(Case(), earlier=replace(earlier, power_kw=np.array([3.0])))
    numbers = {"solar_kwh", "grid_kwh", "emissions_kg", "total-emissions"}
    assert numbers <= hungry.broken()
    tight = replace(
        Case(), settings=make_settings(north={"capacity": {"cpu": 3.0}})
    ).broken()
    assert tight == {"resource", "baseline"}
    capped = replace(
        Case(), settings=make_settings(north={"power_cap_kw": 10.4})
    ).broken()
    assert capped == {"power-cap", "baseline"}


def test_earlier_work_above_a_shrunken_capacity_is_not_blamed_on_jobs() -> None:
    case = Case()
    assert case.earlier is not None
    heavy = replace(
        case.earlier, region=np.ones(1, np.int16), demand=np.full((1, 1), 9)
    )
    found = [
        v for v in replace(case, earlier=heavy).violations() if v.rule == "resource"
    ]
    assert found == []


def test_budget_is_spent_where_grid_energy_weighs_most() -> None:
    """With the intensities exchanged the budget belongs to slot 1."""
    carbon = Case().carbon.copy()
    carbon[0, 1], carbon[0, 2] = 200.0, 100.0
    expected = {
        v.where: v.expected
        for v in replace(Case(), carbon=carbon).violations()
        if v.rule == "solar_kwh"
    }
    # 3 kWh in slot 1 as 1/3 to a; then 0.5 of the budget is left for slot 2
    assert expected['job "a"'] == "1.5"
    assert expected['job "b"'] == "2"


def test_a_job_that_no_plan_could_place_has_no_price_in_the_objective() -> None:
    hours = np.array([1.5, 1, 2, 30]) * 3_600_000_000
    jobs = make_jobs(duration_us=hours.astype(np.int64))
    objective, bound = OBJECTIVE - 200.0, BOUND - 200.0
    gap = (objective - bound) / objective
    case = Case(jobs=jobs)
    assert case.broken() == {"objective"}
    case = case.with_meta(objective=objective, bound=bound, gap=gap)
    assert case.broken() == set()


def test_price_of_an_unplaced_job_that_auto_used_is_read_from_the_plan() -> None:
    settings = make_settings(objective={"unplaced": "auto"})
    case = replace(Case(), settings=settings)
    assert case.broken() == {"objective"}
    assert case.with_meta(settings={"unplaced_per_weight": 100.0}).broken() == set()
    assert case.with_meta(settings={"unplaced_per_weight": 99.0}).broken() == {
        "objective"
    }


def test_violations_name_place_finding_and_expectation() -> None:
    (violation,) = Case().with_row(0, grid_kwh=2.0).violations()
    assert str(violation) == ('grid_kwh: job "a": found 2, expected 2.66666667')
    settings = make_settings(south={"capacity": {"cpu": 1.0}})
    first = replace(Case(), settings=settings).violations()[0]
    assert str(first) == (
        'resource: cpu in region "south", slot 2026-11-22T03:00:00+00:00: '
        "found 2, expected at most 1"
    )


def test_numbers_that_differ_by_rounding_alone_pass() -> None:
    rows = make_rows()
    for row in rows[:3]:
        row["grid_kwh"] *= 1 + 1e-9
        row["emissions_kg"] *= 1 - 1e-9
    assert replace(Case(), rows=rows).broken() == set()


def test_forecast_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="g_per_kwh"):
        replace(Case(), carbon=np.ones((2, 23))).violations()


def test_check_shares_no_code_with_solvers_or_planner() -> None:
    code = (
        "import sys, outputs.check; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('solvers', 'planner', 'pandas', 'pydantic')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("distance", "broken"), [(5e-9, set()), (5e-8, {"status"})])
def test_gap_that_rounding_leaves_counts_as_none(
    distance: float, broken: set[str]
) -> None:
    bound = OBJECTIVE * (1 - distance)
    case = Case().with_meta(bound=bound, gap=(OBJECTIVE - bound) / OBJECTIVE)
    assert case.with_meta(status="partial").broken() == set()
    proven = case.with_meta(status="optimal", settings={"gap": 0.0})
    assert proven.broken() == broken
