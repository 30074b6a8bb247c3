"""Forecasters ranked in every region of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.errors import ForecastError, ForecastUnavailableError
from forecasts.provider import ForecastRequest
from forecasts.scoring.scores import Period, Score, score
from forecasts.scoring.sources import sources_of
from forecasts.series import Series
from inputs.settings import ForecastTable, Region, Workspace
from inputs.timegrid import day_grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Scores of all forecasters, region by region, best saving first.

    Parameters
    ----------
    scores
        In the order of the regions.
    notes
        What could not be read, and regions that could not be scored, with reasons.
    """

    scores: tuple[Score, ...]
    notes: tuple[str, ...]


def rank_forecasts(
    workspace: Workspace,
    series: Series,
    *,
    regions: Sequence[Region],
    period: Period,
    now: datetime,
    history: str | None = None,
) -> Ranking:
    """Score own and published forecasts in some regions.

    Parameters
    ----------
    workspace
        Whose ``[forecasts.SERIES]`` names providers and history.
    series
        What was forecast.
    regions
        Where.
    period
        Which days, and how long before each.
    now
        The clock, aware; nothing later is used.
    history
        File or folder of measured values in place of the settings' one.

    Raises
    ------
    ForecastError
        If no region can be scored; names the reason of each.
    """
    tables = workspace.settings.forecasts
    table: ForecastTable | None = getattr(tables, series.value)
    if table is None:
        raise ForecastUnavailableError(f"there is no table [forecasts.{series}]")
    scores: list[Score] = []
    notes: list[str] = []
    failures: list[str] = []
    for region in regions:
        request = _request(workspace, series, region, now)
        try:
            sources = sources_of(table, request, history=history)
            scores += score(
                sources.history,
                sources.issues,
                request,
                period,
                weather=sources.weather,
            )
        except ForecastError as error:
            failures.append(f"{region.name}: {error}")
            continue
        notes += [f"{region.name}: {note}" for note in sources.notes]
    if failures and not scores:
        raise ForecastUnavailableError("\n".join(dict.fromkeys(failures)))
    return Ranking(scores=tuple(scores), notes=(*notes, *failures))


def _request(
    workspace: Workspace, series: Series, region: Region, now: datetime
) -> ForecastRequest:
    planner = workspace.settings.planner
    return ForecastRequest(
        series=series,
        region=region,
        grid=day_grid(now.date(), timezone=planner.timezone, slot_minutes=60),
        now=now,
        root=workspace.root,
        outputs=workspace.outputs,
    )
