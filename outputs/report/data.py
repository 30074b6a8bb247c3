"""What a report is made from, and what it says about it first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outputs.comparison import Comparison
from outputs.evidence import Evidence
from outputs.plan import Plan, PlanMeta
from outputs.savings import Saving, saving
from outputs.sheets import BASELINE
from outputs.wording import NOTHING, amount, at_most, count, counted, day, percent

REFERENCES = (BASELINE, "greedy")
"""Policies that the plan is measured against in the headline."""

MEANINGS = {
    "asap": "each job in its home region, at its earliest time that fits",
    "threshold": "each job waits until intensity is low or its own sun is there",
    "greedy": "one job after another, each at its cheapest place left",
    "optimal": "all jobs together",
}

_PLANNED = (
    "Every figure is planned, from forecasts made before the day. What the jobs "
    "really emit is known only afterwards.",
    "All policies are held to the same limits and priced by the same arithmetic.",
    "A job draws its mean power for all of its planned running time.",
    "On-site solar that no job uses is not credited to anything.",
    "A job that is left out emits nothing here; savings are therefore counted on "
    "jobs that both policies place.",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """A plan, and the comparison that puts it in its place.

    Parameters
    ----------
    plan
        The plan with its provenance.
    comparison
        The same day under every policy; its ``plan_name`` is the plan's policy.
    assumptions
        Sentences to add to what is always assumed.
    evidence
        What became of the day; None until it is settled.
    most_listed
        Most jobs to list by name in one table; the rest is counted.
    """

    plan: Plan
    comparison: Comparison
    assumptions: tuple[str, ...] = ()
    evidence: Evidence | None = None
    most_listed: int = 50

    @property
    def meta(self) -> PlanMeta:
        """Provenance of the plan."""
        return self.plan.meta

    @property
    def title(self) -> str:
        """Name of the report."""
        return f"Plan for {day(self.meta.date)}"

    def all_assumptions(self) -> tuple[str, ...]:
        """What is always assumed, what the forecasts add, and what was given."""
        signals = sorted(
            {f.signal for f in self.meta.forecasts if f.series == "carbon" and f.signal}
        )
        mixed = tuple(
            f"Carbon intensity is the {signal} signal." for signal in signals[:1]
        )
        return (*_PLANNED, *mixed, *self.assumptions)


def plan_savings(comparison: Comparison) -> list[Saving]:
    """Planned saving of the plan against each reference that was compared."""
    name = comparison.plan_name
    return [
        saving(comparison, name, baseline=reference)
        for reference in REFERENCES
        if reference != name and comparison.find(reference) is not None
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the few figures that head a report."""

    value: str
    meaning: str


def figures(report: Report) -> list[Figure]:
    """Emissions, planned savings, the gap and what is unplaced."""
    plan = report.comparison.plan
    heads = [Figure(value=f"{amount(plan.emissions_kg)} kg", meaning="CO₂e planned")]
    heads += [
        Figure(
            value=percent(s.fraction) + ("*" if s.note else ""),
            meaning=f"planned saving against {s.baseline}",
        )
        for s in plan_savings(report.comparison)
    ]
    gap = report.meta.gap
    meaning = "at most left to gain" if gap is not None else "gap not proven"
    heads.append(Figure(value=percent(gap), meaning=meaning))
    jobs = f"{count(plan.placed)} of {count(report.comparison.n_jobs)}"
    heads.append(Figure(value=jobs, meaning="jobs placed"))
    return heads


def sentences(report: Report) -> list[str]:
    """The same in words, with the names of the baselines."""
    comparison, meta = report.comparison, report.meta
    plan = comparison.plan
    places = counted(len(comparison.regions), "region")
    said = [
        f"{count(plan.placed)} of {counted(comparison.n_jobs, 'job')} placed in "
        f"{places}, planned to emit {amount(plan.emissions_kg)} kg CO₂e.",
        gap_sentence(meta),
    ]
    for found in plan_savings(comparison):
        said.append(_saving_sentence(found))
    return said


def _saving_sentence(found: Saving) -> str:
    meaning = MEANINGS.get(found.baseline, found.baseline)
    start = f"Planned saving against {found.baseline} ({meaning}): "
    if found.fraction is None:
        return f"{start}none to make, {found.baseline} emits nothing."
    note = f" ({found.note})" if found.note else ""
    kg = amount(found.avoided_kg)
    return f"{start}{percent(found.fraction)} or {kg} kg{note}."


def gap_sentence(meta: PlanMeta) -> str:
    """What the bound and the gap say, or that there is none."""
    if meta.bound is None or meta.gap is None:
        return "No bound is proven, so how much better a plan could be is not known."
    least, ours = _told_apart(meta.bound, meta.objective)
    return (
        f"Proven: no plan for this day can have an objective below {least}; "
        f"this plan has {ours}, so {at_most(meta.gap)} is left to gain."
        f"{_finders(meta.found_by)}"
    )


def _finders(found_by: Mapping[str, str]) -> str:
    """Who found what, where several solvers were asked."""
    if not found_by:
        return ""
    if len(found_by) > 1 and len(set(found_by.values())) == 1:
        return f" Of the solvers asked, {next(iter(found_by.values()))} found both."
    found = " and ".join(f"{who} found the {what}" for what, who in found_by.items())
    return f" Of the solvers asked, {found}."


def notices(report: Report) -> list[str]:
    """Everything a reader must know before trusting the figures."""
    said = ["This plan is degraded: less was known than the workspace asks for."]
    shown = said if report.meta.degraded else []
    grid = report.comparison.grid
    hours = grid.n_slots * grid.slot_hours
    days = round(hours / 24)
    if days and hours != 24 * days and abs(hours - 24 * days) <= 1:
        whole = "this day has" if days == 1 else f"these {days} days have"
        shown = [*shown, f"Clocks change: {whole} {hours:g} hours."]
    return [*shown, *report.meta.warnings]


def _told_apart(bound: float, objective: float | None) -> tuple[str, str]:
    """Two figures with as many decimals as it takes to see them differ."""
    if objective is None:
        return amount(bound), NOTHING
    for places in range(1, 7):
        texts = amount(bound, places), amount(objective, places)
        if texts[0] != texts[1] or bound == objective:
            return texts
    return amount(bound, 6), amount(objective, 6)
