from __future__ import annotations

import numpy as np
import pytest

from forecasts.errors import ForecastFormatError
from forecasts.series import Series
from forecasts.units import currency_of, to_house_unit
from tests.factories_forecast import HOUR_US


def one(value: float, unit: str, series: Series, *, hours: float = 1) -> float:
    steps = np.array([int(hours * HOUR_US)])
    return float(to_house_unit(np.array([value]), steps, unit=unit, series=series)[0])


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("g/kWh", 1000.0),
        ("kg/MWh", 1000.0),
        ("t/GWh", 1000.0),
        ("kg/kWh", 1_000_000.0),
        ("t/MWh", 1_000_000.0),
        ("lb/MWh", 453.59237),
        ("lb/kWh", 453_592.37),
    ],
)
def test_carbon_units_become_grams_per_kwh(unit: str, expected: float) -> None:
    assert one(1000, unit, Series.CARBON) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("unit", "hours", "expected"),
    [("W", 1, 0.5), ("kW", 1, 500.0), ("Wh", 0.5, 1.0), ("kWh", 0.25, 2000.0)],
)
def test_energy_of_an_interval_becomes_its_mean_power(
    unit: str, hours: float, expected: float
) -> None:
    assert one(500, unit, Series.SOLAR, hours=hours) == pytest.approx(expected)


def test_price_per_mwh_is_a_thousandth_per_kwh() -> None:
    assert one(80, "EUR/MWh", Series.PRICE) == pytest.approx(0.08)
    assert one(-5, "GBP/kWh", Series.PRICE) == -5
    assert (currency_of("EUR/MWh"), currency_of("1/kWh")) == ("EUR", None)


@pytest.mark.parametrize(
    ("unit", "series"),
    [
        ("", Series.CARBON),
        ("percentile", Series.CARBON),
        ("kW", Series.CARBON),
        ("g/kWh", Series.SOLAR),
        ("EUR", Series.PRICE),
        ("euro/MWh", Series.PRICE),
    ],
)
def test_missing_or_foreign_unit_is_refused(unit: str, series: Series) -> None:
    with pytest.raises(ForecastFormatError, match="unit"):
        one(1, unit, series)
