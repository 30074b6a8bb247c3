"""``planner compare``."""

from __future__ import annotations

from typing import Any

import click

from planner.cli.app import App, pass_app
from planner.cli.options import (
    date_option,
    examples,
    json_option,
    resolve_day,
    solver_options,
)
from planner.cli.streams import shows_blocks

KNOWN = ("asap", "threshold", "greedy", "optimal")


@click.command(
    epilog=examples(
        "planner compare --date tomorrow",
        "planner compare --date 2026-11-23 --policies asap,greedy",
    )
)
@date_option
@click.option(
    "--policies",
    default=",".join(KNOWN),
    show_default=True,
    help="Which to compare, separated by commas.",
)
@solver_options
@json_option
@pass_app
def command(
    app: App, /, day: str, policies: str, solver: str, as_json: bool, **options: Any
) -> None:
    """Set the policies side by side on one day.

    Nothing is written. The same jobs, forecasts, limits and arithmetic for all; the
    last two are also set side by side for each region and team.
    """
    from planner.comparing import compare_policies
    from planner.day import prepare_day
    from solvers.solution import SolveOptions

    names = _names(policies)
    workspace = app.workspace()
    with app.stopwatch(as_json=as_json) as watch:
        prepared = prepare_day(
            workspace,
            resolve_day(app, workspace, day),
            now=app.clock(),
            environment=app.environment,
            watch=watch,
        )
        comparison = compare_policies(
            prepared, names, solver=solver, options=SolveOptions(**options), watch=watch
        )
    if as_json:
        from outputs.report import comparison_document

        app.result_json(comparison_document(comparison))
        return
    _show(app, comparison, names)


def _names(policies: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in policies.split(",") if name.strip())
    if twice := [name for name in KNOWN if names.count(name) > 1]:
        raise click.BadParameter(
            f"{', '.join(twice)} is named twice", param_hint="'--policies'"
        )
    unknown = [name for name in names if name not in KNOWN]
    if unknown or not names:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'nothing'} is not of {', '.join(KNOWN)}",
            param_hint="'--policies'",
        )
    return names


def _show(app: App, comparison: Any, names: tuple[str, ...]) -> None:
    from outputs.savings import by_region, by_team
    from outputs.tables import result, side_by_side

    app.show(result(comparison, ascii_only=not shows_blocks()))
    if len(names) > 1:
        left, right = names[-2:]
        app.show(side_by_side(by_region(comparison, left, right)))
        app.show(side_by_side(by_team(comparison, left, right)))
