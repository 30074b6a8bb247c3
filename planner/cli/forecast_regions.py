"""``planner forecast regions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, json_option

if TYPE_CHECKING:
    from inputs.cloud_regions import CloudRegion


@click.command(
    epilog=examples(
        "planner forecast regions stockholm",
        "planner forecast regions --provider gcp",
        "planner forecast regions --provider watttime --json",
    )
)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--provider",
    metavar="NAME",
    help="Only regions of this cloud, or with a zone at this forecast provider.",
)
@json_option
@pass_app
def regions(
    app: App, /, words: tuple[str, ...], provider: str | None, as_json: bool
) -> None:
    """List cloud regions with the grid zones and PUE of each.

    WORDs must all occur in the name, the place or a zone.
    """
    found = [row for row in _known(app, provider) if _has(row, words)]
    if as_json:
        app.result_json({"schema": 1, "regions": [_plain(row) for row in found]})
        return
    for row in found:
        click.echo(_line(row))
    if not found:
        app.note("note: no such region; [cloud_regions] of planner.toml adds one")


def _known(app: App, provider: str | None) -> list[CloudRegion]:
    """Rows of the table, those of the workspace if there is one included."""
    rows = list(app.cloud_regions().values())
    if provider is None:
        return rows
    from inputs.cloud_regions import GRIDS
    from inputs.findings import nearest

    clouds = {row.provider for row in rows}
    if provider not in clouds | set(GRIDS):
        hint = nearest(provider, clouds | set(GRIDS))
        raise click.BadParameter(f"{provider!r}; {hint}", param_hint="'--provider'")
    return [row for row in rows if provider in (row.provider, *row.grids)]


def _has(row: CloudRegion, words: tuple[str, ...]) -> bool:
    text = " ".join((row.name, row.location, *row.grids.values())).lower()
    return all(word.lower() in text for word in words)


def _plain(row: CloudRegion) -> dict[str, Any]:
    return {
        "cloud_region": row.name,
        "location": row.location,
        "zones": dict(row.grids),
        "zones_from": row.grid_from,
        "pue": row.pue,
        "pue_from": row.pue_from or None,
    }


def _line(row: CloudRegion) -> str:
    zones = ", ".join(f"{column} {zone}" for column, zone in row.grids.items())
    pue = "PUE not published" if row.pue is None else f"PUE {row.pue} ({row.pue_from})"
    return f"{row.name:<30} {row.location:<32} {pue:<26} {zones}"
