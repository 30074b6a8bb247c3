"""CBC as bundled with PuLP, and the bound that its log proves."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pulp
from pulp.apis.coin_api import pulp_cbc_path

from solvers.errors import EngineError, SolverNotInstalledError
from solvers.exact.engine import EngineAnswer, EngineOptions, Outcome
from solvers.exact.program import Program
from solvers.problem import FloatArray

_NUMBER = r"([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
_LOWER_BOUND = re.compile(rf"^Lower bound:\s+{_NUMBER}", re.MULTILINE)
_OBJECTIVE = re.compile(rf"^Objective value:\s+{_NUMBER}", re.MULTILINE)
_SEARCHED_ALL = "Result - Optimal solution found\n"

TOLERANCE = 1e-9
"""Feasibility and optimality tolerance that CBC is asked for."""

_OUTCOME = {
    pulp.LpSolutionOptimal: Outcome.OPTIMAL,
    pulp.LpSolutionIntegerFeasible: Outcome.FEASIBLE,
    pulp.LpSolutionInfeasible: Outcome.INFEASIBLE,
    pulp.LpSolutionNoSolutionFound: Outcome.NOTHING,
}


def solve_cbc(
    program: Program, options: EngineOptions, hint: FloatArray | None
) -> EngineAnswer:
    """Solve with the CBC that PuLP brings along."""
    path = Path(pulp_cbc_path)
    if not path.exists():
        raise SolverNotInstalledError(f"this PuLP has no CBC of its own: {path}")
    model, variables = _to_pulp(program)
    if hint is not None:
        for variable, value in zip(variables, hint.tolist(), strict=True):
            variable.varValue = value
    with tempfile.TemporaryDirectory(prefix="planner-cbc-") as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.COIN_CMD(
            path=str(path),
            msg=False,
            timeLimit=max(options.time_limit_s, 0.01),
            gapRel=options.gap,
            gapAbs=0.0,
            threads=options.threads if options.threads > 1 else None,
            presolve=False if options.cautious else None,
            warmStart=hint is not None,
            logPath=str(log),
            options=_tolerances(options),
        )
        solver.tmpDir = folder
        try:
            model.solve(solver)
        except (pulp.PulpSolverError, OSError, ValueError, IndexError) as error:
            raise EngineError(f"CBC failed: {error}") from error
        text = log.read_text(errors="replace")
    return _read(model, variables, text)


def _tolerances(options: EngineOptions) -> list[str]:
    seed = options.seed % 2**31
    return [
        f"primalTolerance {TOLERANCE}",
        f"dualTolerance {TOLERANCE}",
        f"integerTolerance {TOLERANCE}",
        f"randomSeed {seed}",
        f"randomCbcSeed {seed}",
    ]


def _to_pulp(program: Program) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """The program as PuLP's objects, which know no arrays."""
    model = pulp.LpProblem("plan", pulp.LpMinimize)
    width = len(str(program.n_variables))
    kinds = np.where(program.integer, pulp.LpInteger, pulp.LpContinuous).tolist()
    bounds = zip(program.lower.tolist(), program.upper.tolist(), kinds, strict=True)
    variables = [
        model.add_variable(f"v{index:0{width}d}", lower, upper, kind)
        for index, (lower, upper, kind) in enumerate(bounds)
    ]
    costs = zip(variables, program.cost.tolist(), strict=True)
    model.setObjective(pulp.LpAffineExpression([term for term in costs if term[1]]))
    terms = [
        (variables[column], value)
        for column, value in zip(
            program.indices.tolist(), program.values.tolist(), strict=True
        )
    ]
    ends = program.indptr.tolist()
    sense, limit = _one_sided(program)
    for row, (kind, right) in enumerate(zip(sense, limit, strict=True)):
        expression = pulp.LpAffineExpression(terms[ends[row] : ends[row + 1]])
        model.addConstraint(pulp.LpConstraint(expression, kind, f"r{row}", right))
    return model, variables


def _one_sided(program: Program) -> tuple[list[int], list[float]]:
    """Sense and limit of every row; a row of ours never has two unlike limits."""
    sense = np.where(
        np.isinf(program.row_upper),
        pulp.LpConstraintGE,
        np.where(np.isinf(program.row_lower), pulp.LpConstraintLE, pulp.LpConstraintEQ),
    )
    limit = np.where(np.isinf(program.row_upper), program.row_lower, program.row_upper)
    return sense.tolist(), limit.tolist()


def _read(
    model: pulp.LpProblem, variables: list[pulp.LpVariable], log: str
) -> EngineAnswer:
    outcome = _OUTCOME.get(model.sol_status)
    if outcome is None:
        raise EngineError(f"CBC gave up with status {model.sol_status}")
    if outcome is Outcome.OPTIMAL and "Result - Optimal" not in log:
        outcome = Outcome.FEASIBLE
    found = outcome in (Outcome.OPTIMAL, Outcome.FEASIBLE)
    values = np.array([v.varValue or 0.0 for v in variables]) if found else None
    version = re.search(r"^Version:\s*(\S+)", log, re.MULTILINE)
    return EngineAnswer(
        outcome=outcome,
        values=values,
        bound=proven_bound(log),
        tolerance=TOLERANCE,
        engine=f"CBC {version[1] if version else ''} (PuLP {pulp.__version__})",
    )


def proven_bound(log: str) -> float | None:
    """Lower limit that a log of CBC proves, or None.

    ``Lower bound:`` is printed where the search stopped early, with three decimals;
    one unit of the last digit is taken off. Where the whole tree was searched it is
    the objective. Anything else in the log proves nothing.
    """
    early = _LOWER_BOUND.search(log)
    if early is not None:
        return _rounded_down(early[1])
    objective = _OBJECTIVE.search(log)
    if _SEARCHED_ALL in log and objective is not None:
        return _rounded_down(objective[1])
    return None


def _rounded_down(text: str) -> float:
    digits = len(text.partition(".")[2])
    return float(text) - 10.0**-digits
