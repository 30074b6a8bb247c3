"""What every chart is: a drawing, its words, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from inputs.timegrid import TimeGrid
from outputs.charts.marks import box, rule, words
from outputs.charts.scales import TimeAxis, ValueAxis, coarser, run_edges
from outputs.comparison import FloatArray
from outputs.markup import Markup, element, join
from outputs.sheets import Sheet

WIDTH = 1040.0
"""Width of every drawing; the page scales it down. [px]"""

_TABLE_ROWS = 28
_LETTER = 6.4  # mean width of a letter of a legend [px]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One figure of the report.

    Parameters
    ----------
    key
        Unique in a page; a link may point to it.
    title, caption
        What is shown, and how to read it.
    svg
        The drawing.
    data
        The drawn figures, coarser in time, for readers who cannot see it.
    """

    key: str
    title: str
    caption: str
    svg: Markup
    data: Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One plot: a time axis, a value axis and what is common to both.

    Parameters
    ----------
    x, y
        The axes.
    """

    x: TimeAxis
    y: ValueAxis

    @property
    def right(self) -> float:
        """Right end of the plot. [px]"""
        return self.x.left + self.x.width

    def ground(self, *, labels: bool = True, ticks: int = 3) -> Markup:
        """Faint lines of the value axis, and their amounts if asked for."""
        marks = []
        for tick in self.y.ticks(ticks):
            marks.append(rule(self.x.left, tick.at, self.right, tick.at, "grid"))
            if labels:
                marks.append(
                    words(tick.label, self.x.left - 5, tick.at + 3.5, anchor="end")
                )
        return join(marks)

    def clock(self, *, labels: bool = True, drop: float = 0.0) -> Markup:
        """Time axis below the plot, and where the local clock changes.

        Parameters
        ----------
        labels
            Whether to write the hours.
        drop
            Room between the plot and the hours. [px]
        """
        base, top = self.y.base, self.y.base - self.y.height
        foot = base + drop
        marks = [rule(self.x.left, base, self.right, base, "axis")]
        for tick in self.x.ticks():
            marks.append(rule(tick.at, foot, tick.at, foot + 3, "axis"))
            if labels:
                marks.append(words(tick.label, tick.at, foot + 13, anchor="middle"))
        for change in self.x.clock_changes():
            marks.append(rule(change.at, top, change.at, base, "change"))
            if labels:
                marks.append(words(change.label, change.at + 3, top + 8, "tick note"))
        return join(marks)


def drawn(
    key: str,
    title: str,
    caption: str,
    *,
    height: float,
    body: Iterable[Markup],
    data: Sheet,
) -> Chart:
    """Chart whose drawing has full width and words for screen readers."""
    svg = element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", caption, id=f"{key}-desc"),
        *body,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )
    return Chart(key=key, title=title, caption=caption, svg=svg, data=data)


def legend(
    entries: Iterable[tuple[str, str, str]], *, left: float = 0, y: float = 12
) -> Markup:
    """Row of ``(kind, class, words)``; kind is line, area or dot."""
    marks = []
    for kind, class_, label in entries:
        if kind == "line":
            marks.append(rule(left, y - 4, left + 18, y - 4, f"line {class_}"))
        elif kind == "dot":
            marks.append(element("circle", cx=left + 9, cy=y - 4, r=4.5, class_=class_))
        else:
            marks.append(box(left + 3, y - 9, 12, 10, f"area {class_}"))
        marks.append(words(label, left + 23, y, "label"))
        left += 23 + _LETTER * len(label) + 20
    return join(marks)


def time_sheet(
    grid: TimeGrid, columns: dict[str, FloatArray], *, decimals: int = 1
) -> Sheet:
    """Means of slot values over readable stretches of local time.

    Parameters
    ----------
    grid
        The slots.
    columns
        Heading to values, shape (n_slots,).
    decimals
        Of every figure.
    """
    most = _rows(grid)
    zone = ZoneInfo(grid.timezone)
    edges = run_edges(grid.n_slots, most)
    many_days = grid.n_slots * grid.slot_hours > 36
    form = "%Y-%m-%d %H:%M %z" if many_days else "%H:%M %z"
    starts = [f"{grid.slot_start(int(s)).astimezone(zone):{form}}" for s in edges[:-1]]
    means = [coarser(np.asarray(v, dtype=float), most) for v in columns.values()]
    rows = tuple(
        (start, *(f"{mean[i]:,.{decimals}f}" for mean in means))
        for i, start in enumerate(starts)
    )
    return Sheet(columns=("local time", *columns), rows=rows)


def _rows(grid: TimeGrid) -> int:
    """Rows of a table of the horizon: whole hours each, fewer than 29."""
    hours = grid.n_slots * grid.slot_hours
    stretch = next(h for h in (1, 2, 3, 4, 6, 12) if hours / h <= _TABLE_ROWS)
    per_row = max(round(stretch / grid.slot_hours), 1)
    return int(-(-grid.n_slots // per_row))
