"""What each limit of a planned day costs, from the prices of the solver's bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inputs.settings import Workspace
from outputs.errors import PlanFormatError
from outputs.limit_prices import LimitPrice, LimitPrices
from outputs.limit_prices_file import read_limit_prices
from outputs.plan import Plan
from planner.day import Day
from planner.formulate.places import POWER
from solvers.problem import FloatArray, Places
from solvers.solution import Prices, SolveOptions

COMPUTING_S = 5.0
"""Most time for prices that no solver left behind; a second is usual. [s]"""

_NO_ROOM = (
    "Some jobs find no room. What leaving a job out weighs is part of these prices, "
    "so that they are not kilograms alone."
)
_NOT_CARBON_ALONE = (
    "The workspace weighs more than carbon; other costs are counted as the kilograms "
    "that weigh as much."
)


def prices_path(workspace: Workspace, plan: Plan) -> Path:
    """Where the prices of a plan's limits are kept."""
    return workspace.outputs / "prices" / f"{plan.meta.plan_id}.parquet"


def limit_prices(
    day: Day, prices: Prices | None, *, some_unplaced: bool
) -> LimitPrices | None:
    """Prices of a day's limits; None without prices, or if carbon weighs nothing.

    Parameters
    ----------
    day
        What was planned.
    prices
        Of the solver's bound, in units of the objective.
    some_unplaced
        Whether the plan leaves out jobs for which it found no room.
    """
    objective = day.workspace.settings.objective
    kg_weight = objective.carbon_price_per_kg
    if prices is None or kg_weight <= 0:
        return None
    regions = tuple(region.name for region in day.workspace.regions)
    found = _limits(day.formulation.problem.places, prices, regions, kg_weight)
    notes = {
        _NO_ROOM: some_unplaced,
        _NOT_CARBON_ALONE: bool(objective.energy_cost or objective.delay_per_hour),
    }
    return LimitPrices(
        limits=tuple(found), notes=tuple(note for note, holds in notes.items() if holds)
    )


def recalled_prices(
    workspace: Workspace, day: Day, plan: Plan
) -> tuple[LimitPrices | None, tuple[str, ...]]:
    """Prices kept beside a plan, else computed anew; and what a reader must know."""
    path = prices_path(workspace, plan)
    notes: tuple[str, ...] = ()
    if path.exists():
        try:
            return read_limit_prices(path, day.grid), ()
        except PlanFormatError as error:
            notes = (f"{error}; the prices of the limits are computed anew",)
    from solvers.price.shadow import shadow_prices

    options = SolveOptions(time_limit_s=COMPUTING_S, seed=plan.meta.seed)
    prices = shadow_prices(day.formulation.problem, options)
    left_out = plan.meta.unplaced > len(day.formulation.excluded.rows)
    return limit_prices(day, prices, some_unplaced=left_out), notes


def _limits(
    places: Places, prices: Prices, regions: tuple[str, ...], kg_weight: float
) -> Iterator[LimitPrice]:
    # the compiled engine is loaded with it, and only where its prices are there
    from solvers.price.shadow import worth

    found, hours = worth(places, prices), places.slot_hours
    for r, region in enumerate(regions):
        for k, resource in enumerate(places.resources):
            name, metered = resource, 1.0
            if resource == POWER:  # sold at the plug, held in IT power
                name, metered = "power kW", float(places.pue[r])
            free = places.capacity[k, r] * metered
            if np.isfinite(free).all() and free.any():
                kg = found.capacity[k, r] / (metered * hours * kg_weight)
                yield _limit(region, name, kg, free)
        sun = places.solar_kwh[r]
        if sun.any():
            shining = np.where(sun > 0.0, found.solar[r] / kg_weight, 0.0)
            yield _limit(region, "sun kW", shining, sun / hours)


def _limit(region: str, name: str, kg: FloatArray, free: FloatArray) -> LimitPrice:
    return LimitPrice(region=region, limit=name, kg=kg, available=free.copy())
