"""Plan the same days with other tools, side by side.

    python -m benchmarks.rivals [--jobs 20 100 1000] [--data FOLDER --trace philly]

Rivals are looked for in ``benchmarks/work/rivals/NAME``, where ``make rivals`` builds
an environment for each from ``benchmarks/rivals/requirements/NAME.txt``; ``--rivals``
names another folder. One that is absent is left out, with the reason.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rivals.days import at_home, trace_day
from benchmarks.rivals.exchange import RivalUnavailableError, ask
from benchmarks.rivals.scoring import made_feasible, score
from benchmarks.synthetic import synthetic_day
from benchmarks.trace_workspace import TRACES
from solvers.problem import Problem
from solvers.registry import load
from solvers.solution import Schedule, SolveOptions

RIVALS = {
    "cats": (False, True),
    "watttime": (False,),
    "arboric": (False, True),
    "emhass": (False,),
}
"""Rivals, and whether each is asked for the home region alone or for any region."""

HEAD = (
    "| plan | regions | kg | g/kWh | unplaced | outside window "
    "| overbooked region-slots | worst | s |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print one table for each day."""
    arguments = _arguments()
    for title, problem in _days(arguments):
        n_jobs, n_regions, n_slots, _ = problem.shape
        size = f"{n_jobs} jobs, {n_regions} regions × {n_slots} slots"
        print(f"\n### {title}: {size}\n\n{HEAD}", flush=True)
        _run_policies(problem, arguments)
        _run_rivals(problem, arguments)


def _days(arguments: argparse.Namespace) -> Iterator[tuple[str, Problem]]:
    for n_jobs in arguments.jobs:
        yield "Synthetic", synthetic_day(n_jobs, seed=arguments.seed)
    for name in arguments.trace if arguments.data else ():
        carbon_day = arguments.carbon_day
        yield (
            f"Trace {name}, grids of {carbon_day}",
            trace_day(
                name, data=arguments.data, carbon_day=carbon_day, work=arguments.work
            ),
        )


def _run_policies(problem: Problem, arguments: argparse.Namespace) -> None:
    options = SolveOptions(time_limit_s=arguments.time_limit)
    home = at_home(problem)
    runs = [
        ("asap", "home", problem),
        ("threshold", "home", problem),
        ("greedy", "home", home),
        ("auto", "home", home),
        ("greedy", "any", problem),
        ("auto", "any", problem),
    ]
    for name, regions, day in runs:
        began = time.perf_counter()
        schedule = load(name).solve(day, options).schedule
        seconds = time.perf_counter() - began
        assert schedule is not None
        _print_row(problem, f"**{name}**", regions, schedule, seconds)


def _run_rivals(problem: Problem, arguments: argparse.Namespace) -> None:
    for name, choices in RIVALS.items():
        for anywhere in choices:
            regions, day = ("any", problem) if anywhere else ("home", at_home(problem))
            try:
                answer = ask(
                    name,
                    arguments.rivals / name / "bin/python",
                    day,
                    time_limit_s=arguments.time_limit,
                )
            except RivalUnavailableError as reason:
                print(f"left out: {name}: {reason}", file=sys.stderr, flush=True)
                continue
            _print_row(problem, name, regions, answer.schedule, answer.seconds)
            feasible = made_feasible(day, answer.schedule)
            _print_row(problem, f"{name}, made feasible", regions, feasible, None)


def _print_row(
    problem: Problem, plan: str, regions: str, schedule: Schedule, seconds: float | None
) -> None:
    result = score(problem, schedule)
    print(
        f"| {plan} | {regions} | {result.emissions_kg:.2f} | {result.g_per_kwh:.1f} "
        f"| {result.unplaced} | {result.outside} | {result.overbooked} "
        f"| {f'+{result.worst:.0%}' if result.overbooked else ''} "
        f"| {'' if seconds is None else f'{seconds:.2f}'} |",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals", description=__doc__.splitlines()[0]
    )
    work = Path("benchmarks/work")
    parser.add_argument("--jobs", type=int, nargs="*", default=[20, 100, 1000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--data", type=Path, help="folder with jobs/ and carbon/")
    parser.add_argument("--trace", nargs="*", choices=TRACES, default=["philly"])
    parser.add_argument("--carbon-day", default="2021-10-20")
    parser.add_argument("--work", type=Path, default=work)
    parser.add_argument("--rivals", type=Path, default=work / "rivals")
    return parser.parse_args()


if __name__ == "__main__":
    main()
