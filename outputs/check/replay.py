"""What a set of placed jobs uses and emits, slot by slot of wall-clock time.

Every run is laid out as pairs of a row and a slot that it touches, a few million at
a time; sums over pairs give what regions see, and, with the mix of sun and grid that
follows, what each row's share is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.timegrid import TimeGrid
from outputs.check.instance import (
    G_PER_KG,
    US_PER_HOUR,
    FloatArray,
    IndexArray,
    Instance,
    Int64Array,
)

_PAIRS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where and when jobs run; a job that is left out has no entry.

    Parameters
    ----------
    job, region
        Indices, shape (n_placed,).
    start_us, end_us
        Wall-clock time, shape (n_placed,). [µs since 1970 UTC]
    """

    job: IndexArray
    region: IndexArray
    start_us: Int64Array
    end_us: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usage:
    """What runs take of each region in each slot.

    Parameters
    ----------
    power_kw
        Place under the power cap, full in every touched slot, shape
        (n_regions, n_slots). [kW]
    demand
        Units of each resource, full in every touched slot, shape
        (n_resources, n_regions, n_slots).
    energy_kwh
        Metered energy, shape (n_regions, n_slots). [kWh]
    """

    power_kw: FloatArray
    demand: FloatArray
    energy_kwh: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Numbers of every row, and what regions draw from the grid.

    Parameters
    ----------
    power_kw, energy_kwh, solar_kwh, grid_kwh, emissions_kg
        Shape (n_placed,).
    region_grid_kwh
        Shape (n_regions, n_slots). [kWh]
    """

    power_kw: FloatArray
    energy_kwh: FloatArray
    solar_kwh: FloatArray
    grid_kwh: FloatArray
    emissions_kg: FloatArray
    region_grid_kwh: FloatArray


def placement(
    instance: Instance, rows: pa.Table, job: IndexArray, prefix: str = ""
) -> Placement:
    """Where rows put their jobs; the end follows from the job, not from the row.

    Parameters
    ----------
    rows
        Rows that have a region and a start.
    job
        Index of each row's job.
    prefix
        ``baseline_`` for where asap would put them.
    """
    names = pa.array([region.name for region in instance.settings.regions])
    start = rows[f"{prefix}start"].cast(pa.int64()).to_numpy()
    return Placement(
        job=job,
        region=pc.index_in(rows[f"{prefix}region"], names).to_numpy().astype(np.intp),
        start_us=start,
        end_us=start + instance.jobs.duration_us[job],
    )


def jobs_usage(instance: Instance, placed: Placement) -> Usage:
    """What the placed jobs take."""
    power = instance.jobs.power_kw[placed.job] * instance.pue[placed.region]
    demand = instance.jobs.demand[placed.job]
    return _usage(instance, placed, power, demand)


def earlier_usage(instance: Instance) -> Usage:
    """What work that already runs takes."""
    work = instance.earlier
    n_resources = len(instance.jobs.resource_names)
    if work is None:
        shape = (instance.n_regions, instance.grid.n_slots)
        empty = np.zeros(shape)
        return Usage(
            power_kw=empty, demand=np.zeros((n_resources, *shape)), energy_kwh=empty
        )
    placed = Placement(
        job=np.zeros(0, dtype=np.intp),
        region=work.region.astype(np.intp),
        start_us=work.start_us,
        end_us=work.end_us,
    )
    return _usage(instance, placed, work.power_kw, work.demand)


def shares(instance: Instance, placed: Placement, load: Usage, before: Usage) -> Shares:
    """Every row's part of sun and grid, in proportion to its energy in each slot.

    Parameters
    ----------
    load, before
        What the placed jobs, and earlier work, take.
    """
    grid = instance.grid
    used = _solar_used(instance, load.energy_kwh, before.energy_kwh)
    drawn = load.energy_kwh - used
    from_grid = np.divide(
        drawn, load.energy_kwh, out=np.zeros_like(drawn), where=load.energy_kwh > 0
    ).ravel()
    intensity = instance.g_per_kwh.ravel() / G_PER_KG
    power = instance.jobs.power_kw[placed.job] * instance.pue[placed.region]
    n = len(placed.job)
    energy, grid_kwh, carbon = np.zeros(n), np.zeros(n), np.zeros(n)
    for row, cell, hours in _pairs(placed, grid):
        taken = power[row] * hours
        base, size = int(row[0]), int(row[-1] - row[0]) + 1
        part = slice(base, base + size)
        drawn_here = taken * from_grid[cell]
        energy[part] += np.bincount(row - base, taken, size)
        grid_kwh[part] += np.bincount(row - base, drawn_here, size)
        carbon[part] += np.bincount(row - base, drawn_here * intensity[cell], size)
    moved = instance.transfer_kwh(placed.job, placed.region)
    carbon += moved * instance.at_home(instance.g_per_kwh, placed.job) / G_PER_KG
    return Shares(
        power_kw=power,
        energy_kwh=energy,
        solar_kwh=energy - grid_kwh,
        grid_kwh=grid_kwh,
        emissions_kg=carbon,
        region_grid_kwh=drawn,
    )


def _usage(
    instance: Instance, placed: Placement, power: FloatArray, demand: FloatArray
) -> Usage:
    grid = instance.grid
    n_slots, n_resources = grid.n_slots, demand.shape[1]
    cells = instance.n_regions * n_slots
    held, energy = np.zeros(cells), np.zeros(cells)
    units = np.zeros((n_resources, cells))
    for row, cell, hours in _pairs(placed, grid):
        held += np.bincount(cell, power[row], cells)
        energy += np.bincount(cell, power[row] * hours, cells)
        for k in range(n_resources):
            units[k] += np.bincount(cell, demand[row, k], cells)
    shape = (instance.n_regions, n_slots)
    return Usage(
        power_kw=held.reshape(shape),
        demand=units.reshape(n_resources, *shape),
        energy_kwh=energy.reshape(shape),
    )


def _solar_used(
    instance: Instance, load_kwh: FloatArray, earlier_kwh: FloatArray
) -> FloatArray:
    """Solar energy that jobs use, shape (n_regions, n_slots). [kWh]

    Base load takes the sun first, then earlier work. A budget is spent slot by slot
    where grid energy weighs most, ties to the earlier slot.
    """
    regions, hours = instance.settings.regions, instance.grid.slot_hours
    base = np.array([region.base_load_kw for region in regions])[:, None] * hours
    left = np.maximum(instance.solar_kw * hours - base - earlier_kwh, 0.0)
    used = np.minimum(load_kwh, left)
    weight, days = instance.weight_per_kwh, instance.grid.local_days()
    for r, region in enumerate(regions):
        if region.solar_budget_kwh is None:
            continue
        for day in np.unique(days):
            budget = region.solar_budget_kwh
            slots = np.flatnonzero(days == day).tolist()
            for t in sorted(slots, key=lambda t: (-weight[r, t], t)):
                used[r, t] = min(used[r, t], budget)
                budget -= used[r, t]
    return used


def _pairs(
    placed: Placement, grid: TimeGrid
) -> Iterator[tuple[IndexArray, IndexArray, FloatArray]]:
    """Row, cell and hours of every slot that a run touches, in chunks by row.

    A cell is a region's slot, counted region by region. What lies outside of the
    horizon is cut off; it is reported by another rule.
    """
    step = grid.step_us
    begin = np.maximum(placed.start_us, grid.start_us) - grid.start_us
    stop = np.minimum(placed.end_us, grid.end_us) - grid.start_us
    first, last = begin // step, (stop - 1) // step
    touched = np.where(stop > begin, last - first + 1, 0)
    unused_before = (begin - first * step) / US_PER_HOUR
    unused_after = ((last + 1) * step - stop) / US_PER_HOUR
    first_cell = placed.region * grid.n_slots + first
    runs = np.flatnonzero(touched)
    ends = np.cumsum(touched[runs])
    done = 0
    while done < len(runs):
        before = int(ends[done - 1]) if done else 0
        upto = int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right"))
        upto = max(upto, done + 1)
        rows, counts = runs[done:upto], touched[runs[done:upto]]
        final = ends[done:upto] - before - 1
        initial = final - counts + 1
        cell = np.arange(final[-1] + 1) + np.repeat(first_cell[rows] - initial, counts)
        hours = np.full(len(cell), grid.slot_hours)
        hours[initial] -= unused_before[rows]
        hours[final] -= unused_after[rows]
        yield np.repeat(rows, counts), cell, hours
        done = upto
