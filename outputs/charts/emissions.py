"""Baseline against plan: when and where the planned emissions fall."""

from __future__ import annotations

import numpy as np

from outputs.charts.figure import WIDTH, Chart, Panel, drawn, legend, time_sheet
from outputs.charts.marks import dot, rule, step_area, step_line, words
from outputs.charts.scales import TimeAxis, ValueAxis
from outputs.comparison import Comparison, FloatArray, PolicyDay
from outputs.markup import Markup, join
from outputs.sheets import BASELINE, Sheet
from outputs.wording import amounts, shortened

_TOP, _PLOT, _FOOT, _GUTTER = 46.0, 170.0, 22.0, 44.0
_SPLIT, _ENDS = 0.6, 96.0
_ROW, _NAMES, _FIGURES = 24.0, 132.0, 170.0


def against_baseline_chart(comparison: Comparison) -> Chart:
    """Emission rate over the day, and its running sum, of baseline and plan."""
    key, title = "against", f"{BASELINE} against {comparison.plan_name}"
    caption = (
        "Left: planned emissions in each hour. Right: their running sum. "
        "Transfer between regions has no hour and is not drawn here."
    )
    shown = _shown(comparison)
    rates = {p.name: comparison.emissions_kg_per_h(p).sum(axis=0) for p in shown}
    sums = {k: np.cumsum(v) * comparison.grid.slot_hours for k, v in rates.items()}
    half = WIDTH * _SPLIT
    left = _panel(comparison, rates, _GUTTER, half)
    right = _panel(comparison, sums, half + 20 + _GUTTER, WIDTH - _ENDS)
    body = [
        legend(_entries(comparison, shown)),
        words("kg CO₂e per hour", 0, _TOP - 12, "tick"),
        words("kg CO₂e so far", half + 20, _TOP - 12, "tick"),
        left.ground(ticks=4),
        *_difference(comparison, rates, left),
        _curves(comparison, rates, left),
        right.ground(ticks=4),
        _curves(comparison, sums, right),
        _ends(sums, right),
    ]
    columns = {f"{name}, kg/h": rate for name, rate in rates.items()}
    return drawn(
        key,
        title,
        caption,
        height=_TOP + _PLOT + _FOOT,
        body=body,
        data=time_sheet(comparison.grid, columns, decimals=3),
    )


def regions_chart(comparison: Comparison) -> Chart:
    """Emissions of each region under each policy, as dots on one scale."""
    key, title = "regions", "Where the emissions are"
    caption = (
        "Planned emissions by the region where a job runs, one dot a policy; "
        "the bar joins the baseline and the plan. Jobs may move between regions."
    )
    kg = {p.name: region_kg(comparison, p) for p in comparison.policies}
    n = len(comparison.regions)
    top = max(float(values.max()) for values in kg.values()) * 1.02
    wide = WIDTH - _NAMES - _FIGURES
    x = ValueAxis(top=top, base=0.0, height=wide)
    foot = 30 + n * _ROW
    body = [legend(_dots(comparison))]
    for tick in x.ticks(6):
        at = _NAMES - tick.at
        body.append(rule(at, 26, at, foot, "grid"))
        body.append(words(tick.label, at, foot + 14, anchor="middle"))
    for r in range(n):
        body.append(_region_row(comparison, r, kg, x, 30 + (r + 0.5) * _ROW))
    body.append(words("kg CO₂e", _NAMES + wide + 14, foot + 14, "tick"))
    columns = [amounts([float(v) for v in values]) for values in kg.values()]
    rows = zip(comparison.regions, *columns, strict=True)
    return drawn(
        key,
        title,
        caption,
        height=foot + 20,
        body=body,
        data=Sheet(columns=("region", *(f"{k}, kg" for k in kg)), rows=tuple(rows)),
    )


def region_kg(comparison: Comparison, policy: PolicyDay) -> FloatArray:
    """Emissions of the jobs that run in each region, shape (n_regions,). [kg CO₂e]"""
    placed = policy.is_placed
    sums: FloatArray = np.bincount(
        policy.job_region[placed],
        weights=policy.job_emissions_kg[placed],
        minlength=len(comparison.regions),
    ).astype(np.float64)
    return sums


