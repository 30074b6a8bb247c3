"""One row, measured in this process: ``python -m benchmarks.rows SPEC`` prints JSON.

A process of its own per row keeps peak memory apart; ``benchmarks.parts`` says what a
spec may be.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.awkward import awkward_day
from benchmarks.measuring import Row, measure, measure_relaxation
from benchmarks.parts import Spec
from benchmarks.synthetic import synthetic_day
from benchmarks.whole_command import measure_command
from solvers.solution import SolveOptions


class RowError(Exception):
    """A row's process failed; its last words are the message."""


def in_own_process(spec: Spec, *, threads: int) -> Row:
    """Measure a row in a fresh process.

    Raises
    ------
    RowError
        If it did not end well.
    """
    words = json.dumps({**spec, "threads": threads})
    command = [sys.executable, "-m", "benchmarks.rows", words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        raise RowError(last[0])
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def row(spec: Spec) -> Row:
    """What one row comes to."""
    kind, n_jobs, limit_s = spec["kind"], spec["jobs"], spec["limit_s"]
    if kind == "command":
        return measure_command(n_jobs, limit_s)
    if kind == "awkward":
        problem = awkward_day(spec["day"], n_jobs)
    else:
        problem = synthetic_day(n_jobs, seed=1)
    if spec["solver"] == "relaxation":
        return measure_relaxation(problem, limit_s)
    options = SolveOptions(
        gap=spec["gap"], time_limit_s=limit_s, threads=spec["threads"]
    )
    found = measure(spec["solver"], problem, options, marks=spec.get("marks", ()))
    return {**found, "day": spec.get("day"), "asked_s": spec.get("asked_s")}


if __name__ == "__main__":
    print(json.dumps(row(json.loads(sys.argv[1]))))
