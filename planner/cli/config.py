"""``planner config``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import click

from inputs.durations import written_duration
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
        value = as_written(setting.value)
        click.echo(f"{setting.key:<{width}}  {value}  # {setting.source}")


def as_written(value: object) -> str:
    """A value as planner.toml would have it; a dash where there is none."""
    match value:
        case None:
            return "–"
        case timedelta():
            return json.dumps(written_duration(value))
        case Mapping():
            pairs = (f"{key} = {as_written(of)}" for key, of in value.items())
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case tuple() | list():
            return f"[{', '.join(map(as_written, value))}]"
        case float() if value.is_integer():
            return f"{value:.0f}"
        case bool() | int() | float():
            return json.dumps(value)
    table = getattr(value, "model_dump", None)
    if table is not None:
        return as_written(table(exclude_none=True))
    return json.dumps(str(value), ensure_ascii=False)
