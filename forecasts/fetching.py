"""Ask every live provider of a workspace now, and keep every issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import numpy as np

from forecasts.chain import Chain
from forecasts.cloud_grids import in_words_of
from forecasts.desk import Desk, chains_of, open_desk
from forecasts.errors import ForecastError
from forecasts.http.client import HttpClient
from forecasts.live import LiveOptions
from forecasts.own.nested import Corrector
from forecasts.provider import Observations, Provider
from forecasts.series import Series
from inputs.settings import Region, Workspace
from inputs.timegrid import TimeGrid, from_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one provider said about one region, or why it said nothing.

    Parameters
    ----------
    series, region, provider
        Who was asked about what.
    failure
        Why nothing was fetched; None where something was.
    issued_at
        When the forecast was made, where the source says so.
    start, end
        What it covers; None if nothing came.
    values
        Number of values that are there.
    notes
        What the source said besides.
    """

    series: Series
    region: str
    provider: str
    failure: str | None = None
    issued_at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    values: int = 0
    notes: tuple[str, ...] = ()


def fetch_all(
    workspace: Workspace,
    grid: TimeGrid,
    *,
    now: datetime,
    environment: Mapping[str, str] = MappingProxyType({}),
    http: HttpClient | None = None,
) -> tuple[Fetched, ...]:
    """Ask every live provider, stand-ins included, about every region.

    Issues are kept below ``outputs``; what was fetched minutes ago is not asked for
    again. An answer that merely stands in for a service that fails counts as missing.

    Parameters
    ----------
    workspace
        Regions and ``[forecasts]`` settings.
    grid
        The time to ask about.
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
    desk = open_desk(workspace, grid, now=now, environment=environment, http=http)
    return tuple(
        _fetched(provider, series, region, desk)
        for series, chain in chains_of(workspace).items()
        for provider in live_providers(chain)
        for region in regions_of(series, workspace)
    )


def live_providers(chain: Chain) -> Iterator[Provider]:
    """Those of a chain that ask a service, also on behalf of one that corrects them.

    Where one is meant twice, as source and as stand-in, it is given once.
    """
    names = set()
    for provider in chain.providers:
        asked = provider
        while isinstance(asked, Corrector):
            asked = asked.source
        if issubclass(asked.Options, LiveOptions) and asked.name not in names:
            names.add(asked.name)
            yield asked


def regions_of(series: Series, workspace: Workspace) -> Iterator[Region]:
    """Those about which a series is asked."""
    for region in workspace.regions:
        if series is not Series.SOLAR or region.solar is not None:
            yield region


def _fetched(provider: Provider, series: Series, region: Region, desk: Desk) -> Fetched:
    about = Fetched(series=series, region=region.name, provider=provider.name)
    asked = replace(desk.request(series, region), extras=False)
    request = in_words_of(provider, asked)
    try:
        said = provider.fetch(request)
    except ForecastError as error:
        return replace(about, failure=str(error))
    if said.degraded:
        return replace(about, failure="; ".join(said.notes))
    start, end = _cover(said)
    return replace(
        about,
        issued_at=said.issued_at,
        start=start,
        end=end,
        values=int(np.isfinite(said.values).sum()),
        notes=said.notes,
    )


def _cover(said: Observations) -> tuple[datetime, datetime]:
    """First and last instant of the values that are there."""
    times = said.times_us[np.isfinite(said.values)]
    if said.steps_us is not None:
        step = int(said.steps_us[-1])
    else:
        distances = np.diff(np.unique(times))
        step = int(distances.min()) if len(distances) else 0
    return from_us(times.min()), from_us(times.max() + step)
