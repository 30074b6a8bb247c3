"""What the history holds: every issue kept, and what was known at an instant.

A backtest of a night asks with ``as_of`` and never sees what was fetched later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from forecasts.errors import ForecastUnavailableError
from forecasts.history import METADATA_KEY, SCHEMA_VERSION, quantile_level
from forecasts.provider import Int64Array, Observations, Stamp
from forecasts.series import Series, Signal
from inputs.timegrid import from_us

_UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One kept issue, as the foot of its file describes it.

    Parameters
    ----------
    path
        The file.
    provider, series, zone
        Who spoke of what; the zone as the provider names it.
    issued_at, fetched_at
        When it was made and when it came; equal where the source does not date it.
    start, end
        What it covers.
    values
        Number of values.
    size_bytes
        Of the file.
    """

    path: Path
    provider: str
    series: Series
    zone: str
    issued_at: datetime
    fetched_at: datetime
    dated_by_source: bool
    start: datetime
    end: datetime
    values: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIssues:
    """Issues in the order in which they came, and files that are none.

    Parameters
    ----------
    issues
        By the time of fetching, then of issue, then name.
    unreadable
        Files that are damaged or of a newer version.
    """

    issues: tuple[Issue, ...]
    unreadable: tuple[Path, ...] = ()


def kept_issues(folder: Path, *, as_of: datetime | None = None) -> KeptIssues:
    """Every issue below a folder of the history.

    Parameters
    ----------
    folder
        The whole history, or the folder of one provider or zone.
    as_of
        Only what had been fetched by then, aware; None for all.
    """
    found: list[Issue] = []
    unreadable = []
    for path in sorted(folder.rglob("*.parquet")):
        try:
            found.append(_described(path))
        except _UNREADABLE:
            unreadable.append(path)
    known = [i for i in found if as_of is None or i.fetched_at <= as_of]
    known.sort(key=lambda i: (i.fetched_at, i.issued_at, i.path.name))
    return KeptIssues(issues=tuple(known), unreadable=tuple(unreadable))


def read_issue(issue: Issue) -> Observations:
    """What the source said then, nothing mended.

    Raises
    ------
    ForecastUnavailableError
        If the file is damaged or gone.
    """
    try:
        table = pa_parquet.read_table(issue.path, page_checksum_verification=True)
        return _observations(issue, table)
    except _UNREADABLE as error:
        raise ForecastUnavailableError(f"{issue.path.name} is damaged") from error


def newest_about(
    folder: Path,
    *,
    series: Series,
    as_of: datetime,
    span: tuple[datetime, datetime],
    most: int = 48,
) -> Iterator[Observations]:
    """Issues of one zone that speak about a time, the newest of them first.

    Parameters
    ----------
    folder
        Of one provider and zone.
    series
        What is wanted.
    as_of
        Nothing fetched later is read.
    span
        The time, half-open.
    most
        No more than these are read.
    """
    start, end = span
    kept = kept_issues(folder, as_of=as_of).issues
    newest = sorted(kept, key=lambda i: (i.issued_at, i.fetched_at), reverse=True)
    about = [
        i for i in newest if i.series is series and i.start < end and i.end > start
    ]
    for issue in about[:most]:
        with suppress(ForecastUnavailableError):
            yield read_issue(issue)


def _described(path: Path) -> Issue:
    meta = pa_parquet.read_metadata(path)
    told = json.loads(meta.metadata[METADATA_KEY])
    if told["schema_version"] > SCHEMA_VERSION:
        raise ValueError("written by a newer version")
    names = [meta.schema.column(i).path for i in range(meta.num_columns)]
    last = "end" if "end" in names else "start"
    return Issue(
        path=path,
        provider=told["provider"],
        series=Series(told["series"]),
        zone=told["place"],
        issued_at=_instant(told["issued_at"]),
        fetched_at=_instant(told["fetched_at"]),
        dated_by_source=bool(told["dated_by_source"]),
        start=_extreme(meta, names.index("start"), "min"),
        end=_extreme(meta, names.index(last), "max"),
        values=meta.num_rows,
        size_bytes=path.stat().st_size,
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time without an offset")
    return instant.astimezone(UTC)


def _extreme(meta: Any, column: int, which: str) -> datetime:
    """Smallest or largest instant of a column, from the foot of the file."""
    groups = [
        meta.row_group(i).column(column).statistics for i in range(meta.num_row_groups)
    ]
    found = [getattr(statistics, which) for statistics in groups if statistics]
    instant: datetime = min(found) if which == "min" else max(found)
    return instant.astimezone(UTC)


def _observations(issue: Issue, table: Any) -> Observations:
    starts = _us(table, "start")
    steps = _us(table, "end") - starts if "end" in table.column_names else None
    signals = (
        table["signal"].unique().to_pylist() if "signal" in table.schema.names else []
    )
    (unit,) = table["unit"].unique().to_pylist()
    levels = {quantile_level(name): name for name in table.column_names}
    return Observations(
        series=issue.series,
        place=issue.zone,
        times_us=starts,
        values=_floats(table, "value"),
        unit=unit,
        stamp=Stamp.START,
        steps_us=steps,
        signal=Signal(signals[0]) if signals else None,
        issued_at=from_us(_us(table, "issued_at")[0]),
        quantiles={
            level: _floats(table, name)
            for level, name in levels.items()
            if level is not None
        },
    )


def _us(table: Any, name: str) -> Int64Array:
    return np.asarray(table[name].cast(pa.int64()).to_numpy(), dtype=np.int64)


def _floats(table: Any, name: str) -> Any:
    return np.array(table[name].to_numpy(), dtype=np.float64)
