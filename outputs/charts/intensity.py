"""Carbon intensity of each region, with its own sun below."""

from __future__ import annotations

from outputs.charts.figure import WIDTH, Chart, Panel, drawn, legend, time_sheet
from outputs.charts.marks import (
    MOST_STEPS,
    rule,
    shades,
    step_area,
    step_line,
    words,
)
from outputs.charts.scales import TimeAxis, ValueAxis, coarser
from outputs.comparison import Comparison
from outputs.markup import Markup, join
from outputs.sheets import Sheet
from outputs.wording import amount, shortened

_GUTTER, _GAP, _TOP = 38.0, 22.0, 34.0
_TITLE, _PLOT, _SUN, _FOOT = 18.0, 84.0, 26.0, 30.0
_ROOMY = 300.0  # width of a panel whose heading has room for a unit [px]

KEY, TITLE = "intensity", "Carbon intensity and sun"


def intensity_chart(comparison: Comparison) -> Chart:
    """One panel a region, all with the same scales, so that they compare."""
    n = len(comparison.regions)
    columns = {1: 1, 2: 2, 4: 2}.get(n, 3 if n <= 9 else 4)
    sunny = bool(comparison.solar_kw.any())
    tall = _TITLE + _PLOT + (_SUN + 8 if sunny else 0) + _FOOT
    wide = (WIDTH - _GUTTER - _GAP * (columns - 1) - 6) / columns
    body = [legend(_entries(comparison, sunny))]
    for r in range(n):
        row, column = divmod(r, columns)
        left = _GUTTER + column * (wide + _GAP)
        x = TimeAxis(grid=comparison.grid, left=left, width=wide)
        body.append(_panel(comparison, r, x, _TOP + row * tall, column == 0, sunny))
    rows = -(-n // columns)
    caption = _caption(comparison, sunny)
    return drawn(
        KEY,
        TITLE,
        caption,
        height=_TOP + rows * tall,
        body=body,
        data=_data(comparison, sunny),
    )


def _panel(
    comparison: Comparison, r: int, x: TimeAxis, top: float, first: bool, sunny: bool
) -> Markup:
    values = comparison.g_per_kwh[r]
    high = comparison.g_per_kwh_high
    most = max(float(a.max()) for a in (comparison.g_per_kwh, high) if a is not None)
    base = top + _TITLE + _PLOT
    panel = Panel(x=x, y=ValueAxis(top=most, base=base, height=_PLOT))
    unit = " g/kWh" if x.width >= _ROOMY else ""
    span = f"{values.min():.0f}–{values.max():.0f}{unit}"
    if comparison.solar_kw[r].any():
        span += f" · sun ≤ {amount(float(comparison.solar_kw[r].max()), 0)} kW"
    room = int((x.width - 6.4 * len(span)) / 8)
    marks = [
        words(shortened(comparison.regions[r], room), x.left, top + 10, "name"),
        words(span, panel.right, top + 10, "label dim", anchor="end"),
        panel.ground(labels=first),
        _band(comparison, r, panel),
        step_line(values, x, panel.y, "ink"),
        _guessed(comparison, r, panel),
    ]
    if sunny:
        marks.append(_sun(comparison, r, x, base + 8 + _SUN))
    marks.append(panel.clock(drop=_SUN + 8 if sunny else 0))
    return join(marks)


def _band(comparison: Comparison, r: int, panel: Panel) -> Markup:
    low, high = comparison.g_per_kwh_low, comparison.g_per_kwh_high
    if low is None or high is None:
        return Markup("")
    return step_area(high[r], panel.x, panel.y, "range", floor=low[r])


def _guessed(comparison: Comparison, r: int, panel: Panel) -> Markup:
    if comparison.guessed is None or not comparison.guessed[r].any():
        return Markup("")
    levels = (coarser(comparison.guessed[r].astype(float), MOST_STEPS) > 0).astype(int)
    return shades(levels, panel.x, panel.y.base - 3, 3, "guess")


def _sun(comparison: Comparison, r: int, x: TimeAxis, base: float) -> Markup:
    solar = comparison.solar_kw[r]
    most = float(comparison.solar_kw.max())
    y = ValueAxis(top=most, base=base, height=_SUN)
    marks = [
        step_area(solar, x, y, "sun"),
        rule(x.left, base, x.at(x.grid.n_slots), base, "axis"),
    ]
    return join(marks)


def _entries(comparison: Comparison, sunny: bool) -> list[tuple[str, str, str]]:
    entries = [("line", "ink", "intensity, g/kWh")]
    if comparison.g_per_kwh_low is not None and comparison.g_per_kwh_high is not None:
        entries.append(("area", "range", "forecast range"))
    if comparison.guessed is not None and comparison.guessed.any():
        entries.append(("area", "guess1", "filled in or typical, not forecast"))
    if sunny:
        entries.append(("area", "sun", "on-site solar left for jobs, kW"))
    return entries


def _caption(comparison: Comparison, sunny: bool) -> str:
    text = (
        "Grams of CO₂e for each kWh from the grid, by local time "
        f"({comparison.grid.timezone}). Every panel has the same scale."
    )
    return f"{text} Below: solar power that jobs may use." if sunny else text


def _data(comparison: Comparison, sunny: bool) -> Sheet:
    columns = {}
    for r, region in enumerate(comparison.regions):
        columns[f"{region} g/kWh"] = comparison.g_per_kwh[r]
        if sunny and comparison.solar_kw[r].any():
            columns[f"{region} solar kW"] = comparison.solar_kw[r]
    return time_sheet(comparison.grid, columns)
