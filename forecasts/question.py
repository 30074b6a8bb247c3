"""What one live provider asks about one zone, and how it reads the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from forecasts.errors import ForecastIncompleteError, ForecastUnavailableError
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.provider import Observations

Get = Callable[[HttpRequest], HttpAnswer]
"""Asks within the limits of a run; raises an ``HttpError`` without an answer."""

Send = Callable[[Get], HttpAnswer]
"""Asks by ``Get`` as often as it takes, for example for a token first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one live provider asks about one zone.

    Parameters
    ----------
    zone
        As the provider names it; the answer must be about it.
    http
        The request; its address tells one question from another.
    parse
        Reads a body that came at an instant; a pure function.
    send
        How it is sent where a plain GET of ``http`` is not all.
    shelf
        Name under which answers are kept, where ``zone`` alone does not tell
        what they are about.
    """

    zone: str
    http: HttpRequest
    parse: Callable[[bytes, datetime], Observations]
    send: Send | None = None
    shelf: str | None = None

    def sent(self, get: Get) -> HttpAnswer:
        """The answer, by one way of asking or another."""
        return get(self.http) if self.send is None else self.send(get)

    def read(self, body: bytes, fetched_at: datetime) -> Observations:
        """What the answer says, if it is about the zone that was asked for.

        Raises
        ------
        ForecastError
            If it is not, or cannot be read.
        """
        observations = self.parse(body, fetched_at)
        if observations.place != self.zone:
            raise ForecastIncompleteError(
                f"the answer is about {observations.place!r}, asked for was "
                f"{self.zone!r}"
            )
        return observations


def nothing_said() -> ForecastUnavailableError:
    """Refusal of an answer in which no value says anything."""
    return ForecastUnavailableError(
        "the answer holds no data: all its values are zero or missing"
    )
