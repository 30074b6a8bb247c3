"""What all live providers share: settings, the kept answers, the last good one.

A ``LiveProvider`` only builds a ``Question``, which is answered from what was
fetched minutes ago, else from the service, else from the last good answer, plainly
labelled.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from forecasts.checks import says_nothing
from forecasts.cloud_grids import without_grid
from forecasts.errors import ForecastError, ForecastUnavailableError
from forecasts.history import keep_issue
from forecasts.http.answers import KeptAnswer
from forecasts.http.client import HttpClient
from forecasts.http.limits import Limits
from forecasts.http.message import HttpAnswer
from forecasts.measured import HoursOver, about_slots_over, tells_whole_past
from forecasts.provider import ForecastRequest, Observations, ProviderOptions
from forecasts.question import Question, nothing_said
from forecasts.series import Series
from forecasts.shelf import Shelf, shelf_name
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


LiveOptionsT = TypeVar("LiveOptionsT", bound=LiveOptions)


class LiveProvider(ABC, Generic[LiveOptionsT]):
    """A ``Provider`` that asks a service; only its questions are its own.

    ``measured_span`` is the longest past that one question may be about; zero where
    the service keeps none.
    """

    measured_span: ClassVar[timedelta] = timedelta(0)
    name: ClassVar[str]
    series: ClassVar[frozenset[Series]]
    Options: ClassVar[type[LiveOptions]]

    def __init__(self, options: LiveOptionsT) -> None:
        self.options = options

    def fetch(self, request: ForecastRequest) -> Observations:
        """Answer to the question about a region.

        Raises
        ------
        ForecastError
            If this run asks no services, or the service has no usable answer and
            none was kept.
        """
        if request.http is None:
            raise ForecastUnavailableError("this run does not ask services")
        asking = _Asking(self.name, self.question(request), request, self.options)
        answer = asking.answer(request.http)
        if not request.extras or answer.degraded or tells_whole_past(answer, request):
            return answer
        measured = self._measured(request, request.http)
        return replace(answer, past=(*measured, *answer.past))

    def measured(self, request: ForecastRequest) -> Question | None:
        """What to ask about time that is over, the grid of a request.

        None where the service measured nothing of the region.

        Raises
        ------
        ForecastError
            As for ``question``.
        """
        return None

    def _measured(
        self, request: ForecastRequest, client: HttpClient
    ) -> tuple[Observations, ...]:
        """What the service measured of the slots that are over; it may fail."""
        over = about_slots_over(request)
        question = None if over is None else self.measured(over)
        if over is None or question is None:
            return ()
        limits = self.options.limits(client.limits)
        return HoursOver(
            provider=self.name,
            question=question,
            request=over,
            refresh=self.options.refresh,
        ).measured(lambda http: client.get_if_easy(http, limits))

    @abstractmethod
    def question(self, request: ForecastRequest) -> Question:
        """What to ask about the region of a request.

        Raises
        ------
        ForecastError
            If the service cannot know the region, or a key is missing.
        """


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
    named = zones.get(region.name) or zones.get(region.zone or "") or request.grid_name
    if named is None and request.cloud is not None:
        raise ForecastUnavailableError(without_grid(request.cloud))
    named = named or region.zone
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


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question on its way: kept for minutes, new, or the last good one."""

    provider: str
    question: Question
    request: ForecastRequest
    options: LiveOptions

    def answer(self, client: HttpClient) -> Observations:
        shelf, request = self._shelf(), self.request
        answer = self._answer(client, shelf)
        if shelf is None or request.now <= request.grid.start:
            return answer
        return replace(answer, past=shelf.past(request))

    def _answer(self, client: HttpClient, shelf: Shelf | None) -> Observations:
        if (kept := self._fresh(shelf)) is not None:
            try:
                return self._read(kept)
            except ForecastError as error:
                logger.warning("%s: kept answer: %s", self.provider, error)
        try:
            body = self._send(client).body
            fetched = KeptAnswer(body=body, fetched_at=self.request.now)
            observations = self._read(fetched)
        except ForecastError as error:
            return self._last_good(shelf, error)
        return observations if shelf is None else self._keep(shelf, body, observations)

    def _shelf(self) -> Shelf | None:
        request, question = self.request, self.question
        if request.outputs is None:
            return None
        name = shelf_name(question.shelf or question.zone, request.series)
        return Shelf.of(request.outputs, Path(self.provider) / name)

    def _fresh(self, shelf: Shelf | None) -> KeptAnswer | None:
        kept = shelf.answers.same(self.question.http) if shelf else None
        if kept is None:
            return None
        age = self.request.now - kept.fetched_at
        return kept if timedelta(0) <= age < self.options.refresh else None

    def _send(self, client: HttpClient) -> HttpAnswer:
        limits = self.options.limits(client.limits)
        get = client.get_if_easy if self.request.sparing else client.get
        return self.question.sent(lambda http: get(http, limits))

    def _read(self, answer: KeptAnswer) -> Observations:
        """Observations about the zone asked for, with something in them."""
        now = self.request.now
        observations = self.question.read(answer.body, answer.fetched_at)
        if says_nothing(observations.values, self.request):
            raise nothing_said()
        issued_at = observations.issued_at
        if issued_at is not None and now < issued_at <= now + CLOCK_SKEW:
            observations = replace(observations, issued_at=now)
        return replace(observations, place=self.request.region.name)

    def _keep(
        self, shelf: Shelf, body: bytes, observations: Observations
    ) -> Observations:
        """Keep what was fetched; failing that is a note, not a failure."""
        now = self.request.now
        named = replace(observations, place=self.question.zone)
        try:
            shelf.answers.keep(self.question.http, body, fetched_at=now)
            keep_issue(shelf.history, named, provider=self.provider, fetched_at=now)
        except OSError as error:
            note = f"the forecast could not be kept: {error.strerror}"
            return replace(observations, notes=(*observations.notes, note))
        return observations

    def _last_good(self, shelf: Shelf | None, error: ForecastError) -> Observations:
        """Newest answer that was kept, labelled; or the error, if there is none."""
        now = self.request.now
        kept = None if shelf is None else shelf.answers.newest(now)
        if kept is None:
            raise error
        try:
            observations = self._read(kept)
        except ForecastError:
            raise error from None
        hours = (now - kept.fetched_at) / timedelta(hours=1)
        note = (
            f"the last good answer, fetched {hours:.1f} h ago, stands in because "
            f"{error}"
        )
        return replace(
            observations,
            issued_at=observations.issued_at or kept.fetched_at,
            degraded=True,
            notes=(note, *observations.notes),
        )
