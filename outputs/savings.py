"""Planned savings: what one policy would emit less than another, on equal terms.

A policy that leaves a job out emits less without being better. Two policies are
therefore compared on the jobs that both of them place, by those jobs' shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from outputs.comparison import BoolArray, Comparison, FloatArray, IntArray, PolicyDay
from outputs.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Planned emissions of a policy against a named baseline.

    Parameters
    ----------
    plan, baseline
        Names of the two policies.
    jobs
        Number of jobs that both place; only these are counted.
    left_out
        Number of jobs that just one of the two places.
    plan_kg, baseline_kg
        Planned emissions of the counted jobs. [kg CO₂e]
    """

    plan: str
    baseline: str
    jobs: int
    left_out: int
    plan_kg: float
    baseline_kg: float

    @property
    def avoided_kg(self) -> float:
        """Baseline minus plan; negative where the plan emits more. [kg CO₂e]"""
        return self.baseline_kg - self.plan_kg

    @property
    def fraction(self) -> float | None:
        """``avoided_kg`` relative to the baseline; None if that emits nothing."""
        return self.avoided_kg / self.baseline_kg if self.baseline_kg > 0 else None

    @property
    def note(self) -> str | None:
        """What a reader must know when the placed jobs differ, else None."""
        if not self.left_out:
            return None
        return (
            f"{self.plan} against {self.baseline}: counted on the "
            f"{counted(self.jobs, 'job')} that both place; "
            f"{counted(self.left_out, 'job')} placed by only one of them left out"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Part of a policy's day that falls to one region or team."""

    jobs: int
    energy_kwh: float
    emissions_kg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePair:
    """One region or team under two policies; only jobs that both place count."""

    name: str
    left: Share
    right: Share

    @property
    def avoided_kg(self) -> float:
        """Left minus right. [kg CO₂e]"""
        return self.left.emissions_kg - self.right.emissions_kg


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Two policies, split by region or by team.

    Parameters
    ----------
    kind
        What a row is.
    left, right
        Names of the policies.
    rows
        One for each region in the order of planner.toml, or each team that has
        jobs, alphabetically.
    saving
        The same comparison over all rows.
    """

    kind: Literal["region", "team"]
    left: str
    right: str
    rows: tuple[SharePair, ...]
    saving: Saving


def saving(comparison: Comparison, plan: str, *, baseline: str) -> Saving:
    """Planned saving of one policy against another.

    Raises
    ------
    KeyError
        If the comparison lacks one of the policies.
    """
    ours, theirs = comparison.policy(plan), comparison.policy(baseline)
    both = ours.is_placed & theirs.is_placed
    jobs = int(both.sum())
    left_out = ours.placed + theirs.placed - 2 * jobs
    return Saving(
        plan=plan,
        baseline=baseline,
        jobs=jobs,
        left_out=left_out,
        plan_kg=_counted_kg(ours, both, left_out),
        baseline_kg=_counted_kg(theirs, both, left_out),
    )


def by_region(comparison: Comparison, left: str, right: str) -> SideBySide:
    """Two policies side by side, split by the region where each runs a job.

    Transfer counts where the job runs. A job may stand in different rows of the
    two policies.
    """
    a, b = comparison.policy(left), comparison.policy(right)
    keys = (a.job_region, b.job_region)
    rows = _pairs(a, b, comparison.regions, keys)
    return _side_by_side(comparison, "region", left, right, rows)


def by_team(comparison: Comparison, left: str, right: str) -> SideBySide:
    """Two policies side by side, split by team."""
    a, b = comparison.policy(left), comparison.policy(right)
    keys = (comparison.job_team, comparison.job_team)
    rows = tuple(
        row
        for row in _pairs(a, b, comparison.teams, keys)
        if row.left.jobs or row.right.jobs
    )
    return _side_by_side(comparison, "team", left, right, rows)


def _side_by_side(
    comparison: Comparison,
    kind: Literal["region", "team"],
    left: str,
    right: str,
    rows: tuple[SharePair, ...],
) -> SideBySide:
    whole = saving(comparison, right, baseline=left)
    return SideBySide(kind=kind, left=left, right=right, rows=rows, saving=whole)


def _counted_kg(policy: PolicyDay, counted_jobs: BoolArray, left_out: int) -> float:
    # With nothing left out the total is the same sum, without its rounding.
    if not left_out:
        return policy.emissions_kg
    return float(policy.job_emissions_kg[counted_jobs].sum())


def _pairs(
    left: PolicyDay,
    right: PolicyDay,
    names: tuple[str, ...],
    keys: tuple[IntArray, IntArray],
) -> tuple[SharePair, ...]:
    both = left.is_placed & right.is_placed
    lefts = _shares(left, both, keys[0], len(names))
    rights = _shares(right, both, keys[1], len(names))
    return tuple(
        SharePair(name=name, left=a, right=b)
        for name, a, b in zip(names, lefts, rights, strict=True)
    )


def _shares(
    policy: PolicyDay, counted_jobs: BoolArray, key: IntArray, n_groups: int
) -> list[Share]:
    groups = key[counted_jobs]

    def total(column: FloatArray | None) -> FloatArray:
        weights = None if column is None else column[counted_jobs]
        sums = np.bincount(groups, weights=weights, minlength=n_groups)
        return sums.astype(np.float64)

    columns = (total(None), total(policy.job_energy_kwh))
    return [
        Share(jobs=int(n), energy_kwh=float(kwh), emissions_kg=float(kg))
        for n, kwh, kg in zip(*columns, total(policy.job_emissions_kg), strict=True)
    ]
