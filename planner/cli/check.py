"""``planner check``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.options import examples, json_option, plan_argument


@click.command(
    epilog=examples(
        "planner check tomorrow", "planner check outputs/plans/plan-2026-11-23.parquet"
    )
)
@click.argument("plan", default="tomorrow")
@json_option
@click.pass_context
@pass_app
def command(app: App, ctx: click.Context, /, plan: str, as_json: bool) -> None:
    """Re-do a plan's arithmetic from the workspace's inputs.

    PLAN is a plan file, or a date whose newest plan is meant; without it, tomorrow.
    Every limit and every number is worked out anew, by code that shares nothing with
    any solver.
    """
    from outputs.wording import counted
    from planner.checking import check_file

    workspace = app.workspace()
    result = check_file(
        workspace,
        plan_argument(app, workspace, plan),
        now=app.clock(),
        environment=app.environment,
    )
    if as_json:
        app.result_json(
            {
                "schema": 1,
                "plan": str(result.path),
                "plan_id": result.plan_id,
                "violations": [str(violation) for violation in result.violations],
                "notes": list(result.notes),
            }
        )
    else:
        for note in result.notes:
            app.note(f"note: {note}")
        for violation in result.violations:
            click.echo(str(violation))
        found = counted(len(result.violations), "violation")
        click.echo(f"{app.shown(result.path)}: {found}")
    ctx.exit(ExitCode.REFUSED if result.violations else ExitCode.DONE)
