"""Energy-Charts: average intensity of a country's production, and prices.

The parts of the API that are used are described in docs/providers/energy_charts.md.
The address of the intensity is not among those that the service documents, so it may
change without notice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from forecasts import energy_charts_price as price
from forecasts.answer_shapes import MAX_POINTS, Number, Second, Shape, values_of
from forecasts.errors import ForecastIncompleteError, ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpRequest
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from inputs.settings import Duration
from inputs.timegrid import TimeGrid

NAME = "energy_charts"
NOTE = "intensity of the country's production; imports are not counted"
_US_PER_S = 1_000_000


class EnergyChartsOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` and ``[forecasts.price]`` for this provider."""

    base_url: BaseUrl = "https://api.energy-charts.info"
    # the service lets an address ask about twice a minute, and changes it rarely
    refresh: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(minutes=30)


class EnergyCharts(LiveProvider[EnergyChartsOptions]):
    """Asks for one country at a time."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON, Series.PRICE})
    Options: ClassVar[type[EnergyChartsOptions]] = EnergyChartsOptions
    measured_span: ClassVar[timedelta] = timedelta(days=14)

    def question(self, request: ForecastRequest) -> Question:
        """Quarter-hours of the horizon, of intensity or of prices."""
        return self._of(request, measured=False)

    def measured(self, request: ForecastRequest) -> Question:
        """Quarter-hours that are over, as they were measured or auctioned."""
        return self._of(request, measured=True)

    def _of(self, request: ForecastRequest, *, measured: bool) -> Question:
        if request.series is Series.PRICE:
            return self._of_price(request)
        zone = zone_of(
            request, self.options.zones,
            pattern=r"[A-Z]{2}", known="countries by two letters, such as DE",
        )  # fmt: skip
        return Question(
            zone=zone,
            http=http_request(self.options, zone=zone, grid=request.grid),
            parse=lambda body, _: parse(body, zone=zone, measured=measured),
        )

    def _of_price(self, request: ForecastRequest) -> Question:
        grid, zone = request.grid, price.zone_name(request, self.options.zones)
        return Question(
            zone=zone,
            http=HttpRequest(
                url=f"{self.options.base_url}/{price.PATH}",
                params=price.params(zone, grid),
            ),
            parse=lambda body, _: price.parse(body, zone=zone, grid=grid),
        )


def http_request(
    options: EnergyChartsOptions, *, zone: str, grid: TimeGrid
) -> HttpRequest:
    """Request for the quarter-hours of a horizon."""
    return HttpRequest(
        url=f"{options.base_url}/co2eq",
        params={
            "country": zone.lower(),
            "start": str(grid.start_us // _US_PER_S),
            "end": str(grid.end_us // _US_PER_S),
        },
    )


_Values = Annotated[tuple[Number | None, ...], Field(max_length=MAX_POINTS)]


class _Answer(Shape):
    unix_seconds: Annotated[tuple[Second, ...], Field(max_length=MAX_POINTS)]
    measured: _Values = Field((), validation_alias="co2eq")
    forecast: _Values = Field((), validation_alias="co2eq_forecast")


def parse(body: bytes, *, zone: str, measured: bool = False) -> Observations:
    """Read an answer: starts of quarter-hours, g/kWh.

    Parameters
    ----------
    body
        As sent.
    zone
        Asked for; the answer does not name it.
    measured
        Whether measured values alone are wanted, not forecast ones.

    Raises
    ------
    ForecastError
        If it cannot be read, or is empty.
    """
    answer = read_model(_Answer, read_json(body, source=NAME), source=NAME)
    n = len(answer.unix_seconds)
    if not n:
        raise ForecastUnavailableError(f"no forecast for {zone} at that time")
    columns = [answer.forecast, answer.measured]
    if any(len(column) not in (0, n) for column in columns):
        lengths = ", ".join(str(len(column)) for column in columns)
        raise ForecastIncompleteError(
            f"{n} times do not fit {lengths} forecast and measured values"
        )
    nothing = np.full(n, np.nan)
    forecast, actual = (values_of(c) if c else nothing for c in columns)
    return Observations(
        series=Series.CARBON,
        place=zone,
        times_us=_US_PER_S * np.array(answer.unix_seconds, dtype=np.int64),
        # measured values spike at times, and are revised
        values=actual if measured else np.where(np.isnan(forecast), actual, forecast),
        unit="g/kWh",
        signal=Signal.AVERAGE,
        notes=(NOTE,),
    )
