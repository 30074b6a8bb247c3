"""What grid and sky did on a day, as far as it is known, and what stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from forecasts.actual import Actual, actual_values
from forecasts.gathering import ForecastSet
from forecasts.series import Forecast, Series, Signal
from inputs.settings import Region, Workspace
from inputs.timegrid import TimeGrid
from outputs.carry_over import Occupancy
from planner.formulate.places import build_places
from planner.settlement.errors import SettlementError
from planner.settlement.stand_ins import Origin, OriginArray, filled
from solvers.problem import FloatArray, Places


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUse:
    """Where the actual values of one series in one region come from.

    Parameters
    ----------
    source
        File or service; ``nothing`` if there is none.
    actual_slots, slots
        Slots with actual values, and all.
    """

    series: str
    region: str
    source: str
    actual_slots: int
    slots: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """Actual values on all slots in which something ran.

    Parameters
    ----------
    grid
        The planned slots, and as many after them as were used.
    forecasts
        The values as a set of forecasts, for code that plans.
    carbon_origin, solar_origin
        An ``Origin`` for each value, shape (n_regions, n_slots).
    sources
        One for each series and region.
    awaited
        Whether values are missing that are still to be expected, shape
        (n_regions, n_slots).
    """

    grid: TimeGrid
    forecasts: ForecastSet
    carbon_origin: OriginArray
    solar_origin: OriginArray
    sources: tuple[SourceUse, ...]
    awaited: npt.NDArray[np.bool_]

    def places(self, workspace: Workspace, earlier_kwh: FloatArray) -> Places:
        """Intensity, sun and budgets, without capacity.

        Parameters
        ----------
        earlier_kwh
            Metered energy of work of earlier dates, which takes its sun first,
            shape (n_regions, n_slots). [kWh]
        """
        n_regions = len(workspace.regions)
        earlier = Occupancy(
            power_kw=np.zeros_like(earlier_kwh),
            demand=np.zeros((0, n_regions, self.grid.n_slots)),
            energy_kwh=earlier_kwh,
        )
        return build_places(
            (),
            settings=workspace.settings,
            grid=self.grid,
            forecasts=self.forecasts,
            earlier=earlier,
        )

    def on_planned_slots(self, grid: TimeGrid) -> ForecastSet:
        """The values on the planned slots alone."""

        def cut(forecast: Forecast) -> Forecast:
            n = grid.n_slots
            return replace(
                forecast,
                grid=grid,
                values=forecast.values[:n].copy(),
                quality=forecast.quality[:n].copy(),
            )

        found = self.forecasts
        return replace(
            found,
            grid=grid,
            carbon=tuple(cut(f) for f in found.carbon),
            solar=tuple(None if f is None else cut(f) for f in found.solar),
            price=None if found.price is None else tuple(map(cut, found.price)),
        )


def values_of_day(
    workspace: Workspace,
    grid: TimeGrid,
    *,
    planned: ForecastSet | None,
    signal: Signal | None,
    now: datetime,
) -> Values:
    """Actual values of every region, with forecasts where there are none yet.

    Parameters
    ----------
    grid
        The planned slots, and as many after them as were used.
    planned
        The forecasts that the plan trusted; None if they are gone.
    signal
        The carbon signal that the plan was made with.

    Raises
    ------
    SettlementError
        If nothing at all is known of a region.
    ForecastError
        If the file of the settings cannot be used.
    """
    trusted, regions = _trusted(planned), workspace.regions

    def known(region: Region, series: Series) -> _Known:
        told = signal if series is Series.CARBON else None
        actual = actual_values(
            workspace, region, grid, series=series, now=now, signal=told
        )
        before = trusted.get((series, region.name))
        return _completed(actual, before, region, grid, series, told)

    carbon = [known(region, Series.CARBON) for region in regions]
    solar = [known(r, Series.SOLAR) if r.solar else None for r in regions]
    return Values(
        grid=grid,
        forecasts=ForecastSet(
            grid=grid,
            carbon=tuple(one.forecast for one in carbon),
            solar=tuple(None if one is None else one.forecast for one in solar),
            price=_prices(planned, grid),
        ),
        carbon_origin=np.stack([one.origin for one in carbon]),
        solar_origin=np.stack([_origin(one, grid) for one in solar]),
        sources=tuple(
            one.use for pair in zip(carbon, solar, strict=True) for one in pair if one
        ),
        awaited=np.stack([_awaited(*pair) for pair in zip(carbon, solar, strict=True)]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    """One series of one region: values, where each comes from, and from whom."""

    forecast: Forecast
    origin: OriginArray
    use: SourceUse


def _origin(solar: _Known | None, grid: TimeGrid) -> OriginArray:
    """Where the sun of a region is known from; without an array there is none."""
    return np.zeros(grid.n_slots, dtype=np.int8) if solar is None else solar.origin


def _awaited(carbon: _Known, solar: _Known | None) -> npt.NDArray[np.bool_]:
    """Slots of a region for which something is still to be expected."""
    waits: npt.NDArray[np.bool_] = carbon.origin != Origin.ACTUAL
    # A site without a meter on its array will never know better.
    if solar is not None and solar.use.source != "nothing":
        waits |= solar.origin != Origin.ACTUAL
    return waits


def _completed(
    actual: Actual,
    before: FloatArray | None,
    region: Region,
    grid: TimeGrid,
    series: Series,
    signal: Signal | None,
) -> _Known:
    """Actual values with what stands in, as code that plans wants them."""
    values, origin = filled(actual.values, before, grid)
    _refuse_unknown(values, region, series, grid)
    return _Known(
        forecast=_as_forecast(values, region, grid, series, actual, signal),
        origin=origin,
        use=_use(actual, series, region),
    )


def _trusted(planned: ForecastSet | None) -> Mapping[tuple[Series, str], FloatArray]:
    if planned is None:
        return {}
    return {(f.series, f.region): f.values for f in planned.forecasts}


def _refuse_unknown(
    values: FloatArray, region: Region, series: Series, grid: TimeGrid
) -> None:
    if not np.isfinite(values).all():
        first = grid.slot_start(int(np.argmin(np.isfinite(values))))
        raise SettlementError(
            f"region {region.name}: no {series} value from {first.isoformat()} on, "
            "neither actual nor forecast; name a file of actual values in "
            f"[settlement.{series}] of planner.toml"
        )


def _as_forecast(
    values: FloatArray,
    region: Region,
    grid: TimeGrid,
    series: Series,
    actual: Actual,
    signal: Signal | None,
) -> Forecast:
    return Forecast(
        series=series,
        region=region.name,
        grid=grid,
        values=values,
        provider=actual.source,
        signal=signal,
        quality=np.zeros(grid.n_slots, dtype=np.int8),
    )


def _use(actual: Actual, series: Series, region: Region) -> SourceUse:
    return SourceUse(
        series=series.value,
        region=region.name,
        source=actual.source,
        actual_slots=int(np.isfinite(actual.values).sum()),
        slots=len(actual.values),
        notes=actual.notes,
    )


def _prices(planned: ForecastSet | None, grid: TimeGrid) -> tuple[Forecast, ...] | None:
    """Prices as forecast, the last one held: they weigh in the plan, not in carbon."""
    if planned is None or planned.price is None:
        return None

    def longer(forecast: Forecast) -> Forecast:
        more = grid.n_slots - len(forecast.values)
        return replace(
            forecast,
            grid=grid,
            values=np.pad(forecast.values, (0, more), mode="edge"),
            quality=np.pad(forecast.quality, (0, more), mode="edge"),
            quantiles={},
        )

    return tuple(longer(forecast) for forecast in planned.price)
