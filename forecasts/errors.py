"""Why a forecast cannot be used.

::

    ForecastError
    ├── ForecastUnavailableError   the provider did not answer, or has no data
    └── ForecastIncompleteError    the data do not cover the day, or are not plausible
"""

from __future__ import annotations

from inputs.errors import PlannerError


class ForecastError(PlannerError):
    """A series cannot be forecast from the source that was asked."""


class ForecastUnavailableError(ForecastError):
    """The provider did not answer, or has nothing for this region and time."""


class ForecastIncompleteError(ForecastError):
    """The data leave holes longer than allowed, or cannot be true."""
