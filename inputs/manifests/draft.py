"""A manifest as columns: read and typed, its meaning not yet checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from inputs.findings import Findings
from inputs.jobs import BoolArray, FloatArray, Int64Array

Locate = Callable[[int, str | None], int | None]
"""Line of a row's field, or of the row itself without a field."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One field of all jobs.

    Parameters
    ----------
    values
        Null where not given or not readable, length n_jobs.
    given
        Whether something stands there, readable or not, shape (n_jobs,).
    """

    values: pa.Array
    given: BoolArray

    @property
    def good(self) -> BoolArray:
        """Whether a readable value stands there, shape (n_jobs,)."""
        valid: BoolArray = self.values.is_valid().to_numpy(zero_copy_only=False)
        return valid

    def filled(self, missing: Any) -> npt.NDArray[Any]:
        """Values with a stand-in for what is missing, shape (n_jobs,)."""
        filled = self.values.fill_null(missing)
        array: npt.NDArray[Any] = filled.to_numpy(zero_copy_only=False)
        return array


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """What the maps of all jobs hold, in long form, sorted by row.

    Parameters
    ----------
    rows
        Job of each entry, non-decreasing.
    keys
        Name of each entry.
    values
        Readable value of each entry.
    """

    rows: Int64Array
    keys: pa.Array
    values: pa.Array


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Draft:
    """Jobs of one manifest as typed columns; absent columns were never mentioned.

    Parameters
    ----------
    path
        The manifest, as the user named it.
    n_jobs
        Number of rows.
    columns, maps
        By field name of ``inputs.manifests.fields``.
    locate
        Finds lines for messages.
    findings
        Problems so far; checks add theirs.
    tabular
        Whether a field missing everywhere is a missing column.
    """

    path: str
    n_jobs: int
    columns: Mapping[str, Column]
    maps: Mapping[str, Entries]
    locate: Locate
    findings: Findings
    tabular: bool

    def column(self, name: str, type_: pa.DataType) -> Column:
        """A field's column, empty if the manifest does not mention the field."""
        if name in self.columns:
            return self.columns[name]
        nothing = np.zeros(self.n_jobs, dtype=np.bool_)
        return Column(pa.nulls(self.n_jobs, type_), nothing)

    def given(self, name: str) -> BoolArray:
        """Whether something stands in a field, shape (n_jobs,)."""
        if name in self.columns:
            return self.columns[name].given
        return np.zeros(self.n_jobs, dtype=np.bool_)

    def ints(self, name: str, missing: int) -> Int64Array:
        """Whole numbers of a field, shape (n_jobs,)."""
        return self.column(name, pa.int64()).filled(missing).astype(np.int64)

    def floats(self, name: str, missing: float) -> FloatArray:
        """Numbers of a field, shape (n_jobs,)."""
        return self.column(name, pa.float64()).filled(missing).astype(np.float64)

    def strings(self, name: str) -> pa.Array:
        """Texts of a field, null where missing."""
        return self.column(name, pa.string()).values

    def lists(self, name: str) -> pa.Array:
        """Lists of texts of a field, null where missing."""
        return self.column(name, pa.list_(pa.string())).values

    def job(self, row: int) -> str | None:
        """Id of a row's job for messages, or its number in a document."""
        value: str | None = self.strings("id")[row].as_py()
        if value is None and not self.tabular:
            return f"#{row + 1}"
        return value

    def report(
        self,
        rows: BoolArray,
        field: str,
        *,
        found: str | Callable[[int], str],
        expected: str | Callable[[int], str],
        hint: str | Callable[[int], str] | None = None,
    ) -> None:
        """Add a finding for each row of a mask."""

        def say(words: Any, row: int) -> Any:
            return words(row) if callable(words) else words

        def add(row: int) -> None:
            self.findings.add(
                line=self.locate(row, field),
                job=self.job(row),
                field=field,
                found=say(found, row),
                expected=say(expected, row),
                hint=say(hint, row),
            )

        self.findings.add_rows(np.flatnonzero(rows), add)
