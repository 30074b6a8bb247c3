"""Hours in which an array gives nothing because the sun is down."""

from __future__ import annotations

import numpy as np

from forecasts.photovoltaics import sun_position
from forecasts.provider import Int64Array
from inputs.settings import SolarArray

DOWN = 2.0
"""Height of the sun below which an array gives next to nothing. [degrees]"""

_MINUTE_US = 60_000_000


def dark_gaps(
    borders_us: tuple[Int64Array, Int64Array], array: SolarArray, *, reach_us: int
) -> tuple[Int64Array, Int64Array]:
    """Parts of the gaps between intervals in which the sun is down.

    Only what touches an edge of a gap counts: a service that leaves nights out
    stops when the sun goes down, and a gap by day stays a gap.

    Parameters
    ----------
    borders_us
        Starts and ends of the intervals that are known, rising, not empty.
        [µs since 1970 UTC]
    array
        Where the sun is looked at.
    reach_us
        How far before the first and after the last interval is looked. [µs]

    Returns
    -------
    tuple of ndarray
        Starts and ends, rising. [µs since 1970 UTC]
    """
    starts, ends = borders_us
    gaps = zip(
        np.concatenate([[starts[0] - reach_us], ends]),
        np.concatenate([starts, [ends[-1] + reach_us]]),
        strict=True,
    )
    found = [
        part
        for start, end in gaps
        if end > start
        for part in _dark(int(start), int(end), array)
    ]
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _dark(start: int, end: int, array: SolarArray) -> list[tuple[int, int]]:
    minutes = np.arange(start, end, _MINUTE_US, dtype=np.int64)
    elevation = sun_position(minutes, array)["apparent_elevation"].to_numpy()
    up = np.flatnonzero(elevation >= DOWN)
    if not len(up):
        return [(start, end)]
    parts = (
        (start, int(minutes[up[0]])),
        (min(int(minutes[up[-1]]) + _MINUTE_US, end), end),
    )
    return [part for part in parts if part[1] > part[0]]
