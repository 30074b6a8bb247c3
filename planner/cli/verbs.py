"""What the verbs on jobs share: their options, who asks, and how they answer."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App
from planner.cli.execute import actor
from planner.cli.options import json_option, resolve_day

if TYPE_CHECKING:
    from planner.executor.holds import Scope
    from planner.operating import Answers, Asker

Command = Callable[..., Any]

reason_option = click.option(
    "--reason", metavar="TEXT", help="Why; the history of each job keeps it."
)


def job_arguments(command: Command) -> Command:
    """Add what ``cancel``, ``retry`` and ``close`` are told."""
    for option in (
        json_option,
        reason_option,
        click.option(
            "--date",
            "day",
            default="today",
            show_default=True,
            metavar="DATE",
            help="Planned date of the jobs, in the workspace's time zone.",
        ),
        click.argument("jobs", metavar="JOB|KEY...", nargs=-1, required=True),
    ):
        command = option(command)
    return command


def hold_arguments(command: Command) -> Command:
    """Add what ``hold`` and ``release`` are told."""
    for option in (
        json_option,
        reason_option,
        click.option(
            "--date",
            "day",
            metavar="DATE",
            help="Planned date; default: today for jobs, every date for the others.",
        ),
        click.option("--all", "everything", is_flag=True, help="All jobs."),
        click.option(
            "--region", "regions", metavar="R", multiple=True, help="All jobs there."
        ),
        click.argument("jobs", metavar="[JOB...]", nargs=-1),
    ):
        command = option(command)
    return command


def asker(app: App, reason: str | None) -> Asker:
    """Who asks, by the name of the user whose process this is."""
    from planner.executor.backends.wording import one_line
    from planner.operating import Asker

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        name = f"user {os.getuid()}"
    why = None if reason is None else one_line(reason)
    return Asker(actor=name, process=actor(), now=app.clock(), reason=why)


def scope_of(
    app: App,
    jobs: tuple[str, ...],
    regions: tuple[str, ...],
    day: str | None,
    *,
    everything: bool,
) -> tuple[Scope, tuple[str, ...], date | None]:
    """What is meant: its kind, names and date; only one kind at a time."""
    from planner.executor.holds import Scope

    if (bool(jobs), bool(regions), everything).count(True) != 1:
        raise click.UsageError("name either jobs, or --region R, or --all")
    workspace = app.workspace()
    if jobs:
        return Scope.JOB, jobs, resolve_day(app, workspace, day or "today")
    known = [region.name for region in workspace.regions]
    for region in regions:
        if region not in known:
            listed = ", ".join(known)
            text = f"no region is called {region!r}; there is {listed}"
            raise click.BadParameter(text, param_hint="'--region'")
    planned = None if day is None else resolve_day(app, workspace, day)
    return (Scope.REGION, regions, planned) if regions else (Scope.ALL, ("",), planned)


def tell(app: App, verb: str, answers: Answers, *, as_json: bool) -> None:
    """Say what came of each, on stdout."""
    if as_json:
        results = [
            {"target": answer.target, "outcome": answer.outcome}
            for answer in answers.answers
        ]
        app.result_json(
            {"schema": 1, "verb": verb, "at_work": answers.at_work, "results": results}
        )
        return
    if answers.at_work is not None:
        app.note(
            f"note: {answers.at_work} is at work; its next run acts on what is stored"
        )
    for answer in answers.answers:
        outcome = answer.outcome or "stored; a later run acts on it"
        click.echo(f"{answer.target}: {outcome}")
