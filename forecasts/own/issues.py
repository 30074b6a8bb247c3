"""What had been published for every cell of a table when its day was forecast."""

from __future__ import annotations

import numpy as np

from forecasts.own.calendar import Calendar
from forecasts.own.record import Record, on_cells
from forecasts.provider import Int64Array
from forecasts.series import FloatArray


def published(record: Record, calendar: Calendar, cuts_us: Int64Array) -> FloatArray:
    """Newest value of each cell that had been issued by its day's cut.

    Parameters
    ----------
    record
        All issues; undated values count as known ever since.
    calendar
        What the cells are.
    cuts_us
        For each day, when its forecast is looked up, shape (n_days,).
        [µs since 1970 UTC]

    Returns
    -------
    ndarray, shape (n_days, n_columns)
        NaN where nothing had been published. [unit of the series]
    """
    rows = on_cells(record, calendar.step_us)
    cells = calendar.cells(rows.starts_us)
    inside = (cells >= 0) & np.isfinite(rows.values)
    n_days, n_columns = calendar.shape
    in_time = rows.issues_us <= cuts_us[np.maximum(cells, 0) // n_columns]
    kept = inside & in_time
    cells, issues, values = cells[kept], rows.issues_us[kept], rows.values[kept]
    newest = np.full(n_days * n_columns, np.iinfo(np.int64).min)
    np.maximum.at(newest, cells, issues)
    chosen = issues == newest[cells]
    size = n_days * n_columns
    sums = np.bincount(cells[chosen], values[chosen], minlength=size)
    counts = np.bincount(cells[chosen], minlength=size)
    found = np.full(size, np.nan)
    np.divide(sums, counts, out=found, where=counts > 0)
    return found.reshape(calendar.shape)
