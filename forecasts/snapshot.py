"""The forecasts that a plan was made with, kept as one Parquet file."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from forecasts.errors import ForecastError, ForecastUnavailableError
from forecasts.gathering import ForecastSet
from forecasts.series import Forecast, Series, Signal
from forecasts.whole_file import write_whole
from inputs.timegrid import TimeGrid

SCHEMA_VERSION = 1
_KEY = b"forecasts"
_DIGEST = b"forecasts_sha256"
_INSTANT = pa.timestamp("us", "UTC")


class SnapshotError(ForecastError):
    """A snapshot is damaged, of another day, or of a newer program."""


def write_snapshot(path: Path, forecasts: ForecastSet) -> None:
    """Write every forecast of a set, whole or not at all.

    One row for each series, region and slot: ``series, region, start, value,
    quality`` and one column ``q<level>`` for each quantile level; everything else
    stands as JSON in the file's metadata key ``forecasts``, with a SHA-256 of both.

    Parameters
    ----------
    path
        File to write or replace; its folder is made.
    forecasts
        What to keep.
    """
    table = pa.concat_tables(
        [_rows(forecast) for forecast in forecasts.forecasts],
        promote_options="default",
    )
    described = json.dumps(_described(forecasts)).encode()
    meta = {_KEY: described, _DIGEST: _digest(table, described)}
    content = io.BytesIO()
    pa_parquet.write_table(
        table.replace_schema_metadata(meta), content,
        compression="zstd", write_page_checksum=True,
    )  # fmt: skip
    write_whole(path, content.getvalue())


def read_snapshot(path: Path, grid: TimeGrid) -> ForecastSet:
    """Set of forecasts as it was written, to the last bit.

    Parameters
    ----------
    path
        File of ``write_snapshot``.
    grid
        The slots that the forecasts must be of.

    Raises
    ------
    ForecastUnavailableError
        If there is no such file.
    SnapshotError
        If it cannot be read or its forecasts are of other slots.
    """
    try:
        file = pa_parquet.ParquetFile(path, page_checksum_verification=True)
        with file:
            table = file.read()
        meta = table.schema.metadata or {}
        if meta[_DIGEST] != _digest(table, meta[_KEY]):
            raise SnapshotError(f"{path}: changed since it was written")
        return _restored(table, json.loads(meta[_KEY]), grid=grid, path=path)
    except FileNotFoundError as error:
        raise ForecastUnavailableError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise SnapshotError(f"{path}: not a whole snapshot: {reason[0]}") from error


def _digest(table: Any, described: bytes) -> bytes:
    """SHA-256 of metadata and rows: pages have checksums, a Parquet footer has none."""
    digest = sha256(described)
    for name in table.column_names:
        digest.update(name.encode())
        column = table[name]
        if pa.types.is_string(column.type):
            digest.update("\0".join(column.to_pylist()).encode())
        else:
            digest.update(column.to_numpy().tobytes())
    return digest.hexdigest().encode()


def _rows(forecast: Forecast) -> Any:
    n = forecast.grid.n_slots
    columns = {
        "series": pa.array([forecast.series.value] * n, pa.string()),
        "region": pa.array([forecast.region] * n, pa.string()),
        "start": pa.array(forecast.grid.starts_us(), pa.int64()).cast(_INSTANT),
        "value": pa.array(forecast.values, pa.float64()),
        "quality": pa.array(forecast.quality, pa.int8()),
    }
    for level, values in forecast.quantiles.items():
        columns[_quantile_name(level)] = pa.array(values, pa.float64())
    return pa.table(columns)


def _quantile_name(level: float) -> str:
    return f"q{level!r}"


def _described(forecasts: ForecastSet) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "grid": _grid_described(forecasts.grid),
        "forecasts": [_forecast_described(f) for f in forecasts.forecasts],
        "has_solar": [forecast is not None for forecast in forecasts.solar],
        "has_price": forecasts.price is not None,
        "files": [list(file) for file in forecasts.files],
        "notes": list(forecasts.notes),
        "degraded": forecasts.degraded,
    }


def _grid_described(grid: TimeGrid) -> dict[str, Any]:
    return {
        "date": grid.date.isoformat(),
        "timezone": grid.timezone,
        "start": grid.start.isoformat(),
        "step_s": grid.step / timedelta(seconds=1),
        "n_slots": grid.n_slots,
    }


def _forecast_described(forecast: Forecast) -> dict[str, Any]:
    issued_at = forecast.issued_at
    return {
        "series": forecast.series.value,
        "region": forecast.region,
        "provider": forecast.provider,
        "signal": forecast.signal and forecast.signal.value,
        "issued_at": issued_at and issued_at.isoformat(),
        "levels": list(forecast.quantiles),
        "degraded": forecast.degraded,
        "notes": list(forecast.notes),
        "currency": forecast.currency,
    }


def _restored(
    table: Any, described: dict[str, Any], *, grid: TimeGrid, path: Path
) -> ForecastSet:
    if described["schema_version"] > SCHEMA_VERSION:
        raise SnapshotError(f"{path}: written by a newer program; update this one")
    kept = _grid_restored(described["grid"])
    if kept != grid:
        raise SnapshotError(
            f"{path}: forecasts of {kept.date} ({kept.n_slots} slots of {kept.step}), "
            f"expected {grid.date} ({grid.n_slots} slots of {grid.step})"
        )
    n = grid.n_slots
    if table.num_rows != n * len(described["forecasts"]):
        raise SnapshotError(f"{path}: {table.num_rows} rows do not fit its forecasts")
    every = [
        _forecast_restored(table.slice(i * n, n), one, grid)
        for i, one in enumerate(described["forecasts"])
    ]
    solar = iter([f for f in every if f.series is Series.SOLAR])
    price = tuple(f for f in every if f.series is Series.PRICE)
    return ForecastSet(
        grid=grid,
        carbon=tuple(f for f in every if f.series is Series.CARBON),
        solar=tuple(next(solar) if has else None for has in described["has_solar"]),
        price=price if described["has_price"] else None,
        files=tuple((name, digest) for name, digest in described["files"]),
        notes=tuple(described["notes"]),
        degraded=described["degraded"],
    )


def _grid_restored(described: dict[str, Any]) -> TimeGrid:
    return TimeGrid(
        date=date.fromisoformat(described["date"]),
        timezone=described["timezone"],
        start=datetime.fromisoformat(described["start"]),
        step=timedelta(seconds=described["step_s"]),
        n_slots=described["n_slots"],
    )


def _forecast_restored(
    rows: Any, described: dict[str, Any], grid: TimeGrid
) -> Forecast:
    signal, issued_at = described["signal"], described["issued_at"]
    forecast = Forecast(
        series=Series(described["series"]),
        region=described["region"],
        grid=grid,
        values=np.array(rows["value"].to_numpy()),
        provider=described["provider"],
        signal=Signal(signal) if signal else None,
        quality=np.array(rows["quality"].to_numpy()),
        degraded=described["degraded"],
        notes=tuple(described["notes"]),
        currency=described["currency"],
        quantiles={
            level: np.array(rows[_quantile_name(level)].to_numpy())
            for level in described["levels"]
        },
    )
    if not issued_at:
        return forecast
    return replace(forecast, issued_at=datetime.fromisoformat(issued_at))
