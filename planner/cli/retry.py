"""``planner retry``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, resolve_day
from planner.cli.verbs import asker, job_arguments, tell


@click.command(epilog=examples("planner retry etl --reason 'disk has room again'"))
@job_arguments
@pass_app
def command(
    app: App, /, jobs: tuple[str, ...], day: str, reason: str | None, as_json: bool
) -> None:
    """Try jobs again that failed, were missed or cancelled.

    They are due at once, beyond the retries that they allow; the cap on power is
    kept. Jobs that were blocked by them come back, too.
    """
    from planner.executor.wishes import Verb
    from planner.operating import ask

    answers = ask(
        app.place(),
        Verb.RETRY,
        jobs,
        day=resolve_day(app, app.workspace(), day),
        asker=asker(app, reason),
    )
    tell(app, Verb.RETRY, answers, as_json=as_json)
