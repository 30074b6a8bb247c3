"""Shapes that charts are drawn with: steps, areas, bars, lines and words."""

from __future__ import annotations

import numpy as np

from outputs.charts.scales import TimeAxis, ValueAxis, coarser, run_edges
from outputs.comparison import RESIDUE, FloatArray, IntArray
from outputs.markup import Markup, element, join, number

MOST_STEPS = 400
"""Finest drawing of a horizon; more slots are drawn as means."""


def step_line(values: FloatArray, x: TimeAxis, y: ValueAxis, class_: str) -> Markup:
    """Line that is flat over each slot."""
    edges, heights = _steps(values, x, y)
    return element("path", class_=f"line {class_}", d=_stairs(edges, heights, "M"))


def step_area(
    values: FloatArray,
    x: TimeAxis,
    y: ValueAxis,
    class_: str,
    *,
    floor: FloatArray | None = None,
) -> Markup:
    """Area between values and a floor (default zero), flat over each slot."""
    edges, heights = _steps(values, x, y)
    below = np.zeros_like(values) if floor is None else floor
    _, floors = _steps(below, x, y)
    if np.array_equal(heights, floors):
        return Markup("")
    there = _stairs(edges, heights, "M")
    back = _stairs(edges[::-1], floors[::-1], "L")
    return element("path", class_=f"area {class_}", d=f"{there}{back}Z")


def rule(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def words(
    text: str, x: float, y: float, class_: str = "tick", *, anchor: str | None = None
) -> Markup:
    """Words at a point; ``anchor`` is start (default), middle or end."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def box(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """Filled rectangle."""
    return element("rect", x=x, y=y, width=width, height=height, class_=class_)


def dot(x: float, y: float, radius: float, class_: str) -> Markup:
    """Filled or hollow circle."""
    return element("circle", cx=x, cy=y, r=radius, class_=class_)


def shades(
    levels: IntArray, x: TimeAxis, top: float, height: float, name: str
) -> Markup:
    """Band of cells by whole level, one path a level; level 0 is not drawn."""
    edges = x.left + x.width * run_edges(x.grid.n_slots, MOST_STEPS) / x.grid.n_slots
    borders = np.flatnonzero(np.diff(levels)) + 1
    starts, ends = np.append(0, borders), np.append(borders, len(levels))
    parts: dict[int, list[str]] = {}
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        left, wide = number(edges[a]), number(edges[b] - edges[a])
        cell = f"M{left} {number(top)}h{wide}v{number(height)}h-{wide}Z"
        parts.setdefault(int(levels[a]), []).append(cell)
    return join(
        element("path", class_=f"{name}{level}", d="".join(cells))
        for level, cells in sorted(parts.items())
        if level > 0
    )


def shade_levels(values: FloatArray, top: float, n_levels: int) -> IntArray:
    """Levels 1 … ``n_levels`` of a band drawn by ``shades``; 0 if but rounding."""
    means = coarser(values, MOST_STEPS)
    if top <= 0:
        return np.zeros(len(means), dtype=int)
    levels = np.ceil(np.clip(means / top, 0, 1) * n_levels - 1e-9).astype(int)
    levels[(means > RESIDUE * top) & (levels == 0)] = 1
    return levels


def _steps(
    values: FloatArray, x: TimeAxis, y: ValueAxis
) -> tuple[FloatArray, FloatArray]:
    runs = run_edges(len(values), MOST_STEPS)
    return x.edges()[runs], y.positions(coarser(values, MOST_STEPS))


def _stairs(edges: FloatArray, heights: FloatArray, first: str) -> str:
    """Path over the steps, equal neighbours drawn as one."""
    turns = np.flatnonzero(np.diff(np.round(heights, 2))) + 1
    starts = [0, *turns.tolist()]
    parts = [f"{first}{number(edges[0])} {number(heights[0])}"]
    parts += [f"H{number(edges[i])}V{number(heights[i])}" for i in starts[1:]]
    return "".join(parts) + f"H{number(edges[-1])}"
