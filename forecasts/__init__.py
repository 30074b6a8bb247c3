"""What grid and sky will do: forecasts on the slots of a day, and their quality."""

from forecasts.errors import ForecastError as ForecastError
from forecasts.gathering import ForecastSet as ForecastSet
from forecasts.gathering import gather as gather
from forecasts.series import Forecast as Forecast
from forecasts.series import Quality as Quality
from forecasts.series import Series as Series
from forecasts.series import Signal as Signal

__all__ = [
    "Forecast",
    "ForecastError",
    "ForecastSet",
    "Quality",
    "Series",
    "Signal",
    "gather",
]
