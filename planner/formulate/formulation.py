"""One day's planning as an optimisation problem, and the way back to the jobs.

Jobs that no schedule could place are set apart with their reason, so that their
price does not hide in the objective and make the gap look smaller than it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from forecasts.gathering import ForecastSet
from inputs.jobs import NO_REGION, BoolArray, FloatArray, Int16Array, Jobs
from inputs.settings import Settings
from inputs.timegrid import TimeGrid
from outputs.carry_over import Occupancy
from planner.formulate.costs import JobCosts, job_costs
from planner.formulate.exclusion import Exclusions, exclude
from planner.formulate.places import build_places
from planner.formulate.windows import Windows, windows
from solvers.board import ROOM
from solvers.problem import Places, Problem, RigidJobs

IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Formulation:
    """A problem and the way back from it to the jobs.

    Parameters
    ----------
    problem
        The jobs that can be placed at all, sorted by id.
    rows
        Row of ``Jobs`` behind every job of the problem, shape (problem.n_jobs,).
    excluded
        The other jobs, with reasons.
    unplaced_per_weight
        Objective cost of leaving out a job of weight 1.
    """

    problem: Problem
    rows: IndexArray
    excluded: Exclusions
    unplaced_per_weight: float


def formulate(
    jobs: Jobs,
    *,
    settings: Settings,
    grid: TimeGrid,
    forecasts: ForecastSet,
    earlier: Occupancy | None = None,
) -> Formulation:
    """State one day's planning as an optimisation problem.

    Parameters
    ----------
    jobs
        Checked jobs of all manifests.
    settings
        Regions, objective and transfer.
    grid
        The planned slots.
    forecasts
        Intensity, solar and price on that grid.
    earlier
        What work of an earlier plan still uses; it goes first.
    """
    places = build_places(
        jobs.resource_names,
        settings=settings,
        grid=grid,
        forecasts=forecasts,
        earlier=earlier,
    )
    slots = windows(jobs, grid)
    demand = np.column_stack([jobs.demand, jobs.power_kw])
    possible = _possible(jobs, places.n_regions)
    fits = possible & _large_enough(demand, places)
    excluded = exclude(
        jobs,
        grid,
        windows=slots,
        demand=demand,
        possible=possible,
        fits=fits,
        places=places,
        region_names=tuple(region.name for region in settings.regions),
    )
    rows = _by_id(jobs, excluded)
    costs = job_costs(jobs, rows, windows=slots, places=places, settings=settings)
    rigid = _rigid(jobs, rows, slots=slots, demand=demand, fits=fits, costs=costs)
    return Formulation(
        problem=Problem(places=places, jobs=rigid),
        rows=rows,
        excluded=excluded,
        unplaced_per_weight=costs.unplaced_per_weight,
    )


def _rigid(
    jobs: Jobs,
    rows: IndexArray,
    *,
    slots: Windows,
    demand: FloatArray,
    fits: BoolArray,
    costs: JobCosts,
) -> RigidJobs:
    """What each job that can be planned may do, in the order of ``rows``."""
    home = np.where(jobs.pin_region == NO_REGION, jobs.home, jobs.pin_region)[rows]
    return RigidJobs(
        n_slots=slots.n_slots[rows],
        last_fraction=slots.last_fraction[rows],
        first=slots.first[rows],
        last=slots.last[rows],
        allowed=fits[rows],
        power_kw=jobs.power_kw[rows],
        demand=demand[rows],
        place_cost=costs.place_cost,
        place_kg=costs.place_kg,
        delay_cost=costs.delay_cost,
        unplaced_cost=costs.unplaced_cost,
        home=_possible_home(home, fits[rows]),
    )


def _possible(jobs: Jobs, n_regions: int) -> BoolArray:
    """Whether a job may run in a region at all, shape (n_jobs, n_regions)."""
    pin = jobs.pin_region[:, None]
    allowed: BoolArray = jobs.allowed & (
        (pin == NO_REGION) | (pin == np.arange(n_regions))
    )
    return allowed


def _large_enough(demand: FloatArray, places: Places) -> BoolArray:
    """Whether a region could hold a job if it were empty, (n_jobs, n_regions)."""
    largest = places.capacity.max(axis=2)
    # a cap of 3.3 kW at PUE 1.1 holds 3 kW, though the quotient is a speck below
    largest += ROOM * np.maximum(1.0, largest)
    enough = np.ones((len(demand), places.n_regions), dtype=np.bool_)
    for k in range(places.n_resources):
        enough &= demand[:, k, None] <= largest[k]
    return enough


def _by_id(jobs: Jobs, excluded: Exclusions) -> IndexArray:
    """Rows that can be planned, sorted by job id."""
    order = np.asarray(pc.sort_indices(jobs.ids), dtype=np.intp)
    plannable = np.ones(len(jobs), dtype=bool)
    plannable[excluded.rows] = False
    rows: IndexArray = order[plannable[order]]
    return rows


def _possible_home(home: Int16Array, fits: BoolArray) -> Int16Array:
    """Home region where a job may run there, else the first region that fits."""
    jobs = np.arange(len(home))
    return np.where(fits[jobs, home], home, fits.argmax(axis=1)).astype(np.int16)
