"""Why a service gave no answer.

::

    ForecastUnavailableError
    └── HttpError
        ├── PassingFaultError   may be gone in a moment: the only kind that is retried
        ├── KeyRefusedError     401 or 403: this key, or none, is not let in
        ├── AnswerRefusedError  not to be believed: redirect, certificate, HTML, size …
        └── RestingError        the host is left alone for now; nothing was sent
"""

from __future__ import annotations

from forecasts.errors import ForecastUnavailableError


class HttpError(ForecastUnavailableError):
    """A service gave no answer that can be used."""


class PassingFaultError(HttpError):
    """A fault that may be gone in a moment.

    Parameters
    ----------
    message
        What happened.
    retry_after_s
        How long the service asked to wait; None if it did not say. [s]
    busy
        Whether the service said that it is asked too often, so that later runs
        should wait as well.
    """

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, busy: bool = False
    ) -> None:
        self.retry_after_s = retry_after_s
        self.busy = busy
        super().__init__(message)


class KeyRefusedError(HttpError):
    """The service does not let this key in, or not to this zone."""


class AnswerRefusedError(HttpError):
    """The service answered in a way that must not be believed or followed."""


class RestingError(HttpError):
    """The host is left alone for now, because of what happened before."""
