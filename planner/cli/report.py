"""``planner report``."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, json_option, plan_argument


@click.command(
    epilog=examples(
        "planner report tomorrow", "planner report 2026-11-23 2026-11-24 --out public"
    )
)
@click.argument("plans", nargs=-1, required=True, metavar="PLAN|DATE...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write here instead of below outputs/reports.",
)
@json_option
@pass_app
def command(
    app: App, /, plans: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """Write a plan's report as HTML, Markdown and JSON.

    PLAN is a plan file, or a date whose newest plan is meant.
    """
    from planner.reporting import report_plan

    workspace = app.workspace()
    folder = workspace.outputs / "reports" if out is None else app.directory / out
    written = []
    for plan in plans:
        path = plan_argument(app, workspace, plan)
        reported = report_plan(
            workspace, path, folder, now=app.clock(), environment=app.environment
        )
        paths = reported.paths
        written.append(paths)
        for note in reported.notes:
            app.note(f"note: {note}")
        if not as_json:
            for file in (paths.html, paths.markdown, paths.json):
                click.echo(app.shown(file))
    if as_json:
        app.result_json(
            {
                "schema": 1,
                "reports": [
                    {name: str(getattr(paths, name)) for name in paths.__slots__}
                    for paths in written
                ],
            }
        )
