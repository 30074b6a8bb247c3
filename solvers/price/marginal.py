"""What one job costs in each slot of a region, given all the others, compiled."""

from __future__ import annotations

from typing import NamedTuple

from solvers.compiled import compiled
from solvers.job_columns import JobColumns
from solvers.problem import BoolArray, FloatArray, Int16Array, Int32Array


class Board(NamedTuple):
    """A plan in the making, changed in place.

    Parameters
    ----------
    region, start
        Place of every job, -1 where unplaced, shape (n_jobs,).
    usage
        Units in use, shape (n_regions, n_resources, n_slots).
    load
        Metered energy of the jobs, shape (n_regions, n_slots). [kWh]
    """

    region: Int16Array
    start: Int32Array
    usage: FloatArray
    load: FloatArray


class Terms(NamedTuple):
    """What a place costs and what stands in its way.

    The price of a slot's next unit rises from low to high across a band: the
    price of a kWh from ``sun_price`` to the grid's weight, that of a unit of
    capacity from nothing to a penalty. The cost is the area below it, a quadratic
    between two straight lines. Re-placing one job at a time gets stuck at the
    kinks of a cost whose bands have no width; see ``docs/price-engine.md``.

    Parameters
    ----------
    capacity
        Units that may be in use, shape (n_regions, n_resources, n_slots).
    edge, width, rise
        Where the band of capacity begins, how wide it is [units], and how much
        the price rises per unit, of the same shape.
    sun_price
        Price of a kWh below the band, shape (n_regions, n_slots).
    sun_edge, sun_width, sun_rise
        The band of energy, of the same shape. [kWh]
    metered_hours
        Metered energy of a full slot per IT kW, shape (n_regions,). [h]
    noise
        Gumbel deviates, at least ``NOISE + n_slots`` of them.
    """

    capacity: FloatArray
    edge: FloatArray
    width: FloatArray
    rise: FloatArray
    sun_price: FloatArray
    sun_edge: FloatArray
    sun_width: FloatArray
    sun_rise: FloatArray
    metered_hours: FloatArray
    noise: FloatArray


@compiled
def put(
    jobs: JobColumns, j: int, sign: float, board: Board, metered_hours: FloatArray
) -> None:
    """Add a placed job to the board's sums, or take it out with ``sign`` -1."""
    r, s = board.region[j], board.start[j]
    end = s + jobs.n_slots[j]
    energy = sign * jobs.power_kw[j] * metered_hours[r]
    for t in range(s, end - 1):
        board.load[r, t] += energy
    board.load[r, end - 1] += energy * jobs.last_fraction[j]
    for k in range(board.usage.shape[1]):
        units = sign * jobs.demand[j, k]
        if units != 0.0:
            for t in range(s, end):
                board.usage[r, k, t] += units


@compiled
def area(beyond: float, width: float) -> float:
    """Area below a price of rise 1 per unit, ``beyond`` units into its band."""
    inside = min(max(beyond, 0.0), width)
    return inside * (beyond - 0.5 * inside)


@compiled
def slot_costs(
    jobs: JobColumns,
    j: int,
    r: int,
    board: Board,
    terms: Terms,
    whole: FloatArray,
    part: FloatArray,
) -> None:
    """Marginal energy cost of job ``j`` in each slot: a full one, and its last."""
    end = jobs.last[j] + jobs.n_slots[j]
    energy = jobs.power_kw[j] * terms.metered_hours[r]
    rest = energy * jobs.last_fraction[j]
    for t in range(jobs.first[j], end):
        beyond = board.load[r, t] - terms.sun_edge[r, t]
        width, rise = terms.sun_width[r, t], terms.sun_rise[r, t]
        sun = terms.sun_price[r, t]
        before = area(beyond, width)
        whole[t] = sun * energy + rise * (area(beyond + energy, width) - before)
        part[t] = sun * rest + rise * (area(beyond + rest, width) - before)


@compiled
def add_penalties(
    jobs: JobColumns,
    j: int,
    r: int,
    board: Board,
    terms: Terms,
    whole: FloatArray,
    part: FloatArray,
) -> None:
    """Add the price of the units that job ``j`` would hold in each slot."""
    end = jobs.last[j] + jobs.n_slots[j]
    for k in range(board.usage.shape[1]):
        units = jobs.demand[j, k]
        if units > 0.0:
            for t in range(jobs.first[j], end):
                beyond = board.usage[r, k, t] - terms.edge[r, k, t]
                width = terms.width[r, k, t]
                fine = area(beyond + units, width) - area(beyond, width)
                fine *= terms.rise[r, k, t]
                whole[t] += fine
                part[t] += fine


@compiled
def mark_full(
    jobs: JobColumns, j: int, r: int, board: Board, terms: Terms, full: BoolArray
) -> bool:
    """Mark the slots that lack room for job ``j``; False if there are none."""
    first, end = jobs.first[j], jobs.last[j] + jobs.n_slots[j]
    some = False
    for t in range(first, end):
        full[t] = False
    for k in range(board.usage.shape[1]):
        units = jobs.demand[j, k]
        if units > 0.0:
            for t in range(first, end):
                if board.usage[r, k, t] + units > terms.capacity[r, k, t]:
                    full[t] = True
                    some = True
    return some
