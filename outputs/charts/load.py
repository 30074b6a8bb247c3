"""Planned load of every policy, in each region and all together, against limits."""

from __future__ import annotations

import numpy as np

from outputs.charts.figure import WIDTH, Chart, Panel, drawn, legend, time_sheet
from outputs.charts.marks import (
    shade_levels,
    shades,
    step_area,
    step_line,
    words,
)
from outputs.charts.scales import TimeAxis, ValueAxis
from outputs.comparison import Comparison, FloatArray, PolicyDay
from outputs.markup import Markup, join
from outputs.wording import amount, amounts, shortened

_GUTTER, _GAP, _TOP = 132.0, 14.0, 52.0
_BAND, _ROW_GAP, _FOOT = 5.0, 16.0, 22.0
_STACK_HEIGHT, _STACK_GUTTER, _STACK_COLOURS = 150.0, 44.0, 7
_LEVELS = 6


def load_chart(comparison: Comparison) -> Chart:
    """Rows of regions, columns of policies: where each policy puts the work."""
    key, title = "load", "Load by policy against the power cap"
    caption = (
        "Metered power of the planned jobs. Each row has its own scale, the same "
        "for all policies; the strip below is stronger where the grid is dirtier."
    )
    n, policies = len(comparison.regions), comparison.policies
    tall = 84.0 if n <= 4 else 56.0 if n <= 10 else 38.0
    wide = _column_width(len(policies), _GUTTER)
    body = [legend(_load_entries(comparison)), _headings(comparison, wide, _GUTTER)]
    pitch = tall + _BAND + _ROW_GAP
    for r in range(n):
        base = _TOP + r * pitch + tall
        y = ValueAxis(top=_top(comparison, r), base=base, height=tall)
        body.append(_row_label(comparison, r, y))
        for c, policy in enumerate(policies):
            left = _GUTTER + c * (wide + _GAP)
            panel = Panel(x=TimeAxis(grid=comparison.grid, left=left, width=wide), y=y)
            last = r == n - 1
            body.append(_load_panel(comparison, policy, r, panel, first=c == 0))
            body.append(panel.clock(labels=last, drop=_BAND + 1))
    height = _TOP + n * pitch + _FOOT - _ROW_GAP
    columns = {
        f"{region}, {policy.name}, kW": policy.load_kw[r]
        for r, region in enumerate(comparison.regions)
        for policy in policies
    }
    return drawn(
        key,
        title,
        caption,
        height=height,
        body=body,
        data=time_sheet(comparison.grid, columns),
    )


def stack_chart(comparison: Comparison) -> Chart:
    """All regions on one another, one panel a policy, against all caps together."""
    key, title = "stack", "All regions together"
    caption = (
        "Load of the whole day stacked by region, one panel a policy; "
        "the line is the sum of all power caps where every region has one."
    )
    groups = _groups(comparison)
    cap = comparison.power_cap_kw.sum(axis=0)
    peak = max(float(p.load_kw.sum(axis=0).max()) for p in comparison.policies)
    shown_cap = np.isfinite(cap).all() and cap.min() <= 1.6 * peak
    top = max(peak, float(cap.max()) if shown_cap else 0.0) * 1.04
    wide = _column_width(len(comparison.policies), _STACK_GUTTER)
    entries = [("area", f"c{i}", name) for i, (name, _) in enumerate(groups)]
    if shown_cap:
        entries.append(("line", "cap", "sum of power caps"))
    body = [_wrapped(entries)]
    lift = 20.0 * (len(_lines(entries)) - 1)
    body.append(_headings(comparison, wide, _STACK_GUTTER, y=40 + lift))
    base = _TOP + lift + _STACK_HEIGHT
    y = ValueAxis(top=top, base=base, height=_STACK_HEIGHT)
    for c, policy in enumerate(comparison.policies):
        left = _STACK_GUTTER + c * (wide + _GAP)
        panel = Panel(x=TimeAxis(grid=comparison.grid, left=left, width=wide), y=y)
        body += [panel.ground(labels=c == 0, ticks=4), _stack(policy, groups, panel)]
        if shown_cap:
            body.append(step_line(cap, panel.x, y, "cap"))
        body.append(panel.clock())
    columns = {f"{p.name}, kW": p.load_kw.sum(axis=0) for p in comparison.policies}
    return drawn(
        key,
        title,
        caption,
        height=base + _FOOT,
        body=body,
        data=time_sheet(comparison.grid, columns),
    )


