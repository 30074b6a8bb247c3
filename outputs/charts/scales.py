"""From slots and amounts to positions, with ticks where a reader expects them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from inputs.timegrid import TimeGrid
from outputs.comparison import FloatArray, IntArray

_QUARTER = timedelta(minutes=15)
_HOUR_STEPS = (1, 2, 3, 6, 12)
_LONG_HORIZON_H = 36
_ALONE = 560.0  # width of a plot that has no neighbour [px]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis.

    Parameters
    ----------
    at
        Position. [px]
    label
        Empty for a mark without words.
    """

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """Slots of a grid along a width; equal slots have equal width on every day.

    Parameters
    ----------
    grid
        The slots.
    left, width
        Where the horizon begins, and how long it is. [px]
    """

    grid: TimeGrid
    left: float
    width: float

    def at(self, slot: float) -> float:
        """Position of a slot's start. [px]"""
        return self.left + self.width * slot / self.grid.n_slots

    def edges(self) -> FloatArray:
        """Positions of all slot borders, shape (n_slots + 1,). [px]"""
        return self.left + self.width * np.linspace(0, 1, self.grid.n_slots + 1)

    def ticks(self) -> list[Tick]:
        """Local hours of a day, or local midnights of a longer horizon."""
        hours = self.grid.n_slots * self.grid.slot_hours
        if hours > _LONG_HORIZON_H:
            return self._midnights(hours)
        fits = self.width / 30
        step = next((h for h in _HOUR_STEPS if hours / h <= fits), _HOUR_STEPS[-1])
        return [
            Tick(at=self._at(local), label=self._hour(local))
            for local in _quarters(self.grid)
            if local.minute == 0 and local.hour % step == 0
        ]

    def clock_changes(self) -> list[Tick]:
        """Where the local clock jumps, and by how much."""
        changes = []
        for before, after in pairwise(_quarters(self.grid)):
            jump = _offset(after) - _offset(before)
            if jump:
                sign = "+" if jump > timedelta(0) else "−"
                hours = abs(jump) / timedelta(hours=1)
                changes.append(Tick(at=self._at(after), label=f"{sign}{hours:g} h"))
        return changes

    def _midnights(self, hours: float) -> list[Tick]:
        named = self.width / hours * 24 >= 52
        return [
            Tick(
                at=self._at(local),
                label=f"{_weekday(local)} {local.day}" if named else f"{local.day}",
            )
            for local in _quarters(self.grid)
            if local.hour == 0 and local.minute == 0 and self._at(local) < self._end - 1
        ]

    def _hour(self, local: datetime) -> str:
        # Beside another plot, the last hour would run into that one's first.
        crowded = self.width < _ALONE and self._at(local) > self._end - 1
        return "" if crowded else f"{local:%H}"

    @property
    def _end(self) -> float:
        return self.left + self.width

    def _at(self, local: datetime) -> float:
        # Aware times of one zone subtract by the wall clock: compare in UTC.
        elapsed = local.astimezone(self.grid.start.tzinfo) - self.grid.start
        return self.at(elapsed / self.grid.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """Amounts from zero upwards along a height.

    Parameters
    ----------
    top
        Largest amount that must fit.
    base, height
        Position of zero, and length up to ``top``. [px]
    """

    top: float
    base: float
    height: float

    def at(self, value: float) -> float:
        """Position of an amount, cut to the axis. [px]"""
        share = value / self.top if self.top > 0 else 0.0
        return self.base - self.height * min(max(share, 0.0), 1.0)

    def positions(self, values: FloatArray) -> FloatArray:
        """Positions of many amounts, cut to the axis. [px]"""
        share = values / self.top if self.top > 0 else np.zeros_like(values)
        positions: FloatArray = self.base - self.height * np.clip(share, 0.0, 1.0)
        return positions

    def ticks(self, most: int = 4) -> list[Tick]:
        """Zero and round amounts, at most ``most`` steps."""
        step = round_step(self.top, most)
        if step == 0:
            return [Tick(at=self.base, label="0")]
        n = math.floor(self.top / step + 1e-9)
        places = max(-math.floor(math.log10(step) + 1e-9), 0)
        return [
            Tick(at=self.at(i * step), label=f"{i * step:,.{places}f}")
            for i in range(n + 1)
        ]


def round_step(top: float, most: int) -> float:
    """Smallest of 1, 2, 5 × 10ⁿ that divides ``top`` into at most ``most`` steps."""
    if not 0 < top < math.inf:
        return 0.0
    size = 10.0 ** math.floor(math.log10(top / most))
    return next(m * size for m in (1, 2, 5, 10, 20) if top / (m * size) <= most + 1e-9)


def coarser(values: FloatArray, most: int) -> FloatArray:
    """Means over equal runs of slots, at most ``most`` of them, last axis.

    The last run is shorter where the slots do not divide; callers place it with
    ``run_edges``.
    """
    edges = run_edges(values.shape[-1], most)
    sums = np.add.reduceat(values, edges[:-1], axis=-1)
    means: FloatArray = sums / np.diff(edges)
    return means


def run_edges(n_slots: int, most: int) -> IntArray:
    """Borders of the runs that ``coarser`` averages, both ends included."""
    width = -(-n_slots // most)
    return np.append(np.arange(0, n_slots, width), n_slots)


@lru_cache(maxsize=4)  # every panel of a report asks for the same grid
def _quarters(grid: TimeGrid) -> tuple[datetime, ...]:
    """Local time every quarter of an hour, both ends included."""
    zone = ZoneInfo(grid.timezone)
    n = (grid.end - grid.start) // _QUARTER
    return tuple((grid.start + i * _QUARTER).astimezone(zone) for i in range(n + 1))


def _offset(local: datetime) -> timedelta:
    offset = local.utcoffset()
    assert offset is not None
    return offset


def _weekday(local: datetime) -> str:
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[local.weekday()]
