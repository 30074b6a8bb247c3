"""Cases FC-09 to FC-18 as far as sources without a network can have them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast, ForecastError, ForecastSet, gather
from forecasts.errors import ForecastIncompleteError, NoForecastError
from forecasts.provider import Stamp
from forecasts.series import Quality, Series
from inputs.settings import Region
from tests.factories_forecast import (
    ARRAY,
    HOUR_US,
    carbon_csv,
    day_values,
    grid_of,
    observations_of,
    prepared,
    region_of,
    request_of,
    workspace_of,
)

FILE = {"provider": "file", "path": "c.csv", "fallback": ["typical"]}


def run(root: Path, *regions: Region, **carbon: Any) -> ForecastSet:
    grid = grid_of()
    tables = {"carbon": {**FILE, **carbon}}
    workspace = workspace_of(root, *regions, forecasts=tables)
    return gather(workspace, grid, now=grid.start - timedelta(hours=6))


def from_csv(root: Path, values: Any, **carbon: Any) -> Forecast:
    carbon_csv(root / "c.csv", values)
    return run(root, **carbon).carbon[0]


@pytest.mark.parametrize("value", ["0", "0.0", "", "null", "NaN", "-1", "-999"])
def test_fc_09_a_day_of_nothing_is_never_clean_power(
    tmp_path: Path, value: str
) -> None:
    forecast = from_csv(tmp_path, [value] * 24)
    assert forecast.provider == "typical"
    assert forecast.degraded
    assert forecast.values.min() > 100


@pytest.mark.parametrize("mark", ["", "null", "-1", "-9999"])
def test_fc_09_marks_for_missing_become_a_labelled_filling(
    tmp_path: Path, mark: str
) -> None:
    forecast = from_csv(tmp_path, [400.0] * 10 + [mark] + [500.0] * 13)
    assert forecast.provider == "file"
    assert forecast.values[10] == 450
    assert forecast.quality[10] == Quality.FILLED


def test_fc_09_zeros_of_a_service_between_large_values_are_holes() -> None:
    values = day_values() + 100
    values[7:9] = 0
    lying = prepared(observations_of(values))
    assert lying.values[7:9].min() > 100
    assert (lying.quality[7:9] == Quality.FILLED).all()
    assert any("2 zeros" in note for note in lying.notes)
    believed = prepared(observations_of(values, zeros_are_data=True))
    assert not believed.values[7:9].any()


def test_fc_09_zero_reached_by_small_steps_is_believed() -> None:
    values = np.abs(np.arange(24.0) - 12) * 5
    assert prepared(observations_of(values)).values[12] == 0


def test_fc_09_constant_day_is_used_and_noted(tmp_path: Path) -> None:
    forecast = from_csv(tmp_path, [300.0] * 24)
    assert forecast.provider == "file"
    assert any("same 300 g/kWh" in note for note in forecast.notes)


@pytest.mark.parametrize("kept", range(1, 24))
def test_fc_10_day_cut_short_is_filled_by_one_step_or_replaced(
    tmp_path: Path, kept: int
) -> None:
    forecast = from_csv(tmp_path, day_values()[:kept])
    if kept == 23:
        assert forecast.provider == "file"
        assert forecast.filled_slots == 1
    else:
        assert forecast.provider == "typical"
        assert forecast.degraded


@pytest.mark.parametrize("missing", range(1, 8))
def test_fc_10_hole_in_the_middle_is_filled_up_to_two_hours(
    tmp_path: Path, missing: int
) -> None:
    values = [f"{value}" for value in day_values()]
    values[8 : 8 + missing] = [""] * missing
    forecast = from_csv(tmp_path, values)
    if missing <= 2:
        assert forecast.provider == "file"
        assert np.flatnonzero(forecast.quality).tolist() == list(range(8, 8 + missing))
        assert not forecast.degraded
    else:
        assert forecast.provider == "typical"


def test_fc_10_longest_hole_is_a_setting(tmp_path: Path) -> None:
    values = [f"{value}" for value in day_values()]
    values[8:12] = [""] * 4
    assert from_csv(tmp_path, values, max_gap="4h").filled_slots == 4
    assert from_csv(tmp_path, values, max_gap="3h").provider == "typical"


def test_fc_11_order_and_equal_repeats_change_nothing(tmp_path: Path) -> None:
    clean = from_csv(tmp_path, day_values())
    lines = (tmp_path / "c.csv").read_text().splitlines()
    rows = lines[1:] * 3
    np.random.default_rng(1).shuffle(rows)
    (tmp_path / "c.csv").write_text("\n".join([lines[0], *rows]))
    mixed = run(tmp_path).carbon[0]
    assert (mixed.values == clean.values).all()
    assert mixed.notes == clean.notes


def test_fc_11_of_conflicting_repeats_the_later_row_is_used_and_noted(
    tmp_path: Path,
) -> None:
    path = carbon_csv(tmp_path / "c.csv", day_values())
    start = grid_of().start.isoformat()
    path.write_text(path.read_text() + f"here,{start},77\n")
    forecast = run(tmp_path).carbon[0]
    assert forecast.values[0] == 77
    assert any("1 instants had different values" in note for note in forecast.notes)


def test_fc_12_forecast_of_the_day_before_yesterday_is_degraded(
    tmp_path: Path,
) -> None:
    path = carbon_csv(tmp_path / "c.csv", day_values())
    header, *rows = path.read_text().splitlines()
    made = (grid_of().start - timedelta(hours=6 + 26)).isoformat()
    path.write_text("\n".join([f"{header},issued_at", *(f"{r},{made}" for r in rows)]))
    old = run(tmp_path, max_age="25h", fallback=[]).carbon[0]
    assert old.provider == "file"
    assert old.degraded
    assert any("26.0 h ago" in note for note in old.notes)
    assert run(tmp_path, max_age="25h").carbon[0].provider == "typical"
    assert not run(tmp_path, max_age="26h").carbon[0].degraded


def test_fc_13_slightly_negative_is_cut_to_zero_and_noted(tmp_path: Path) -> None:
    values = day_values()
    values[3] = -0.2
    forecast = from_csv(tmp_path, values)
    assert forecast.values[3] == 0
    assert any("slightly negative" in note for note in forecast.notes)


@pytest.mark.parametrize("absurd", [-500, -1.5, 2001, 1_000_000, "1e999"])
def test_fc_13_absurd_value_discredits_its_source(tmp_path: Path, absurd: Any) -> None:
    values = [*day_values()[:23], absurd]
    forecast = from_csv(tmp_path, values)
    assert forecast.provider == "typical"
    assert "implausible" in forecast.notes[0]


def test_fc_13_negative_prices_stay_legal_and_absurd_ones_do_not() -> None:
    prices = observations_of([-0.5, 4.0] * 12, series=Series.PRICE)
    assert prepared(prices).values.min() == -0.5
    wrong_scale = observations_of([80.0] * 24, series=Series.PRICE)
    with pytest.raises(ForecastIncompleteError, match="unit right"):
        prepared(wrong_scale)
    assert prepared(wrong_scale, plausible_max=600).values[0] == 80


def test_fc_13_solar_above_its_array_is_refused_and_night_losses_are_zero() -> None:
    request = request_of(Series.SOLAR)
    night = observations_of([-0.5] * 12 + [130.0] * 12, series=Series.SOLAR)
    assert prepared(night, request).values.tolist() == [0.0] * 12 + [130.0] * 12
    with pytest.raises(ForecastIncompleteError, match="expected 0 to 130"):
        prepared(observations_of([130.1] * 24, series=Series.SOLAR), request)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("g/kWh", 1),
        ("kg/MWh", 1),
        ("kg/kWh", 1e-3),
        ("t/MWh", 1e-3),
        ("lb/MWh", 1 / 0.45359237),
    ],
)
def test_fc_14_carbon_is_the_same_in_every_declared_unit(
    unit: str, factor: float
) -> None:
    values = day_values()
    told = prepared(observations_of(values * factor, unit=unit))
    assert told.values == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "factor"), [("kW", 1), ("W", 1e3), ("kWh", 0.5), ("Wh", 500), ("MW", 1e-3)]
)
def test_fc_14_solar_is_the_same_in_every_declared_unit(
    unit: str, factor: float
) -> None:
    half_hours = np.linspace(0, 90, 48)
    told = observations_of(
        half_hours * factor, series=Series.SOLAR, unit=unit, step_us=HOUR_US // 2
    )
    grid = grid_of(slot_minutes=30)
    request = request_of(Series.SOLAR, grid=grid)
    assert prepared(told, request).values == pytest.approx(half_hours, rel=1e-12)


@pytest.mark.parametrize("unit", ["", "percentile", "g"])
def test_fc_14_missing_or_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(ForecastError, match="unit"):
        prepared(observations_of(day_values(), unit=unit))


def test_fc_14_kilograms_called_grams_are_caught_by_their_size(tmp_path: Path) -> None:
    forecast = from_csv(tmp_path, day_values() / 1000)
    assert forecast.provider == "typical"
    assert "kg/kWh" in forecast.notes[0]


@pytest.mark.parametrize("stamp", list(Stamp))
@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_fc_15_hours_keep_their_energy_in_slots_of_any_length(
    minutes: int, stamp: Stamp
) -> None:
    grid = grid_of(slot_minutes=minutes)
    shift = {Stamp.START: 0, Stamp.MIDDLE: HOUR_US // 2, Stamp.END: HOUR_US}[stamp]
    values = day_values()
    times = grid.start_us + shift + HOUR_US * np.arange(24)
    told = observations_of(values, times_us=times, stamp=stamp)
    slots = prepared(told, request_of(grid=grid)).values
    assert slots.sum() * grid.slot_hours == pytest.approx(values.sum(), rel=1e-12)
    assert slots.tolist() == np.repeat(values, 60 // minutes).tolist()


def test_fc_16_nothing_at_all_is_refused_unless_typical_may_stand_in(
    tmp_path: Path,
) -> None:
    with pytest.raises(NoForecastError, match="No such file"):
        run(tmp_path, fallback=[])
    forecasts = run(tmp_path)
    assert forecasts.degraded
    assert "typical profile, not a forecast" in " ".join(forecasts.notes)


def test_fc_18_rows_of_another_region_are_not_taken(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", day_values(), region="elsewhere")
    forecast = run(tmp_path).carbon[0]
    assert forecast.provider == "typical"
    assert "no region 'here' or 'DE'; did you mean elsewhere" in forecast.notes[0]


def test_fc_18_used_source_is_named_for_each_region(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", day_values(), region="a")
    regions = (region_of("a", solar=ARRAY), region_of("b", zone="FR"))
    forecasts = run(tmp_path, *regions)
    used = [(f.series.value, f.region, f.provider) for f in forecasts.forecasts]
    assert used == [
        ("carbon", "a", "file"),
        ("carbon", "b", "typical"),
        ("solar", "a", "clear_sky"),
    ]


def test_fc_18_big_disagreement_with_the_zone_is_noted(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", [20.0 + i for i in range(24)])
    forecasts = run(tmp_path, region_of(zone="PL"))
    assert any("typical of zone PL is 650" in note for note in forecasts.notes)


def test_fc_09_zeros_with_a_small_neighbour_on_one_side_are_believed() -> None:
    values = np.r_[np.full(10, 300.0), [0.0, 0.0, 20.0], np.full(11, 300.0)]
    assert prepared(observations_of(values)).values[10:12].tolist() == [0, 0]


def test_fc_09_one_watt_of_own_use_is_no_mark_for_missing() -> None:
    watts = np.r_[np.full(8, -1.0), np.full(8, 50_000.0), np.full(8, -1.0)]
    forecast = prepared(observations_of(watts, series=Series.SOLAR, unit="W"))
    assert forecast.values.tolist() == [0.0] * 8 + [50.0] * 8 + [0.0] * 8
