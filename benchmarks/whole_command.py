"""The whole command on a Parquet manifest: time of each stage and peak memory.

    python -m benchmarks.whole_command 100000 1000000

Jobs are those of ``synthetic`` in spirit: short runs, cpus of 1 to 16, windows of some
hours, three regions under power caps, sun in one. ``planner solve`` runs in a process
of its own, from the manifest to the checked plan file.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import Row, peak_gb

FILL = 0.6
SETTINGS = """[planner]
timezone = "UTC"
jobs = ["jobs.parquet"]

[regions.north]
zone = "IE"
capacity = {{ cpu = {cpu} }}
power_cap_kw = {cap}
pue = 1.1
solar = {{ kwp = {cap}, latitude = 53.3, longitude = -6.3 }}

[regions.middle]
zone = "DE"
capacity = {{ cpu = {cpu} }}
power_cap_kw = {cap}
pue = 1.2

[regions.south]
zone = "IT"
capacity = {{ cpu = {cpu} }}
pue = 1.3
"""


def write_workspace(n_jobs: int, folder: Path) -> None:
    """Write planner.toml and a manifest of ``n_jobs`` jobs."""
    rng = np.random.default_rng(0)
    cpu = rng.choice([1, 2, 4, 8, 16], n_jobs, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    minutes = np.minimum(5 + rng.exponential(45, n_jobs), 240).astype(int)
    opens = rng.integers(0, 18 * 60, n_jobs)
    closes = np.minimum(opens + minutes + rng.integers(30, 600, n_jobs), 24 * 60)
    day = np.datetime64("2026-11-22T00:00", "us")
    table = pa.table(
        {
            "id": pa.array([f"job-{n:08}" for n in range(n_jobs)]),
            "command": pa.array([["true"]]).take(pa.array(np.zeros(n_jobs, int))),
            "duration": pa.array(minutes),
            "power_kw": cpu * 0.01 + rng.uniform(0.001, 0.01, n_jobs),
            "resources.cpu": cpu.astype(float),
            "earliest": pa.array(day + opens.astype("timedelta64[m]")).cast(UTC),
            "deadline": pa.array(day + closes.astype("timedelta64[m]")).cast(UTC),
        }
    )
    pq.write_table(table, folder / "jobs.parquet")
    per_region = float((cpu * minutes).sum()) / (24 * 60) / FILL / 3
    text = SETTINGS.format(cpu=int(per_region) + 16, cap=int(per_region * 0.018) + 1)
    (folder / "planner.toml").write_text(text)


UTC = pa.timestamp("us", tz="UTC")


def measure_command(n_jobs: int, limit_s: float) -> Row:
    """Run ``planner solve`` on a manifest and tell what it took."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_workspace(n_jobs, folder)
        words = ["-C", name, "solve", "--date", "2026-11-22", "--json"]
        code = "from planner.cli import main; main()"
        command = [sys.executable, "-c", code, *words, "--time-limit", str(limit_s)]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        elapsed = time.perf_counter() - began
    if done.returncode not in PLANNED:
        raise RuntimeError(done.stderr.strip() or f"exit status {done.returncode}")
    found = json.loads(done.stdout)
    return {
        "jobs": n_jobs,
        "status": found["status"],
        "unplaced": found["unplaced"],
        "gap": found["gap"],
        "stages": {name: found["seconds"][name] for name in STAGES},
        "seconds": elapsed,
        "peak_gb": peak_gb(resource.RUSAGE_CHILDREN),
    }


def shown(row: Row) -> str:
    """Row of the table."""
    stages = " | ".join(f"{row['stages'][name]:.1f}" for name in STAGES)
    return (
        f"| {row['jobs']:,} | {row['unplaced']} | {100 * row['gap']:.4f} % | {stages} "
        f"| {row['seconds']:.1f} | {row['peak_gb']:.2f} |"
    )


PLANNED = (0, 3, 5)
"""Exit statuses of a run that wrote a plan."""

STAGES = ("load", "forecast", "formulate", "solve", "check", "write")


def main() -> None:
    """Print one row for each number of jobs on the command line."""
    print(f"| jobs | unplaced | gap | {' | '.join(STAGES)} | whole s | peak GB |")
    print("|---" * (len(STAGES) + 5) + "|")
    for n_jobs in map(int, sys.argv[1:] or ["100000"]):
        print(shown(measure_command(n_jobs, limit_s=60.0)), flush=True)


if __name__ == "__main__":
    main()
