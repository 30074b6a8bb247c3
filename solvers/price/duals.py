r"""The dual function: what the limits are worth, and what the jobs then cost.

With prices :math:`λ_{krt} ≥ 0` on capacity and :math:`π_{rt} ≥ 0` on solar, metered
energy costs :math:`e = w - π`, each job takes its cheapest place alone, and

.. math:: D(λ, π) = \sum_j \min_{place} c_j - \sum λ_{krt} C_{krt}
          - \max_{0 ≤ u ≤ S,\ Σ_{day} u ≤ B} \sum e_{rt} u_{rt}

is at most the cost of any schedule. Its slopes are usage minus capacity and load
minus solar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.job_columns import JobColumns
from solvers.price.choices import RowPrices, choose
from solvers.price.columns import accepted_capacity
from solvers.price.crew import Crew
from solvers.price.envelope import provable_weight
from solvers.problem import FloatArray, Places, Problem
from solvers.solution import Schedule

_NONE = np.empty(0)
_NO_REGION = np.empty(0, dtype=np.int16)
_NO_START = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """Prices in the kernels' order of axes.

    Parameters
    ----------
    energy
        Price of metered energy after solar, at most its weight, shape
        (n_regions, n_slots). [objective/kWh]
    capacity
        Prices of capacity, shape (n_regions, n_resources, n_slots).
    """

    energy: FloatArray
    capacity: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DualValue:
    """Value of the dual function and its slopes at one point.

    Parameters
    ----------
    value
        D, with the rounding of a plain sum.
    magnitude
        Sum of the magnitudes of all its terms, for the rounding allowance.
    energy_slope, capacity_slope
        Load minus solar, and usage minus capacity.
    """

    value: float
    magnitude: float
    energy_slope: FloatArray
    capacity_slope: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """What the dual function knows of the places, prepared once.

    Parameters
    ----------
    places
        As in the problem.
    room
        Capacity that the checker accepts, shape (n_regions, n_resources, n_slots).
    least_room
        Its least value over time, shape (n_regions, n_resources).
    weight
        Weight of grid energy that a proof may use, shape (n_regions, n_slots).
    metered_hours
        Metered energy of a full slot per IT kW, shape (n_regions,). [h]
    """

    places: Places
    room: FloatArray
    least_room: FloatArray
    weight: FloatArray
    metered_hours: FloatArray

    @classmethod
    def of(cls, problem: Problem) -> Ground:
        """Ground of a problem; looks at every job once."""
        places = problem.places
        room = accepted_capacity(places)
        return cls(
            places=places,
            room=room,
            least_room=room.min(axis=2, initial=np.inf),
            weight=provable_weight(problem),
            metered_hours=places.pue * places.slot_hours,
        )

    def row_prices(self, point: Point) -> RowPrices:
        """Prices rounded to grids on which their running sums are exact."""
        energy = _on_grid(np.minimum(point.energy, self.weight))
        capacity = _on_grid(np.maximum(point.capacity, 0.0))
        return RowPrices(
            energy=energy,
            energy_sum=_running_sum(energy),
            capacity_sum=_running_sum(capacity),
            room=self.room,
            least_room=self.least_room,
            metered_hours=self.metered_hours,
        )


def dual_value(
    ground: Ground,
    jobs: JobColumns,
    point: Point,
    crew: Crew,
    *,
    times: FloatArray = _NONE,
) -> DualValue:
    """Evaluate the dual function.

    Parameters
    ----------
    ground
        The places.
    jobs
        All jobs, or a sample of them.
    point
        Any prices at all.
    crew
        Threads to share the work.
    times
        How often each job counts, shape (n_jobs,); empty for once.
    """
    prices = ground.row_prices(point)
    n_regions, n_resources, n_slots = ground.room.shape

    def part(lo: int, hi: int) -> tuple[float, float, float, FloatArray, FloatArray]:
        usage = np.zeros((n_regions, n_resources, n_slots + 1))
        load = np.zeros((n_regions, n_slots + 1))
        sums = choose(jobs, prices, times, lo, hi, _NO_REGION, _NO_START, usage, load)
        return (*sums, usage, load)

    parts = crew.run(part, len(jobs.n_slots))
    usage = sum((p[3] for p in parts), np.zeros(()))
    load = sum((p[4] for p in parts), np.zeros(()))
    capacity = np.diff(prices.capacity_sum, axis=2)
    refund, solar = solar_refund(ground.places, prices.energy)
    rent = capacity * ground.room
    value = sum(p[0] for p in parts) + sum(p[1] for p in parts)
    return DualValue(
        value=float(value - rent.sum() - refund),
        magnitude=float(sum(p[2] for p in parts) + rent.sum() + refund),
        energy_slope=np.cumsum(load, axis=1)[:, :n_slots] - solar,
        capacity_slope=np.cumsum(usage, axis=2)[:, :, :n_slots] - ground.room,
    )


def choices_at(ground: Ground, jobs: JobColumns, point: Point, crew: Crew) -> Schedule:
    """Place that each job takes when alone with the prices."""
    prices = ground.row_prices(point)
    n_regions, n_resources, n_slots = ground.room.shape
    region = np.empty(len(jobs.n_slots), dtype=np.int16)
    start = np.empty(len(jobs.n_slots), dtype=np.int32)

    def part(lo: int, hi: int) -> None:
        usage = np.zeros((n_regions, n_resources, n_slots + 1))
        load = np.zeros((n_regions, n_slots + 1))
        choose(jobs, prices, _NONE, lo, hi, region, start, usage, load)

    crew.run(part, len(jobs.n_slots))
    return Schedule(region=region, start=start)


def solar_refund(places: Places, reward: FloatArray) -> tuple[float, FloatArray]:
    """Most that solar can earn, and the solar that earns it.

    Parameters
    ----------
    places
        Gives solar and its daily budgets.
    reward
        Worth of solar, shape (n_regions, n_slots). [objective/kWh]
    """
    used = np.where(reward > 0.0, places.solar_kwh, 0.0)
    for r, d in np.argwhere(np.isfinite(places.solar_budget_kwh)):
        slots = np.flatnonzero(places.day == d)
        best_first = slots[np.argsort(-reward[r, slots], kind="stable")]
        spent = np.minimum(
            np.cumsum(used[r, best_first]), places.solar_budget_kwh[r, d]
        )
        used[r, best_first] = np.diff(spent, prepend=0.0)
    return float((np.maximum(reward, 0.0) * used).sum()), used


def budget_price(places: Places, reward: FloatArray) -> FloatArray:
    """Worth of a kWh of each day's solar budget, shape (n_regions, n_days)."""
    price = np.zeros(places.solar_budget_kwh.shape)
    _, used = solar_refund(places, reward)
    for r, d in np.argwhere(np.isfinite(places.solar_budget_kwh)):
        slots = np.flatnonzero((places.day == d) & (places.solar_kwh[r] > 0.0))
        # running sums leave a speck of what is wholly used
        left = slots[used[r, slots] < (1.0 - 1e-9) * places.solar_kwh[r, slots]]
        price[r, d] = max(0.0, reward[r, left].max(initial=0.0))
    return price


def _on_grid(prices: FloatArray) -> FloatArray:
    """Round down to multiples of a power of two whose sums over time are exact."""
    finite = np.nan_to_num(prices, nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(np.abs(finite).max(initial=0.0)) * max(1, finite.shape[-1])
    if largest == 0.0:
        return np.zeros(finite.shape)
    step = 2.0 ** (np.ceil(np.log2(largest)) - 51)
    rounded: FloatArray = np.floor(finite / step) * step
    return rounded


def _running_sum(values: npt.NDArray[np.float64]) -> FloatArray:
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums
