"""How long jobs wait after their earliest start."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from outputs.charts.figure import WIDTH, Chart, drawn, legend
from outputs.charts.marks import box, rule, words
from outputs.charts.scales import ValueAxis
from outputs.comparison import Comparison, FloatArray, PolicyDay
from outputs.markup import Markup, element, join, number
from outputs.sheets import BASELINE, Sheet
from outputs.wording import count, percent

_TOP, _PLOT, _GUTTER, _RIGHT = 46.0, 150.0, 54.0, WIDTH - 14
_BINS_H = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0)
_MOST_BINS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Jobs by how long they wait.

    Parameters
    ----------
    edges_h
        Borders of half-open bins, shape (n_bins + 1,); the last bin is closed. [h]
    jobs
        Number of placed jobs in each bin, by policy, shape (n_bins,) each.
    """

    edges_h: FloatArray
    jobs: dict[str, npt.NDArray[np.int64]]


def delays(comparison: Comparison) -> Delays:
    """Histogram of the waiting of placed jobs under every policy."""
    waits = {p.name: _waits(p) for p in comparison.policies}
    longest = max((float(w.max(initial=0.0)) for w in waits.values()), default=0.0)
    slot = comparison.grid.slot_hours
    width = next(
        (b for b in _BINS_H if b >= slot and longest / b < _MOST_BINS), _BINS_H[-1]
    )
    edges: FloatArray = width * np.arange(
        int(longest / width + 1e-9) + 2, dtype=np.float64
    )
    # A wait is a whole number of slots; half a slot keeps rounding out of the bins.
    return Delays(
        edges_h=edges,
        jobs={k: np.histogram(w + slot / 1e6, bins=edges)[0] for k, w in waits.items()},
    )


def delays_chart(comparison: Comparison) -> Chart:
    """Waiting under the plan as bars, under greedy as an outline.

    Under the baseline nearly all jobs wait for nothing; drawn, that one bar would
    hide the rest, so it is told in words.
    """
    key, title = "delays", "How long jobs wait"
    found = delays(comparison)
    plan = comparison.plan_name
    shown = [plan, *(n for n in ("greedy",) if n in found.jobs and n != plan)]
    caption = _caption(found, shown)
    top = max(int(found.jobs[n].max(initial=0)) for n in shown)
    y = ValueAxis(top=max(top, 1) * 1.04, base=_TOP + _PLOT, height=_PLOT)
    pitch = (_RIGHT - _GUTTER) / (len(found.edges_h) - 1)
    entries = [("area", "policy-plan", plan)]
    entries += [("line", f"policy-{n}", n) for n in shown[1:]]
    body = [
        legend(entries),
        words("jobs", 0, _TOP - 12, "tick"),
        _ground(y),
        _bars(found.jobs[plan], y, pitch),
        *(_outline(found.jobs[n], y, pitch, f"policy-{n}") for n in shown[1:]),
        rule(_GUTTER, y.base, _RIGHT, y.base, "axis"),
        _hours(found.edges_h, y.base + 14, pitch),
    ]
    return drawn(key, title, caption, height=y.base + 20, body=body, data=_data(found))


def _caption(found: Delays, shown: list[str]) -> str:
    text = (
        "Placed jobs by the hours between their earliest and their planned start. "
        "Jobs without a place do not count."
    )
    before = found.jobs.get(BASELINE)
    if before is None or BASELINE in shown or not before.sum():
        return text
    share = percent(float(before[0] / before.sum()))
    return f"{text} Under {BASELINE}, {share} wait less than {found.edges_h[1]:g} h."


def _ground(y: ValueAxis) -> Markup:
    marks = []
    for tick in y.ticks(4):
        if "." not in tick.label:
            marks.append(rule(_GUTTER, tick.at, _RIGHT, tick.at, "grid"))
            marks.append(words(tick.label, _GUTTER - 5, tick.at + 3.5, anchor="end"))
    return join(marks)


def _bars(jobs: npt.NDArray[np.int64], y: ValueAxis, pitch: float) -> Markup:
    gap = min(1.5, pitch * 0.08)
    return join(
        box(
            _GUTTER + i * pitch + gap,
            y.at(n),
            pitch - 2 * gap,
            y.base - y.at(n),
            "area policy-plan",
        )
        for i, n in enumerate(jobs.tolist())
    )


def _hours(edges_h: FloatArray, y: float, pitch: float) -> Markup:
    every = -(-len(edges_h) // 24)
    marks = [words("hours", 0, y)]
    for i, edge in enumerate(edges_h.tolist()):
        if i % every == 0:
            marks.append(words(f"{edge:g}", _GUTTER + i * pitch, y, anchor="middle"))
    return join(marks)


def _waits(policy: PolicyDay) -> FloatArray:
    waits: FloatArray = policy.job_delay_h[policy.is_placed]
    return waits


def _outline(
    jobs: npt.NDArray[np.int64], y: ValueAxis, pitch: float, class_: str
) -> Markup:
    steps = [
        f"V{number(y.at(n))}H{number(_GUTTER + (i + 1) * pitch)}"
        for i, n in enumerate(jobs.tolist())
    ]
    start = f"M{number(_GUTTER)} {number(y.base)}"
    return element(
        "path", class_=f"line {class_}", d=f"{start}{''.join(steps)}V{number(y.base)}"
    )


def _data(found: Delays) -> Sheet:
    edges = found.edges_h.tolist()
    rows = []
    for i, (a, b) in enumerate(pairwise(edges)):
        cells = []
        for jobs in found.jobs.values():
            total = int(jobs.sum())
            share = percent(float(jobs[i]) / total) if total else percent(None)
            cells += [count(int(jobs[i])), share]
        rows.append((f"{a:g}–{b:g} h", *cells))
    headings = [h for name in found.jobs for h in (f"{name}, jobs", f"{name}, share")]
    return Sheet(columns=("waiting", *headings), rows=tuple(rows))
