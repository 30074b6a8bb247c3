"""``planner forecast score``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, json_option

if TYPE_CHECKING:
    from forecasts.scoring.scores import Period, Score
    from forecasts.series import Series
    from inputs.settings import Region, Workspace

_DATE = click.DateTime(["%Y-%m-%d"])


@click.command(
    name="score",
    epilog=examples(
        "planner forecast score --history history/carbon.parquet",
        "planner forecast score --region eu-north --from 2026-09-01 --to 2026-11-20",
    ),
)
@click.option(
    "--series",
    "series_name",
    type=click.Choice(["carbon", "price"]),
    default="carbon",
    show_default=True,
    help="What was forecast.",
)
@click.option("--region", "names", multiple=True, help="Only this one; may repeat.")
@click.option(
    "--from",
    "first",
    type=_DATE,
    metavar="DATE",
    help="First day.  [default: 90 before]",
)
@click.option(
    "--to",
    "last",
    type=_DATE,
    metavar="DATE",
    help="Last day.  [default: newest known]",
)
@click.option(
    "--lead",
    "lead_hours",
    type=click.FloatRange(0, 72),
    default=0.0,
    show_default=True,
    help="Hours before each day at which its forecast is made.",
)
@click.option("--history", metavar="PATH", help="File of measured values.")
@json_option
@pass_app
def command(
    app: App,
    /,
    series_name: str,
    names: tuple[str, ...],
    history: str | None,
    as_json: bool,
    **span: Any,
) -> None:
    """Rank forecasts by the saving that trusting them keeps.

    Published and own forecasts alike. Every day is forecast as it would have been
    then, from nothing that was known later, and compared with what was measured.
    """
    from forecasts.scoring.ranking import rank_forecasts
    from forecasts.series import Series

    workspace, series = app.workspace(), Series(series_name)
    ranking = rank_forecasts(
        workspace,
        series,
        regions=_regions(workspace, names),
        period=_period(**span),
        now=app.clock(),
        history=history,
    )
    for note in ranking.notes:
        app.note(f"note: {note}")
    if as_json:
        scores = [asdict(score) for score in ranking.scores]
        notes = list(ranking.notes)
        app.result_json(
            {"schema": 1, "series": series_name, "scores": scores, "notes": notes}
        )
        return
    _show(app, ranking.scores, series)


def _regions(workspace: Workspace, names: tuple[str, ...]) -> tuple[Region, ...]:
    known = [region.name for region in workspace.regions]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise click.BadParameter(
                f"no region is called {name!r}; {hint}", param_hint="'--region'"
            )
    return tuple(r for r in workspace.regions if not names or r.name in names)


def _period(
    *, first: datetime | None, last: datetime | None, lead_hours: float
) -> Period:
    from forecasts.scoring.scores import Period

    if first is not None and last is not None and last < first:
        raise click.BadParameter("it lies before --from", param_hint="'--to'")
    return Period(
        first=first and first.date(),
        last=last and last.date(),
        lead=timedelta(hours=lead_hours),
    )


def _show(app: App, scores: tuple[Score, ...], series: Series) -> None:
    """One table for each region."""
    from outputs.sheets import Sheet
    from outputs.tables import rich_table

    for region in dict.fromkeys(score.region for score in scores):
        rows = [score for score in scores if score.region == region]
        sheet = Sheet(
            title=f"{region}, {rows[0].days} days",
            columns=(
                "forecaster",
                "saving kept",
                "if it may pause",
                "rank corr.",
                "MAPE",
                f"pinball {series.unit}",
                "90 % band holds",
            ),
            rows=tuple(_cells(score) for score in rows),
            strong=frozenset({0}),
        )
        app.show(rich_table(sheet))


def _cells(score: Score) -> tuple[str, ...]:
    return (
        score.forecaster,
        _percent(score.kept),
        _percent(score.kept_interruptible),
        "–" if score.rank_correlation is None else f"{score.rank_correlation:.2f}",
        _percent(score.mape),
        "–" if score.pinball is None else f"{score.pinball:.3g}",
        _percent(score.coverage),
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
