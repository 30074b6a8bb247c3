"""A day of a recorded job trace becomes a workspace over five real grids.

The traces name neither deadlines, power nor regions; the rules are stated here:

- *Jobs*: those submitted on one UTC day that run at most 24 hours. Longer ones are
  left out and counted: a day-ahead plan cannot hold them.
- *Window*: from submission to a latest start of 6 h later (jobs up to 2 h) or 24 h
  later (longer ones), the rule of GAIA (Hanafy et al. 2024). MetaCentrum jobs carry
  the user's own limit and must end within ``max(requested, 2 × duration)``.
  Planned at the day's first midnight, with all submissions known.
- *Power*: PAI 4.3 W a core; Philly 0.4 kW a GPU (0.3 kW and its share of the host);
  MetaCentrum 4.3 W a core and 0.39 W a GiB. PUE 1.15.
- *Regions*: CISO, DE, ERCO, PJM and SE; every job may run anywhere, its home is its
  number modulo five.
- *Capacity*: each region can hold 1.25 times a fifth of the day's mean concurrency
  of every resource, and at least the largest job.

Labels of DE and ERCO are hour-ending in the source and moved back by one hour, so
that the five regions share a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

REGIONS = ("CISO", "DE", "ERCO", "PJM", "SE")
HOUR_ENDING = ("DE", "ERCO")
PUE = 1.15
SLACK = 1.25
HORIZON_HOURS = 48
LONGEST_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Where a trace lies and what its columns mean."""

    file: str
    day: str
    resources: dict[str, str]
    kw_per_unit: dict[str, float]


TRACES = {
    "pai": Trace(
        file="jobs/gaia_pai_100k.parquet",
        day="2022-03-04",
        resources={"cpu": "cpus"},
        kw_per_unit={"cpu": 0.0043},
    ),
    "philly": Trace(
        file="jobs/philly_gpu_82k.parquet",
        day="2017-10-20",
        resources={"gpu": "gpus"},
        kw_per_unit={"gpu": 0.4},
    ),
    "metacentrum": Trace(
        file="jobs/metacentrum_2013_18k.parquet",
        day="2013-03-26",
        resources={"cpu": "cpus", "memory_gib": "mem_gib"},
        kw_per_unit={"cpu": 0.0043, "memory_gib": 0.00039},
    ),
}


def write_workspace(
    trace: Trace, *, data: Path, carbon_day: str, folder: Path
) -> dict[str, int]:
    """Write planner.toml, the manifest, and forecast and actual intensity.

    Returns
    -------
    dict
        Numbers of jobs written and left out.
    """
    jobs, left_out = _jobs_of_day(trace, data)
    start = datetime.fromisoformat(carbon_day).replace(tzinfo=UTC)
    for name in ("inputs", "forecasts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    manifest = _manifest(jobs, trace, start)
    manifest.to_parquet(folder / "inputs/jobs.parquet", index=False)
    for column in ("forecast", "actual"):
        carbon = _carbon(data, column)
        carbon.to_csv(folder / f"forecasts/{column}.csv", index=False)
    capacity = _capacity(jobs, trace)
    (folder / "planner.toml").write_text(_settings(capacity))
    return {"jobs": len(jobs), "left_out": left_out}


def _jobs_of_day(trace: Trace, data: Path) -> tuple[pd.DataFrame, int]:
    frame = pd.read_parquet(data / trace.file)
    begins = pd.Timestamp(trace.day, tz="UTC")
    since = (frame.submit_utc - begins).dt.total_seconds()
    frame = frame.assign(since_s=since)[(since >= 0) & (since < 86400)]
    short = frame.duration_s <= LONGEST_S
    return frame[short].reset_index(drop=True), int((~short).sum())


def _manifest(jobs: pd.DataFrame, trace: Trace, start: datetime) -> pd.DataFrame:
    earliest = start + pd.to_timedelta(jobs.since_s, unit="s")
    if "requested_s" in jobs:
        allowed_s = np.maximum(jobs.requested_s, 2 * jobs.duration_s)
    else:
        allowed_s = jobs.duration_s + np.where(jobs.duration_s <= 7200, 6, 24) * 3600.0
    seconds = np.maximum(1, np.ceil(jobs.duration_s)).astype(int)
    power = sum(
        jobs[column] * trace.kw_per_unit[name]
        for name, column in trace.resources.items()
    )
    home = np.array(REGIONS)[np.arange(len(jobs)) % len(REGIONS)]
    return pd.DataFrame(
        {
            "id": jobs.job_id,
            "command": [["true"]] * len(jobs),
            "duration": seconds.astype(str) + "s",
            "power_kw": power,
            **{
                f"resources.{name}": jobs[column].astype(float)
                for name, column in trace.resources.items()
            },
            "earliest": earliest.dt.floor("s"),
            "deadline": (earliest + pd.to_timedelta(allowed_s, unit="s")).dt.floor("s"),
            "home_region": home,
        }
    )


def _carbon(data: Path, column: str) -> pd.DataFrame:
    pairs = pd.read_parquet(data / "carbon/pairs_dayahead_2021h2.parquet")
    late = pairs.region.isin(HOUR_ENDING)
    start = pairs.target_utc - pd.to_timedelta(late.astype(int), unit="h")
    return pd.DataFrame(
        {
            "region": pairs.region,
            "start": start.dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "g_per_kwh": pairs[f"{column}_g_per_kwh"],
            "signal": "average",
        }
    )


def _capacity(jobs: pd.DataFrame, trace: Trace) -> dict[str, float]:
    capacity = {}
    for name, column in trace.resources.items():
        mean = (jobs[column] * jobs.duration_s).sum() / 86400 / len(REGIONS)
        capacity[name] = float(np.ceil(max(SLACK * mean, jobs[column].max())))
    return capacity


def _settings(capacity: dict[str, float]) -> str:
    resources = ", ".join(f"{name} = {units:g}" for name, units in capacity.items())
    regions = "\n".join(
        f"[regions.{name}]\ncapacity = {{ {resources} }}\npue = {PUE}\n"
        for name in REGIONS
    )
    return f"""[planner]
timezone = "UTC"
slot_minutes = 15
horizon_hours = {HORIZON_HOURS}
jobs = ["inputs/jobs.parquet"]

[forecasts.carbon]
provider = "file"
path = "forecasts/forecast.csv"

{regions}"""
