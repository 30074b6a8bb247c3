"""The exact solvers: one model, several engines, none of them believed."""

from __future__ import annotations

import time
from collections.abc import Callable

from solvers.errors import ModelTooLargeError
from solvers.exact.columns import count_entries
from solvers.exact.engine import Engine, load_engine
from solvers.exact.search import Search
from solvers.greedy import Greedy
from solvers.problem import Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions

DEFAULT_ENGINE = "highs"
"""Chosen by measurement; docs/decisions/0001-exact-engine.md has the figures."""

MAX_ENTRIES = 20_000_000
"""Touched slots over all places of all jobs; a larger model is not built."""


class Exact:
    """Solves the time-indexed model with a mixed-integer engine.

    Options in ``SolveOptions.extra``: ``engine`` (a name in ``ENGINES``),
    ``isolate`` (False runs the engine in this process, for many tiny problems),
    ``memory_gb`` (limit of the engine's process).

    The plan of ``greedy`` is in hand before an engine starts, so that whatever an
    engine does, the run ends with a valid plan; ``Stats.messages`` says what failed.

    Parameters
    ----------
    engine
        Name of the engine; None for what the options say.
    find_engine
        How to get one by name.
    """

    def __init__(
        self,
        engine: str | None = None,
        *,
        find_engine: Callable[[str], Engine] = load_engine,
    ) -> None:
        self._engine = engine
        self._find_engine = find_engine

    @property
    def name(self) -> str:
        """Name under which the solver is registered."""
        return self._engine or "exact"

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule the jobs; see ``solvers.solver.Solver``.

        Raises
        ------
        ModelTooLargeError
            Before any memory is taken, if the model would exceed ``MAX_ENTRIES``.
        SolverUnknownError, SolverNotInstalledError
            If the engine asked for does not exist here.
        """
        began = time.perf_counter()
        entries = count_entries(problem.jobs)
        if entries > MAX_ENTRIES:
            raise ModelTooLargeError(
                f"the exact model would have {entries:,} entries, the limit is "
                f"{MAX_ENTRIES:,}; use --solver auto or greedy"
            )
        engine = self._engine or str(options.extra.get("engine", DEFAULT_ENGINE))
        call = self._find_engine(engine)
        search = Search(
            problem, options, began=began, report=progress, at_work=self.name
        )
        search.offer(Schedule.empty(problem.n_jobs), source="an empty day")
        if hint is None:
            hint = Greedy().solve(problem, options).schedule
        if hint is not None:
            search.consider(hint, source="the hint")
        try:
            search.run(engine, call, self._find_engine)
        except KeyboardInterrupt:
            search.interrupt()
        return search.solution(self.name)


class Highs(Exact):
    """The exact model solved by HiGHS."""

    def __init__(self) -> None:
        super().__init__("highs")


class Scip(Exact):
    """The exact model solved by SCIP."""

    def __init__(self) -> None:
        super().__init__("scip")


class CpSat(Exact):
    """The exact model, rounded outwards to whole numbers, solved by CP-SAT."""

    def __init__(self) -> None:
        super().__init__("cp-sat")


class Cbc(Exact):
    """The exact model solved by the CBC that PuLP brings along."""

    def __init__(self) -> None:
        super().__init__("cbc")
