"""A published forecast, put right by its past errors and by what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator

from forecasts.errors import (
    ForecastError,
    ForecastSignalError,
    ForecastUnavailableError,
)
from forecasts.own.issues import published
from forecasts.own.kept import read_kept
from forecasts.own.learned import blend, learned
from forecasts.own.nested import asked, built, known_source
from forecasts.own.past import Past
from forecasts.own.providers import (
    LearnedOptions,
    forecast_task,
    merged_files,
    observed,
)
from forecasts.own.record import Record, dated, merge, record_of
from forecasts.own.task import task_of
from forecasts.own.weather import weather_tables
from forecasts.provider import ForecastRequest, Observations
from forecasts.series import FloatArray, Series
from inputs.timegrid import from_us, to_us


class BlendOptions(LearnedOptions):
    """Keys of ``[forecasts.SERIES]`` for this provider.

    Parameters
    ----------
    source
        The published forecast: ``provider`` and that provider's own keys.
    issues
        File or folder of its past issues; by default those that were kept whenever
        it was asked.
    """

    source: Annotated[dict[str, Any], AfterValidator(known_source)]
    issues: str | None = None


class Blend:
    """Another provider's forecast, corrected day by day; without it, ``learned``."""

    name: ClassVar[str] = "blend"
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON, Series.PRICE})
    Options: ClassVar[type[BlendOptions]] = BlendOptions

    def __init__(self, options: BlendOptions) -> None:
        self._options = options
        self.source = built(options.source)

    def fetch(self, request: ForecastRequest) -> Observations:
        """Forecast of the cells that cover the horizon, with quantiles."""
        record = self._options.record(request)
        task = task_of(record, request)
        said = self._said(request, record)
        weather = self._options.weather_records(request)

        def forecast(past: Past) -> tuple[FloatArray, Past]:
            cuts_us = task.issue_cuts_us(past, request.now)
            tables = weather_tables(weather, past.calendar, cuts_us)
            if said.record is None:
                return learned(past, weather=tables), past
            source = published(said.record, past.calendar, cuts_us)
            values = blend(past, source, weather=tables)
            unsaid = ~np.isfinite(values[-1])
            if unsaid.any():
                values[-1, unsaid] = learned(past, weather=tables)[-1, unsaid]
            return values, past

        read = merged_files(record, (*weather, *filter(None, [said.record])))
        observations = observed(task, forecast_task(task, forecast), read, request)
        return replace(
            observations,
            issued_at=said.issued_at or observations.issued_at,
            degraded=said.degraded,
            notes=(*said.notes, *observations.notes),
        )

    def _said(self, request: ForecastRequest, history: Record) -> _Said:
        """All that the source has said, now and before."""
        source = self.source
        if request.series not in source.series:
            raise ForecastUnavailableError(
                f"its source {source.name} does not forecast {request.series}"
            )
        try:
            answer = asked(source, request)
            current = dated(record_of(answer, request), request.now)
        except ForecastError as error:
            note = f"only history was used because {source.name}: {error}"
            return _Said(notes=(note,), degraded=True)
        if answer.signal is not history.signal:
            raise ForecastSignalError(
                f"{source.name} says {answer.signal} values, the history holds "
                f"{history.signal} ones"
            )
        earlier, notes = self._earlier(request)
        record = merge([current, *earlier])
        return _Said(
            record=record,
            issued_at=_newest_issue(current, request),
            notes=(*answer.notes, *notes),
            degraded=answer.degraded,
        )

    def _earlier(
        self, request: ForecastRequest
    ) -> tuple[list[Record], tuple[str, ...]]:
        """Past issues of the source, where any were kept."""
        source, path = self._options.source, self._options.issues
        try:
            kept = read_kept(request, self.source.name, source, path=path)
        except ForecastError as error:
            return [], (f"past issues could not be used: {error}",)
        return [] if kept is None else [kept], ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the source has said; no record if it fails now."""

    record: Record | None = None
    issued_at: datetime | None = None
    notes: tuple[str, ...] = ()
    degraded: bool = False


def _newest_issue(said: Record, request: ForecastRequest) -> datetime:
    """Newest issue that speaks about the horizon."""
    grid, now_us = request.grid, to_us(request.now)
    about = (said.starts_us < grid.end_us) & (said.ends_us > grid.start_us)
    issues = said.issues_us[about & (said.issues_us <= now_us)]
    return from_us(issues.max()) if len(issues) else request.now
