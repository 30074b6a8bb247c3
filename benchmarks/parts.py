"""What ``python -m benchmarks`` measures: parts that can be run on their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.awkward import AWKWARD

Spec = dict[str, Any]
"""One row as told to ``benchmarks.rows`` in a process of its own."""

ASKED = {
    100: (1e-3, 10.0),
    1_000: (1.5e-3, 60.0),
    10_000: (1.5e-3, 3.0),
    100_000: (1e-3, 5.0),
    1_000_000: (5e-4, 20.0),
    10_000_000: (3e-4, 240.0),
}
"""Number of jobs to the gap to be proven and the seconds in which."""

COMMAND_LIMITS_S = {1_000_000: 60.0, 10_000_000: 300.0}
ENGINES = ("auto", "highs", "scip", "cbc", "cp-sat")
RELAXED_JOBS, RELAXED_GAP = 10_000, 1.5e-3
RELAXATION_LIMIT_S = 300.0
_START_S = 15.0  # of a process: imports, kernels, building the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that are measured one after another and shown as one table.

    Parameters
    ----------
    name
        To be asked for; also the name of its file of results.
    kind
        How it is shown: ``size``, ``awkward``, ``engine``, ``relaxation``,
        ``command``.
    rows, quick
        What to measure; the second in seconds, to try the code.
    """

    name: str
    kind: str
    rows: tuple[Spec, ...]
    quick: tuple[Spec, ...]

    def most_minutes(self, *, quick: bool) -> float:
        """Time that it can take; rows that prove their gap end sooner. [min]"""
        rows = self.quick if quick else self.rows
        return sum(row["limit_s"] * 1.1 + _overhead_s(row) for row in rows) / 60.0


def all_parts() -> dict[str, Part]:
    """Every part by name, in the order in which they are shown."""
    return {part.name: part for part in _parts()}


def _parts() -> Iterator[Part]:
    for n_jobs in ASKED:
        # greedy, which auto begins with, is measured by the whole command
        solvers = ("auto", "price") if n_jobs < 10_000_000 else ("price",)
        yield Part(
            name=f"size-{n_jobs}",
            kind="size",
            rows=tuple(_size(name, n_jobs) for name in solvers),
            quick=tuple(_size(name, min(n_jobs, 2_000), 1.0) for name in solvers),
        )
    yield Part(
        name="awkward",
        kind="awkward",
        rows=tuple(_awkward(name, 5_000, 20.0) for name in AWKWARD),
        quick=tuple(_awkward(name, 200, 1.0) for name in AWKWARD),
    )
    for n_jobs in (100, 1_000):
        yield Part(
            name=f"engines-{n_jobs}",
            kind="engine",
            rows=tuple(_engine(name, n_jobs, 60.0) for name in ENGINES),
            quick=tuple(_engine(name, n_jobs // 5, 2.0) for name in ENGINES),
        )
    yield Part(
        name="relaxation",
        kind="relaxation",
        rows=(_relaxed("relaxation", RELAXED_JOBS), _relaxed("price", RELAXED_JOBS)),
        quick=(_relaxed("relaxation", 300), _relaxed("price", 300)),
    )
    for n_jobs in (10_000, 100_000, 1_000_000, 10_000_000):
        yield Part(
            name=f"command-{n_jobs}",
            kind="command",
            rows=(_command(n_jobs, COMMAND_LIMITS_S.get(n_jobs, 60.0)),),
            quick=(_command(min(n_jobs, 1_000), 1.0),),
        )


def _size(solver: str, n_jobs: int, limit_s: float | None = None) -> Spec:
    gap, asked_s = ASKED[n_jobs] if limit_s is None else (1e-2, limit_s)
    # twice the time that is asked for: what is missed is told by how much
    return {
        "kind": "size",
        "solver": solver,
        "jobs": n_jobs,
        "gap": gap,
        "asked_s": asked_s,
        "limit_s": limit_s or 2.0 * asked_s,
        "marks": [gap, 5e-3, 1e-2],
    }


def _awkward(name: str, n_jobs: int, limit_s: float) -> Spec:
    return {
        "kind": "awkward",
        "day": name,
        "solver": "auto",
        "jobs": n_jobs,
        "gap": 1e-3,
        "limit_s": limit_s,
    }


def _engine(solver: str, n_jobs: int, limit_s: float) -> Spec:
    return {
        "kind": "engine",
        "solver": solver,
        "jobs": n_jobs,
        "gap": 1e-4,
        "limit_s": limit_s,
    }


def _relaxed(solver: str, n_jobs: int) -> Spec:
    limit_s = RELAXATION_LIMIT_S if solver == "relaxation" else 60.0
    return {
        "kind": "relaxation",
        "solver": solver,
        "jobs": n_jobs,
        "gap": RELAXED_GAP,
        "limit_s": limit_s,
        "marks": [RELAXED_GAP],
    }


def _command(n_jobs: int, limit_s: float) -> Spec:
    return {"kind": "command", "jobs": n_jobs, "limit_s": limit_s}


def _overhead_s(row: Spec) -> float:
    per_job = 3.5e-5 if row["kind"] == "command" else 5e-6
    return _START_S + per_job * float(row["jobs"])
