"""What all live providers share: settings, the kept answers, the last good one.

A provider builds a ``Question``; ``ask`` answers it from what was fetched minutes
ago, else from the service, else from the last good answer, plainly labelled.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
from pydantic import AfterValidator, Field

from forecasts.errors import (
    ForecastError,
    ForecastIncompleteError,
    ForecastUnavailableError,
)
from forecasts.history import keep_issue
from forecasts.http.answers import Answers, KeptAnswer, folder_name
from forecasts.http.client import HttpClient
from forecasts.http.limits import Limits
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.provider import ForecastRequest, Observations, ProviderOptions
from inputs.settings import Duration

logger = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=10)
"""An issue so little after the run's clock was made while the run was going on."""


def _address(url: str) -> str:
    parts = urlsplit(url)
    try:
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not (
        parts.hostname and port_fits and plain
    ):
        raise ValueError("an address such as https://host/path, without key or query")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_address)]


class LiveOptions(ProviderOptions):
    """Keys of ``[forecasts.SERIES]`` that every live provider knows.

    Parameters
    ----------
    base_url
        Where the service is.
    zones
        Region's name or ``zone`` to the zone's name at this provider.
    refresh
        An answer younger than this is not asked for again.
    connect_limit, total_limit
        Bounds on connecting, and on all that is asked of the host in one run.
    """

    base_url: BaseUrl
    zones: dict[str, str] = Field(default_factory=dict)
    refresh: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(minutes=15)
    connect_limit: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    total_limit: Annotated[Duration, Field(gt=timedelta(0))] | None = None

    def limits(self, usual: Limits) -> Limits:
        """Limits of the client with those of the settings in their place."""
        second = timedelta(seconds=1)
        chosen = usual
        if self.connect_limit is not None:
            chosen = replace(chosen, connect_s=self.connect_limit / second)
        if self.total_limit is not None:
            chosen = replace(chosen, total_s=self.total_limit / second)
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one live provider asks about one zone.

    Parameters
    ----------
    provider
        Registered name.
    zone
        As the provider names it.
    http
        The request; its address tells one question from another.
    send
        Sends it; raises an ``HttpError`` when there is no answer.
    parse
        Reads a body that came at an instant; a pure function.
    """

    provider: str
    zone: str
    http: HttpRequest
    send: Callable[[], HttpAnswer]
    parse: Callable[[bytes, datetime], Observations]


def client_of(request: ForecastRequest) -> HttpClient:
    """Client of the run.

    Raises
    ------
    ForecastUnavailableError
        If this run has none, so must not go out.
    """
    if request.http is None:
        raise ForecastUnavailableError("this run does not ask services")
    return request.http


def zone_of(
    request: ForecastRequest, zones: Mapping[str, str], *, pattern: str, known: str
) -> str:
    """Name of the region's zone at a provider.

    Parameters
    ----------
    request
        Its region has a name and perhaps a ``zone``.
    zones
        The setting that translates.
    pattern
        Regular expression of names that the provider can have.
    known
        Such names, for the message.

    Raises
    ------
    ForecastUnavailableError
        If there is none, or it cannot be one of the provider's.
    """
    region = request.region
    named = zones.get(region.name) or zones.get(region.zone or "") or region.zone
    if named is None:
        raise ForecastUnavailableError(
            f"region {region.name} names no zone; set zone to {known}"
        )
    if not re.fullmatch(pattern, named):
        raise ForecastUnavailableError(
            f"{named!r} is no zone of this provider, which knows {known}; the setting "
            "zones translates names"
        )
    return named


def ask(
    question: Question, request: ForecastRequest, options: LiveOptions
) -> Observations:
    """Answer to a question: kept for minutes, new, or the last good one.

    Raises
    ------
    ForecastError
        If the service has no usable answer and none was kept.
    """
    shelf = _Shelf.of(question, request)
    kept = shelf.answers.same(question.http) if shelf else None
    if kept is not None and timedelta(0) <= request.now - kept.fetched_at < (
        options.refresh
    ):
        try:
            return _read(question, request, kept)
        except ForecastError as error:
            logger.warning("%s: kept answer: %s", question.provider, error)
    try:
        answer = question.send()
        fetched = KeptAnswer(body=answer.body, fetched_at=request.now)
        observations = _read(question, request, fetched)
    except ForecastError as error:
        if shelf is None:
            raise
        return shelf.last_good(question, request, error)
    return (
        shelf.keep(question, request, answer.body, observations)
        if shelf
        else (observations)
    )


def _read(
    question: Question, request: ForecastRequest, answer: KeptAnswer
) -> Observations:
    """Observations about the zone asked for, with something in them."""
    observations = question.parse(answer.body, answer.fetched_at)
    if observations.place != question.zone:
        raise ForecastIncompleteError(
            f"the answer is about {observations.place!r}, asked for was "
            f"{question.zone!r}"
        )
    if not np.any(observations.values > 0):
        raise ForecastUnavailableError(
            "the answer holds no data: all its values are zero or missing"
        )
    issued_at = observations.issued_at
    if issued_at is not None and request.now < issued_at <= request.now + CLOCK_SKEW:
        observations = replace(observations, issued_at=request.now)
    return replace(observations, place=request.region.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """Where answers and issues of one zone of one provider are kept."""

    answers: Answers
    history: Path

    @classmethod
    def of(cls, question: Question, request: ForecastRequest) -> _Shelf | None:
        if request.outputs is None:
            return None
        own = Path(question.provider) / folder_name(question.zone)
        return cls(
            answers=Answers(folder=request.outputs / "cache" / "http" / own),
            history=request.outputs / "forecasts" / "history" / own,
        )

    def keep(
        self,
        question: Question,
        request: ForecastRequest,
        body: bytes,
        observations: Observations,
    ) -> Observations:
        """Keep what was fetched; failing that is a note, not a failure."""
        named = replace(observations, place=question.zone)
        try:
            self.answers.keep(question.http, body, fetched_at=request.now)
            keep_issue(
                self.history, named,
                provider=question.provider, fetched_at=request.now,
            )  # fmt: skip
        except OSError as error:
            note = f"the forecast could not be kept: {error.strerror}"
            return replace(observations, notes=(*observations.notes, note))
        return observations

    def last_good(
        self, question: Question, request: ForecastRequest, error: ForecastError
    ) -> Observations:
        """Newest answer that was kept, labelled; or the error, if there is none."""
        kept = self.answers.newest(request.now)
        if kept is None:
            raise error
        try:
            observations = _read(question, request, kept)
        except ForecastError:
            raise error from None
        hours = (request.now - kept.fetched_at) / timedelta(hours=1)
        return replace(
            observations,
            issued_at=observations.issued_at or kept.fetched_at,
            degraded=True,
            notes=(
                f"the last good answer, fetched {hours:.1f} h ago, stands in "
                f"because {error}",
                *observations.notes,
            ),
        )
