"""Why a forecast cannot be used.

::

    ForecastError
    ├── ForecastUnavailableError   the provider did not answer, or has no data
    │   └── NoForecastError        no provider of a chain had anything usable
    ├── ForecastFormatError        the answer cannot be read as what it should be
    ├── ForecastIncompleteError    the data do not cover the day, or are not plausible
    ├── ForecastSignalError        average and marginal intensity would be mixed
    └── ProviderUnknownError       no provider has that name, or none for that series
"""

from __future__ import annotations

from collections.abc import Sequence

from inputs.errors import Finding, PlannerError


class ForecastError(PlannerError):
    """A series cannot be forecast from the source that was asked."""


class ForecastUnavailableError(ForecastError):
    """The provider did not answer, or has nothing for this region and time."""


class NoForecastError(ForecastUnavailableError):
    """No provider of a chain had anything usable.

    Parameters
    ----------
    series
        What was asked for.
    regions
        Where it cannot be had, all for the same reasons.
    attempts
        Each provider that was tried and why it would not do.
    """

    def __init__(
        self, series: str, regions: Sequence[str], attempts: Sequence[str]
    ) -> None:
        self.series = series
        self.regions = tuple(regions)
        self.attempts = tuple(attempts)
        tried = "\n".join(f"  {attempt}" for attempt in self.attempts)
        where = f"{', '.join(self.regions)}:\n{tried}"
        super().__init__(f"no usable {series} forecast for {where}")

    def __reduce__(self) -> tuple[type[NoForecastError], tuple[object, ...]]:
        return type(self), (self.series, self.regions, self.attempts)


class ForecastFormatError(ForecastError):
    """The answer cannot be read; carries every finding of a file at once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))

    def __reduce__(self) -> tuple[type[ForecastFormatError], tuple[object, ...]]:
        return type(self), (self.findings,)


class ForecastIncompleteError(ForecastError):
    """The data leave holes longer than allowed, or cannot be true."""


class ForecastSignalError(ForecastError):
    """Regions would be compared by different signals."""


class ProviderUnknownError(ForecastError):
    """No provider is registered under a name, or none for that series."""
