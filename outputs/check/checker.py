"""The order in which a plan is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inputs.jobs import Jobs
from inputs.timegrid import TimeGrid
from outputs.carry_over import EarlierWork
from outputs.check.baseline import baseline_violations
from outputs.check.instance import FloatArray, Instance
from outputs.check.limits import job_violations, region_violations
from outputs.check.numbers import number_violations, word_violations
from outputs.check.replay import earlier_usage, jobs_usage, placement, shares
from outputs.check.structure import job_index, structure_violations
from outputs.check.totals import horizon_violations, total_violations
from outputs.check.violation import Violation
from outputs.plan import Plan

if TYPE_CHECKING:
    from inputs.settings import Settings


def check_plan(
    plan: Plan,
    *,
    jobs: Jobs,
    settings: Settings,
    grid: TimeGrid,
    carbon: FloatArray,
    solar_kw: FloatArray,
    price: FloatArray | None = None,
    earlier: EarlierWork | None = None,
) -> tuple[Violation, ...]:
    """Do the arithmetic of a plan again, from the inputs that it was made from.

    Parameters
    ----------
    plan
        The plan, as read from its file.
    jobs, settings, grid
        What the user said; demand of ``earlier`` is by ``jobs.resource_names``.
    carbon
        Intensity, shape (n_regions, n_slots). [g/kWh]
    solar_kw
        Mean on-site solar power, same shape. [kW]
    price
        Electricity price, same shape; None without a forecast. [currency/kWh]
    earlier
        Work of an earlier plan that still runs, None if there is none.

    Returns
    -------
    tuple of Violation
        Empty for a plan that keeps every limit and states every number within a
        relative 1e-6. When rows and jobs do not belong together, only that is
        reported: no number of such a plan means anything.

    Raises
    ------
    ValueError
        If a forecast has another shape than regions and slots.
    """
    instance = Instance(
        jobs=jobs,
        settings=settings,
        grid=grid,
        g_per_kwh=carbon,
        solar_kw=solar_kw,
        price=np.zeros_like(carbon) if price is None else price,
        earlier=earlier,
    )
    rows = plan.rows
    job = job_index(rows, jobs)
    time = horizon_violations(plan.meta, instance)
    structure = structure_violations(rows, jobs, settings, job)
    if time or structure:
        return (*time, *structure)
    job_of_row = job.to_numpy().astype(np.intp)
    is_planned = rows["region"].is_valid()
    planned = rows.filter(is_planned)
    placed = placement(instance, planned, job_of_row[is_planned.to_numpy()])
    load, before = jobs_usage(instance, placed), earlier_usage(instance)
    expected = shares(instance, placed, load, before)
    return (
        *job_violations(instance, placed),
        *region_violations(instance, load, before),
        *number_violations(instance, planned, placed, expected),
        *word_violations(instance, rows, job),
        *baseline_violations(instance, plan, job_of_row, before),
        *total_violations(plan.meta, instance, placed, expected, before),
    )
