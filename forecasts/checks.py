"""What values can be true: marks for missing, plausible ranges, suspicious zeros."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasts.errors import ForecastIncompleteError
from forecasts.intervals import Intervals
from forecasts.provider import ForecastRequest
from forecasts.series import FloatArray, Series
from inputs.timegrid import from_us

MISSING_MARKS = (-1.0, -999.0, -9999.0)
"""Numbers by which sources of carbon intensity and solar power say "nothing"."""

CARBON_MAX_G_PER_KWH = 2000.0
"""No grid is dirtier: lignite alone is about 1,200."""

SOLAR_MAX_PER_KWP = 1.3
"""Mean power over kWp that bright clouds on a cold day can reach at most. [kW/kWp]"""

PRICE_MAX_PER_KWH = 50.0
"""Above any price cap in EUR, USD, GBP or AUD; below most prices given per MWh."""

CARBON_TINY_G_PER_KWH = 1.0
"""Size of negative intensities that rounding or a model's noise explains."""

SOLAR_TINY_PER_KWP = 0.01
"""Own use of inverters at night, at most. [kW/kWp]"""

CARBON_SCALE_G_PER_KWH = 1.0
"""A whole day below this is a wrong unit (kg/kWh) or an empty answer."""

CARBON_DROP_G_PER_KWH = 25.0
"""An exact zero right beside a value above this is a hole, unless a user wrote it."""

CLEAR_OF_HORIZON = 10.0
"""Height of the sun at which any array gives something, whatever the clouds. [°]"""

_SUN_SAMPLE_US = 600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibleRange:
    """Values in [low, high] are believed; negative ones down to ``-tiny`` are 0."""

    low: float
    high: float
    tiny: float = 0.0


def plausible_range(
    request: ForecastRequest, plausible_max: float | None
) -> PlausibleRange:
    """Range of a series at a place; ``plausible_max`` replaces the upper end."""
    if request.series is Series.PRICE:
        high = plausible_max or PRICE_MAX_PER_KWH
        return PlausibleRange(low=-high, high=high)
    if request.series is Series.CARBON:
        high = plausible_max or CARBON_MAX_G_PER_KWH
        return PlausibleRange(low=0.0, high=high, tiny=CARBON_TINY_G_PER_KWH)
    kwp = request.region.solar.kwp if request.region.solar else np.inf
    high = plausible_max or SOLAR_MAX_PER_KWP * kwp
    tiny = SOLAR_TINY_PER_KWP * kwp if np.isfinite(kwp) else CARBON_TINY_G_PER_KWH
    return PlausibleRange(low=0.0, high=high, tiny=tiny)


def without_marks(values: FloatArray, *, series: Series, unit: str) -> FloatArray:
    """Values as sent, with the source's marks for "missing" turned into NaN.

    Prices may be negative, so they have no marks; -1 W of an array at night is real.
    """
    if series is Series.PRICE:
        return values
    marks = MISSING_MARKS[1:] if unit in ("W", "Wh") else MISSING_MARKS
    return np.where(np.isin(values, marks), np.nan, values)


def without_absurd(
    intervals: Intervals, allowed: PlausibleRange, unit: str
) -> tuple[FloatArray, tuple[str, ...]]:
    """Columns with tiny negatives cut to 0, and what was cut.

    Raises
    ------
    ForecastIncompleteError
        If any value is infinite or out of range: such a source is not believed at
        all, since its other values may be wrong as well.
    """
    columns = intervals.columns
    below = (columns < allowed.low) & (columns <= -allowed.tiny)
    absurd = below | (columns > allowed.high) | np.isinf(columns)
    if absurd.any():
        row, at = np.argwhere(absurd)[0]
        raise ForecastIncompleteError(
            f"{int(absurd.any(axis=0).sum())} implausible values, the first "
            f"{columns[row, at]:g} {unit} at "
            f"{from_us(intervals.starts_us[at]).isoformat()}; expected "
            f"{allowed.low:g} to {allowed.high:g}; is the unit right?"
        )
    negative = (columns < 0) & (allowed.low == 0)
    if not negative.any():
        return columns, ()
    note = f"{int(negative.any(axis=0).sum())} slightly negative values were set to 0"
    return np.where(negative, 0.0, columns), (note,)


def without_false_zeros(values: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
    """Carbon intensities with runs of exact zeros beside large values as NaN.

    Some services answer 0 where they have nothing. A grid that really comes down to
    zero does so by small steps.
    """
    known = np.flatnonzero(np.isfinite(values))
    zero = values[known] == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]])))
    holes = values.copy()
    for first, end in edges.reshape(-1, 2):
        beside = known[[i for i in (first - 1, end) if 0 <= i < len(known)]]
        if len(beside) and values[beside].min() > CARBON_DROP_G_PER_KWH:
            holes[known[first:end]] = np.nan
    count = int((np.isnan(holes) & ~np.isnan(values)).sum())
    note = f"{count} zeros between large values were taken as missing"
    return holes, (note,) if count else ()


def says_nothing(values: FloatArray, request: ForecastRequest) -> bool:
    """Whether no value says anything: all are zero or missing where that cannot be.

    No grid is free of carbon. No market clears at exactly zero all day, though it
    may at less. An array gives nothing only while the sun is down.
    """
    if request.series is Series.CARBON:
        return not np.any(values > 0)
    if np.any(np.nan_to_num(values) != 0):
        return False
    return request.series is not Series.SOLAR or _sun_is_up(request)


def _sun_is_up(request: ForecastRequest) -> bool:
    """Whether the sun gets clear of the horizon in the hours that were asked for."""
    from forecasts.photovoltaics import sun_position

    array, grid = request.region.solar, request.grid
    if array is None or array.kwp == 0:
        return array is None
    times_us = np.arange(grid.start_us, grid.end_us, _SUN_SAMPLE_US, dtype=np.int64)
    elevation = sun_position(times_us, array)["apparent_elevation"]
    return bool(elevation.max() > CLEAR_OF_HORIZON)


def review(
    values: FloatArray, request: ForecastRequest, *, zeros_are_data: bool = False
) -> tuple[str, ...]:
    """Remarks on a whole horizon of slots.

    Parameters
    ----------
    values
        Shape (n_slots,). [house unit]
    request
        What was asked.
    zeros_are_data
        Whether a day of zeros of solar power or price is believed.

    Raises
    ------
    ForecastIncompleteError
        If a carbon intensity is below ``CARBON_SCALE_G_PER_KWH`` everywhere: no
        grid is, so nothing was sent, or in another unit. If a service says zero
        for a whole day on which that cannot be.
    """
    if request.series is not Series.CARBON:
        if not zeros_are_data and says_nothing(values, request):
            raise ForecastIncompleteError("all values are zero; are they missing?")
        return ()
    if values.max() < CARBON_SCALE_G_PER_KWH:
        what = "all values are zero" if not values.any() else "no value reaches 1 g/kWh"
        raise ForecastIncompleteError(
            f"{what}, which no grid does; is the unit kg/kWh, or are they missing?"
        )
    if len(values) > 1 and values.min() == values.max():
        return (f"the same {values[0]:g} g/kWh in every slot: time does not matter",)
    return ()
