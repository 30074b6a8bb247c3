"""Daily solar budgets while jobs are placed one at a time.

Without a budget the sun of a slot serves that slot's load and nothing else. Under a
budget, load in one slot may take sun away from another of the same day; this module
prices that exactly, for all starts of a job at once.
"""

from __future__ import annotations

import numpy as np

from solvers.problem import BoolArray, FloatArray, Places


class Budgets:
    """What the load so far asks of each day's solar budget.

    Parameters
    ----------
    places
        Budgets larger than the day's sun never bind and are left out.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        n_days = places.solar_budget_kwh.shape[1]
        self._day_of = places.day
        self._starts = np.searchsorted(places.day, np.arange(n_days + 1))
        self._limit = places.solar_budget_kwh.copy()
        for d in range(n_days):
            sun = places.solar_kwh[:, self._slots(d)].sum(axis=1)
            self._limit[sun <= self._limit[:, d], d] = np.inf
        self._asked = np.zeros_like(self._limit)
        self._binding: BoolArray = np.isfinite(self._limit)
        self._any = bool(self._binding.any())

    def note(self, region: int, run: slice, load_kwh: FloatArray) -> None:
        """Take in a region's load after it changed in some slots."""
        if not self._any:
            return
        for d in self._days(run):
            slots = self._slots(d)
            solar = self._places.solar_kwh[region, slots]
            self._asked[region, d] = np.minimum(load_kwh[slots], solar).sum()

    def within(self, region: int, slots: slice, sun_kwh: FloatArray) -> FloatArray:
        """Sun of each slot, at most what the budget of its day still allows."""
        if not self._any:
            return sun_kwh
        left = np.maximum(self._limit[region] - self._asked[region], 0.0)
        usable: FloatArray = np.minimum(sun_kwh, left[self._day_of[slots]])
        return usable

    def short_of(self, energy_kwh: FloatArray, window: slice) -> list[int]:
        """Regions where a job's energy might not find budget in its window.

        Parameters
        ----------
        energy_kwh
            Metered energy of the run in each region, shape (n_regions,). [kWh]
        window
            Slots that the job may touch.
        """
        if not self._any:
            return []
        days = self._days(window)
        span = slice(days.start, days.stop)
        wanted = self._asked[:, span] + energy_kwh[:, None]
        short = (wanted > self._limit[:, span]).any(axis=1)
        return [int(r) for r in np.flatnonzero(short)]

    def added_costs(
        self, region: int, window: slice, load_kwh: FloatArray, run_kwh: FloatArray
    ) -> tuple[FloatArray, float]:
        """Grid cost that a run adds from each of its starts.

        Parameters
        ----------
        region
            Where the run would be.
        window
            Slots that it may touch.
        load_kwh
            Load of the region before, shape (n_slots,). [kWh]
        run_kwh
            Energy of the run in each of its slots, shape (duration,). [kWh]

        Returns
        -------
        costs
            Shape (n_starts,).
        scale
            Size of the sums behind them, for judging rounding.
        """
        days = self._days(window)
        whole = slice(int(self._starts[days.start]), int(self._starts[days.stop]))
        weight = self._places.weight_per_kwh[region, whole]
        duration = len(run_kwh)
        n_starts = window.stop - window.start - duration + 1
        starts = np.arange(n_starts)[:, None] + (window.start - whole.start)
        before = load_kwh[whole]
        after = np.tile(before, (n_starts, 1))
        after[np.arange(n_starts)[:, None], starts + np.arange(duration)] += run_kwh
        grid = after - self._used(region, days, after)
        grid -= before - self._used(region, days, before[None])[0]
        scale = float(np.abs(weight) @ before + np.abs(weight).max() * run_kwh.sum())
        return grid @ weight, scale

    def _used(self, region: int, days: range, load_kwh: FloatArray) -> FloatArray:
        """``solar_used`` of one region for many loads of some days at once."""
        whole = slice(int(self._starts[days.start]), int(self._starts[days.stop]))
        used = np.minimum(load_kwh, self._places.solar_kwh[region, whole])
        for d in days:
            if not self._binding[region, d]:
                continue
            slots = self._slots(d)
            weight = self._places.weight_per_kwh[region, slots]
            order = np.argsort(-weight, kind="stable") + (slots.start - whole.start)
            wanted = used[:, order]
            left = self._limit[region, d] - (np.cumsum(wanted, axis=1) - wanted)
            used[:, order] = np.clip(left, 0.0, wanted)
        return used

    def _slots(self, day: int) -> slice:
        return slice(int(self._starts[day]), int(self._starts[day + 1]))

    def _days(self, slots: slice) -> range:
        return range(
            int(self._day_of[slots.start]), int(self._day_of[slots.stop - 1]) + 1
        )
