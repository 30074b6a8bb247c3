"""Solvers by name; a solver's library is imported when it is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from solvers.errors import SolverUnknownError
from solvers.solver import Solver

SOLVERS = {
    "asap": "solvers.asap:Asap",
    "threshold": "solvers.threshold:Threshold",
    "greedy": "solvers.greedy:Greedy",
    "packing": "solvers.packing.solver:Packing",
    "price": "solvers.price.engine:Price",
    "exact": "solvers.exact.solver:Exact",
    "highs": "solvers.exact.solver:Highs",
    "scip": "solvers.exact.solver:Scip",
    "cp-sat": "solvers.exact.solver:CpSat",
    "cbc": "solvers.exact.solver:Cbc",
    "annealing": "solvers.annealing.solver:Annealing",
    "neighbourhood": "solvers.neighbourhood.solver:Neighbourhood",
    "auto": "solvers.auto:Auto",
}
"""Name to ``module:class``; one line for each solver."""


def require(name: str) -> None:
    """Refuse a name that no solver has.

    Raises
    ------
    SolverUnknownError
        Names the nearest one.
    """
    if name not in SOLVERS:
        near = get_close_matches(name, SOLVERS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(SOLVERS)}"
        raise SolverUnknownError(f"no solver is called {name!r}; {hint}")


def load(name: str) -> Solver:
    """Solver registered under a name.

    Raises
    ------
    SolverUnknownError
        If there is none; names the nearest one.
    SolverNotInstalledError
        If the library behind it is missing.
    """
    require(name)
    module, _, attribute = SOLVERS[name].partition(":")
    solver: Solver = getattr(import_module(module), attribute)()
    return solver
