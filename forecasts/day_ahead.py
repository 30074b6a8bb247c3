"""What all providers of day-ahead prices share: is the auction over, and a unit."""

from __future__ import annotations

import numpy as np

from forecasts.errors import ForecastIncompleteError, ForecastUnavailableError
from forecasts.provider import Observations
from forecasts.series import Series
from forecasts.units import currency_of, unknown_unit
from inputs.timegrid import TimeGrid

AUCTION = "the day-ahead auction's come at about 13:00 CET of the day before"


def published(observations: Observations, grid: TimeGrid) -> Observations:
    """The same prices, if any of them is of the hours that are planned.

    Raises
    ------
    ForecastUnavailableError
        If none is: the auction of that day is not over.
    """
    known = np.isfinite(observations.values)
    starts, steps = observations.times_us, observations.steps_us
    ends = starts + (1 if steps is None else steps)
    if np.any((starts < grid.end_us) & (ends > grid.start_us) & known):
        return observations
    raise not_published(grid)


def not_published(grid: TimeGrid) -> ForecastUnavailableError:
    """Refusal where a service has no price of the planned day yet."""
    return ForecastUnavailableError(
        f"the prices of {grid.date} are not published yet; {AUCTION}"
    )


def one_unit(units: set[str]) -> str:
    """The unit of all prices of an answer, spelt as ``EUR/MWh``.

    Raises
    ------
    ForecastIncompleteError
        If they have several.
    ForecastFormatError
        If there is none, or it names no currency.

    Examples
    --------
    >>> one_unit({"EUR / MWh"})
    'EUR/MWh'
    """
    spelt = {unit.replace(" ", "") for unit in units}
    if len(spelt) > 1:
        raise ForecastIncompleteError(
            f"prices in several units: {', '.join(sorted(spelt))}"
        )
    unit = next(iter(spelt), "")
    if currency_of(unit) is None:
        raise unknown_unit(unit, Series.PRICE)
    return unit
