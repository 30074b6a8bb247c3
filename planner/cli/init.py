"""``planner init``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples


@click.command(epilog=examples("planner init nightly", "planner -C nightly solve"))
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@pass_app
def command(app: App, /, folder: Path) -> None:
    """Make a small workspace that solves at once, offline.

    FOLDER is made if need be. Files that exist are never overwritten.
    """
    from planner.example import copy_example

    target = app.directory / folder
    for path in copy_example(target):
        app.note(f"wrote {path}")
    there = "" if target == app.directory else f" -C {shlex.quote(str(target))}"
    app.note(f"next: planner{there} solve --date tomorrow")
