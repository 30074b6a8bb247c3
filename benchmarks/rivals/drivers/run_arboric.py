"""Ask arboric: ``Autopilot.optimize_fleet`` with all weight on carbon.

A fleet starts at the first row of its forecast, so jobs that become ready together
make a fleet. arboric has no capacity and no regions; its fleet ties jobs together
by dependencies alone. Durations are floored to whole steps when it scores a window.
"""

import json
import sys
import time
from collections import defaultdict

import pandas as pd
from arboric.core.autopilot import Autopilot, OptimizationConfig
from arboric.core.models import Workload

ROUNDING_HOURS = 1e-6


def main() -> None:
    """Optimise one fleet for each region and slot of readiness."""
    day = json.load(sys.stdin)
    hours = day["slot_minutes"] / 60
    fleets = defaultdict(list)
    for index, job in enumerate(day["jobs"]):
        for region in job["regions"]:
            fleets[region, job["first"]].append((index, _workload(index, job, hours)))
    forecasts = [_forecast(row, day["slot_minutes"]) for row in day["g_per_kwh"]]
    autopilot = Autopilot(OptimizationConfig(cost_weight=0.0, carbon_weight=1.0))
    found = [[] for _ in day["jobs"]]
    began = time.perf_counter()
    for (region, first), fleet in fleets.items():
        forecast = forecasts[region].iloc[first:]
        answer = autopilot.optimize_fleet([work for _, work in fleet], forecast)
        schedules = {each.workload.id: each for each in answer.schedules}
        for index, work in fleet:
            best = schedules[work.id]
            start = forecasts[region].index.get_loc(best.optimal_start)
            found[index].append((region, start, best.optimized_avg_carbon))
    print(json.dumps({"seconds": time.perf_counter() - began, "found": found}))


def _workload(index: int, job: dict[str, float], hours: float) -> Workload:
    room = (job["last"] - job["first"]) * hours
    duration = job["minutes"] / 60
    return Workload(
        name=f"job-{index}",
        duration_hours=duration,
        power_draw_kw=job["kw"],
        deadline_hours=room + duration + ROUNDING_HOURS,
    )


def _forecast(row: list[float], minutes: float) -> pd.DataFrame:
    index = pd.date_range("2026-01-01", periods=len(row), freq=f"{minutes:g}min")
    return pd.DataFrame({"co2_intensity": row, "price": 0.0}, index=index)


main()
