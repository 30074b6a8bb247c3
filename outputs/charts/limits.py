"""How full every limit becomes over the day."""

from __future__ import annotations

import numpy as np

from outputs.charts.figure import WIDTH, Chart, Panel, drawn, legend
from outputs.charts.marks import rule, shade_levels, shades, words
from outputs.charts.scales import TimeAxis, ValueAxis
from outputs.comparison import Comparison, FloatArray, IntArray
from outputs.sheets import FULL, limit_series, limits_sheet
from outputs.wording import percent, shortened

_NAMES, _FIGURES, _ROW, _TOP = 196.0, 64.0, 16.0, 26.0
_LEVELS = 5
MOST_ROWS = 60


def limits_chart(comparison: Comparison) -> Chart | None:
    """One row a limit, darker where it is fuller; None without any limit."""
    key, title = "limits", f"How full the limits are under {comparison.plan_name}"
    caption = (
        "Used share of each region's resources and power cap, stronger where fuller; "
        f"the last shade means at least {100 * FULL:g} %. At the right: the most."
    )
    rows = [
        (f"{region} · {limit}", _share(used, free))
        for limit, region, used, free in limit_series(comparison, comparison.plan)
    ]
    if not rows:
        return None
    fullest = sorted(range(len(rows)), key=lambda i: -float(rows[i][1].max()))
    kept = sorted(fullest[:MOST_ROWS])
    x = TimeAxis(grid=comparison.grid, left=_NAMES, width=WIDTH - _NAMES - _FIGURES)
    foot = _TOP + len(kept) * _ROW
    panel = Panel(x=x, y=ValueAxis(top=1, base=foot, height=foot - _TOP))
    body = [legend(_entries())]
    for line, i in enumerate(kept):
        name, share = rows[i]
        top = _TOP + line * _ROW
        body += [
            words(shortened(name, 30), 0, top + 11, "label"),
            shades(_levels(share), x, top + 1, _ROW - 3, "full"),
            rule(x.left, top + _ROW - 1, panel.right, top + _ROW - 1, "grid"),
            words(percent(float(share.max())), WIDTH, top + 11, "label", anchor="end"),
        ]
    body.append(panel.clock())
    return drawn(
        key,
        title,
        caption,
        height=foot + 22,
        body=body,
        data=limits_sheet(comparison, comparison.plan, most=MOST_ROWS),
    )


def _share(used: FloatArray, free: FloatArray) -> FloatArray:
    share: FloatArray = np.divide(used, free, out=np.zeros_like(used), where=free > 0)
    return share


def _levels(share: FloatArray) -> IntArray:
    levels: IntArray = np.minimum(shade_levels(share, 1.0, _LEVELS), _LEVELS - 1)
    levels[shade_levels((share >= FULL).astype(float), 1.0, 2) == 2] = _LEVELS
    return levels


def _entries() -> list[tuple[str, str, str]]:
    steps = [("area", f"full{i}", f"≤ {20 * i} %") for i in range(1, _LEVELS)]
    steps[-1] = ("area", f"full{_LEVELS - 1}", "more")
    return [*steps, ("area", f"full{_LEVELS}", "full")]
