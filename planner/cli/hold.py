"""``planner hold``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples
from planner.cli.verbs import asker, hold_arguments, scope_of, tell


@click.command(
    epilog=examples(
        "planner hold etl --reason 'waits for data'",
        "planner hold --region north",
        "planner hold --all",
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
    """Start none of some jobs, of a region, or of all.

    Counts at once and until their release, also while the executor works; what runs
    goes on. A held job is missed when its rule or deadline does not allow to start it
    any later.
    """
    from planner.operating import hold

    scope, names, date = scope_of(app, jobs, regions, day, everything=everything)
    answers = hold(app.place(), scope, names, day=date, asker=asker(app, reason))
    tell(app, "hold", answers, as_json=as_json)
