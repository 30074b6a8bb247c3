"""``planner forecast fetch`` and ``planner forecast history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.fetched import (
    fetched_json,
    fetched_line,
    iso,
    minute,
    past_days,
    past_line,
)
from planner.cli.options import examples, json_option

if TYPE_CHECKING:
    from forecasts.holdings import Holding

SERIES = click.Choice(["carbon", "solar", "price"])


@click.command(
    epilog=examples(
        "planner forecast fetch",
        "planner forecast fetch --past 30d",
        "planner forecast fetch --json",
    )
)
@click.option(
    "--past",
    callback=past_days,
    metavar="DAYS",
    help="Also collect what was measured on so many days before today, such as 30d.",
)
@json_option
@click.pass_context
@pass_app
def fetch(app: App, ctx: click.Context, /, past: int | None, as_json: bool) -> None:
    """Ask every live provider now, and keep every issue.

    The history keeps it. Today and tomorrow are asked about; stand-ins are asked as
    well. Exit code 5 when something is missing.
    """
    from forecasts.collecting import collect_past
    from forecasts.desk import client_for
    from forecasts.fetching import fetch_all
    from planner.day import two_days_of

    workspace, now, environment = app.workspace(), app.clock(), app.environment
    line, grid = "asking forecast services", two_days_of(workspace, now)
    http = client_for(workspace, now, environment)
    with app.stopwatch(as_json=as_json) as watch, watch.stage("fetch", line):
        found = fetch_all(workspace, grid, now=now, environment=environment, http=http)
        told = () if past is None else collect_past(
            workspace, grid, days=past, now=now, environment=environment, http=http
        )  # fmt: skip
    if as_json:
        app.result_json(fetched_json(found, None if past is None else told))
    else:
        for text in (*map(fetched_line, found), *(past_line(p, app) for p in told)):
            click.echo(text)
    if not found:
        app.note("note: no provider of [forecasts] asks a service")
    elif past is not None and not told:
        app.note("note: no provider of [forecasts] tells what was measured here")
    missing = any(f.failure for f in found) or any(p.failure for p in told)
    ctx.exit(ExitCode.DEGRADED if missing else ExitCode.DONE)


@click.command(
    epilog=examples(
        "planner forecast history", "planner forecast history --series carbon --json"
    )
)
@click.option("--series", type=SERIES, help="Only this series.")
@click.option("--provider", metavar="NAME", help="Only this provider.")
@click.option(
    "--region",
    metavar="NAME",
    help="Only this region, or zone as the provider names it.",
)
@json_option
@click.pass_context
@pass_app
def history(
    app: App,
    ctx: click.Context,
    /,
    series: str | None,
    provider: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Show which forecasts are kept: every issue ever fetched."""
    from forecasts.holdings import holdings_of

    _known_provider(provider)
    found, unreadable = holdings_of(
        app.workspace(), series=series, provider=provider, region=region
    )
    if as_json:
        app.result_json(
            {
                "schema": 1,
                "history": [_holding(one) for one in found],
                "unreadable": [str(path) for path in unreadable],
            }
        )
    else:
        for one in found:
            click.echo(_holding_line(one))
    if not found:
        app.note(_nothing_kept(series, provider, region))
    for path in unreadable:
        app.note(f"note: {app.shown(path)} is damaged and was left out")
    ctx.exit(ExitCode.DEGRADED if unreadable else ExitCode.DONE)


def _known_provider(name: str | None) -> None:
    """Refuse a provider that there is none of."""
    from forecasts.registry import PROVIDERS
    from inputs.findings import nearest

    if name is not None and name not in PROVIDERS:
        hint = nearest(name, PROVIDERS)
        raise click.BadParameter(f"{name!r}; {hint}", param_hint="'--provider'")


def _nothing_kept(*asked: str | None) -> str:
    about = ", ".join(one for one in asked if one is not None)
    if about:
        return f"note: nothing is kept of {about}; without options all of it is listed"
    return "note: nothing is kept; `planner forecast fetch` begins a history"


def _holding(one: Holding) -> dict[str, Any]:
    return {
        "series": one.series.value,
        "provider": one.provider,
        "zone": one.zone,
        "regions": list(one.regions),
        "issues": one.issues,
        "values": one.values,
        "first_issued_at": iso(one.first_issued_at),
        "last_issued_at": iso(one.last_issued_at),
        "last_fetched_at": iso(one.last_fetched_at),
        "start": iso(one.start),
        "end": iso(one.end),
        "size_bytes": one.size_bytes,
    }


def _holding_line(one: Holding) -> str:
    regions = ", ".join(one.regions) or "-"
    return (
        f"{one.series.value:<7} {regions:<16} {one.provider:<20} {one.zone:<14} "
        f"{one.issues:>6} issues, {minute(one.first_issued_at)} to "
        f"{minute(one.last_issued_at)}, about {minute(one.start)} to "
        f"{minute(one.end)}, {one.size_bytes / 1024:,.0f} KiB"
    )
