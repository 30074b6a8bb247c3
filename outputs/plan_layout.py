"""What every plan's table looks like, whoever made it: types, nulls, words, order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from inputs.timegrid import from_us
from outputs.errors import PlanFormatError
from outputs.plan import PLAN_SCHEMA, PLANNED, UNPLACED

SORT_KEYS = ("start", "job_id", "segment")
PLACE_COLUMNS = ("region", "start", "end")
NUMBER_COLUMNS = (
    "replicas",
    "power_kw",
    "energy_kwh",
    "solar_kwh",
    "grid_kwh",
    "emissions_kg",
)
"""Columns that a planned row must fill and an unplaced row leaves null."""

_NEVER = 2**63 - 1
_LAST_US = 253_402_300_800_000_000
"""Start of the year 10000: later instants cannot be shown. [µs since 1970]"""


def conform(table: pa.Table) -> pa.Table:
    """Table with exactly the types of ``PLAN_SCHEMA``.

    Raises
    ------
    PlanFormatError
        If a column is missing, unknown or of another type, or breaks a rule of
        ``layout_faults``; names the first fault found.
    """
    require_schema(table.schema)
    fault = next(layout_faults(table), None)
    if fault is not None:
        raise PlanFormatError(fault)
    return table.cast(PLAN_SCHEMA).replace_schema_metadata(None)


def require_schema(schema: pa.Schema) -> None:
    """Refuse other columns or types than those of ``PLAN_SCHEMA``.

    Raises
    ------
    PlanFormatError
        Names the first column that is missing, unknown or of another type.
    """
    fault = _schema_fault(schema)
    if fault is not None:
        raise PlanFormatError(fault)


def sort_rows(rows: pa.Table) -> pa.Table:
    """Rows by start, then job id, then segment; rows without a start come last."""
    if is_sorted(rows):
        return rows
    keys = [(name, "ascending") for name in SORT_KEYS]
    return rows.take(pc.sort_indices(rows, sort_keys=keys))


def is_sorted(rows: pa.Table) -> bool:
    """Whether rows are in a plan's order; much cheaper than sorting them."""
    start = pc.fill_null(rows["start"].cast(pa.int64()), _NEVER)
    ascends = _neighbours(start, pc.less)
    equal = _neighbours(start, pc.equal)
    for name in SORT_KEYS[1:]:
        further = pc.and_(equal, _neighbours(rows[name], pc.less))
        ascends = pc.or_(ascends, further)
        equal = pc.and_(equal, _neighbours(rows[name], pc.equal))
    return not _any(pc.invert(pc.or_(ascends, equal)))


def layout_faults(rows: pa.Table) -> Iterator[str]:
    """Sentences on what no plan may hold, one for each rule that is broken."""
    for field in PLAN_SCHEMA:
        if not field.nullable and rows[field.name].null_count:
            yield f"column {field.name} has an empty value, expected none"
    unknown = pc.invert(pc.is_in(rows["status"], pa.array([PLANNED, UNPLACED])))
    if _any(unknown):
        found = rows["status"].filter(unknown)[0].as_py()
        yield f"column status holds {found!r}, expected {PLANNED} or {UNPLACED}"
    planned = pc.equal(rows["status"], PLANNED)
    for name in (*PLACE_COLUMNS, *NUMBER_COLUMNS):
        if _any(pc.and_(planned, rows[name].is_null())):
            yield f"a {PLANNED} row has no {name}"
        if _any(pc.and_(pc.invert(planned), rows[name].is_valid())):
            yield f"an {UNPLACED} row has a value in {name}, expected none"
    if pc.list_flatten(rows["command"]).null_count:
        yield "column command has an argument without a value"
    yield from _number_faults(rows)


def _number_faults(rows: pa.Table) -> Iterator[str]:
    for field in PLAN_SCHEMA:
        column = rows[field.name]
        if pa.types.is_floating(field.type) and _any(pc.invert(pc.is_finite(column))):
            yield f"column {field.name} holds a number that is not finite"
        if pa.types.is_timestamp(field.type):
            microseconds = column.cast(pa.int64())
            outside = pc.or_(
                pc.less(microseconds, 0), pc.greater_equal(microseconds, _LAST_US)
            )
            if _any(outside):
                last = from_us(_LAST_US - 1).year
                yield f"column {field.name} lies outside the years 1970 to {last}"


def _schema_fault(schema: pa.Schema) -> str | None:
    if schema.names != PLAN_SCHEMA.names:
        missing = [name for name in PLAN_SCHEMA.names if name not in schema.names]
        extra = [name for name in schema.names if name not in PLAN_SCHEMA.names]
        if missing:
            return f"column {missing[0]} is missing"
        if extra:
            return f"column {extra[0]!r} is unknown"
        return f"columns are {', '.join(schema.names)} in another order than expected"
    for found, expected in zip(schema, PLAN_SCHEMA, strict=True):
        if found.type != expected.type:
            return (
                f"column {found.name} has type {found.type}, expected {expected.type}"
            )
    return None


def _any(mask: pa.ChunkedArray) -> bool:
    return bool(pc.any(mask).as_py())


def _neighbours(
    column: pa.ChunkedArray, compare: Callable[[pa.Array, pa.Array], pa.Array]
) -> pa.ChunkedArray:
    """Each value compared with the next one."""
    return compare(column.slice(0, max(0, len(column) - 1)), column.slice(1))
