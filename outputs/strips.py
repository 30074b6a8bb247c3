"""A local day as one line of block characters, for terminals."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from inputs.timegrid import TimeGrid
from outputs.comparison import RESIDUE, Comparison, FloatArray
from outputs.wording import counted, printable, shortened

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#@"

_CELL_MINUTES = (30, 60, 120, 180, 240, 360)
_MOST_CELLS = 50
NAME_WIDTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One region's intensity above its planned load.

    Parameters
    ----------
    name
        The region, cut to fit.
    intensity, load
        One character a cell; height is relative to the highest intensity of all
        regions, and to the region's power cap or its highest load.
    intensity_range, peak
        The figures behind the heights, in words.
    """

    name: str
    intensity: str
    load: str
    intensity_range: str
    peak: str


def day_strips(
    comparison: Comparison, *, most: int = 6, blocks: str = BLOCKS
) -> list[Strip]:
    """Strips of the regions with the most planned energy, in their own order."""
    policy = comparison.plan
    width = cell_slots(comparison.grid)
    top = float(comparison.g_per_kwh.max(initial=0.0))
    energy = policy.load_kw.sum(axis=1)
    kept = sorted(np.argsort(-energy, kind="stable")[:most].tolist())
    strips = []
    for r in kept:
        intensity, load = comparison.g_per_kwh[r], policy.load_kw[r]
        cap = float(comparison.power_cap_kw[r].max())
        peak = float(load.max())
        limit = cap if np.isfinite(cap) else peak
        strips.append(
            Strip(
                name=shortened(printable(comparison.regions[r]), NAME_WIDTH),
                intensity=_drawn(_cells(intensity, width), top, blocks),
                load=_drawn(_cells(load, width), limit, blocks),
                intensity_range=f"{intensity.min():.0f}–{intensity.max():.0f} g/kWh",
                peak=_peak(peak, cap),
            )
        )
    return strips


def ruler(grid: TimeGrid) -> str:
    """Local hours, or weekdays of a longer horizon, above the cells they begin."""
    width = cell_slots(grid)
    n_cells = -(-grid.n_slots // width)
    zone = ZoneInfo(grid.timezone)
    line = [" "] * (n_cells + 3)
    last = ""
    for cell in range(n_cells):
        local = grid.slot_start(cell * width).astimezone(zone)
        if grid.n_slots * grid.slot_hours > 36:
            label = local.strftime("%d") if local.hour < 3 else ""
        else:
            label = f"{local.hour:02d}" if local.hour % 3 == 0 else ""
        if label and label != last and "".join(line[cell - 1 : cell + 1]).strip() == "":
            line[cell : cell + len(label)] = label
        last = label or last
    return "".join(line).rstrip()


def cell_slots(grid: TimeGrid) -> int:
    """Slots drawn as one character, so that a horizon fits in about 50."""
    hours = grid.n_slots * grid.slot_hours
    minutes = next(
        (m for m in _CELL_MINUTES if hours * 60 / m <= _MOST_CELLS), _CELL_MINUTES[-1]
    )
    return max(round(minutes / 60 / grid.slot_hours), 1)


def hidden_regions(comparison: Comparison, *, most: int = 6) -> str | None:
    """Sentence that counts the regions without a strip."""
    more = len(comparison.regions) - most
    return f"and {counted(more, 'more region')}" if more > 0 else None


def _peak(peak_kw: float, cap_kw: float) -> str:
    # Short of five digits, so that a strip and its figures fit in 80 columns.
    megawatts = max(peak_kw, cap_kw if np.isfinite(cap_kw) else 0.0) >= 9999.5
    form, unit, scale = (".1f", "MW", 1e-3) if megawatts else (".0f", "kW", 1.0)
    of = f" of {cap_kw * scale:{form}}" if np.isfinite(cap_kw) else ""
    return f"≤ {peak_kw * scale:{form}}{of} {unit}"


def _cells(values: FloatArray, width: int) -> FloatArray:
    """Means over ``width`` slots each; the last cell may be shorter."""
    edges = np.arange(0, len(values), width)
    sums = np.add.reduceat(values, edges)
    means: FloatArray = sums / np.diff(edges, append=len(values))
    return means


def _drawn(values: FloatArray, top: float, blocks: str) -> str:
    """Characters of rising height; only what is zero but for rounding is blank."""
    if top <= 0:
        return blocks[0] * len(values)
    levels = np.ceil(np.clip(values / top, 0, 1) * (len(blocks) - 1) - 1e-9)
    levels[(values > RESIDUE * top) & (levels < 1)] = 1
    return "".join(blocks[int(level)] for level in levels)
