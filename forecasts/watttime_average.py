"""WattTime's average intensity of past hours; it forecasts the marginal one alone.

The parts of the API that are used are described in docs/providers/watttime_average.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from forecasts.errors import ForecastSignalError
from forecasts.live import zone_of
from forecasts.past_only import PastProvider
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from forecasts.watttime import AVERAGE, WattTimeOptions, measured_request, parse
from forecasts.watttime_login import Login


class WattTimeAverage(PastProvider[WattTimeOptions]):
    """Logs in once for all regions, and asks for the past of each."""

    name: ClassVar[str] = "watttime_average"
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[WattTimeOptions]] = WattTimeOptions
    measured_span: ClassVar[timedelta] = timedelta(days=31)

    def __init__(self, options: WattTimeOptions) -> None:
        super().__init__(options)
        self._login = Login()

    def measured(self, request: ForecastRequest) -> Question:
        """Hours of the average signal, whose regions have names of their own."""
        zone = zone_of(
            request, self.options.zones,
            pattern=r"[A-Z][A-Z0-9_]{1,63}",
            known="regions of the average signal such as CAISO",
        )  # fmt: skip
        http = measured_request(
            self.options, zone=zone, grid=request.grid, signal_type=AVERAGE
        )
        return Question(
            zone=zone,
            http=http,
            parse=lambda body, _: parse_average(body),
            send=self._login.sending(http, self.options.base_url, request),
        )


def parse_average(body: bytes) -> Observations:
    """Read an answer, which must be about the average.

    Raises
    ------
    ForecastError
        If it is not, or cannot be read.
    """
    read = parse(body)
    if read.signal is not Signal.AVERAGE:
        raise ForecastSignalError(
            f"the answer holds {read.signal or 'unknown'} values, asked for were those "
            f"of {AVERAGE}"
        )
    return read