def _load_panel(
    comparison: Comparison, policy: PolicyDay, r: int, panel: Panel, *, first: bool
) -> Markup:
    load, grid = policy.load_kw[r], policy.grid_kw[r]
    solar = load - grid
    dirt = shade_levels(
        comparison.g_per_kwh[r], float(comparison.g_per_kwh.max()), _LEVELS
    )
    cap = comparison.power_cap_kw[r]
    marks = [
        panel.ground(labels=first),
        step_area(load, panel.x, panel.y, "power", floor=solar),
        step_area(solar, panel.x, panel.y, "sun"),
        shades(dirt, panel.x, panel.y.base + 1, _BAND, "dirt"),
    ]
    if cap.min() <= panel.y.top:
        marks.append(step_line(_drawable(cap), panel.x, panel.y, "cap"))
    return join(marks)


def _stack(
    policy: PolicyDay, groups: list[tuple[str, list[int]]], panel: Panel
) -> Markup:
    floor = np.zeros(policy.load_kw.shape[1])
    marks = []
    for i, (_, members) in enumerate(groups):
        upper = floor + policy.load_kw[members].sum(axis=0)
        marks.append(step_area(upper, panel.x, panel.y, f"c{i}", floor=floor))
        floor = upper
    return join(marks)


def _groups(comparison: Comparison) -> list[tuple[str, list[int]]]:
    """Regions with a colour of their own, the busiest first, and all others."""
    energy = comparison.plan.load_kw.sum(axis=1)
    ranked = np.argsort(-energy, kind="stable").tolist()
    if len(ranked) <= _STACK_COLOURS + 1:
        return [(comparison.regions[r], [r]) for r in ranked]
    own, others = ranked[:_STACK_COLOURS], ranked[_STACK_COLOURS:]
    named = [(comparison.regions[r], [r]) for r in own]
    return [*named, (f"{len(others)} other regions", others)]


def _top(comparison: Comparison, r: int) -> float:
    peak = max(float(p.load_kw[r].max()) for p in comparison.policies)
    cap = comparison.power_cap_kw[r]
    finite = cap[np.isfinite(cap)]
    if len(finite) and finite.max() <= 2.5 * peak:
        peak = max(peak, float(finite.max()))
    return peak * 1.05


def _row_label(comparison: Comparison, r: int, y: ValueAxis) -> Markup:
    cap = comparison.power_cap_kw[r]
    name = shortened(comparison.regions[r], 14)
    top = y.base - y.height
    marks = [words(name, 0, top + 10, "name")]
    if np.isfinite(cap).all():
        marks.append(
            words(f"cap {amount(float(cap.max()), 0)} kW", 0, top + 24, "tick")
        )
    return join(marks)


def _headings(
    comparison: Comparison, wide: float, gutter: float, *, y: float = 40
) -> Markup:
    marks = []
    kg = amounts([policy.emissions_kg for policy in comparison.policies])
    for c, policy in enumerate(comparison.policies):
        left = gutter + c * (wide + _GAP)
        marks.append(words(policy.name, left, y, "name"))
        text = f"{kg[c]} kg"
        marks.append(words(text, left + wide, y, "label dim", anchor="end"))
    return join(marks)


def _load_entries(comparison: Comparison) -> list[tuple[str, str, str]]:
    entries = [("area", "power", "from the grid")]
    if comparison.solar_kw.any():
        entries.append(("area", "sun", "from on-site solar"))
    if np.isfinite(comparison.power_cap_kw).any():
        entries.append(("line", "cap", "power cap left for jobs"))
    return [*entries, ("area", f"dirt{_LEVELS}", "dirtiest hours")]


def _lines(entries: list[tuple[str, str, str]]) -> list[list[tuple[str, str, str]]]:
    return [entries[i : i + 6] for i in range(0, len(entries), 6)]


def _wrapped(entries: list[tuple[str, str, str]]) -> Markup:
    return join(legend(line, y=12 + 18 * i) for i, line in enumerate(_lines(entries)))


def _column_width(n_columns: int, gutter: float) -> float:
    return (WIDTH - gutter - _GAP * (n_columns - 1) - 4) / n_columns


def _drawable(cap: FloatArray) -> FloatArray:
    finite: FloatArray = np.where(np.isfinite(cap), cap, 1e300)
    return finite
