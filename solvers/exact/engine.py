"""What an engine is asked and what it answers, whichever engine it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module

from solvers.errors import SolverNotInstalledError, SolverUnknownError
from solvers.exact.program import Program
from solvers.problem import FloatArray


class Outcome(StrEnum):
    """Why an engine stopped, in its own opinion."""

    OPTIMAL = "optimal"
    """The gap asked for is reached."""
    FEASIBLE = "feasible"
    """A limit is reached with values in hand."""
    INFEASIBLE = "infeasible"
    """It claims that there are no values; every model of ours has some."""
    NOTHING = "nothing"
    """A limit is reached with nothing in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Limits of one run of an engine.

    Parameters
    ----------
    gap
        Relative gap at which to stop.
    time_limit_s
        Elapsed time for the engine itself. [s]
    seed, threads
        As in ``SolveOptions``.
    cautious
        Leave out presolve, the usual source of wrong answers; for a second try.
    """

    gap: float
    time_limit_s: float
    seed: int = 0
    threads: int = 1
    cautious: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EngineAnswer:
    """What came back, not yet believed.

    Parameters
    ----------
    outcome
        Why it stopped.
    values
        Of all variables, shape (n_variables,); None without a solution.
    bound
        Lower limit that the engine claims for the program's objective, in the
        program's unit; None where it claims none.
    tolerance
        Most by which a reduced cost may be wrong, in the program's unit.
    engine
        Name and version, e.g. ``HiGHS (ortools 9.15)``.
    """

    outcome: Outcome
    values: FloatArray | None
    bound: float | None
    tolerance: float
    engine: str


Engine = Callable[[Program, EngineOptions, FloatArray | None], EngineAnswer]
"""Solve a program, starting from values of all variables if there are some."""

ENGINES = {
    "highs": "solvers.exact.ortools_engine:solve_highs",
    "scip": "solvers.exact.ortools_engine:solve_scip",
    "cp-sat": "solvers.exact.ortools_engine:solve_cp_sat",
    "cbc": "solvers.exact.cbc_engine:solve_cbc",
}
"""Name to ``module:function``; one line for each engine."""


def load_engine(name: str) -> Engine:
    """Engine registered under a name.

    Raises
    ------
    SolverUnknownError
        If there is none.
    SolverNotInstalledError
        If its library is missing.
    """
    if name not in ENGINES:
        known = ", ".join(ENGINES)
        raise SolverUnknownError(f"no engine is called {name!r}; known: {known}")
    module, _, attribute = ENGINES[name].partition(":")
    try:
        engine: Engine = getattr(import_module(module), attribute)
    except ImportError as error:
        raise SolverNotInstalledError(
            f"engine {name} needs a library that is missing: {error.name}"
        ) from error
    return engine
