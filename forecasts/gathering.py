"""All forecasts that one plan needs, each from the first provider that will do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from forecasts.chain import Answer, Chain, follow
from forecasts.cloud_grids import grid_at
from forecasts.desk import Desk, chains_of, open_desk
from forecasts.errors import (
    ForecastError,
    ForecastSignalError,
    ForecastUnavailableError,
    NoForecastError,
)
from forecasts.http.client import HttpClient
from forecasts.provider import FileDigest
from forecasts.second_opinion import with_second_opinions
from forecasts.series import Forecast, Series, Signal
from forecasts.typical_profiles import profile_of
from inputs.settings import Region, Workspace
from inputs.timegrid import TimeGrid

FloatArray = npt.NDArray[np.float64]

DISAGREEMENT = 4.0
"""Factor between a day's mean and the zone's typical level that is worth a note."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastSet:
    """Every forecast of one planned day.

    Parameters
    ----------
    grid
        The slots that all of them share.
    carbon
        Intensity of each region, in the order of the regions; one signal for all.
    solar
        On-site power of each region; None where a region has no array.
    price
        Price in each region; None when prices are neither needed nor configured.
    files
        Path as the settings name it and SHA-256 of each forecast file used.
    notes
        Sentences for the plan and the report, each naming series and regions.
    degraded
        Whether anything is less than what the workspace asked for.
    """

    grid: TimeGrid
    carbon: tuple[Forecast, ...]
    solar: tuple[Forecast | None, ...]
    price: tuple[Forecast, ...] | None = None
    files: tuple[FileDigest, ...] = ()
    notes: tuple[str, ...] = ()
    degraded: bool = False

    @property
    def signal(self) -> Signal | None:
        """Which emissions the carbon intensities of all regions count."""
        return self.carbon[0].signal

    @property
    def g_per_kwh(self) -> FloatArray:
        """Carbon intensity, shape (n_regions, n_slots). [g/kWh]"""
        return np.stack([forecast.values for forecast in self.carbon])

    @property
    def solar_kw(self) -> FloatArray:
        """On-site solar power, 0 without an array, shape (n_regions, n_slots). [kW]"""
        nothing = np.zeros(self.grid.n_slots)
        return np.stack([nothing if f is None else f.values for f in self.solar])

    @property
    def price_per_kwh(self) -> FloatArray | None:
        """Electricity price, shape (n_regions, n_slots); None without a forecast."""
        if self.price is None:
            return None
        return np.stack([forecast.values for forecast in self.price])

    @property
    def forecasts(self) -> tuple[Forecast, ...]:
        """All of them: carbon, solar, price, each in the order of the regions."""
        solar = (forecast for forecast in self.solar if forecast is not None)
        return (*self.carbon, *solar, *(self.price or ()))


def gather(
    workspace: Workspace,
    grid: TimeGrid,
    *,
    now: datetime,
    environment: Mapping[str, str] = MappingProxyType({}),
    http: HttpClient | None = None,
) -> ForecastSet:
    """Forecasts of all regions and series that the workspace asks for.

    Parameters
    ----------
    workspace
        Regions and ``[forecasts]`` settings.
    grid
        The slots to cover.
    now
        The clock, aware; nothing issued later is used, ages are counted to it.
    environment
        Environment variables, for the keys of providers.
    http
        How services are asked; by default as ``HttpClient`` promises, remembering
        below ``outputs/cache/http`` which hosts asked to be left alone.

    Raises
    ------
    SettingsError
        If a provider or a key of ``[forecasts]`` is unknown, or a price is needed
        and none is configured.
    ForecastError
        If a region has no usable forecast; names every region and attempt.
    ForecastSignalError
        If regions would be compared by different signals or currencies.
    """
    chains = chains_of(workspace)
    desk = open_desk(workspace, grid, now=now, environment=environment, http=http)
    wanted = [
        (chains[series], region)
        for series in (Series.CARBON, Series.SOLAR)
        for region in workspace.regions
        if series is Series.CARBON or region.solar is not None
    ]
    answers = _follow_all(wanted, desk)
    _refuse_mixed("signal", _of(answers, Series.CARBON))
    price, price_notes = _prices(chains.get(Series.PRICE), desk)
    answers = [*_confronted(answers, chains[Series.CARBON], desk), *(price or [])]
    carbon = tuple(_of(answers, Series.CARBON))
    arrays = {forecast.region: forecast for forecast in _of(answers, Series.SOLAR)}
    doubts = _doubts(workspace, carbon)
    return ForecastSet(
        grid=grid,
        carbon=carbon,
        solar=tuple(arrays.get(region.name) for region in workspace.regions),
        price=None if price is None else tuple(_of(price, Series.PRICE)),
        files=tuple(sorted({file for answer in answers for file in answer.files})),
        notes=(*_grouped(answers), *doubts, *price_notes),
        degraded=any(a.forecast.degraded for a in answers) or bool(price_notes),
    )


