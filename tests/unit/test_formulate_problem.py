from datetime import timedelta

import numpy as np
import pytest

from forecasts.gathering import ForecastSet
from forecasts.series import Forecast, Quality, Series, Signal
from inputs.settings import Settings
from outputs.carry_over import Occupancy
from planner.formulate import formulate
from planner.formulate.costs import PINNED_WEIGHT
from tests.factories_day import GRID, DayJob, at, some_jobs

HOURS = GRID.n_slots


def settings(**tables) -> Settings:
    """Two regions: ``north`` with PUE 1.5, a cap and an array, and ``south``."""
    regions = [
        {
            "name": "north",
            "capacity": {"cpu": 4.0},
            "power_cap_kw": 6.0,
            "pue": 1.5,
            "base_load_kw": 1.0,
        },
        {"name": "south", "capacity": {"cpu": 2.0}},
    ]
    return Settings.model_validate({"regions": regions, **tables})


def series(kind: Series, region: str, values: np.ndarray) -> Forecast:
    return Forecast(
        series=kind,
        region=region,
        grid=GRID,
        values=values,
        provider="test",
        signal=Signal.AVERAGE if kind is Series.CARBON else None,
        quality=np.full(HOURS, Quality.PROVIDED, dtype=np.int8),
    )


def forecasts(*, price: float | None = None) -> ForecastSet:
    """North at 200 g/kWh with 3 kW of sun in hour 12, south at 100 g/kWh."""
    sun = np.zeros(HOURS)
    sun[12] = 3.0
    names = ("north", "south")
    return ForecastSet(
        grid=GRID,
        carbon=(
            series(Series.CARBON, "north", np.full(HOURS, 200.0)),
            series(Series.CARBON, "south", np.full(HOURS, 100.0)),
        ),
        solar=(series(Series.SOLAR, "north", sun), None),
        price=None
        if price is None
        else tuple(series(Series.PRICE, n, np.full(HOURS, price)) for n in names),
    )


def formulated(*jobs: DayJob, earlier=None, price=None, **tables):
    return formulate(
        some_jobs(*jobs, n_regions=2),
        settings=settings(**tables),
        grid=GRID,
        forecasts=forecasts(price=price),
        earlier=earlier,
    )


BOTH = (0, 1)


def test_jobs_are_sorted_by_id_whatever_the_order_of_the_manifest():
    found = formulated(DayJob(id="b"), DayJob(id="a"), DayJob(id="c"))
    assert found.rows.tolist() == [1, 0, 2]


def test_power_is_one_more_resource_and_its_limit_holds_at_the_plug():
    places = formulated(DayJob(power_kw=2.5)).problem.places
    assert places.resources == ("cpu", "power_kw")
    assert (places.capacity[1, 0] == 4.0).all()
    assert np.isinf(places.capacity[1, 1]).all()


def test_weight_of_energy_is_carbon_and_price_together():
    objective = {"carbon_price_per_kg": 2.0, "energy_cost": 0.5}
    places = formulated(DayJob(), price=0.1, objective=objective).problem.places
    assert places.weight_per_kwh[:, 0] == pytest.approx([0.4 + 0.05, 0.2 + 0.05])


def test_base_load_takes_the_sun_first_and_earlier_work_after_it():
    before = np.zeros((2, HOURS))
    before[0, 12] = 0.5
    earlier = Occupancy(
        power_kw=before, demand=np.zeros((1, 2, HOURS)), energy_kwh=before
    )
    assert formulated(DayJob()).problem.places.solar_kwh[0, 12] == pytest.approx(2.0)
    places = formulated(DayJob(), earlier=earlier).problem.places
    assert places.solar_kwh[0, 12] == pytest.approx(1.5)
    assert places.solar_kwh.sum() == pytest.approx(1.5)


def test_earlier_work_takes_capacity_and_power_but_never_below_nothing():
    power, demand = np.zeros((2, HOURS)), np.zeros((1, 2, HOURS))
    power[0, :2], demand[0, 0, :2] = 3.0, 9.0
    earlier = Occupancy(power_kw=power, demand=demand, energy_kwh=np.zeros_like(power))
    capacity = formulated(DayJob(), earlier=earlier).problem.places.capacity
    assert capacity[0, 0, :3] == pytest.approx([0.0, 0.0, 4.0])
    assert capacity[1, 0, :3] == pytest.approx([2.0, 2.0, 4.0])


def test_moving_data_costs_energy_at_the_mean_intensity_of_home():
    found = formulated(
        DayJob(regions=BOTH, home=0, data_gb=50.0), transfer={"kwh_per_gb": 0.02}
    )
    assert found.problem.jobs.place_kg[0] == pytest.approx([0.0, 0.2])
    assert found.problem.jobs.place_cost[0] == pytest.approx([0.0, 0.2])


def test_waiting_is_priced_from_earliest_not_from_the_first_border():
    found = formulated(DayJob(earliest=at("05:30")), objective={"delay_per_hour": 2.0})
    jobs = found.problem.jobs
    assert jobs.first[0] == 6
    assert jobs.place_cost[0] == pytest.approx([1.0, 1.0])
    assert jobs.delay_cost[0] == pytest.approx(2.0)


def test_leaving_a_job_out_costs_more_than_all_jobs_could_save():
    many = [DayJob(id=f"j{n}", power_kw=1.0 + n, regions=BOTH) for n in range(3)]
    found = formulated(*many)
    dearest = sum(0.2 * 1.5 * job.power_kw for job in many)
    assert (found.problem.jobs.unplaced_cost > dearest).all()


def test_importance_multiplies_and_the_least_important_still_outweighs_savings():
    found = formulated(DayJob(id="a", weight=0.5), DayJob(id="b", weight=2.0))
    cost = found.problem.jobs.unplaced_cost
    assert cost[1] == pytest.approx(4 * cost[0])
    assert cost[0] > 2 * 0.2 * 1.5


def test_a_pinned_start_outweighs_other_jobs():
    found = formulated(DayJob(id="a"), DayJob(id="b", pin_start=at("03:00")))
    cost = found.problem.jobs.unplaced_cost
    assert cost[1] == pytest.approx(PINNED_WEIGHT * cost[0])


def test_a_pinned_region_is_the_only_one_and_serves_as_home():
    jobs = formulated(DayJob(regions=BOTH, home=0, pin_region=1)).problem.jobs
    assert jobs.allowed.tolist() == [[False, True]]
    assert jobs.home.tolist() == [1]


def test_a_home_that_cannot_hold_the_job_gives_way_to_the_first_region_that_can():
    jobs = formulated(DayJob(regions=BOTH, home=1, cpu=3.0)).problem.jobs
    assert jobs.allowed.tolist() == [[True, False]]
    assert jobs.home.tolist() == [0]


def test_hopeless_jobs_are_set_apart_with_their_reasons():
    found = formulated(
        DayJob(id="fits"),
        DayJob(id="late", deadline=at("00:30")),
        DayJob(id="off", pin_start=at("03:10")),
        DayJob(id="past", deadline=at("00:00") - timedelta(hours=2)),
        DayJob(id="wide", cpu=9.0, regions=BOTH),
        DayJob(id="nowhere", regions=()),
    )
    assert found.rows.tolist() == [0]
    late, off, past, wide, nowhere = found.excluded.reasons
    assert "60 min" in late
    assert "00:00Z – 2026-11-22T00:30Z" in late
    assert "03:10Z is not a slot border" in off
    assert "outside of the horizon" in past
    assert "cpu 9 of at most 4 in north; cpu 9 of at most 2 in south" in wide
    assert "no region that it may use has what it needs: cpu 1" in nowhere
