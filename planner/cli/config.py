"""``planner config``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, json_option


@click.command(
    epilog=examples("planner config", "PLANNER_SLOT_MINUTES=15 planner config --json")
)
@json_option
@pass_app
def command(app: App, /, as_json: bool) -> None:
    """Show every setting and where its value comes from."""
    from inputs.origins import sources

    workspace = app.workspace()
    settings = sources(workspace)
    if as_json:
        app.result_json(
            {
                "schema": 1,
                "root": str(workspace.root),
                "settings": {
                    setting.key: {"value": setting.value, "source": setting.source}
                    for setting in settings
                },
            }
        )
        return
    width = max(len(setting.key) for setting in settings)
    click.echo(f"# {workspace.root}")
    for setting in settings:
        click.echo(f"{setting.key:<{width}}  {setting.value}  # {setting.source}")
