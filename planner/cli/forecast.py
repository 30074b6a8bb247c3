"""``planner forecast``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.forecast_history import fetch, history
from planner.cli.forecast_regions import regions
from planner.cli.forecast_score import command as score
from planner.cli.options import date_option, examples, json_option, resolve_day

if TYPE_CHECKING:
    from forecasts.series import Forecast


@click.group(
    epilog=examples(
        "planner forecast show --date tomorrow",
        "planner forecast fetch",
        "planner forecast history",
        "planner forecast regions stockholm",
    )
)
def command() -> None:
    """Show, fetch, keep and judge forecasts."""


command.add_command(fetch)
command.add_command(history)
command.add_command(regions)
command.add_command(score)


@command.command(epilog=examples("planner forecast show --date 2026-11-23"))
@date_option
@json_option
@click.pass_context
@pass_app
def show(app: App, ctx: click.Context, /, day: str, as_json: bool) -> None:
    """Show each series and region of a day: source, age and range."""
    from forecasts.gathering import gather
    from planner.day import grid_of

    workspace = app.workspace()
    grid = grid_of(workspace, resolve_day(app, workspace, day))
    now = app.clock()
    found = gather(workspace, grid, now=now, environment=app.environment)
    if as_json:
        app.result_json(
            {
                "schema": 1,
                "date": grid.date.isoformat(),
                "slot_starts": [
                    grid.slot_start(slot).isoformat() for slot in range(grid.n_slots)
                ],
                "forecasts": [_plain(forecast) for forecast in found.forecasts],
                "notes": list(found.notes),
                "degraded": found.degraded,
            }
        )
    else:
        click.echo(_HEAD)
        for forecast in found.forecasts:
            click.echo(_line(forecast))
        for note in found.notes:
            app.note(f"note: {note}")
    ctx.exit(ExitCode.DEGRADED if found.degraded else ExitCode.DONE)


@command.command(epilog=examples("planner forecast providers --json"))
@json_option
@pass_app
def providers(app: App, /, as_json: bool) -> None:
    """List the providers and the series that each can give."""
    from forecasts.registry import PROVIDERS, names_for
    from forecasts.series import Series

    rows = {
        name: [series.value for series in Series if name in names_for(series)]
        for name in PROVIDERS
    }
    if as_json:
        app.result_json({"schema": 1, "providers": rows})
        return
    for name, series in rows.items():
        click.echo(f"{name:<20} {', '.join(series)}")


_HEAD = (
    f"{'series':<7} {'region':<16} {'provider':<20} "
    f"{'lowest':>9} … {'mean':>9} … {'highest':>9}"
)


def _line(forecast: Forecast) -> str:
    low, mean, high = (
        forecast.values.min(),
        forecast.values.mean(),
        forecast.values.max(),
    )
    issued = forecast.issued_at
    return (
        f"{forecast.series.value:<7} {forecast.region:<16} {forecast.provider:<20} "
        f"{low:9.4g} … {mean:9.4g} … {high:9.4g} {forecast.series.unit:<6} "
        f"issued {'unknown' if issued is None else issued.isoformat()}"
        f"{f', {forecast.filled_slots} slots filled' if forecast.filled_slots else ''}"
    )


def _plain(forecast: Forecast) -> dict[str, Any]:
    return {
        "series": forecast.series.value,
        "region": forecast.region,
        "provider": forecast.provider,
        "unit": forecast.series.unit,
        "signal": None if forecast.signal is None else forecast.signal.value,
        "issued_at": forecast.issued_at and forecast.issued_at.isoformat(),
        "filled_slots": forecast.filled_slots,
        "degraded": forecast.degraded,
        "values": forecast.values.tolist(),
    }
