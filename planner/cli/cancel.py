"""``planner cancel``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, resolve_day
from planner.cli.verbs import asker, job_arguments, tell


@click.command(
    epilog=examples(
        "planner cancel etl", "planner cancel train --date tomorrow --reason 'old data'"
    )
)
@job_arguments
@pass_app
def command(
    app: App, /, jobs: tuple[str, ...], day: str, reason: str | None, as_json: bool
) -> None:
    """End jobs, or keep them from being started.

    A planned job is closed for good; one at work is told to end by its back end.
    JOB may be the name of an array, KEY is one dispatch. What has ended stays as
    it is.
    """
    from planner.executor.wishes import Verb
    from planner.operating import ask

    answers = ask(
        app.place(),
        Verb.CANCEL,
        jobs,
        day=resolve_day(app, app.workspace(), day),
        asker=asker(app, reason),
    )
    tell(app, Verb.CANCEL, answers, as_json=as_json)
