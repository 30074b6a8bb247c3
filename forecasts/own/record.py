"""What a file or folder says about the past: values of intervals, issue by issue."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from forecasts.checks import plausible_range, without_marks
from forecasts.errors import ForecastSignalError, ForecastUnavailableError
from forecasts.file import File, FileOptions
from forecasts.intervals import interval_lengths
from forecasts.provider import (
    FileDigest,
    ForecastRequest,
    Int64Array,
    Observations,
    Stamp,
)
from forecasts.series import FloatArray, Signal
from forecasts.units import currency_of, to_house_unit
from inputs.timegrid import to_us

UNDATED_US = int(np.iinfo(np.int64).min)
"""Issue of a value that states none. [µs since 1970 UTC]"""

_MINUTE_US = 60_000_000
_CELL_MINUTES = (15, 20, 30, 60)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Values of one series at one place, of any number of issues, sorted by start.

    Parameters
    ----------
    starts_us, steps_us
        Intervals, shape (n,). [µs since 1970 UTC] [µs]
    values
        Shape (n,); NaN where nothing is known. [unit of the series]
    issues_us
        When each was said, shape (n,); ``UNDATED_US`` where it is not told.
        [µs since 1970 UTC]
    signal
        For carbon: average or marginal.
    currency
        For prices, where it is named.
    files
        What was read.
    notes
        What was left out.
    """

    starts_us: Int64Array
    steps_us: Int64Array
    values: FloatArray
    issues_us: Int64Array
    signal: Signal | None
    currency: str | None
    files: tuple[FileDigest, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ends_us(self) -> Int64Array:
        """When each interval is over, shape (n,). [µs since 1970 UTC]"""
        return self.starts_us + self.steps_us

    @property
    def cell_us(self) -> int:
        """Step of a table that shows all of it: 15 to 60 minutes. [µs]"""
        sizes, counts = np.unique(self.steps_us, return_counts=True)
        common = int(sizes[np.argmax(counts)]) // _MINUTE_US
        fits = (m for m in _CELL_MINUTES if common <= m and m % max(common, 1) == 0)
        return next(fits, 60) * _MINUTE_US

    def among(self, rows: Any) -> Record:
        """Some of its rows."""
        return replace(
            self,
            starts_us=self.starts_us[rows],
            steps_us=self.steps_us[rows],
            values=self.values[rows],
            issues_us=self.issues_us[rows],
        )


def read_record(
    request: ForecastRequest, path: str, *, options: dict[str, Any] | None = None
) -> Record:
    """Rows of the region in a file, or in all files of a folder of kept issues.

    Parameters
    ----------
    request
        Whose series and region are meant.
    path
        CSV or Parquet file with the columns of a forecast file, or a folder of
        such Parquet files, relative to the workspace.
    options
        Other keys of the ``file`` provider: ``unit``, ``signal``, ``stamp``, ``step``.

    Raises
    ------
    ForecastError
        If there is nothing, or it cannot be read.
    """
    folder = request.root / path
    if not folder.is_dir():
        return _read_file(request, path, options or {})
    names = sorted(file.name for file in folder.glob("*.parquet"))
    if not names:
        raise ForecastUnavailableError(
            f"{path} is a folder without Parquet files, so it holds no issues yet; of "
            "measured values name the file itself"
        )
    records = [
        _not_before_fetched(
            _read_file(request, f"{path}/{name}", options or {}), folder / name
        )
        for name in names
    ]
    merged = merge(records)
    digest = sha256("".join(sha for _, sha in merged.files).encode()).hexdigest()
    return replace(merged, files=((path, digest),))


def record_of(observations: Observations, request: ForecastRequest) -> Record:
    """What a source said, converted to the unit of the house and sorted.

    Values that cannot be true are left out, with a note: of a long past one wrong
    value does not discredit the others.
    """
    o = observations
    issues = _issues(o, request)
    order = np.lexsort((o.times_us, issues))
    times, issues = o.times_us[order], issues[order]
    if o.steps_us is None:
        steps = steps_by_issue(times, issues, o.stamp)
    else:
        steps = np.asarray(o.steps_us)[order]
    offset = {Stamp.START: 0 * steps, Stamp.MIDDLE: steps // 2, Stamp.END: steps}
    values = without_marks(o.values[order], series=o.series, unit=o.unit)
    values = to_house_unit(values, steps, unit=o.unit, series=o.series)
    values, notes = _believed(values, request)
    record = Record(
        starts_us=times - offset[o.stamp],
        steps_us=steps,
        values=values,
        issues_us=issues,
        signal=o.signal,
        currency=currency_of(o.unit),
        files=o.files,
        notes=(*o.label, *notes),
    )
    return record.among(np.lexsort((record.issues_us, record.starts_us)))


def merge(records: Iterable[Record]) -> Record:
    """All rows of several records of one series and place.

    Raises
    ------
    ForecastSignalError
        If one is average and another marginal, or currencies differ.
    """
    parts = list(records)
    for attribute in ("signal", "currency"):
        said = sorted({str(getattr(part, attribute)) for part in parts})
        if len(said) > 1:
            raise ForecastSignalError(
                f"{' and '.join(said)} values would be mixed: their {attribute} differs"
            )
    joined = replace(
        parts[0],
        starts_us=np.concatenate([part.starts_us for part in parts]),
        steps_us=np.concatenate([part.steps_us for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        issues_us=np.concatenate([part.issues_us for part in parts]),
        files=tuple(file for part in parts for file in part.files),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )
    return joined.among(np.lexsort((joined.issues_us, joined.starts_us)))


def known_at(record: Record, now: datetime) -> Record:
    """What had happened and been said by an instant: the newest value of each start.

    Intervals that had not ended are left out, and so is what was said later.
    """
    at = to_us(now)
    known = (record.ends_us <= at) & (record.issues_us <= at)
    past = record.among(known & np.isfinite(record.values))
    last = np.append(past.starts_us[1:] != past.starts_us[:-1], True)
    return past.among(last[: len(past.starts_us)])


def dated(record: Record, now: datetime) -> Record:
    """The same with values of which nobody says when they were issued, as of now.

    Then they are no witness of what had been forecast on earlier days.
    """
    unknown = record.issues_us == UNDATED_US
    return replace(record, issues_us=np.where(unknown, to_us(now), record.issues_us))


def on_cells(record: Record, cell_us: int) -> Record:
    """The same with no interval longer than a cell: longer ones are repeated."""
    repeats = np.maximum(record.steps_us // cell_us, 1)
    rows = np.repeat(np.arange(len(repeats)), repeats)
    firsts = np.repeat(np.cumsum(repeats) - repeats, repeats)
    moved = (np.arange(len(rows)) - firsts) * cell_us
    finer = record.among(rows)
    return replace(
        finer,
        starts_us=finer.starts_us + moved,
        steps_us=np.minimum(finer.steps_us, cell_us),
    )


def steps_by_issue(times: Int64Array, issues: Int64Array, stamp: Stamp) -> Int64Array:
    """Length of each interval, read from the stamps of each issue by itself.

    Parameters
    ----------
    times, issues
        Stamp and issue of each value, sorted by issue, then stamp; shape (n,). [µs]
    stamp
        What the stamps name.
    """
    borders = np.flatnonzero(np.diff(issues)) + 1
    steps = np.empty(len(times), dtype=np.int64)
    for part in np.split(np.arange(len(times)), borders):
        unique, back = np.unique(times[part], return_inverse=True)
        steps[part] = interval_lengths(unique, stamp)[back]
    return steps


def _read_file(request: ForecastRequest, path: str, options: dict[str, Any]) -> Record:
    file = File(FileOptions.model_validate({**options, "path": path}))
    return record_of(file.fetch(request), request)


def _not_before_fetched(record: Record, path: Path) -> Record:
    """A kept issue was not known before it was fetched, whatever date it bears."""
    import pyarrow.parquet as pa_parquet

    metadata = pa_parquet.read_metadata(path).metadata or {}
    described = json.loads(metadata.get(b"forecast_issue", b"{}"))
    if "fetched_at" not in described:
        return record
    fetched_us = to_us(datetime.fromisoformat(described["fetched_at"]))
    return replace(record, issues_us=np.maximum(record.issues_us, fetched_us))


def _issues(observations: Observations, request: ForecastRequest) -> Int64Array:
    if observations.issues_us is not None:
        return observations.issues_us
    at = observations.issued_at
    issue = UNDATED_US if at is None else to_us(min(at, request.now))
    return np.full(len(observations.times_us), issue, dtype=np.int64)


def _believed(
    values: FloatArray, request: ForecastRequest
) -> tuple[FloatArray, tuple[str, ...]]:
    allowed = plausible_range(request, None)
    finite = np.isfinite(values)
    absurd = np.isinf(values)
    absurd |= finite & ((values > allowed.high) | (values < allowed.low - allowed.tiny))
    believed = np.where(absurd, np.nan, values)
    if allowed.low == 0:
        believed = np.where(believed < 0, 0.0, believed)
    count = int(absurd.sum())
    note = f"{count} implausible values of the past were left out"
    return believed, (note,) if count else ()
