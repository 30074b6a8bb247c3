"""One suite for all live providers: FC-10, 11, 14, 15, 16, what points can be like."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from forecasts.errors import NoForecastError
from forecasts.series import Quality, Signal
from tests.drivers_live import (
    DAY,
    Night,
    assert_stood_in,
    changed,
    of_services,
    row_start,
    with_rows,
    with_value,
)
from tests.factories_forecast import grid_of
from tests.replay_servers import ReplayServer, closed_port
from tests.replay_services import GRID, NOW, SERVICES, TRUTH, Service

HOUR = timedelta(hours=1)


@pytest.fixture(params=SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param  # of carbon intensity
    return found


def serve_rows(server: ReplayServer, service: Service, change: Any) -> None:
    server.answer_with(with_rows(service.name, service.answer(), change))


def without(first: int, end: int) -> Any:
    """Drops the points of some hours of the planned day."""
    lost = (GRID.start + first * HOUR, GRID.start + end * HOUR)
    return lambda rows: [r for r in rows if not lost[0] <= row_start(r) < lost[1]]


@pytest.mark.parametrize("kept", [1, 6, 12, 23])
def test_fc_10_forecast_that_ends_before_the_day_is_replaced(
    night: Night, server: ReplayServer, service: Service, kept: int
) -> None:
    serve_rows(server, service, without(kept, 48))
    forecast = night.carbon()
    if kept == 23 and service.name == "electricity_maps":  # hours: one step is held
        assert forecast.provider == service.name
        assert forecast.quality[23] == Quality.FILLED
    else:
        assert_stood_in(forecast, "no values from")


def test_fc_10_two_hours_missing_are_filled_and_labelled(
    night: Night, server: ReplayServer, service: Service
) -> None:
    serve_rows(server, service, without(8, 10))
    forecast = night.carbon()
    assert forecast.provider == service.name
    assert np.flatnonzero(forecast.quality == Quality.FILLED).tolist() == [8, 9]
    between = sorted((float(DAY[7]), float(DAY[10])))
    assert between[0] <= forecast.values[8:10].min()
    assert forecast.values[8:10].max() <= between[1]
    assert not forecast.degraded


def test_fc_10_three_hours_missing_are_too_many(
    night: Night, server: ReplayServer, service: Service
) -> None:
    serve_rows(server, service, without(8, 11))
    assert_stood_in(night.carbon(), "2026-11-22T08:00:00+00:00")


@pytest.mark.parametrize("nothing", [None, 0.0, -1])
def test_fc_10_points_without_a_value_are_holes_as_well(
    night: Night, server: ReplayServer, service: Service, nothing: float | None
) -> None:
    if nothing == -1 and service.name == "watttime":
        nothing = -999  # -1 lb/MWh is an intensity below zero, not a mark of ours
    lost = (GRID.start + 8 * HOUR, GRID.start + 11 * HOUR)
    serve_rows(
        server,
        service,
        lambda rows: [
            with_value(r, nothing) if lost[0] <= row_start(r) < lost[1] else r
            for r in rows
        ],
    )
    assert_stood_in(night.carbon())


def test_fc_11_order_and_equal_repeats_change_nothing(
    night: Night, server: ReplayServer, service: Service
) -> None:
    def mix(rows: list[Any]) -> list[Any]:
        mixed = rows * 2
        Random(1).shuffle(mixed)
        return mixed

    serve_rows(server, service, mix)
    forecast = night.carbon()
    assert forecast.provider == service.name
    assert forecast.values == pytest.approx(DAY, rel=1e-12)


def test_fc_11_of_conflicting_repeats_the_later_is_used_and_noted(
    night: Night, server: ReplayServer, service: Service
) -> None:
    at = GRID.start + 5 * HOUR

    def conflict(rows: list[Any]) -> list[Any]:
        return [*rows, *(with_value(r, 50.0) for r in rows if row_start(r) == at)]

    serve_rows(server, service, conflict)
    forecast = night.carbon()
    assert forecast.values[5] < DAY[5]
    assert forecast.values[6] == pytest.approx(DAY[6], rel=1e-12)
    assert any("1 instants had different values" in note for note in forecast.notes)


@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e3, 453.59237])
def test_fc_14_another_unit_than_the_documented_is_caught_by_its_size(
    night: Night, server: ReplayServer, service: Service, scale: float
) -> None:
    server.answer_with(service.answer(scale=scale))
    assert_stood_in(night.carbon(), "is the unit")


@pytest.mark.parametrize("unit", ["", "percentile", "kg_co2_per_fortnight"])
@of_services(lambda s: s.name == "watttime")  # the others declare none
def test_fc_14_missing_or_unknown_unit_is_refused(
    night: Night, server: ReplayServer, service: Service, unit: str
) -> None:
    def declare(body: Any) -> Any:
        return {**body, "meta": {**body["meta"], "units": unit}}

    server.answer_with(changed(service.answer(), declare))
    assert_stood_in(night.carbon(), "unit")


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_fc_15_any_step_keeps_its_energy_in_slots_of_any_length(
    night: Night, minutes: int
) -> None:
    grid = grid_of(slot_minutes=minutes)
    values = night.carbon(grid=grid).values
    assert values.reshape(24, -1).mean(axis=1) == pytest.approx(DAY, rel=1e-12)
    assert values.sum() * grid.slot_hours == pytest.approx(DAY.sum(), rel=1e-12)


def test_fc_15_hours_and_then_quarters_are_told_apart(
    night: Night, server: ReplayServer, service: Service
) -> None:
    noon = GRID.start + 12 * HOUR

    def coarser(rows: list[Any]) -> list[Any]:
        return [r for r in rows if row_start(r) >= noon or row_start(r).minute == 0]

    serve_rows(server, service, coarser)
    forecast = night.carbon()
    if service.name == "energy_charts":  # states no length: read from the stamps
        assert forecast.provider == service.name
        assert forecast.values == pytest.approx(DAY, rel=1e-12)
    elif service.name == "electricity_maps":  # hourly all along
        assert forecast.values == pytest.approx(DAY, rel=1e-12)
    else:  # states a length that the coarser part does not have: holes, filled
        assert forecast.quality[:12].all()
        assert not forecast.quality[13:].any()


def test_fc_16_first_night_without_anybody_is_refused_where_nobody_may_stand_in(
    night: Night,
) -> None:
    night.base_url = closed_port()
    with pytest.raises(NoForecastError, match="Connection refused") as caught:
        night.carbon(fallback=[])
    assert night.service.name in str(caught.value)


def test_fc_16_first_night_plans_by_deadline_where_that_is_set_and_says_so(
    night: Night,
) -> None:
    night.base_url = closed_port()
    flat = {"flat": {"signal": night.service.signal.value}}
    found = night.run(fallback=["flat"], tables={**own(night), **flat})
    assert found.degraded
    forecast = found.carbon[0]
    assert forecast.provider == "flat"
    assert forecast.signal is night.service.signal
    assert set(forecast.values.tolist()) == {480.0}
    assert set(forecast.quality.tolist()) == {Quality.TYPICAL}
    assert any("NOT CARBON-AWARE" in note for note in found.notes)


def own(night: Night) -> dict[str, Any]:
    options = {"base_url": night.base_url, **night.service.options}
    return {night.service.name: options}


def test_fc_16_second_night_without_anybody_uses_what_is_stored(
    night: Night, server: ReplayServer
) -> None:
    night.carbon()
    night.base_url = closed_port()
    forecast = night.carbon(now=NOW + HOUR, fallback=["flat"])
    assert forecast.provider == night.service.name
    assert forecast.degraded
    assert forecast.values == pytest.approx(TRUTH[6:30], rel=1e-12)
    assert forecast.signal in (Signal.AVERAGE, Signal.MARGINAL)
