"""When each of the dearest limits costs something."""

from __future__ import annotations

import numpy as np

from outputs.charts.figure import WIDTH, Chart, Panel, drawn, legend
from outputs.charts.marks import rule, shade_levels, shades, words
from outputs.charts.scales import TimeAxis, ValueAxis
from outputs.comparison import Comparison
from outputs.limit_costs import MOST_LISTED, costs_sheet
from outputs.wording import amount, shortened

_NAMES, _FIGURES, _ROW, _TOP = 196.0, 84.0, 16.0, 26.0
_LEVELS = 4


def prices_chart(comparison: Comparison) -> Chart | None:
    """One row a limit, stronger where it is dearer; None where nothing has a price."""
    prices, grid = comparison.limit_prices, comparison.grid
    limits = [] if prices is None else prices.most_expensive(grid, MOST_LISTED)
    if not limits:
        return None
    x = TimeAxis(grid=grid, left=_NAMES, width=WIDTH - _NAMES - _FIGURES)
    foot = _TOP + len(limits) * _ROW
    panel = Panel(x=x, y=ValueAxis(top=1, base=foot, height=foot - _TOP))
    body = [legend([("area", f"full{i}", f"≤ {25 * i} %") for i in range(1, 5)])]
    for line, limit in enumerate(limits):
        top, highest = _TOP + line * _ROW, float(limit.kg.max())
        kg = np.where(limit.is_priced, limit.kg, 0.0)
        name = shortened(f"{limit.region} · {limit.limit}", 30)
        body += [
            words(name, 0, top + 11, "label"),
            shades(shade_levels(kg, highest, _LEVELS), x, top + 1, _ROW - 3, "full"),
            rule(x.left, top + _ROW - 1, panel.right, top + _ROW - 1, "grid"),
            words(f"{amount(highest)} kg", WIDTH, top + 11, "label", anchor="end"),
        ]
    body.append(panel.clock())
    return drawn(
        "limit-prices",
        "When the limits cost something",
        "Each row is relative to its own highest price, which stands at the right, in "
        "kg CO₂e for one more unit during one hour. A blank means that more of it "
        "would save nothing then.",
        height=foot + 22,
        body=body,
        data=costs_sheet(comparison),
    )
