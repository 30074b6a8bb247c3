"""Conversion from the unit that a source declares to the unit of the house."""

from __future__ import annotations

import re

import numpy as np

from forecasts.errors import ForecastFormatError
from forecasts.provider import Int64Array
from forecasts.series import FloatArray, Series
from inputs.errors import Finding

G_PER_LB = 453.59237
"""International avoirdupois pound. [g]"""

CARBON = {
    "g/kWh": 1.0,
    "kg/MWh": 1.0,
    "t/GWh": 1.0,
    "kg/kWh": 1000.0,
    "t/MWh": 1000.0,
    "lb/MWh": G_PER_LB / 1000,
    "lb/kWh": G_PER_LB,
}
"""Factor to g/kWh."""

POWER = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
"""Factor to kW of a mean power."""

ENERGY = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3}
"""Factor to kWh of the energy of one interval."""

_PRICE = re.compile(r"(?P<currency>[A-Z]{3}|1)?/(?P<energy>kWh|MWh)")
_US_PER_HOUR = 3_600_000_000


def to_house_unit(
    values: FloatArray, steps_us: Int64Array, *, unit: str, series: Series
) -> FloatArray:
    """Values in the unit of the series.

    Parameters
    ----------
    values
        Shape (n,). [``unit``]
    steps_us
        Length of each interval, for energy per interval; shape (n,). [µs]
    unit
        As declared by the source. Nothing is guessed from the size of the numbers.
    series
        Whose unit is wanted.

    Raises
    ------
    ForecastFormatError
        If the unit is missing, unknown or not one of the series.
    """
    if series is Series.CARBON and unit in CARBON:
        return values * CARBON[unit]
    if series is Series.SOLAR and unit in POWER:
        return values * POWER[unit]
    if series is Series.SOLAR and unit in ENERGY:
        return np.asarray(values * ENERGY[unit] / (steps_us / _US_PER_HOUR))
    match = _PRICE.fullmatch(unit)
    if series is Series.PRICE and match is not None:
        return values * (1e-3 if match["energy"] == "MWh" else 1.0)
    raise unknown_unit(unit, series)


def currency_of(unit: str) -> str | None:
    """Currency of a price unit such as ``EUR/MWh``; None when it names none."""
    match = _PRICE.fullmatch(unit)
    named = match["currency"] if match else None
    return None if named == "1" else named


def unknown_unit(unit: str, series: Series) -> ForecastFormatError:
    """Refusal of a missing or unknown unit."""
    return ForecastFormatError(
        [
            Finding(
                path=f"{series.value} forecast",
                field="unit",
                found=repr(unit) if unit else "no unit",
                expected=expected_units(series),
            )
        ]
    )


def expected_units(series: Series) -> str:
    """The units that a series may be declared in, for messages."""
    names = {
        Series.CARBON: (*CARBON,),
        Series.SOLAR: (*POWER, *ENERGY),
        Series.PRICE: ("EUR/kWh", "EUR/MWh", "or another currency code"),
    }
    return ", ".join(names[series])
