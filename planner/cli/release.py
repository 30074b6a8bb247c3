"""``planner release``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples
from planner.cli.verbs import asker, hold_arguments, scope_of, tell


@click.command(
    epilog=examples(
        "planner release etl", "planner release --region north", "planner release --all"
    )
)
@hold_arguments
@pass_app
def command(
    app: App,
    /,
    jobs: tuple[str, ...],
    regions: tuple[str, ...],
    everything: bool,
    day: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Let jobs start again that were held.

    Names what was held by the same words; --all lifts every hold there is. What is
    due starts with the next run.
    """
    from planner.operating import release

    scope, names, date = scope_of(app, jobs, regions, day, everything=everything)
    answers = release(app.place(), scope, names, day=date, asker=asker(app, reason))
    tell(app, "release", answers, as_json=as_json)
