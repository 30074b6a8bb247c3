"""Why a forecast cannot be used.

::

    ForecastError
    ├── ForecastUnavailableError   the provider did not answer, or has no data
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
