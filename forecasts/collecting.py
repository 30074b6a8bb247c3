"""Ask every live provider what was measured on past days, and collect it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forecasts.chain import Chain
from forecasts.cloud_grids import in_words_of
from forecasts.desk import chains_of, open_desk
from forecasts.errors import ForecastError
from forecasts.fetching import live_providers, regions_of
from forecasts.http.answers import KeptAnswer
from forecasts.http.client import HttpClient
from forecasts.live import LiveProvider
from forecasts.measured import read_measured
from forecasts.measured_file import Collected, add_measured, measured_path
from forecasts.provider import ForecastRequest, Provider
from forecasts.series import Series
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid, local_midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFetched:
    """What one provider told of a region's past days, or why it told nothing.

    Parameters
    ----------
    series, region, provider
        Who was asked about what.
    failure
        Why something is missing; None where all came.
    held
        What the file holds of the region now; None if nothing came.
    """

    series: Series
    region: str
    provider: str
    failure: str | None = None
    held: Collected | None = None


def collect_past(
    workspace: Workspace,
    today: TimeGrid,
    *,
    days: int,
    now: datetime,
    environment: Mapping[str, str] = MappingProxyType({}),
    http: HttpClient | None = None,
) -> tuple[PastFetched, ...]:
    """Collect the measured values of the last days from all who keep any.

    Providers that keep none, or none of a region, are passed over.

    Parameters
    ----------
    workspace
        Regions and ``[forecasts]`` settings.
    today
        Grid that begins with the day of ``now``.
    days
        Number of whole days before today; the hours of today that are over are
        asked about as well.
    now
        The clock, aware.
    environment
        Environment variables, for the keys of providers.
    http
        As for ``forecasts.gather``.

    Raises
    ------
    SettingsError
        If a provider or a key of ``[forecasts]`` is unknown.
    """
    desk = open_desk(
        workspace,
        _past_grid(today, days, now),
        now=now,
        environment=environment,
        http=http,
    )
    asked = (
        _collected(live, in_words_of(provider, desk.request(series, region)))
        for series, chain in chains_of(workspace).items()
        for provider, live in _keepers(chain)
        for region in regions_of(series, workspace)
    )
    return tuple(one for one in asked if one is not None)


def _keepers(chain: Chain) -> Iterator[tuple[Provider, LiveProvider[Any]]]:
    """Providers of a chain that keep a past, each once, as what each of them is."""
    every = {p.name: p for p in (*chain.past, *live_providers(chain))}
    for provider in every.values():
        live: object = provider
        if isinstance(live, LiveProvider) and live.measured_span:
            yield provider, live


def _past_grid(today: TimeGrid, days: int, now: datetime) -> TimeGrid:
    """Slots that are over by now, from the midnight of an earlier day on."""
    day: date = today.date - timedelta(days=days)
    start = local_midnight(day, today.timezone)
    return replace(today, date=day, start=start, n_slots=(now - start) // today.step)


def _collected(
    provider: LiveProvider[Any], request: ForecastRequest
) -> PastFetched | None:
    """All parts of the past, the newest first, as far as they come."""
    about = PastFetched(
        series=request.series, region=request.region.name, provider=provider.name
    )
    if request.outputs is None:
        return None
    path = measured_path(request.outputs, provider.name, request.series)
    for part in _parts(request, provider.measured_span):
        try:
            held = _added(provider, part, path)
        except ForecastError as error:
            return replace(about, failure=str(error))
        except OSError as error:
            return replace(about, failure=f"{path.name}: {error.strerror}")
        if held is None:
            return None
        about = _grown(about, held)
    return about


def _parts(request: ForecastRequest, span: timedelta) -> Iterator[ForecastRequest]:
    """The request cut into parts that one question may be about."""
    grid = request.grid
    most = max(span // grid.step, 1)
    for end in range(grid.n_slots, 0, -most):
        first = max(end - most, 0)
        part = replace(grid, start=grid.slot_start(first), n_slots=end - first)
        yield replace(request, grid=part)


def _added(
    provider: LiveProvider[Any], request: ForecastRequest, path: Path
) -> Collected | None:
    question, client = provider.measured(request), request.http
    if question is None or client is None:
        return None
    limits = provider.options.limits(client.limits)
    body = question.sent(lambda http: client.get(http, limits)).body
    answer = KeptAnswer(body=body, fetched_at=request.now)
    told = read_measured(question, answer, request)
    return add_measured(path, told, zone=question.zone)


def _grown(about: PastFetched, held: Collected) -> PastFetched:
    before = 0 if about.held is None else about.held.added
    return replace(about, held=replace(held, added=before + held.added))
