"""Forecasts that the user keeps in a CSV or Parquet file."""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from forecasts.errors import ForecastUnavailableError
from forecasts.file_columns import FileRows, read_rows, refuse_column
from forecasts.provider import (
    ForecastRequest,
    Int64Array,
    Observations,
    ProviderOptions,
    Stamp,
)
from forecasts.series import Series, Signal
from inputs.settings import Duration


class FileOptions(ProviderOptions):
    """Keys of ``[forecasts.SERIES]`` for this provider.

    Parameters
    ----------
    path
        CSV or Parquet file, relative to the workspace.
    unit
        Unit of a column called ``value``, where the file has no ``unit`` column.
    signal
        Which rows to use where the file holds both; else what all rows mean.
    stamp
        What ``start`` really names, for files made elsewhere.
    step
        Length of each interval, where it cannot be read from the stamps.
    """

    path: str
    unit: str | None = None
    signal: Annotated[Signal | None, Field(strict=False)] = None
    stamp: Annotated[Stamp, Field(strict=False)] = Stamp.START
    step: Duration | None = None


class File:
    """Reads its file once for all regions."""

    name: ClassVar[str] = "file"
    series: ClassVar[frozenset[Series]] = frozenset(Series)
    Options: ClassVar[type[FileOptions]] = FileOptions

    def __init__(self, options: FileOptions) -> None:
        self._options = options
        self._rows: FileRows | None = None

    def fetch(self, request: ForecastRequest) -> Observations:
        """Rows of the region, found by its name or else by its zone."""
        options, series = self._options, request.series
        if self._rows is None:
            self._rows = read_rows(
                request.root, options.path, series=series, unit=options.unit
            )
        rows = self._rows
        place, chosen = _rows_of(rows, request)
        signal = None
        if series is Series.CARBON:
            chosen, signal = _one_signal(rows, chosen, options.signal)
        return Observations(
            series=series,
            place=place,
            times_us=rows.times_us[chosen],
            values=rows.values[chosen],
            unit=_one_unit(rows, chosen),
            stamp=options.stamp,
            steps_us=_steps_us(rows, chosen, options.step),
            signal=signal,
            issues_us=None if rows.issues_us is None else rows.issues_us[chosen],
            quantiles={level: q[chosen] for level, q in rows.quantiles.items()},
            zeros_are_data=True,
            files=((rows.path, rows.sha256),),
            notes=rows.notes,
            estimated=rows.estimated,
        )


def _rows_of(rows: FileRows, request: ForecastRequest) -> tuple[str, Int64Array]:
    region = request.region
    for place in (region.name, region.zone):
        if place is not None and place in rows.regions:
            at = rows.region_codes == rows.regions.index(place)
            return place, np.flatnonzero(at)
    wanted = " or ".join(repr(name) for name in (region.name, region.zone) if name)
    near = get_close_matches(region.name, rows.regions, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {_listed(rows.regions)}"
    raise ForecastUnavailableError(f"{rows.path} has no region {wanted}; {hint}")


def _one_signal(
    rows: FileRows, chosen: Int64Array, wanted: Signal | None
) -> tuple[Int64Array, Signal]:
    if rows.signal_codes is None:
        return chosen, wanted or Signal.AVERAGE
    codes = rows.signal_codes[chosen]
    present = {rows.signals[code]: code for code in np.unique(codes).tolist()}
    if wanted is None and len(present) > 1:
        raise refuse_column(
            rows.path, "signal", "average and marginal rows for one region",
            'one of them, or the setting signal = "average" or "marginal"',
        )  # fmt: skip
    signal = wanted or Signal(next(iter(present)))
    if signal.value not in present:
        raise ForecastUnavailableError(f"{rows.path} has no {signal} rows")
    return chosen[codes == present[signal.value]], signal


def _one_unit(rows: FileRows, chosen: Int64Array) -> str:
    codes = np.unique(rows.unit_codes[chosen]).tolist()
    if len(codes) > 1:
        found = _listed([rows.units[code] for code in codes])
        raise refuse_column(rows.path, "unit", found, "one unit for one region")
    return str(rows.units[codes[0]])


def _steps_us(
    rows: FileRows, chosen: Int64Array, step: timedelta | None
) -> Int64Array | None:
    if rows.ends_us is not None:
        steps = rows.ends_us[chosen] - rows.times_us[chosen]
        if (steps <= 0).any():
            row = int(chosen[np.argmax(steps <= 0)])
            found = f"an end not after the start in row {row + 2}"
            raise refuse_column(rows.path, "end", found, "an end after the start")
        return np.asarray(steps, dtype=np.int64)
    if step is None:
        return None
    return np.full(len(chosen), step // timedelta(microseconds=1), dtype=np.int64)


def _listed(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