def _region_row(
    comparison: Comparison, r: int, kg: dict[str, FloatArray], x: ValueAxis, y: float
) -> Markup:
    def at(name: str) -> float:
        return _NAMES - x.at(float(kg[name][r]))

    plan = comparison.plan_name
    before = BASELINE if BASELINE in kg else plan
    marks = [
        words(shortened(comparison.regions[r], 18), 0, y + 4, "name"),
        rule(at(before), y, at(plan), y, "span"),
        *(
            dot(at(p.name), y, 5.5 if p.name == plan else 4, _class(comparison, p))
            for p in sorted(comparison.policies, key=lambda p: p.name == plan)
        ),
    ]
    texts = amounts([float(kg[before][r]), float(kg[plan][r])])
    words_ = " → ".join(texts) if before != plan else texts[-1]
    return join([*marks, words(words_, WIDTH, y + 4, "label figure", anchor="end")])


def _shown(comparison: Comparison) -> list[PolicyDay]:
    """Baseline, greedy and the plan, as far as they are there."""
    wanted = (BASELINE, "greedy", comparison.plan_name)
    return [p for p in comparison.policies if p.name in wanted]


def _panel(
    comparison: Comparison, curves: dict[str, FloatArray], left: float, right: float
) -> Panel:
    return Panel(
        x=TimeAxis(grid=comparison.grid, left=left, width=right - left),
        y=ValueAxis(top=_most(curves), base=_TOP + _PLOT, height=_PLOT),
    )


def _curves(
    comparison: Comparison, curves: dict[str, FloatArray], panel: Panel
) -> Markup:
    lines = [
        step_line(values, panel.x, panel.y, _class(comparison, comparison.policy(name)))
        for name, values in curves.items()
    ]
    return join([*lines, panel.clock()])


def _difference(
    comparison: Comparison, rates: dict[str, FloatArray], panel: Panel
) -> list[Markup]:
    if BASELINE not in rates or comparison.plan_name == BASELINE:
        return []
    before, after = rates[BASELINE], rates[comparison.plan_name]
    low, high = np.minimum(before, after), np.maximum(before, after)
    return [
        step_area(before, panel.x, panel.y, "less", floor=low),
        step_area(high, panel.x, panel.y, "more", floor=before),
    ]


def _ends(sums: dict[str, FloatArray], panel: Panel) -> Markup:
    """Final sums beside their lines, pushed apart where they would overlap."""
    ends = sorted((panel.y.at(float(v[-1])), name) for name, v in sums.items())
    kg = dict(zip(sums, amounts([float(v[-1]) for v in sums.values()]), strict=True))
    marks = []
    last = -np.inf
    for at, name in ends:
        last = max(at + 4, last + 14)
        text = f"{name} {kg[name]}"
        marks.append(words(text, panel.right + 7, last, "label"))
    return join(marks)


def _entries(
    comparison: Comparison, shown: list[PolicyDay]
) -> list[tuple[str, str, str]]:
    entries = [("line", _class(comparison, p), p.name) for p in shown]
    if len(shown) > 1 and shown[0].name == BASELINE:
        plan = comparison.plan_name
        entries.append(("area", "less", f"{plan} emits less"))
        entries.append(("area", "more", f"{plan} emits more"))
    return entries


def _dots(comparison: Comparison) -> list[tuple[str, str, str]]:
    return [("dot", _class(comparison, p), p.name) for p in comparison.policies]


def _class(comparison: Comparison, policy: PolicyDay) -> str:
    if policy.name == comparison.plan_name:
        return "policy-plan"
    known = ("asap", "threshold", "greedy")
    return f"policy-{policy.name}" if policy.name in known else "policy-other"


def _most(curves: dict[str, FloatArray]) -> float:
    return max(float(values.max()) for values in curves.values()) * 1.04
