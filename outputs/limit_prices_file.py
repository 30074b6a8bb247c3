"""Prices of a plan's limits, kept as a Parquet file beside the plan."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from inputs.timegrid import TimeGrid
from outputs.errors import PlanFormatError
from outputs.limit_prices import UNIT, FloatArray, LimitPrice, LimitPrices
from outputs.storage import probe, write_atomically

SCHEMA_VERSION = 1
_KEY = b"limit_prices"
_SCHEMA = pa.schema(
    {
        "region": pa.string(),
        "limit": pa.string(),
        "start": pa.timestamp("us", "UTC"),
        "kg_per_unit_hour": pa.float64(),
        "available": pa.float64(),
    }
)


def write_limit_prices(path: Path, prices: LimitPrices, grid: TimeGrid) -> None:
    """Write one row for each limit and slot, whole or not at all.

    Parameters
    ----------
    path
        File to write or replace; its folder is made.
    prices, grid
        What to keep, and the slots that it is of.

    Raises
    ------
    PlanStorageError
        If the disk refuses.
    """
    n, slots = len(prices.limits), np.asarray(grid.starts_us())
    columns = {
        "region": [p.region for p in prices.limits for _ in range(grid.n_slots)],
        "limit": [p.limit for p in prices.limits for _ in range(grid.n_slots)],
        "start": pa.array(np.tile(slots, n)).cast(_SCHEMA.field("start").type),
        "kg_per_unit_hour": _column([p.kg for p in prices.limits]),
        "available": _column([p.available for p in prices.limits]),
    }
    meta = {"schema_version": SCHEMA_VERSION, "unit": UNIT, "notes": prices.notes}
    schema = _SCHEMA.with_metadata({_KEY: json.dumps(meta)})
    table = pa.table(columns, schema=schema)
    probe(path.parent)
    write_atomically(
        path,
        lambda file: pq.write_table(
            table, file, compression="zstd", write_page_checksum=True
        ),
    )


def read_limit_prices(path: Path, grid: TimeGrid) -> LimitPrices:
    """Prices as they were written.

    Raises
    ------
    PlanFormatError
        If the file is damaged, of other slots or of a newer program.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        meta = json.loads(table.schema.metadata[_KEY])
        found = LimitPrices(
            limits=tuple(_limits(table, grid)), notes=tuple(meta["notes"])
        )
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise PlanFormatError(f"{path}: not a file of limit prices: {error}") from error
    if meta["schema_version"] != SCHEMA_VERSION:
        raise PlanFormatError(f"{path}: written by a newer planner")
    return found


def _column(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _limits(table: pa.Table, grid: TimeGrid) -> list[LimitPrice]:
    n_limits, rest = divmod(table.num_rows, grid.n_slots)
    starts = table["start"].cast(pa.int64()).to_numpy()
    if rest or not np.array_equal(starts, np.tile(grid.starts_us(), n_limits)):
        raise ValueError("its slots are not those of the plan")
    kg = table["kg_per_unit_hour"].to_numpy().reshape(n_limits, grid.n_slots)
    available = table["available"].to_numpy().reshape(n_limits, grid.n_slots)
    heads = table.take(pa.array(np.arange(n_limits) * grid.n_slots))
    names = zip(heads["region"].to_pylist(), heads["limit"].to_pylist(), strict=True)
    return [
        LimitPrice(region=region, limit=limit, kg=prices, available=units)
        for (region, limit), prices, units in zip(
            names, kg.copy(), available.copy(), strict=True
        )
    ]
