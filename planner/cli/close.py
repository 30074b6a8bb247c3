"""``planner close``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, resolve_day
from planner.cli.verbs import asker, job_arguments, tell


@click.command(
    epilog=examples(
        "planner close etl --as failed --reason 'node-b is gone'",
        "planner close train --date 2026-11-22 --as done --reason 'it wrote all'",
    )
)
@click.option(
    "--as",
    "state",
    type=click.Choice(["done", "failed"]),
    required=True,
    help="What became of them.",
)
@job_arguments
@pass_app
def command(
    app: App,
    /,
    jobs: tuple[str, ...],
    day: str,
    state: str,
    reason: str | None,
    as_json: bool,
) -> None:
    """Say what became of jobs that nobody can look up any more.

    For jobs that stay unknown, sent or running because their host or the records of
    their back end are gone. --reason is required: the history keeps your word beside
    your name. What the back end itself can tell goes before it. Jobs that wait for a
    job closed as done go on; one closed as failed is tried again by planner retry
    alone. Make sure first that it does not run any more.
    """
    from planner.executor.states import State
    from planner.executor.wishes import Verb
    from planner.operating import ask

    if not reason:
        raise click.UsageError("say how you know: --reason TEXT")
    answers = ask(
        app.place(),
        Verb.CLOSE,
        jobs,
        day=resolve_day(app, app.workspace(), day),
        asker=asker(app, reason),
        state=State(state),
    )
    tell(app, Verb.CLOSE, answers, as_json=as_json)