def _follow_all(wanted: Iterable[tuple[Chain, Region]], desk: Desk) -> list[Answer]:
    """Every answer, or one error with all that could not be had."""
    answers: list[Answer] = []
    failures: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for chain, region in wanted:
        try:
            answers.append(follow(chain, desk.request(chain.series, region)))
        except NoForecastError as error:
            failures.setdefault((error.series, error.attempts), []).append(region.name)
    errors = [
        NoForecastError(series, regions, attempts)
        for (series, attempts), regions in failures.items()
    ]
    if len(errors) > 1:
        raise ForecastUnavailableError("\n".join(str(error) for error in errors))
    if errors:
        raise errors[0]
    return answers


def _confronted(answers: list[Answer], chain: Chain, desk: Desk) -> list[Answer]:
    """The same answers; those about carbon where another source contradicts, so."""
    n_carbon = len(desk.workspace.regions)
    if not chain.table.second_opinion:
        return answers
    requests = [desk.request(chain.series, r) for r in desk.workspace.regions]
    carbon = with_second_opinions(answers[:n_carbon], chain, requests)
    return [*carbon, *answers[n_carbon:]]


def _prices(
    chain: Chain | None, desk: Desk
) -> tuple[list[Answer] | None, tuple[str, ...]]:
    """Prices where configured; failing is a note where no cost depends on them."""
    if chain is None:
        return None, ()
    try:
        wanted = [(chain, region) for region in desk.workspace.regions]
        answers = _follow_all(wanted, desk)
        _refuse_mixed("currency", _of(answers, Series.PRICE))
    except ForecastError as error:
        if desk.workspace.settings.objective.energy_cost > 0:
            raise
        return None, (f"no prices, which no cost depends on: {error}",)
    return answers, ()


def _of(answers: Iterable[Answer], series: Series) -> list[Forecast]:
    return [a.forecast for a in answers if a.forecast.series is series]


def _refuse_mixed(attribute: str, forecasts: Iterable[Forecast]) -> None:
    """Average against marginal, or euro against dollar, is no comparison."""
    said = {f.region: getattr(f, attribute) for f in forecasts}
    stated = {region: value for region, value in said.items() if value is not None}
    if len(set(stated.values())) > 1:
        each = ", ".join(f"{region}: {value}" for region, value in stated.items())
        raise ForecastSignalError(
            f"regions would be compared by different {attribute} ({each}); use "
            "providers and fallbacks that agree"
        )


def _doubts(workspace: Workspace, carbon: Iterable[Forecast]) -> tuple[str, ...]:
    """Notes where a day is far from what is typical of the zone."""
    notes = []
    for region, forecast in zip(workspace.regions, carbon, strict=True):
        cloud = workspace.cloud_region(region)
        grid = cloud and grid_at(cloud, "typical", Series.CARBON)
        profile = profile_of(grid or region.zone)
        if profile is None or forecast.signal is not Signal.AVERAGE:
            continue
        mean = float(forecast.values.mean())
        ratio = mean / profile.g_per_kwh
        if not 1 / DISAGREEMENT <= ratio <= DISAGREEMENT:
            notes.append(
                f"carbon, {region.name}: mean {mean:.0f} g/kWh, typical of zone "
                f"{region.zone} is {profile.g_per_kwh:g}; are zone and unit right?"
            )
    return tuple(notes)


def _grouped(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Each note once, with the series and all regions that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for forecast in (answer.forecast for answer in answers):
        for note in forecast.notes:
            key = (forecast.series.value, note)
            about.setdefault(key, []).append(forecast.region)
    return tuple(
        f"{series}, {', '.join(regions)}: {note}"
        for (series, note), regions in about.items()
    )
