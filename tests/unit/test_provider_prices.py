"""Prices of services in the chain: auctions, currencies, gaps, zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast, gather
from forecasts.day_ahead import published
from forecasts.energy_charts_price import parse as parse_energy_charts
from forecasts.errors import ForecastError, ForecastSignalError
from forecasts.series import Quality, Series
from inputs.errors import SettingsError
from tests.drivers_live import Night, changed, client_of, id_of
from tests.factories_forecast import (
    grid_of,
    observations_of,
    prepared,
    region_of,
    workspace_of,
)
from tests.replay_price import (
    PRICE_DAY,
    PRICE_SERVICES,
    electricity_maps_price,
    energy_charts_price,
)
from tests.replay_servers import Answer, Seen, serving
from tests.replay_services import CANARY, NOW, Service

ENTSOE, ENERGY_CHARTS, ELECTRICITY_MAPS = PRICE_SERVICES
each = pytest.mark.parametrize("service", PRICE_SERVICES, ids=id_of)


def asked(
    service: Service, answer: Answer, root: Path, **settings: Any
) -> tuple[Forecast, list[Seen]]:
    with serving(answer) as server:
        return Night(root, service, server.url).forecast(**settings), server.seen


@each
def test_negative_prices_are_legal(service: Service, tmp_path: Path) -> None:
    forecast, _ = asked(service, service.answer(), tmp_path)
    assert forecast.values.min() < 0
    assert forecast.currency == "EUR"
    below, _ = asked(service, service.answer(scale=-1), tmp_path / "negative")
    np.testing.assert_allclose(below.values, -PRICE_DAY, rtol=1e-12)


@each
def test_before_the_auction_the_next_in_the_chain_is_used_and_labelled(
    service: Service, tmp_path: Path
) -> None:
    morning = NOW - timedelta(hours=10)
    forecast, _ = asked(service, service.answer(issued=morning), tmp_path, now=morning)
    assert forecast.provider == "file"
    assert forecast.degraded
    assert (
        f"file was used because {service.name}: the prices of 2026-11-22"
        in (forecast.notes[0])
    )
    assert "not published yet" in forecast.notes[0]


@each
def test_currency_other_than_the_one_set_is_refused(
    service: Service, tmp_path: Path
) -> None:
    same, _ = asked(service, service.answer(), tmp_path / "same", currency="EUR")
    assert same.provider == service.name
    other, _ = asked(service, service.answer(), tmp_path / "other", currency="SEK")
    assert other.provider == "file"
    assert "the prices are in EUR, the settings ask for SEK" in other.notes[0]
    assert other.currency == "SEK"


@each
def test_fc_09_zero_all_day_is_a_placeholder(service: Service, tmp_path: Path) -> None:
    forecast, _ = asked(service, service.answer(scale=0.0), tmp_path)
    assert forecast.provider == "file"
    assert "zero or missing" in forecast.notes[0]


@each
def test_fc_13_absurd_price_is_refused(service: Service, tmp_path: Path) -> None:
    forecast, _ = asked(service, service.answer(scale=10_000.0), tmp_path)
    assert forecast.provider == "file"
    assert "implausible values" in forecast.notes[0]


def test_fc_09_minus_one_is_a_price_and_no_mark() -> None:
    forecast = prepared(observations_of([-1.0] * 24, series=Series.PRICE))
    assert (forecast.values == -1).all()
    assert forecast.filled_slots == 0


def test_fc_09_prices_of_tomorrow_that_are_zero_beside_those_of_today() -> None:
    values = [0.1] * 6 + [0.0] * 24
    grid = grid_of()
    times = grid.start_us + 3_600_000_000 * np.arange(-6, 24)
    with pytest.raises(ForecastError, match="all values are zero"):
        prepared(observations_of(values, series=Series.PRICE, times_us=times))


def test_zero_price_for_some_hours_is_one(tmp_path: Path) -> None:
    def some(body: Any) -> Any:
        body["price"][40:60] = [0] * 20
        return body

    forecast, _ = asked(ENERGY_CHARTS, changed(energy_charts_price(), some), tmp_path)
    assert (forecast.values[10:15] == 0).all()
    assert forecast.filled_slots == 1


@pytest.mark.parametrize(("quarters", "provider"), [(8, "energy_charts"), (9, "file")])
def test_fc_10_short_gap_is_filled_and_labelled_and_a_long_one_is_not(
    tmp_path: Path, quarters: int, provider: str
) -> None:
    def gap(body: Any) -> Any:
        body["price"][40 : 40 + quarters] = [None] * quarters
        return body

    forecast, _ = asked(ENERGY_CHARTS, changed(energy_charts_price(), gap), tmp_path)
    assert forecast.provider == provider
    if provider == "energy_charts":
        filled = np.flatnonzero(forecast.quality == Quality.FILLED)
        assert filled.tolist() == [10, 11, 23]


@pytest.mark.parametrize("unit", ["EUR / MWh", "EUR/MWh", "EUR/kWh"])
def test_fc_14_price_is_converted_by_the_unit_that_is_declared(
    tmp_path: Path, unit: str
) -> None:
    def other(body: Any) -> Any:
        factor = 1e-3 if unit.endswith("kWh") else 1.0
        return {**body, "unit": unit, "price": [factor * p for p in body["price"]]}

    forecast, _ = asked(ENERGY_CHARTS, changed(energy_charts_price(), other), tmp_path)
    np.testing.assert_allclose(forecast.values, PRICE_DAY, rtol=1e-12)


@pytest.mark.parametrize("unit", ["", "MWh", "/MWh", "EUR/GJ", "ct/kWh"])
def test_fc_14_price_in_an_unknown_unit_is_refused(tmp_path: Path, unit: str) -> None:
    def no_unit(body: Any) -> Any:
        return {**body, "unit": unit}

    forecast, _ = asked(
        ENERGY_CHARTS, changed(energy_charts_price(), no_unit), tmp_path
    )
    assert forecast.provider == "file"
    assert "unit" in forecast.notes[0]


def test_fc_14_cents_called_euro_are_caught_by_their_size(tmp_path: Path) -> None:
    def wrong(body: Any) -> Any:
        return {**body, "unit": "EUR/kWh"}

    forecast, _ = asked(ENERGY_CHARTS, changed(energy_charts_price(), wrong), tmp_path)
    assert "is the unit right?" in forecast.notes[0]


def test_energy_charts_passes_the_licence_on(tmp_path: Path) -> None:
    forecast, (seen,) = asked(ENERGY_CHARTS, energy_charts_price(), tmp_path)
    assert any(
        note.startswith("licence of the prices: CC BY") for note in forecast.notes
    )
    assert seen.query["bzn"] == "DE-LU"


def test_energy_charts_series_of_unequal_length_are_refused() -> None:
    body = b'{"unix_seconds": [0, 900], "price": [1.0], "unit": "EUR/MWh"}'
    with pytest.raises(ForecastError, match="2 times and 1 prices"):
        parse_energy_charts(body, zone="DE-LU", grid=grid_of())


def test_energy_charts_wants_a_name_where_a_code_is_not_known(tmp_path: Path) -> None:
    table = {"zones": {"DE-LU": "10Y9999999999-X9"}, "base_url": "http://127.0.0.1:1"}
    night = Night(tmp_path, ENERGY_CHARTS, "http://127.0.0.1:1")
    forecast = night.forecast(tables={"energy_charts": table})
    assert "wants the name of the bidding zone" in forecast.notes[0]


def test_electricity_maps_names_the_market(tmp_path: Path) -> None:
    forecast, (seen,) = asked(ELECTRICITY_MAPS, electricity_maps_price(), tmp_path)
    assert "prices of nordpool.com" in forecast.notes
    assert seen.query["start"] == "2026-11-22T00:00:00Z"
    assert seen.query["end"] == "2026-11-23T00:00:00Z"
    assert seen.query["disableCallerLookup"] == "true"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda b: {**b, "_disclaimer": "made up"}, "sandbox"),
        (lambda b: {**b, "data": []}, "not published yet"),
        (lambda b: {**b, "data": [*b["data"][:5], {**b["data"][5], "unit": "USD/MWh"}]},
         "several units"),
    ],
)  # fmt: skip
def test_electricity_maps_price_that_is_none_is_refused(
    tmp_path: Path, change: Callable[[Any], Any], word: str
) -> None:
    answer = changed(electricity_maps_price(), change)
    forecast, _ = asked(ELECTRICITY_MAPS, answer, tmp_path)
    assert forecast.provider == "file"
    assert word in forecast.notes[0]


def test_price_and_carbon_of_one_zone_do_not_stand_in_for_each_other(
    tmp_path: Path,
) -> None:
    from tests.replay_services import electricity_maps

    carbon, price = electricity_maps(), electricity_maps_price()

    def both(seen: Seen) -> Any:
        return (price if "price" in seen.path else carbon)(seen)

    with serving(both) as server:
        table = {"provider": "electricity_maps", "base_url": server.url}
        workspace = workspace_of(
            tmp_path, region_of(zone="DE"),
            forecasts={"carbon": table, "price": table},
        )  # fmt: skip
        given = {"ELECTRICITY_MAPS_TOKEN": CANARY}
        forecasts = gather(
            workspace, grid_of(), now=NOW, environment=given, http=client_of()
        )
    assert forecasts.price is not None
    assert not forecasts.degraded
    folders = (tmp_path / "outputs/cache/http/electricity_maps").iterdir()
    assert sorted(folder.name for folder in folders) == ["DE", "DE.price"]


def test_regions_whose_prices_are_in_two_currencies_are_not_compared(
    tmp_path: Path,
) -> None:
    def by_zone(body: Any) -> Any:
        if body["zone"] == "SE-SE3":
            rows = [{**row, "unit": "SEK/MWh"} for row in body["data"]]
            return {**body, "data": rows}
        return body

    with serving(changed(electricity_maps_price(), by_zone)) as server:
        table = {"provider": "electricity_maps", "base_url": server.url}
        workspace = workspace_of(
            tmp_path, region_of("a", zone="DE"), region_of("b", zone="SE-SE3"),
            forecasts={"carbon": {"provider": "typical"}, "price": table},
            objective={"energy_cost": 1.0},
        )  # fmt: skip
        with pytest.raises(ForecastSignalError, match="different currency"):
            gather(
                workspace, grid_of(), now=NOW, http=client_of(),
                environment={"ELECTRICITY_MAPS_TOKEN": CANARY},
            )  # fmt: skip


@pytest.mark.parametrize("currency", ["euro", "eur", "E", 7])
def test_currency_is_a_code_of_three_letters(tmp_path: Path, currency: Any) -> None:
    with pytest.raises(ValueError, match="currency"):
        Night(tmp_path, ENTSOE, "http://127.0.0.1:1").forecast(currency=currency)


def test_currency_belongs_to_prices_alone(tmp_path: Path) -> None:
    workspace = workspace_of(
        tmp_path, forecasts={"carbon": {"provider": "typical", "currency": "EUR"}}
    )
    with pytest.raises(SettingsError, match=r"forecasts\.carbon\.currency"):
        gather(workspace, grid_of(), now=NOW)


@pytest.mark.parametrize(("hours", "known"), [(-7, False), (-1, False), (23, True)])
def test_prices_of_other_days_are_no_prices_of_the_planned_one(
    hours: int, known: bool
) -> None:
    grid = grid_of()
    times = np.array([grid.start_us + hours * 3_600_000_000])
    said = observations_of([0.1], series=Series.PRICE, times_us=times)
    if known:
        assert published(said, grid) is said
        return
    with pytest.raises(ForecastError, match="2026-11-22 are not published yet"):
        published(said, grid)


def test_price_that_begins_before_the_day_and_reaches_into_it_is_one_of_it() -> None:
    grid = grid_of()
    said = observations_of(
        [0.1],
        series=Series.PRICE,
        times_us=np.array([grid.start_us - 3_600_000_000]),
        steps_us=np.array([7_200_000_000]),
    )
    assert published(said, grid) is said
    gone = replace(said, values=np.array([np.nan]))
    with pytest.raises(ForecastError, match="not published yet"):
        published(gone, grid)


@pytest.mark.parametrize("series", [Series.PRICE, Series.SOLAR])
def test_zeros_in_a_file_of_your_own_are_zeros(series: Series) -> None:
    zeros = observations_of([0.0] * 24, series=series)
    with pytest.raises(ForecastError, match="all values are zero"):
        prepared(zeros)
    assert not prepared(replace(zeros, zeros_are_data=True)).values.any()
