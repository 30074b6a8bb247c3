"""Loose observations put in order: sorted, without repeats, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecasts.errors import ForecastIncompleteError, ForecastUnavailableError
from forecasts.provider import ForecastRequest, Int64Array, Observations, Stamp
from forecasts.series import FloatArray
from inputs.timegrid import from_us, to_us

MAX_READ_STEP = timedelta(hours=3)
"""Longest interval that is read from the distance of stamps; longer is a hole."""

RUN = 3
"""Equal distances in a row that make a second step length believable."""

_MARGIN_US = timedelta(hours=12) // timedelta(microseconds=1)
_MAX_STEP_US = MAX_READ_STEP // timedelta(microseconds=1)
_UNKNOWN_US = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Values on intervals that are sorted and do not overlap; there may be gaps.

    Parameters
    ----------
    starts_us
        Shape (n,), rising. [µs since 1970 UTC]
    steps_us
        Length of each interval, shape (n,). [µs]
    columns
        Row 0 is the mean, the others the quantiles of ``levels``; shape
        (1 + n_levels, n). NaN where the source has nothing.
    levels
        Quantile levels, rising.
    issued_at
        Issue of the oldest value among those that lie in the horizon.
    notes
        What was dropped or decided.
    """

    starts_us: Int64Array
    steps_us: Int64Array
    columns: FloatArray
    levels: tuple[float, ...] = ()
    issued_at: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def ends_us(self) -> Int64Array:
        """Shape (n,). [µs since 1970 UTC]"""
        return self.starts_us + self.steps_us


def arrange(observations: Observations, request: ForecastRequest) -> Intervals:
    """Sort, choose the issue, drop repeats and find each value's interval.

    Of several values for one instant a number beats a hole, then the newest issue
    that is not later than ``request.now`` wins, then the later row. Values more than
    12 hours outside the horizon play no part.

    Raises
    ------
    ForecastUnavailableError
        If nothing lies near the horizon.
    ForecastIncompleteError
        If intervals overlap or their length cannot be told.
    """
    levels = tuple(sorted(observations.quantiles))
    columns = np.vstack(
        [observations.values, *(observations.quantiles[level] for level in levels)]
    ).astype(np.float64)
    issues = _issues(observations)
    kept, notes = _choose(observations, columns, issues, request)
    times = observations.times_us[kept]
    steps = observations.steps_us
    lengths = interval_lengths(times, observations.stamp) if steps is None else None
    steps = lengths if lengths is not None else np.asarray(steps)[kept]
    starts = times - _offset(steps, observations.stamp)
    _refuse_overlap(starts, steps)
    inside = (starts < request.grid.end_us) & (starts + steps > request.grid.start_us)
    issued_at, issue_notes = _issued_at(issues[kept][inside], observations)
    return Intervals(
        starts_us=starts,
        steps_us=steps,
        columns=columns[:, kept],
        levels=levels,
        issued_at=issued_at,
        notes=(*notes, *issue_notes),
    )


def interval_lengths(times_us: Int64Array, stamp: Stamp = Stamp.START) -> Int64Array:
    """Length of the interval that each stamp stands for, read from the stamps.

    The most common distance is the step. Another distance is a step too where it
    occurs three times in a row (a source that changes from hours to quarter-hours);
    otherwise it is a hole, and the row keeps the step of its neighbours.

    Parameters
    ----------
    times_us
        Sorted stamps without repeats, shape (n,). [µs]
    stamp
        At the end of an interval the distance backwards counts, else forwards.

    Raises
    ------
    ForecastIncompleteError
        If there are fewer than two stamps or they are more than
        ``MAX_READ_STEP`` apart.

    Examples
    --------
    >>> minutes = np.array([0, 60, 120, 180, 195, 210, 225, 300, 315])
    >>> (interval_lengths(minutes * 60_000_000) // 60_000_000).tolist()
    [60, 60, 60, 15, 15, 15, 15, 15, 15]
    """
    if stamp is Stamp.END:
        return interval_lengths(-times_us[::-1])[::-1]
    distances = np.diff(times_us)
    if not len(distances):
        raise ForecastIncompleteError(
            "one value alone does not tell its step; state the step or the end"
        )
    sizes, counts = np.unique(distances, return_counts=True)
    common = sizes[np.argmax(counts)]
    if common > _MAX_STEP_US:
        raise ForecastIncompleteError(
            f"values are {timedelta(microseconds=int(common))} apart, more than "
            f"{MAX_READ_STEP}; state the step or the end if that is meant"
        )
    believed = (distances == common) | _in_run(distances)
    believed &= distances <= _MAX_STEP_US
    return _carry(distances, believed)


