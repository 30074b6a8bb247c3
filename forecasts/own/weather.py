"""Forecasts of wind, sun, load and the like, for forecasters that can learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecasts.columns import ColumnFile
from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.own.calendar import Calendar
from forecasts.own.issues import published
from forecasts.own.record import UNDATED_US, Record, steps_by_issue
from forecasts.provider import ForecastRequest, Int64Array, Stamp
from forecasts.series import FloatArray
from forecasts.tables import read_columns
from inputs.errors import Finding

MAX_COLUMNS = 12
"""Most quantities that are learnt from; more would teach chance."""

_NOT_QUANTITIES = frozenset({"region", "start", "end", "issued_at"})


def read_weather(request: ForecastRequest, path: str) -> tuple[Record, ...]:
    """Every quantity that a file forecasts for the region of a request.

    Parameters
    ----------
    request
        Whose region, by its name or else its zone, is meant.
    path
        CSV or Parquet file, relative to the workspace: ``region``, ``start``,
        optionally ``issued_at``, and a column of numbers for each quantity, in any
        unit. Values without an issue count as known ever since.

    Raises
    ------
    ForecastError
        If it cannot be read, or does not know the region.
    """
    file = read_columns(request.root, path)
    names = [name for name in file.names if name not in _NOT_QUANTITIES]
    _check_names(file, names)
    codes, regions = file.texts("region")
    starts = file.instants("start")
    issues = _issues(file)
    columns = [file.numbers(name) for name in names]
    file.finish()
    rows = _rows(request, path, codes, regions)
    order = rows[np.lexsort((starts[rows], issues[rows]))]
    steps = steps_by_issue(starts[order], issues[order], Stamp.START)
    return tuple(
        Record(
            starts_us=starts[order],
            steps_us=steps,
            values=values[order],
            issues_us=issues[order],
            signal=None,
            currency=None,
            files=((path, file.sha256),),
        )
        for values in columns
    )


def weather_tables(
    records: Sequence[Record], calendar: Calendar, cuts_us: Int64Array
) -> list[FloatArray]:
    """Each quantity as it had been forecast by the cut of each day."""
    return [published(record, calendar, cuts_us) for record in records]


def _check_names(file: ColumnFile, names: list[str]) -> None:
    for name in ("region", "start"):
        if name not in file.names:
            found = f"columns {', '.join(file.names)}"[:200]
            file.report(name, found, "this column", None)
    file.finish()
    if not 1 <= len(names) <= MAX_COLUMNS:
        finding = Finding(
            path=file.path,
            found=f"{len(names)} columns besides region, start and issued_at",
            expected=f"1 to {MAX_COLUMNS}, one for each quantity",
        )
        raise ForecastFormatError([finding])


def _issues(file: ColumnFile) -> Int64Array:
    if "issued_at" in file.names:
        return file.instants("issued_at", missing=UNDATED_US)
    return np.full(file.table.num_rows, UNDATED_US, dtype=np.int64)


def _rows(
    request: ForecastRequest, path: str, codes: Int64Array, regions: list[str]
) -> Int64Array:
    for place in (request.region.name, request.region.zone):
        if place in regions:
            return np.flatnonzero(codes == regions.index(place))
    raise ForecastUnavailableError(f"{path} has no region {request.region.name!r}")
