"""How long it takes to settle a day of many segments, and in how much memory.

``python -m benchmarks.settle_day [--jobs N] [--time-limit S] [--folder DIR]
[--profile]`` plans a day of N jobs, enters into a ledger that all of them ran (late,
longer or shorter than planned, one in twenty twice, one in three with a figure of its
own), and settles it in a process of its own. With a folder that holds such a day, that
one is settled again.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import multiprocessing
import pstats
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from inputs.workspace import load_workspace
from outputs.plan_file import read_plan
from planner.executor.backends.registry import Place
from planner.executor.keys import dispatch_key
from planner.executor.ledger import COLUMNS, Ledger
from planner.executor.ledger_file import open_ledger
from planner.executor.specs import digest_of
from planner.settling import SettleRequest, settle_day
from solvers.solution import SolveOptions
from tests.factories_workspace import DAY, NOW, Folder, carbon_csv

SETTINGS = """
[planner]
slot_minutes = 15
jobs = ["inputs/*"]

[regions.north]
capacity = { cpu = 1_000_000 }
pue = 1.2
solar = { kwp = 250, latitude = 59.3, longitude = 18.1 }

[regions.south]
capacity = { cpu = 1_000_000 }

[forecasts.carbon]
provider = "file"
path = "carbon.csv"

[settlement]
embodied_kg_per_hour = { cpu = 0.0007 }

[settlement.carbon]
path = "actual.csv"
"""
_MINUTE_US = 60_000_000
ATTEMPTED = 20
"""One job in so many fails once."""


def a_day(folder: Path, jobs: int) -> None:
    """Plan a day and have all of it run."""
    workspace = Folder(folder)
    workspace.write("planner.toml", SETTINGS)
    workspace.write("carbon.csv", carbon_csv())
    actual = {"north": [220.0] * 24, "south": [150.0 + 10 * h for h in range(24)]}
    workspace.write("actual.csv", carbon_csv(values=actual))
    (folder / "inputs").mkdir()
    pq.write_table(manifest(jobs), folder / "inputs/jobs.parquet")
    result = workspace.run("solve", "--date", DAY, "--solver", "greedy", now=NOW)
    assert result.exit_code == 0, result.output
    outputs = folder / "outputs"
    with open_ledger(outputs / "ledger", now=NOW, site="benchmark") as ledger:
        enter(ledger, outputs / f"plans/plan-{DAY}.parquet")


def manifest(jobs: int) -> pa.Table:
    """Jobs of up to two hours and 4 kW, a third of them with a functional unit."""
    rng = np.random.default_rng(0)
    numbers = np.arange(jobs)
    return pa.table(
        {
            "id": [f"j{n:07}" for n in numbers],
            "command": [["true"]] * jobs,
            "duration": rng.integers(5, 120, jobs),
            "power_kw": rng.uniform(0.1, 4.0, jobs).round(3),
            "resources.cpu": rng.integers(1, 8, jobs).astype(float),
            "retries": np.ones(jobs, dtype=np.int64),
            "team": [f"team-{n % 40}" for n in numbers],
            "labels.functional_unit": ["page" if n % 3 == 0 else None for n in numbers],
            "labels.units": ["100" if n % 3 == 0 else None for n in numbers],
        }
    )


def enter(ledger: Ledger, path: Path) -> None:
    """Enter a plan, and that every segment of it ran."""
    plan = read_plan(path)
    start_us = int(plan.meta.horizon_start.timestamp() * 1e6)
    with ledger.transaction():
        ledger.execute(
            "insert into plans values (?, ?, ?, ?, ?, ?, ?, ?)",
            *(plan.meta.plan_id, DAY, plan.meta.serial, plan.meta.digest),
            *(start_us, start_us, start_us + 24 * 60 * _MINUTE_US, start_us),
        )
        specs = pc.unique(plan.rows["spec"]).to_pylist()
        ledger.execute_many(
            "insert into specs values (?, ?)", ((digest_of(s), s) for s in specs)
        )
        rows = [dict(zip(COLUMNS, r, strict=True)) for r in ran(ledger.site, plan)]
        ledger.execute_many(
            f"insert into dispatches ({', '.join(COLUMNS)}) "
            f"values ({', '.join('?' * len(COLUMNS))})",
            (tuple(row.values()) for row in rows),
        )
        ledger.execute_many(
            "insert into energies values (?, ?, 'reported', 'the job', 0, 90, 0)",
            ((row["key"], row["power_kw"]) for row in rows[::3]),
        )


def ran(site: str, plan: Any) -> Iterator[tuple[object, ...]]:
    """Attempts at every segment, as rows of the ledger."""
    day = datetime.fromisoformat(DAY).date()
    for n, row in enumerate(plan.rows.to_pylist()):
        start = int(row["start"].timestamp() * 1e6)
        end = int(row["end"].timestamp() * 1e6)
        tries = 2 if n % ATTEMPTED == 0 else 1
        begin = start + n % 300 * 100_000
        for attempt in range(1, tries + 1):
            took = (end - start) * (0.3 if attempt < tries else 0.8 + n % 5 / 10)
            key = dispatch_key(
                site=site, day=day, job_id=row["job_id"], segment=0, attempt=attempt
            )
            yield (
                *(key, DAY, row["job_id"], 0, attempt, plan.meta.plan_id),
                *(row["region"], "shell", 1, row["power_kw"], start, end, start),
                *(end + 24 * 60 * _MINUTE_US, "run", 1, digest_of(row["spec"])),
                *("done" if attempt == tries else "failed", begin + int(took)),
                *(begin, "h", begin, begin + int(took), int(attempt < tries)),
                None if attempt == tries else "exit status 1",
            )
            begin += int(took) + _MINUTE_US


def settle(folder: Path, time_limit_s: float, profile: bool) -> dict[str, Any]:
    """Settle the day of a folder; figures of this process."""
    request = SettleRequest(
        workspace=load_workspace(folder, environment={}),
        place=Place(workspace=folder, outputs=folder / "outputs", environ={}),
        day=datetime.fromisoformat(DAY).date(),
        options=SolveOptions(time_limit_s=time_limit_s),
    )
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    began, worked = time.perf_counter(), time.process_time()
    now = NOW + timedelta(days=2)
    _, evidence = settle_day(request, now=now, environment={})
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "segments": evidence.rows.num_rows,
        "seconds": round(seconds, 2),
        "cpu_s": round(worked, 2),
        "peak_mib": peak // 1024,
        "rows_digest": evidence.meta["rows_digest"],
        "realised_kg": evidence.meta["emissions_kg"]["realised"],
        "hindsight": evidence.meta["hindsight"],
        "notes": evidence.meta["notes"],
    }


def main() -> None:
    """Plan, enter, settle, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--time-limit", type=float, default=5.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory())
        folder = asked.folder or Path(temporary)
        # Each part has a process of its own, so that its memory is its own.
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            if not (folder / "planner.toml").exists():
                folder.mkdir(parents=True, exist_ok=True)
                pool.apply(a_day, (folder, asked.jobs))
            figures = pool.apply(settle, (folder, asked.time_limit, asked.profile))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
