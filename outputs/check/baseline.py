"""The baseline columns: what asap would do is checked like the plan itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from outputs.check.instance import G_PER_KG, IndexArray, Instance
from outputs.check.limits import job_violations, region_violations
from outputs.check.numbers import compared_numbers
from outputs.check.replay import (
    Placement,
    Shares,
    Usage,
    jobs_usage,
    placement,
    shares,
)
from outputs.check.totals import agree, total_emissions
from outputs.check.violation import Rule, Violation, listed, shortened
from outputs.plan import Plan, PolicyOutcome

_COLUMNS = ("baseline_region", "baseline_start", "baseline_emissions_kg")


def baseline_violations(
    instance: Instance, plan: Plan, job: IndexArray, before: Usage
) -> list[Violation]:
    """Limits and numbers of the baseline that do not hold.

    Parameters
    ----------
    job
        Index of each row's job.
    before
        What earlier work takes.
    """
    outcome = plan.meta.policies.get("asap")
    if outcome is None and all(
        plan.rows[column].null_count == len(plan.rows) for column in _COLUMNS
    ):
        return []
    half = _half_given(plan.rows)
    if half:
        return half
    given = plan.rows["baseline_region"].is_valid()
    rows = plan.rows.filter(given)
    placed = placement(instance, rows, job[given.to_numpy()], "baseline_")
    load = jobs_usage(instance, placed)
    expected = shares(instance, placed, load, before)
    return [
        *_limits(instance, placed, load, before),
        *_emissions(instance, rows, placed, expected),
        *_policy(instance, outcome, placed, expected),
    ]


def _limits(
    instance: Instance, placed: Placement, load: Usage, before: Usage
) -> list[Violation]:
    broken = [
        *job_violations(instance, placed),
        *region_violations(instance, load, before),
    ]
    return [
        replace(v, rule=Rule.BASELINE, where=f"{v.rule}, {v.where}") for v in broken
    ]


def _emissions(
    instance: Instance, rows: pa.Table, placed: Placement, expected: Shares
) -> list[Violation]:
    most = instance.g_per_kwh.max(initial=0.0) / G_PER_KG
    return compared_numbers(
        Rule.BASELINE,
        rows["baseline_emissions_kg"].to_numpy(),
        expected.emissions_kg,
        expected.energy_kwh * most,
        instance=instance,
        placed=placed,
    )


def _policy(
    instance: Instance,
    outcome: PolicyOutcome | None,
    placed: Placement,
    expected: Shares,
) -> list[Violation]:
    total = total_emissions(instance, placed, expected)
    unplaced = len(instance.jobs) - len(placed.job)
    if (
        outcome is not None
        and outcome.unplaced == unplaced
        and agree(outcome.emissions_kg, total)
    ):
        return []
    right = PolicyOutcome(emissions_kg=total.value, unplaced=unplaced)
    return [
        Violation(
            rule=Rule.POLICY,
            where="policies.asap",
            found=shortened(outcome),
            expected=shortened(right),
        )
    ]


def _half_given(rows: pa.Table) -> list[Violation]:
    given = [rows[column].is_valid().to_numpy() for column in _COLUMNS]
    half = np.logical_or.reduce(given) & ~np.logical_and.reduce(given)
    return listed(
        Rule.BASELINE,
        half,
        where=lambda i: f'job "{rows["job_id"][i].as_py()}"',
        found=lambda _: "some baseline columns",
        expected=lambda _: "all of them or none",
    )
