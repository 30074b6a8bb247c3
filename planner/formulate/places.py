"""The coupling rows: what regions offer in each slot after earlier work."""

from __future__ import annotations

import numpy as np

from forecasts.gathering import ForecastSet
from inputs.jobs import FloatArray
from inputs.settings import ObjectiveTable, Region, Settings
from inputs.timegrid import TimeGrid
from outputs.carry_over import Occupancy
from solvers.problem import Places

POWER = "power_kw"
"""Name of the power limit among the resources."""

_G_PER_KG = 1000.0


def build_places(
    resource_names: tuple[str, ...],
    *,
    settings: Settings,
    grid: TimeGrid,
    forecasts: ForecastSet,
    earlier: Occupancy | None,
) -> Places:
    """Capacity, solar and weights of every region and slot.

    Base load takes on-site solar first, then work that an earlier plan started; a
    solar budget limits what this plan draws beside them.
    The power cap holds at the plug; divided by PUE it limits IT power.
    """
    regions = settings.regions
    intensity = forecasts.g_per_kwh
    capacity = _capacity(resource_names, regions, grid.n_slots)
    solar = _solar_left(regions, grid, forecasts)
    days = grid.local_days()
    pue = np.array([region.pue for region in regions])
    if earlier is not None:
        capacity[:-1] -= earlier.demand
        capacity[-1] -= earlier.power_kw / pue[:, None]
        solar = np.maximum(0.0, solar - earlier.energy_kwh)
    return Places(
        slot_hours=grid.slot_hours,
        weight_per_kwh=_weights(settings.objective, intensity, forecasts),
        g_per_kwh=intensity,
        pue=pue,
        solar_kwh=solar,
        solar_budget_kwh=_budgets(regions, int(days.max()) + 1),
        day=days,
        capacity=np.maximum(capacity, 0.0),
        resources=(*resource_names, POWER),
    )


def _capacity(
    names: tuple[str, ...], regions: tuple[Region, ...], n_slots: int
) -> FloatArray:
    capacity = np.empty((len(names) + 1, len(regions), n_slots))
    for r, region in enumerate(regions):
        for k, name in enumerate(names):
            capacity[k, r] = region.capacity.get(name, 0.0)
        cap = region.power_cap_kw
        capacity[-1, r] = np.inf if cap is None else cap / region.pue
    return capacity


def _solar_left(
    regions: tuple[Region, ...], grid: TimeGrid, forecasts: ForecastSet
) -> FloatArray:
    base_kw = np.array([region.base_load_kw for region in regions])
    left_kw: FloatArray = np.maximum(0.0, forecasts.solar_kw - base_kw[:, None])
    return left_kw * grid.slot_hours


def _budgets(regions: tuple[Region, ...], n_days: int) -> FloatArray:
    per_day = [
        np.inf if region.solar_budget_kwh is None else region.solar_budget_kwh
        for region in regions
    ]
    return np.repeat(np.array(per_day)[:, None], n_days, axis=1)


def _weights(
    objective: ObjectiveTable, intensity: FloatArray, forecasts: ForecastSet
) -> FloatArray:
    weights: FloatArray = objective.carbon_price_per_kg * intensity / _G_PER_KG
    prices = forecasts.price_per_kwh
    if objective.energy_cost and prices is not None:
        weights = weights + objective.energy_cost * prices
    return weights
