"""``planner solve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inputs.errors import PlannerError
from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode, exit_code_of_plan
from planner.cli.options import (
    date_option,
    examples,
    json_option,
    log_option,
    resolve_day,
    solver_options,
)
from planner.cli.streams import shows_blocks

if TYPE_CHECKING:
    from outputs.comparison import Comparison
    from planner.pipeline import Outcome


@click.command(
    epilog=examples(
        "planner solve --date tomorrow",
        "planner solve --date 2026-11-23 --gap 0.01 --time-limit 20",
        "planner solve --json > solved.json",
    )
)
@date_option
@solver_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the plan to this file instead of below outputs/plans.",
)
@log_option
@json_option
@click.pass_context
@pass_app
def command(
    app: App,
    ctx: click.Context,
    /,
    day: str,
    solver: str,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Plan one day and write the plan file.

    Reads manifests and forecasts, sets asap, threshold and greedy beside the
    solver's plan, checks every limit and number anew, and writes the plan whole or
    not at all. Ctrl-C ends the solving early, with the best plan so far.
    """
    from planner.comparing import compare
    from planner.overseeing import Overseer
    from planner.pipeline import SolveRequest, solve_day
    from solvers.solution import SolveOptions

    workspace = app.workspace()
    request = SolveRequest(
        workspace=workspace,
        day=resolve_day(app, workspace, day),
        solver=solver,
        options=SolveOptions(**options),
        out=None if out is None else app.directory / out,
    )
    overseer, now = Overseer.of(app.site(), app.logs.tell), app.clock()
    with app.stopwatch(as_json=as_json) as watch:
        try:
            outcome = solve_day(
                request, now=now, environment=app.environment, watch=watch
            )
        except (PlannerError, OSError) as error:
            overseer.not_planned(error, now=now)
            raise
    comparison = compare(outcome.day, outcome.run, outcome.baselines)
    _record(app, outcome)
    if as_json:
        app.result_json(_summary(outcome, comparison))
    else:
        _show(app, outcome, comparison)
    overseer.planned(outcome.plan, now=now)
    ctx.exit(_exit_code(outcome))


def _record(app: App, outcome: Outcome) -> None:
    """Tell programs of every shortfall."""
    if not app.logs.json:
        return
    from planner.operations.plan_incidents import of_plan

    for incident in of_plan(
        outcome.plan.meta,
        at=app.clock(),
        left_out=len(outcome.day.loaded.broken),
        unplaced=_unplaced(outcome),
    ):
        app.logs.record(incident)


def _unplaced(outcome: Outcome) -> dict[str, str]:
    """Why each job without a place has none."""
    from outputs.unplaced import unplaced_rows

    rows = unplaced_rows(outcome.plan.rows).select(["job_id", "reason"]).to_pylist()
    return {row["job_id"]: row["reason"] or "" for row in rows}


def _show(app: App, outcome: Outcome, comparison: Comparison) -> None:
    from outputs.tables import result

    app.show(result(comparison, ascii_only=not shows_blocks()))
    if not app.logs.json:
        _note(app, outcome)
    click.echo(f"\nplan {outcome.plan.meta.status}: {app.shown(outcome.path)}")


def _note(app: App, outcome: Outcome) -> None:
    """Tell people of every shortfall, as ``_record`` tells programs."""
    from outputs.unplaced import unplaced_sentences

    meta = outcome.plan.meta
    without = unplaced_sentences(outcome.plan.rows)
    for text in (*meta.warnings, *without):
        app.note(f"note: {text}")
    if meta.unplaced > len(without):
        app.note(f"note: `planner report {meta.date}` lists what is unplaced")


def _exit_code(outcome: Outcome) -> int:
    if outcome.run.solution.stats.interrupted:
        return ExitCode.INTERRUPTED
    meta, jobs = outcome.plan.meta, outcome.plan.rows.num_rows
    return exit_code_of_plan(
        jobs=jobs,
        placed=jobs - meta.unplaced,
        unplaced=meta.unplaced,
        degraded=meta.degraded,
    )


def _summary(outcome: Outcome, comparison: Comparison) -> dict[str, Any]:
    """The documented object of ``solve --json``."""
    from outputs.savings import saving

    meta, jobs = outcome.plan.meta, outcome.plan.rows.num_rows
    against = {}
    for baseline in ("asap", "greedy"):
        part = saving(comparison, comparison.plan_name, baseline=baseline).fraction
        against[f"vs_{baseline}"] = None if part is None else 100 * part
    return {
        "schema": 1,
        "plan": str(outcome.path),
        "plan_id": meta.plan_id,
        "date": meta.date.isoformat(),
        "status": meta.status,
        "solver": meta.solver,
        "jobs": jobs,
        "placed": jobs - meta.unplaced,
        "unplaced": meta.unplaced,
        "unplaced_jobs": [
            {"job_id": job_id, "reason": reason}
            for job_id, reason in _unplaced(outcome).items()
        ],
        "objective": meta.objective,
        "bound": meta.bound,
        "gap": meta.gap,
        "found_by": meta.found_by,
        "emissions_kg": meta.emissions_kg,
        "policies": {
            name: {"emissions_kg": policy.emissions_kg, "unplaced": policy.unplaced}
            for name, policy in meta.policies.items()
        },
        "savings_percent": against,
        "degraded": meta.degraded,
        "warnings": list(meta.warnings),
        "shadow_prices": _shadow_prices(outcome),
        "seconds": dict(outcome.seconds),
    }


def _shadow_prices(outcome: Outcome) -> dict[str, Any] | None:
    """The dearest limits; None where the solver proved its bound without prices."""
    from outputs.limit_prices import UNIT, summary
    from planner.limit_prices import prices_path

    prices, grid = outcome.prices, outcome.day.grid
    if prices is None:
        return None
    dearest = prices.most_expensive(grid, 10)
    return {
        "file": str(prices_path(outcome.day.workspace, outcome.plan)),
        "unit": UNIT,
        "notes": list(prices.notes),
        "limits": [summary(limit, grid) for limit in dearest],
    }