def _in_run(distances: Int64Array) -> np.ndarray:
    borders = np.flatnonzero(np.diff(distances)) + 1
    edges = np.concatenate([[0], borders, [len(distances)]])
    lengths = np.diff(edges)
    return np.repeat(lengths >= RUN, lengths)


def _carry(distances: Int64Array, believed: np.ndarray) -> Int64Array:
    """Believed distances as they are; elsewhere the last believed, cut to fit."""
    order = np.where(believed, np.arange(len(distances)), -1)
    last = np.maximum.accumulate(order)
    last[last < 0] = np.argmax(believed)
    steps = np.minimum(distances[last], distances)
    return np.append(steps, distances[last[-1]])


def _issues(observations: Observations) -> Int64Array:
    if observations.issues_us is not None:
        return observations.issues_us
    at = observations.issued_at
    issue = _UNKNOWN_US if at is None else to_us(at)
    return np.full(len(observations.times_us), issue, dtype=np.int64)


def _choose(
    observations: Observations,
    columns: FloatArray,
    issues: Int64Array,
    request: ForecastRequest,
) -> tuple[Int64Array, list[str]]:
    """Indices of the values to use, sorted by time, and what was dropped."""
    grid, times, steps = request.grid, observations.times_us, observations.steps_us
    longest_us = 0 if steps is None or not len(steps) else int(steps.max())
    reach = _MARGIN_US + longest_us
    near = (times > grid.start_us - reach) & (times < grid.end_us + reach)
    known = issues <= to_us(request.now)
    rows = np.flatnonzero(near & known)
    if not len(rows):
        late = ", all issued after now" if (near & ~known).any() else ""
        raise ForecastUnavailableError(f"no values near {grid.date}{late}")
    finite = np.isfinite(columns[0, rows])
    rows = rows[np.lexsort((rows, issues[rows], finite, times[rows]))]
    last = np.append(times[rows][1:] != times[rows][:-1], True)
    notes = []
    if late_rows := int((near & ~known).sum()):
        notes.append(f"{late_rows} values issued after now were left out")
    if conflicts := _conflicts(times, columns[0], issues, rows=rows):
        notes.append(
            f"{conflicts} instants had different values; the later row was used"
        )
    return rows[last], notes


def _conflicts(
    times: Int64Array, values: FloatArray, issues: Int64Array, *, rows: Int64Array
) -> int:
    before, after = rows[:-1], rows[1:]
    same = (times[before] == times[after]) & (issues[before] == issues[after])
    differ = (values[before] != values[after]) & np.isfinite(values[before])
    return len(np.unique(times[after[same & differ]]))


def _offset(steps: Int64Array, stamp: Stamp) -> Int64Array:
    return {Stamp.START: 0 * steps, Stamp.MIDDLE: steps // 2, Stamp.END: steps}[stamp]


def _refuse_overlap(starts: Int64Array, steps: Int64Array) -> None:
    overlapping = np.flatnonzero(starts[:-1] + steps[:-1] > starts[1:])
    if len(overlapping):
        at = from_us(starts[overlapping[0] + 1]).isoformat()
        raise ForecastIncompleteError(
            f"{len(overlapping)} intervals begin before the one before has ended, "
            f"the first at {at}"
        )


def _issued_at(
    issues: Int64Array, observations: Observations
) -> tuple[datetime | None, list[str]]:
    if not len(issues) or (issues == _UNKNOWN_US).any():
        return (observations.issued_at if not len(issues) else None), []
    oldest = from_us(issues.min())
    if issues.min() == issues.max():
        return oldest, []
    newest = from_us(issues.max())
    return oldest, [
        f"values of several issues, {oldest.isoformat()} to {newest.isoformat()}; "
        "the oldest one counts as the age"
    ]
