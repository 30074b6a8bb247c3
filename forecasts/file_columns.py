"""The columns of a forecast file and what each may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from forecasts.columns import ColumnFile
from forecasts.errors import ForecastFormatError
from forecasts.provider import Int64Array
from forecasts.series import FloatArray, Series, Signal
from forecasts.tables import read_columns
from forecasts.units import expected_units, unknown_unit
from inputs.errors import Finding

VALUE_COLUMNS = {
    Series.CARBON: "g_per_kwh",
    Series.SOLAR: "kw",
    Series.PRICE: "price_per_kwh",
}
"""Column whose name states the unit of the house."""

VALUE = "value"
"""Column in another unit, which ``unit`` must declare."""

OPTIONAL = (
    "p10", "p50", "p90", "issued_at", "signal", "unit", "end", "estimated",
)  # fmt: skip
"""Columns that a file may have besides ``region``, ``start`` and the values."""

UNKNOWN_ISSUE_US = int(np.iinfo(np.int64).min)
"""Issue of a row that states none: older than any other. [µs since 1970 UTC]"""

_QUANTILE = re.compile(r"p(\d\d?(?:\.\d+)?)")
_PANDAS_INDEX = "__index_level_"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileRows:
    """All rows of a forecast file, as columns of equal length n.

    Parameters
    ----------
    path, sha256
        File as named in the settings, and the digest of its bytes.
    region_codes, regions
        Row to place: ``regions[region_codes[i]]``.
    times_us, values
        Shape (n,). [µs since 1970 UTC] [unit of the row]
    unit_codes, units
        Row to unit, as ``regions``.
    signal_codes, signals
        Row to signal, as ``regions``; None without such a column.
    ends_us
        End of each interval; None without such a column. [µs since 1970 UTC]
    issues_us
        Issue of each row; None without such a column. [µs since 1970 UTC]
    quantiles
        Level to values, shape (n,).
    notes
        What was ignored.
    estimated
        How values were worked out that nobody measured.
    """

    path: str
    sha256: str
    region_codes: Int64Array
    regions: list[str]
    times_us: Int64Array
    values: FloatArray
    unit_codes: Int64Array
    units: list[str]
    signal_codes: Int64Array | None = None
    signals: list[str]
    ends_us: Int64Array | None = None
    issues_us: Int64Array | None = None
    quantiles: Mapping[float, FloatArray]
    notes: tuple[str, ...] = ()
    estimated: str | None = None


def read_rows(root: Path, path: str, *, series: Series, unit: str | None) -> FileRows:
    """Read and check a forecast file, all columns at once.

    Parameters
    ----------
    root
        Folder of the workspace.
    path
        CSV or Parquet file.
    series
        What the file is to hold.
    unit
        Unit that the settings declare for a ``value`` column.

    Raises
    ------
    ForecastUnavailableError
        If there is no such file.
    ForecastFormatError
        With every finding: missing and misspelt columns, and cells that cannot be
        read, by row and column.
    """
    file = read_columns(root, path)
    value_column = _value_column(file, series)
    levels = _levels(file.names)
    notes = _check_names(file, known={value_column, *levels.values()})
    file.finish()
    has = set(file.names)
    region_codes, regions = file.texts("region")
    unit_codes, units = _units(file, series, value_column, declared=unit)
    signal_codes, signals = _signals(file) if "signal" in has else (None, [])
    rows = FileRows(
        path=path,
        sha256=file.sha256,
        region_codes=region_codes,
        regions=regions,
        times_us=file.instants("start"),
        values=file.numbers(value_column),
        unit_codes=unit_codes,
        units=units,
        signal_codes=signal_codes,
        signals=signals,
        ends_us=file.instants("end") if "end" in has else None,
        issues_us=file.instants("issued_at", missing=UNKNOWN_ISSUE_US)
        if "issued_at" in has
        else None,
        quantiles={level: file.numbers(name) for level, name in levels.items()},
        notes=notes,
        estimated=_estimates(file) if "estimated" in has else None,
    )
    file.finish()
    return rows


def _value_column(file: ColumnFile, series: Series) -> str:
    wanted = VALUE_COLUMNS[series]
    if wanted in file.names or VALUE not in file.names:
        return wanted
    return VALUE


def _levels(names: list[str]) -> dict[float, str]:
    matches = ((name, _QUANTILE.fullmatch(name)) for name in names)
    levels = {float(match[1]) / 100: name for name, match in matches if match}
    return {level: name for level, name in sorted(levels.items()) if 0 < level < 1}


def _check_names(file: ColumnFile, known: set[str]) -> tuple[str, ...]:
    """Report missing and misspelt columns; say which others are ignored."""
    required = {"region", "start", *known - set(file.names)}
    for name in sorted(required - set(file.names)):
        found = f"columns {', '.join(file.names)}"[:200]
        file.report(name, found, "this column", None)
    accepted = {"region", "start", *known, *OPTIONAL}
    others = [name for name in file.names if name not in accepted]
    for name in others:
        if near := get_close_matches(name, accepted - set(file.names), cutoff=0.66):
            file.report(name, "an unknown column", f"{near[0]}, if that is meant", None)
    ignored = [name for name in others if not name.startswith(_PANDAS_INDEX)]
    listed = ", ".join(ignored)[:200]
    return (f"{file.path}: columns not used: {listed}",) if ignored else ()


def _estimates(file: ColumnFile) -> str | None:
    """How values were worked out that nobody measured, for the plan."""
    told = {str(how) for how in file.table["estimated"].unique().to_pylist() if how}
    return "; ".join(sorted(told))[:200] or None


def _units(
    file: ColumnFile, series: Series, column: str, *, declared: str | None
) -> tuple[Int64Array, list[str]]:
    """Unit of each row; a unit in the column's name must not be contradicted."""
    house = {"price": "1/kWh"}.get(series.value, series.unit)
    if "unit" in file.names:
        codes, units = file.texts("unit")
    else:
        codes = np.zeros(file.table.num_rows, dtype=np.int64)
        units = [declared or (house if column != VALUE else "")]
    if column == VALUE:
        if not all(units):
            raise unknown_unit("", series)
        return codes, units
    for unit in units:
        if unit and not _agrees(unit, house):
            expected = (
                f"{house}, or the column named {VALUE!r} ({expected_units(series)})"
            )
            file.report(column, f"the unit {unit}", expected, None)
    return codes, units


def _agrees(unit: str, house: str) -> bool:
    """Whether a declared unit says the same as the name of the column."""
    equal = {"g/kWh": ("g/kWh", "kg/MWh", "t/GWh"), "kW": ("kW",)}
    if house in equal:
        return unit in equal[house]
    return unit.endswith("/kWh")


def _signals(file: ColumnFile) -> tuple[Int64Array, list[str]]:
    codes, names = file.texts("signal")
    known = {signal.value for signal in Signal}
    for code, name in enumerate(names):
        if name and name not in known:
            row = int(np.flatnonzero(codes == code)[0])
            file.report("signal", repr(name[:60]), "average or marginal", row)
    return codes, names


def refuse_column(
    path: str, column: str, found: str, expected: str
) -> ForecastFormatError:
    """Refusal of what a column says about one region as a whole."""
    return ForecastFormatError(
        [Finding(path=path, field=column, found=found, expected=expected)]
    )
