"""SO-08: larger days than brute force can do, with the best values ever proven.

``python -m tests.golden.best_known`` solves them anew and rewrites the record; a
value may only fall there if a better plan was found, never rise.
"""

from __future__ import annotations

import json
from pathlib import Path

from solvers.problem import Problem
from solvers.registry import load
from solvers.solution import SolveOptions
from tests.instances import Sizes, random_problem

RECORD = Path(__file__).with_name("best_known.json")
SIZES = Sizes(jobs=24, regions=3, slots=24, resources=2)
SEEDS = range(7000, 7040)
OPTIONS = SolveOptions(gap=1e-9, time_limit_s=60.0, extra={"isolate": False})


def instance(seed: int) -> Problem:
    """Day of a seed."""
    return random_problem(seed, SIZES)


def recorded() -> dict[int, float]:
    """Best proven objective of each seed."""
    values = json.loads(RECORD.read_text())
    return {int(seed): float(value) for seed, value in values.items()}


def main() -> None:
    """Solve every day to the end and write the record."""
    found = {}
    for seed in SEEDS:
        solution = load("exact").solve(instance(seed), OPTIONS)
        assert solution.objective is not None
        assert solution.gap is not None
        assert solution.gap <= 1e-6, f"seed {seed}: gap {solution.gap}"
        found[str(seed)] = solution.objective
    RECORD.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
