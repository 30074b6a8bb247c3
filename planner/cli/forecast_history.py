"""``planner forecast fetch`` and ``planner forecast history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.options import examples, json_option

if TYPE_CHECKING:
    from datetime import datetime

    from forecasts.fetching import Fetched
    from forecasts.holdings import Holding

SERIES = click.Choice(["carbon", "solar", "price"])


@click.command(
    epilog=examples("planner forecast fetch", "planner forecast fetch --json")
)
@json_option
@click.pass_context
@pass_app
def fetch(app: App, ctx: click.Context, /, as_json: bool) -> None:
    """Ask every live provider now, and keep every issue in the history.

    Today and tomorrow are asked about; stand-ins are asked as well. Exit code 5 when
    something is missing.
    """
    from forecasts.fetching import fetch_all
    from planner.day import two_days_of

    workspace, now = app.workspace(), app.clock()
    line = "asking forecast services"
    with app.stopwatch(as_json=as_json) as watch, watch.stage("fetch", line):
        found = fetch_all(
            workspace,
            two_days_of(workspace, now),
            now=now,
            environment=app.environment,
        )
    if as_json:
        app.result_json({"schema": 1, "fetched": [_fetched(one) for one in found]})
    else:
        for one in found:
            click.echo(_fetched_line(one))
    if not found:
        app.note("note: no provider of [forecasts] asks a service")
    ctx.exit(ExitCode.DEGRADED if any(f.failure for f in found) else ExitCode.DONE)


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
        app.note("note: nothing is kept; `planner forecast fetch` begins a history")
    for path in unreadable:
        app.note(f"note: {app.shown(path)} is damaged and was left out")
    ctx.exit(ExitCode.DEGRADED if unreadable else ExitCode.DONE)


def _fetched(one: Fetched) -> dict[str, Any]:
    return {
        "series": one.series.value,
        "region": one.region,
        "provider": one.provider,
        "fetched": one.failure is None,
        "failure": one.failure,
        "values": one.values,
        "start": _iso(one.start),
        "end": _iso(one.end),
        "issued_at": _iso(one.issued_at),
        "notes": list(one.notes),
    }


def _fetched_line(one: Fetched) -> str:
    about = f"{one.series.value:<7} {one.region:<16} {one.provider:<20}"
    if one.failure is not None:
        return f"{about} missing: {one.failure}"
    issued = "" if one.issued_at is None else f", issued {_minute(one.issued_at)}"
    return (
        f"{about} {one.values:>5} values, {_minute(one.start)} to "
        f"{_minute(one.end)}{issued}"
    )


def _holding(one: Holding) -> dict[str, Any]:
    return {
        "series": one.series.value,
        "provider": one.provider,
        "zone": one.zone,
        "regions": list(one.regions),
        "issues": one.issues,
        "values": one.values,
        "first_issued_at": _iso(one.first_issued_at),
        "last_issued_at": _iso(one.last_issued_at),
        "last_fetched_at": _iso(one.last_fetched_at),
        "start": _iso(one.start),
        "end": _iso(one.end),
        "size_bytes": one.size_bytes,
    }


def _holding_line(one: Holding) -> str:
    regions = ", ".join(one.regions) or "-"
    return (
        f"{one.series.value:<7} {regions:<16} {one.provider:<20} {one.zone:<14} "
        f"{one.issues:>6} issues, {_minute(one.first_issued_at)} to "
        f"{_minute(one.last_issued_at)}, about {_minute(one.start)} to "
        f"{_minute(one.end)}, {one.size_bytes / 1024:,.0f} KiB"
    )


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _minute(instant: datetime | None) -> str:
    return "unknown" if instant is None else f"{instant:%Y-%m-%d %H:%MZ}"
