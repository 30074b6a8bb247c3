"""Every issue of a forecast ever fetched, kept for backtests.

Each issue is one Parquet file that the ``file`` provider reads as it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from forecasts.errors import ForecastIncompleteError
from forecasts.intervals import interval_lengths
from forecasts.provider import Int64Array, Observations, Stamp
from forecasts.whole_file import write_whole
from inputs.timegrid import to_us

SCHEMA_VERSION = 1
METADATA_KEY = b"forecast_issue"
"""Where a file's foot describes its issue, as JSON."""

_QUANTILE = re.compile(r"p(\d\d?(?:\.\d+)?)")
_INSTANT = pa.timestamp("us", "UTC")


def keep_issue(
    folder: Path, observations: Observations, *, provider: str, fetched_at: datetime
) -> Path:
    """Write one issue, unless the same one is there already.

    Columns: ``region`` (the place as the source names it), ``start``, ``end``,
    ``value`` and ``unit`` as sent, ``signal``, ``issued_at`` (the time of fetching
    where the source does not say) and ``fetched_at``; whether the source dated the
    issue, and the rest, stands as JSON in the metadata key ``forecast_issue``.

    Parameters
    ----------
    folder
        Of this provider and zone alone; it is made.
    observations
        What the source said, nothing mended.
    provider
        Registered name of the source.
    fetched_at
        When it said so, aware.

    Returns
    -------
    Path
        The file that holds the issue.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    digest = _digest(observations)
    known = sorted(folder.glob(f"*-{digest}.parquet"))
    if known:
        return known[0]
    issued_at = observations.issued_at or fetched_at
    path = folder / f"{issued_at:%Y%m%dT%H%M%SZ}-{digest}.parquet"
    described = {
        "schema_version": SCHEMA_VERSION,
        "provider": provider,
        "series": observations.series.value,
        "place": observations.place,
        "unit": observations.unit,
        "signal": observations.signal and observations.signal.value,
        "dated_by_source": observations.issued_at is not None,
        "issued_at": issued_at.isoformat(),
        "fetched_at": fetched_at.isoformat(),
    }
    table = _table(observations, issued_at=issued_at, fetched_at=fetched_at)
    meta = {METADATA_KEY: json.dumps(described).encode()}
    buffer = io.BytesIO()
    pa_parquet.write_table(
        table.replace_schema_metadata(meta), buffer,
        compression="zstd", write_page_checksum=True,
    )  # fmt: skip
    write_whole(path, buffer.getvalue())
    return path


def quantile_level(column: str) -> float | None:
    """Level of a column such as ``p97.5``; None for other columns.

    Examples
    --------
    >>> quantile_level("p97.5"), quantile_level("value")
    (0.975, None)
    """
    match = _QUANTILE.fullmatch(column)
    return None if match is None else float(match[1]) / 100


def _table(
    observations: Observations, *, issued_at: datetime, fetched_at: datetime
) -> Any:
    """Rows in the order of time; without ``end`` where nobody knows the step."""
    order = np.argsort(observations.times_us, kind="stable")
    times = observations.times_us[order]
    steps = _steps(observations, order)
    ends = times if observations.stamp is Stamp.END else None
    starts = times
    if steps is not None:
        offset = {Stamp.START: 0 * steps, Stamp.MIDDLE: steps // 2, Stamp.END: steps}
        starts = times - offset[observations.stamp]
        ends = starts + steps
    n = len(times)
    signal = observations.signal and observations.signal.value
    columns = {
        "region": pa.array([observations.place] * n, pa.string()),
        "start": pa.array(starts, pa.int64()).cast(_INSTANT),
        "end": None if ends is None else pa.array(ends, pa.int64()).cast(_INSTANT),
        "value": pa.array(observations.values[order], pa.float64()),
        "unit": pa.array([observations.unit] * n, pa.string()),
        "signal": pa.array([signal] * n, pa.string()) if signal else None,
        "issued_at": pa.array([to_us(issued_at)] * n, pa.int64()).cast(_INSTANT),
        "fetched_at": pa.array([to_us(fetched_at)] * n, pa.int64()).cast(_INSTANT),
    }
    for level, values in sorted(observations.quantiles.items()):
        columns[f"p{100 * level:g}"] = pa.array(values[order], pa.float64())
    return pa.table({name: c for name, c in columns.items() if c is not None})


def _steps(observations: Observations, order: Int64Array) -> Int64Array | None:
    if observations.steps_us is not None:
        return observations.steps_us[order]
    try:
        return interval_lengths(observations.times_us[order], observations.stamp)
    except ForecastIncompleteError:
        return None


def _digest(observations: Observations) -> str:
    """Short digest of what is said and when it was issued."""
    issued_at = observations.issued_at
    said = [observations.unit, issued_at.isoformat() if issued_at else ""]
    digest = hashlib.sha256("\0".join(said).encode())
    digest.update(observations.times_us.tobytes())
    digest.update(observations.values.tobytes())
    for level, values in sorted(observations.quantiles.items()):
        digest.update(f"{level!r}".encode() + values.tobytes())
    return digest.hexdigest()[:16]
