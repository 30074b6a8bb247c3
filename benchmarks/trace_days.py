"""Plan recorded job traces on recorded grids, and price the plans on what came.

    python benchmarks/trace_days.py --data FOLDER [--trace pai …] [--carbon-day DAY]

``--data`` is a folder with ``jobs/`` and ``carbon/`` Parquet files; how a trace
becomes a workspace is stated in ``trace_workspace``. For each trace the table gives
jobs, placed jobs, emissions of each policy by the forecast it planned with and by
the intensity that really came, the proven gap and seconds.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from trace_workspace import TRACES, write_workspace

from forecasts.gathering import gather
from inputs.workspace import load_workspace
from planner.day import Day, prepare_day
from planner.policies import PolicyRun, run_baselines, run_policy
from planner.stopwatch import Stopwatch
from solvers.evaluate import evaluate
from solvers.problem import Problem
from solvers.solution import SolveOptions

NOW = datetime(2021, 7, 1, tzinfo=UTC)


def main() -> None:
    """Run the traces that were asked for and print one table."""
    arguments = _arguments()
    print(
        f"carbon day {arguments.carbon_day}, time limit {arguments.time_limit:g} s\n\n"
        "| trace | jobs | placed | policy | forecast kg | actual kg | gap | s |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    for name in arguments.trace:
        folder = arguments.work / f"{name}-{arguments.carbon_day}"
        counts = write_workspace(
            TRACES[name],
            data=arguments.data,
            carbon_day=arguments.carbon_day,
            folder=folder,
        )
        _report(name, folder, counts, arguments)


def _report(
    name: str, folder: Path, counts: dict[str, int], arguments: argparse.Namespace
) -> None:
    watch = Stopwatch(time.perf_counter)
    workspace = load_workspace(folder, environment={})
    planned = date.fromisoformat(arguments.carbon_day)
    day = prepare_day(workspace, planned, now=NOW, environment={}, watch=watch)
    options = SolveOptions(time_limit_s=arguments.time_limit)
    runs = run_baselines(day, options, watch=watch)
    hint = runs["greedy"].schedule
    runs["optimal"] = run_policy("auto", day, options, watch=watch, hint=hint)
    actual = _with_actual_intensity(day, folder)
    for policy, run in runs.items():
        print(_row(name, counts, policy, run, actual))


def _with_actual_intensity(day: Day, folder: Path) -> Problem:
    """The same problem, priced by what the grid really emitted."""
    text = (folder / "planner.toml").read_text()
    (folder / "planner.toml").write_text(text.replace("forecast.csv", "actual.csv"))
    workspace = load_workspace(folder, environment={})
    (folder / "planner.toml").write_text(text)
    forecasts = gather(workspace, day.grid, now=NOW, environment={})
    problem = day.formulation.problem
    places = dataclasses.replace(problem.places, g_per_kwh=forecasts.g_per_kwh)
    return dataclasses.replace(problem, places=places)


def _row(
    name: str,
    counts: dict[str, int],
    policy: str,
    run: PolicyRun,
    actual: Problem,
) -> str:
    placed = int((run.schedule.region >= 0).sum())
    gap = run.solution.gap
    return (
        f"| {name} (+{counts['left_out']} too long) | {counts['jobs']} | {placed} "
        f"| {policy} | {run.evaluation.emissions_kg:.1f} "
        f"| {evaluate(actual, run.schedule).emissions_kg:.1f} "
        f"| {'–' if gap is None else f'{100 * gap:.3f} %'} | {run.seconds:.2f} |"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--trace", nargs="*", choices=TRACES, default=list(TRACES))
    parser.add_argument("--carbon-day", default="2021-10-20")
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--work", type=Path, default=Path("benchmarks/work"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
