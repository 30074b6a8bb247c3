"""Ask CATS: ``cats.forecast.WindowedForecast``, as its command line does.

CATS takes intensities as points joined by straight lines, one job and one place at a
time, and knows nothing of other jobs, of capacity or of on-site solar.
"""

import json
import math
import sys
import time
from datetime import UTC, datetime, timedelta

from cats.forecast import PointEstimate, WindowedForecast

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Search one window for each job and region."""
    day = json.load(sys.stdin)
    step = timedelta(minutes=day["slot_minutes"])
    grids = [_points(row, step) for row in day["g_per_kwh"]]
    began = time.perf_counter()
    found = [
        [(region, *_best(grids[region], job, step)) for region in job["regions"]]
        for job in day["jobs"]
    ]
    print(json.dumps({"seconds": time.perf_counter() - began, "found": found}))


def _points(row: list[float], step: timedelta) -> list[PointEstimate]:
    """Forecast as CATS' providers give it, and a point for the end of the last slot."""
    return [
        PointEstimate(value=g, datetime=MIDNIGHT + i * step)
        for i, g in enumerate([*row, row[-1]])
    ]


def _best(
    points: list[PointEstimate], job: dict[str, float], step: timedelta
) -> tuple[int, float]:
    # Short of one slot more than the last start: CATS rounds this window down to
    # steps for the starts, but cuts the forecast at the window's very end.
    window = (job["last"] - job["first"] + 1) * step - timedelta(minutes=1)
    best = min(
        WindowedForecast(
            points,
            math.ceil(job["minutes"]),
            start=MIDNIGHT + job["first"] * step,
            max_window_minutes=int(window.total_seconds() // 60),
        )
    )
    return (best.start - MIDNIGHT) // step, best.value


main()
