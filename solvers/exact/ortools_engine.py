"""HiGHS, SCIP and CP-SAT through OR-Tools' MathOpt.

MathOpt, not ``model_builder``: the latter (ortools 9.15) reports HiGHS' objective
as its bound, and writes hints for HiGHS into memory that it never allocated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
)
from ortools.math_opt.core.python import solver as mathopt

from solvers.errors import EngineError
from solvers.exact.engine import EngineAnswer, EngineOptions, Outcome
from solvers.exact.integers import round_outwards
from solvers.exact.program import Program
from solvers.problem import FloatArray
from solvers.versions import version_of

HIGHS_TOLERANCE = 1e-9
"""Feasibility and optimality tolerance of HiGHS."""

SCIP_TOLERANCE = 1e-7
"""Same of SCIP; its simplex code refuses much less."""

CP_SAT_WORKERS = 8
"""Its strategies live from each other: with one worker it fails on six jobs.

Among equally good answers the fastest worker wins, so the plan may differ from run
to run; taking turns would fix that, but then it seldom ends before the time limit.
"""

_REASON = {
    result_pb2.TERMINATION_REASON_OPTIMAL: Outcome.OPTIMAL,
    result_pb2.TERMINATION_REASON_INFEASIBLE: Outcome.INFEASIBLE,
    result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED: Outcome.INFEASIBLE,
    result_pb2.TERMINATION_REASON_FEASIBLE: Outcome.FEASIBLE,
    result_pb2.TERMINATION_REASON_NO_SOLUTION_FOUND: Outcome.NOTHING,
}


def solve_highs(
    program: Program, options: EngineOptions, hint: FloatArray | None
) -> EngineAnswer:
    """Solve with HiGHS, which takes no hint through MathOpt."""
    parameters = _parameters(options)
    parameters.highs.double_options["mip_feasibility_tolerance"] = HIGHS_TOLERANCE
    parameters.highs.double_options["primal_feasibility_tolerance"] = HIGHS_TOLERANCE
    parameters.highs.double_options["dual_feasibility_tolerance"] = HIGHS_TOLERANCE
    parameters.highs.int_options["threads"] = options.threads
    return _solve(
        program,
        parameters,
        parameters_pb2.SOLVER_TYPE_HIGHS,
        None,
        name="HiGHS",
        tolerance=HIGHS_TOLERANCE,
    )


def solve_scip(
    program: Program, options: EngineOptions, hint: FloatArray | None
) -> EngineAnswer:
    """Solve with SCIP, on one thread."""
    parameters = _parameters(options)
    parameters.gscip.real_params["numerics/feastol"] = SCIP_TOLERANCE
    parameters.gscip.real_params["numerics/dualfeastol"] = SCIP_TOLERANCE
    return _solve(
        program,
        parameters,
        parameters_pb2.SOLVER_TYPE_GSCIP,
        hint,
        name="SCIP",
        tolerance=SCIP_TOLERANCE,
    )


def solve_cp_sat(
    program: Program, options: EngineOptions, hint: FloatArray | None
) -> EngineAnswer:
    """Solve with CP-SAT, which knows whole numbers only.

    It is given the program rounded outwards to whole numbers. Its bound is not
    passed on: on 2 of 200 small random days it lay above the true optimum, although
    the rounded program held the optimal plan at its price. A bound is a proof or none.
    """
    rounded = round_outwards(program)
    parameters = _parameters(options)
    parameters.threads = CP_SAT_WORKERS
    answer = _solve(
        rounded.program,
        parameters,
        parameters_pb2.SOLVER_TYPE_CP_SAT,
        None if hint is None else rounded.to_whole(hint),
        name="CP-SAT",
        tolerance=0.0,
    )
    return EngineAnswer(
        outcome=answer.outcome,
        values=None if answer.values is None else rounded.from_whole(answer.values),
        bound=None,
        tolerance=0.0,
        engine=answer.engine,
    )


def _parameters(options: EngineOptions) -> Any:
    parameters = parameters_pb2.SolveParametersProto(
        random_seed=options.seed % 2**31,
        relative_gap_tolerance=options.gap,
        absolute_gap_tolerance=0.0,
    )
    seconds = max(options.time_limit_s, 0.01)
    parameters.time_limit.seconds = int(seconds)
    parameters.time_limit.nanos = int(seconds % 1 * 1e9)
    if options.cautious:
        parameters.presolve = parameters_pb2.EMPHASIS_OFF
    return parameters


def _solve(
    program: Program,
    parameters: Any,
    solver_type: int,
    hint: FloatArray | None,
    *,
    name: str,
    tolerance: float,
) -> EngineAnswer:
    model_parameters = model_parameters_pb2.ModelSolveParametersProto()
    if hint is not None:
        values = model_parameters.solution_hints.add().variable_values
        values.ids.extend(range(program.n_variables))
        values.values.extend(hint.tolist())
    try:
        result = mathopt.solve(
            _to_proto(program),
            solver_type,
            parameters_pb2.SolverInitializerProto(),
            parameters,
            model_parameters,
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )
    except Exception as error:
        raise EngineError(f"{name} failed: {error}") from error
    return _read(
        result,
        program,
        tolerance=tolerance,
        engine=f"{name} (ortools {version_of('ortools')})",
    )


def _to_proto(program: Program) -> Any:
    """The program as MathOpt's message; a few list copies, no loop in Python."""
    model = model_pb2.ModelProto()
    model.variables.ids.extend(range(program.n_variables))
    model.variables.lower_bounds.extend(program.lower.tolist())
    model.variables.upper_bounds.extend(program.upper.tolist())
    model.variables.integers.extend(program.integer.tolist())
    nonzero = np.flatnonzero(program.cost)
    model.objective.linear_coefficients.ids.extend(nonzero.tolist())
    model.objective.linear_coefficients.values.extend(program.cost[nonzero].tolist())
    model.linear_constraints.ids.extend(range(program.n_rows))
    model.linear_constraints.lower_bounds.extend(program.row_lower.tolist())
    model.linear_constraints.upper_bounds.extend(program.row_upper.tolist())
    matrix = model.linear_constraint_matrix
    matrix.row_ids.extend(program.entry_row.tolist())
    matrix.column_ids.extend(program.indices.tolist())
    matrix.coefficients.extend(program.values.tolist())
    return model


def _read(
    result: Any, program: Program, *, tolerance: float, engine: str
) -> EngineAnswer:
    termination = result.termination
    if termination.reason not in _REASON:
        raise EngineError(f"{engine} gave up: {termination.detail or 'no reason'}")
    values = None
    for solution in result.solutions:
        if solution.HasField("primal_solution"):
            primal = solution.primal_solution.variable_values
            values = np.zeros(program.n_variables)
            values[np.asarray(primal.ids, dtype=np.int64)] = primal.values
            break
    bound = termination.objective_bounds.dual_bound
    return EngineAnswer(
        outcome=_REASON[termination.reason],
        values=values,
        bound=bound if math.isfinite(bound) else None,
        tolerance=tolerance,
        engine=engine,
    )
