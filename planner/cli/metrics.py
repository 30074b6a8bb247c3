"""``planner metrics``."""

from __future__ import annotations

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, log_option


@click.command(
    epilog=examples("planner metrics", "planner metrics | promtool check metrics")
)
@log_option
@pass_app
def command(app: App, /) -> None:
    """Print the site's figures as Prometheus reads them.

    The same as the textfile and the endpoint of [metrics], as of now.
    """
    from planner.overseeing import Overseer

    overseer, now = Overseer.of(app.site(), app.logs.tell), app.clock()
    text = overseer.figures(overseer.current_plan(now), now=now)
    click.echo(text.decode(), nl=False)
