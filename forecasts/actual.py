"""What grid and sky really did: values that were said after their hour was over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from forecasts.errors import ForecastError, ForecastSignalError
from forecasts.holdings import history_folder, holdings_of
from forecasts.own.record import UNDATED_US, Record, known_at, read_record
from forecasts.provider import FileDigest, ForecastRequest, Int64Array
from forecasts.series import FloatArray, Series, Signal
from forecasts.shelf import shelf_name
from inputs.settings import Region, Workspace
from inputs.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actual:
    """Measured values of one series in one region.

    Parameters
    ----------
    values
        Mean of each slot, shape (n_slots,); NaN where it is not known for all of
        the slot. [unit of the series]
    source
        Where they come from, for people.
    files
        What was read.
    notes
        What was left out.
    """

    values: FloatArray
    source: str
    files: tuple[FileDigest, ...] = ()
    notes: tuple[str, ...] = ()


def actual_values(
    workspace: Workspace,
    region: Region,
    grid: TimeGrid,
    *,
    series: Series,
    now: datetime,
    signal: Signal | None = None,
) -> Actual:
    """Measured values, from the file of the settings, else from the history.

    A value of ``[settlement.SERIES]`` counts as measured unless it states an issue
    before the end of its interval. A kept answer of a service counts only where it
    came after the interval was over: what a service says of a coming hour stays a
    forecast.

    Parameters
    ----------
    region
        Whose values are meant.
    grid
        The slots.
    now
        The clock, aware; nothing said later is used.
    signal
        For carbon: the signal that the plan was made with.

    Raises
    ------
    ForecastError
        If the file of the settings cannot be read, or holds the other signal.
    """
    request = ForecastRequest(
        series=series, region=region, grid=grid, now=now, root=workspace.root
    )
    table = getattr(workspace.settings.settlement, series.value)
    if table is not None:
        options = table.model_dump(exclude={"path"}, exclude_none=True)
        record = read_record(request, table.path, options=options)
        _refuse_other_signal(record, signal, table.path)
        return _actual(record, grid, now, undated=True, source=table.path)
    return _from_history(workspace, request, signal)


def _from_history(
    workspace: Workspace, request: ForecastRequest, signal: Signal | None
) -> Actual:
    """Newest kept values of the first service that has any."""
    nothing = np.full(request.grid.n_slots, np.nan)
    held, _ = holdings_of(
        workspace, series=request.series.value, region=request.region.name
    )
    notes: list[str] = []
    for holding in _by_chain(workspace, request.series, held):
        zone = shelf_name(holding.zone, request.series)
        folder = history_folder(workspace) / holding.provider / zone
        path = str(folder.relative_to(workspace.root))
        asked = replace(
            request, region=request.region.model_copy(update={"zone": holding.zone})
        )
        try:
            record = read_record(asked, path)
            _refuse_other_signal(record, signal, path)
        except ForecastError as error:
            notes.append(f"{holding.provider}: {error}")
            continue
        source = f"history of {holding.provider}"
        found = _actual(record, request.grid, request.now, undated=False, source=source)
        if np.isfinite(found.values).any():
            return replace(found, notes=(*notes, *found.notes))
    return Actual(values=nothing, source="nothing", notes=tuple(notes))


def _by_chain(workspace: Workspace, series: Series, held: Iterable[Any]) -> list[Any]:
    """Holdings in the order in which their services are asked for forecasts."""
    table = getattr(workspace.settings.forecasts, series.value)
    names = [] if table is None else [table.provider, *table.fallback]
    return sorted(
        (holding for holding in held if holding.provider in names),
        key=lambda holding: names.index(holding.provider),
    )


def _refuse_other_signal(record: Record, signal: Signal | None, path: str) -> None:
    if signal is not None and record.signal not in (None, signal):
        raise ForecastSignalError(
            f"{path} holds the {record.signal} signal, the plan was made with the "
            f"{signal} one; the two are not to be compared"
        )


def _actual(
    record: Record, grid: TimeGrid, now: datetime, *, undated: bool, source: str
) -> Actual:
    past = known_at(record, now)
    measured = past.issues_us >= past.ends_us
    if undated:
        measured |= past.issues_us == UNDATED_US
    past = past.among(measured)
    return Actual(
        values=slot_means(past.starts_us, past.ends_us, past.values, grid),
        source=source,
        files=record.files,
        notes=record.notes,
    )


def slot_means(
    starts_us: Int64Array, ends_us: Int64Array, values: FloatArray, grid: TimeGrid
) -> FloatArray:
    """Mean over each slot that is covered as a whole, NaN elsewhere.

    Parameters
    ----------
    starts_us, ends_us
        Intervals, sorted by start, each start once, shape (n,). One that reaches
        into the next is cut there. [µs since 1970 UTC]
    values
        Mean of each interval, shape (n,).
    """
    means = np.full(grid.n_slots, np.nan)
    if not len(starts_us):
        return means
    ends_us = np.minimum(ends_us, np.append(starts_us[1:], ends_us[-1]))
    edges = np.append(grid.starts_us(), grid.end_us)
    held = np.append(0, np.cumsum(ends_us - starts_us))
    sums = np.append(0.0, np.cumsum((ends_us - starts_us) * values))
    at = np.searchsorted(starts_us, edges, "right") - 1
    inside = np.where(
        at < 0, 0, np.minimum(edges, ends_us[at]) - starts_us[np.maximum(at, 0)]
    )
    covered = np.diff(np.where(at < 0, 0, held[at]) + inside)
    total = np.diff(
        np.where(at < 0, 0.0, sums[at]) + inside * values[np.maximum(at, 0)]
    )
    whole = covered == grid.step_us
    means[whole] = total[whole] / grid.step_us
    return means
