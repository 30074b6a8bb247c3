"""Measured values that services told, collected in one file of each provider.

The file has the columns of a forecast file, so ``history`` of the forecasters of our
own and ``planner forecast score --history`` read it as it is.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pa_parquet

from forecasts.errors import ForecastUnavailableError
from forecasts.intervals import interval_lengths
from forecasts.provider import Observations
from forecasts.series import Series
from forecasts.whole_file import write_whole

SCHEMA_VERSION = 2
METADATA_KEY = b"measured_values"
"""Where a file's foot says which zone each region had, as JSON."""

_INSTANT = pa.timestamp("us", "UTC")
_SCHEMA = pa.schema(
    {
        "region": pa.string(),
        "start": _INSTANT,
        "end": _INSTANT,
        "value": pa.float64(),
        "unit": pa.string(),
        "signal": pa.string(),
        "estimated": pa.string(),
    }
)
"""``estimated`` says how values were worked out that nobody measured."""

_UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a file holds of one region after something was added.

    Parameters
    ----------
    path
        The file.
    added
        Values that it did not have before.
    values
        Values that it has now.
    start, end
        What they cover, aware UTC.
    """

    path: Path
    added: int
    values: int
    start: datetime
    end: datetime


def measured_path(outputs: Path, provider: str, series: Series) -> Path:
    """File of all regions about which a provider told what was measured."""
    return outputs / "forecasts" / "measured" / f"{provider}.{series.value}.parquet"


def add_measured(path: Path, told: Observations, *, zone: str) -> Collected:
    """Put measured values of one region into a file; newer ones replace older.

    Rows of the region from a time when its zone was another are dropped: they are
    about another grid.

    Parameters
    ----------
    path
        As by ``measured_path``; it is made.
    told
        Values about a region, each of which is there or NaN.
    zone
        The region's zone as the provider names it.

    Raises
    ------
    ForecastError
        If the file that is there cannot be read, or no length of intervals is known.
    OSError
        If the disk refuses; the file is then as it was.
    """
    kept, zones = _read(path)
    region = told.place
    if zones.get(region, zone) != zone:
        kept = kept.filter(pc.not_equal(kept["region"], region))
    new = _table(told)
    before = pc.sum(pc.equal(kept["region"], region)).as_py() or 0
    merged = _merged(kept, new)
    foot = {"schema_version": SCHEMA_VERSION, "zones": {**zones, region: zone}}
    _write(path, merged, foot)
    own = merged.filter(pc.equal(merged["region"], region))
    return Collected(
        path=path,
        added=own.num_rows - before,
        values=own.num_rows,
        start=pc.min(own["start"]).as_py(),
        end=pc.max(own["end"]).as_py(),
    )


def _read(path: Path) -> tuple[Any, dict[str, str]]:
    if not path.exists():
        return _SCHEMA.empty_table(), {}
    try:
        table = pa_parquet.read_table(path, page_checksum_verification=True)
        foot = json.loads(table.schema.metadata[METADATA_KEY])
        if foot["schema_version"] > SCHEMA_VERSION:
            raise ValueError("written by a newer version")
        if foot["schema_version"] == 1:
            nothing = pa.nulls(table.num_rows, pa.string())
            table = table.append_column("estimated", nothing)
        return table.replace_schema_metadata().cast(_SCHEMA), dict(foot["zones"])
    except _UNREADABLE as error:
        raise ForecastUnavailableError(
            f"{path.name} in {path.parent.name}/ is damaged or of a newer version; "
            "move it away to begin anew"
        ) from error


def _table(told: Observations) -> Any:
    """Rows of the values that are there, one for each start."""
    known = np.flatnonzero(np.isfinite(told.values))
    starts, last = np.unique(told.times_us[known][::-1], return_index=True)
    rows = known[::-1][last]
    if not len(rows):
        raise ForecastUnavailableError("the answer holds no measured values")
    if told.steps_us is None:
        steps = interval_lengths(np.sort(np.unique(told.times_us)), told.stamp)
        steps = steps[np.searchsorted(np.unique(told.times_us), starts)]
    else:
        steps = told.steps_us[rows]
    signal = told.signal and told.signal.value
    columns = [
        pa.array([told.place] * len(rows), pa.string()),
        pa.array(starts, pa.int64()).cast(_INSTANT),
        pa.array(starts + steps, pa.int64()).cast(_INSTANT),
        pa.array(told.values[rows], pa.float64()),
        pa.array([told.unit] * len(rows), pa.string()),
        pa.array([signal] * len(rows), pa.string()),
        pa.array([told.estimated] * len(rows), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def _merged(kept: Any, new: Any) -> Any:
    """All rows, sorted by region and start; where both have one, the new."""
    region, starts = new["region"][0].as_py(), new["start"]
    told_anew = pc.and_(
        pc.equal(kept["region"], region), pc.is_in(kept["start"], starts)
    )
    both = pa.concat_tables([kept.filter(pc.invert(told_anew)), new])
    return both.sort_by([("region", "ascending"), ("start", "ascending")])


def _write(path: Path, table: Any, foot: dict[str, Any]) -> None:
    told = {METADATA_KEY: json.dumps(foot).encode()}
    buffer = io.BytesIO()
    pa_parquet.write_table(
        table.replace_schema_metadata(told), buffer,
        compression="zstd", write_page_checksum=True,
    )  # fmt: skip
    write_whole(path, buffer.getvalue())
