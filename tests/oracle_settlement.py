"""Emissions of runs, minute by minute in exact fractions; shares no code."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Run = tuple[int, int, int, int | Fraction]
"""Region, first and last minute (half-open), energy in Wh."""


def emissions(
    runs: Sequence[Run],
    *,
    g_per_kwh: Sequence[Sequence[int]],
    solar_wh: Sequence[Sequence[int]],
    slot_minutes: int,
) -> list[Fraction]:
    """Emissions of each run under shared sun, without budgets. [kg CO₂e]"""
    drawn: dict[tuple[int, int], dict[int, Fraction]] = {}
    for number, (region, begin, end, energy) in enumerate(runs):
        for minute in range(begin, end):
            cell = drawn.setdefault((region, minute // slot_minutes), {})
            part = Fraction(energy) / (end - begin)
            cell[number] = cell.get(number, Fraction(0)) + part
    emitted = [Fraction(0)] * len(runs)
    for (region, slot), shares in drawn.items():
        load = sum(shares.values(), Fraction(0))
        if not load:
            continue
        grid = max(Fraction(0), load - solar_wh[region][slot])
        for number, energy in shares.items():
            wh = energy * grid / load
            emitted[number] += wh * g_per_kwh[region][slot] / 1_000_000
    return emitted
