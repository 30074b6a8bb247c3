"""The order of a report: one list of sections for every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outputs.charts.delays import delays_chart
from outputs.charts.emissions import against_baseline_chart, regions_chart
from outputs.charts.figure import Chart
from outputs.charts.intensity import intensity_chart
from outputs.charts.limits import limits_chart
from outputs.charts.load import load_chart, stack_chart
from outputs.charts.prices import prices_chart
from outputs.comparison import Comparison
from outputs.evidence import Evidence
from outputs.limit_costs import costs_sheet, costs_text
from outputs.outcome import outcome_sentences, outcome_sheet, regret_sheet
from outputs.report.data import MEANINGS, Report
from outputs.report.sections import (
    forecasts_sheet,
    inputs_sheet,
    moved_sheet,
    provenance_sheet,
    unplaced_sheets,
)
from outputs.savings import by_region, by_team
from outputs.sheets import Sheet, policies_sheet, side_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with words, tables and charts below it.

    Parameters
    ----------
    key
        Unique in the report; a link may point to it.
    heading
        What the section shows.
    text
        Sentences below the heading.
    points
        A list of sentences.
    """

    key: str
    heading: str
    text: str = ""
    points: tuple[str, ...] = ()
    sheets: Sequence[Sheet] = ()
    charts: Sequence[Chart] = ()


def sections(report: Report) -> list[Section]:
    """All sections in reading order; those with nothing to say are left out."""
    comparison = report.comparison
    found = [
        *_outcome(report.evidence),
        _policies(comparison),
        Section(key="day", heading="The day", charts=charts(comparison)),
        *_side_by_side(comparison),
        *_jobs(report),
        _limit_costs(comparison),
        Section(
            key="forecasts", heading="Forecasts used", sheets=(forecasts_sheet(report),)
        ),
        Section(
            key="assumed", heading="What is assumed", points=report.all_assumptions()
        ),
        Section(
            key="provenance",
            heading="Provenance",
            sheets=(provenance_sheet(report), inputs_sheet(report)),
        ),
    ]
    return [s for s in found if s.text or s.points or s.sheets or s.charts]


def charts(comparison: Comparison) -> list[Chart]:
    """The day's charts, as far as there is something to draw."""
    many = len(comparison.regions) > 1
    emitting = any(policy.emissions_kg > 0 for policy in comparison.policies)
    drawn = [
        intensity_chart(comparison),
        load_chart(comparison),
        stack_chart(comparison) if many else None,
        against_baseline_chart(comparison) if emitting else None,
        regions_chart(comparison) if many and emitting else None,
        delays_chart(comparison),
        limits_chart(comparison),
        prices_chart(comparison),
    ]
    return [chart for chart in drawn if chart is not None]


def _outcome(evidence: Evidence | None) -> list[Section]:
    """Promise against outcome, once the day is settled."""
    if evidence is None:
        return []
    split = regret_sheet(evidence)
    return [
        Section(
            key="outcome",
            heading="What became of it",
            text=" ".join(outcome_sentences(evidence)),
            points=tuple(evidence.meta["notes"]),
            sheets=(outcome_sheet(evidence), *([split] if split else [])),
        )
    ]


def _policies(comparison: Comparison) -> Section:
    known = [p.name for p in comparison.policies if p.name in MEANINGS]
    return Section(
        key="policies",
        heading="Policies",
        points=tuple(f"{name}: {MEANINGS[name]}" for name in known),
        sheets=(policies_sheet(comparison, detailed=True),),
    )


def _side_by_side(comparison: Comparison) -> list[Section]:
    left, right = "greedy", comparison.plan_name
    if comparison.find(left) is None or left == right:
        return []
    split = {
        "region": by_region(comparison, left, right),
        "team": by_team(comparison, left, right),
    }
    return [
        Section(
            key=f"by-{kind}",
            heading=f"{left.capitalize()} and {right} by {kind}",
            sheets=(side_sheet(sides, detailed=True),),
        )
        for kind, sides in split.items()
    ]


def _limit_costs(comparison: Comparison) -> Section:
    sheet = costs_sheet(comparison)
    return Section(
        key="limit-costs",
        heading="What each limit costs",
        text=costs_text(comparison),
        sheets=(sheet,) if sheet.rows else (),
    )


def _jobs(report: Report) -> list[Section]:
    moved = moved_sheet(report)
    return [
        Section(
            key="unplaced",
            heading="Jobs without a place",
            sheets=unplaced_sheets(report),
        ),
        Section(
            key="moved",
            heading="Moves that matter most",
            sheets=(moved,) if moved is not None else (),
        ),
    ]
