"""``planner solvers``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples


@click.command(epilog=examples("planner solvers", "planner solve --solver greedy"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_app
def command(app: App, /, as_json: bool) -> None:
    """List the solvers and whether they can run here."""
    from solvers.errors import SolverNotInstalledError
    from solvers.registry import SOLVERS, load

    rows = {}
    for name in SOLVERS:
        try:
            load(name)
            rows[name] = "ready"
        except SolverNotInstalledError as error:
            rows[name] = str(error)
    if as_json:
        app.result_json({"schema": 1, "solvers": rows})
        return
    width = max(map(len, rows))
    for name, state in rows.items():
        click.echo(f"{name:<{width}}  {state}")
