"""What the metadata say of the whole plan: totals, proof, status, horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inputs.jobs import NO_INSTANT
from outputs.check.instance import G_PER_KG, TOLERANCE, US_PER_HOUR, Instance
from outputs.check.plannable import plannable
from outputs.check.replay import Placement, Shares, Usage
from outputs.check.violation import Rule, Violation, shortened
from outputs.plan import PlanMeta

PINNED = 1000.0
"""Weight of a job with a pinned start among those that want a place."""

_TINY = 1e-9
"""Absolute difference below which two totals always agree: rounding of sums."""

_GAP_NOISE = 1e-8
"""Relative gap that the float64 of solvers cannot tell from none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum, and the sum of its parts' sizes, which sets what rounding may do."""

    value: float
    scale: float


def horizon_violations(meta: PlanMeta, instance: Instance) -> list[Violation]:
    """Fields of time that are not those of the inputs."""
    grid = instance.grid
    pairs = (
        ("date", meta.date, grid.date),
        ("timezone", meta.timezone, grid.timezone),
        ("horizon_start", meta.horizon_start, grid.start),
        ("horizon_end", meta.horizon_end, grid.end),
        ("slot_minutes", meta.slot_minutes * 60_000_000, grid.step_us),
    )
    return [
        Violation(rule=Rule.HORIZON, where=key, found=str(is_), expected=str(should))
        for key, is_, should in pairs
        if is_ != should
    ]


def total_violations(
    meta: PlanMeta,
    instance: Instance,
    placed: Placement,
    expected: Shares,
    before: Usage,
) -> list[Violation]:
    """Totals, objective, bound, gap and status that do not follow."""
    unplaced = len(instance.jobs) - len(placed.job)
    emissions = total_emissions(instance, placed, expected)
    violations = []
    if meta.unplaced != unplaced:
        violations.append(_violation(Rule.UNPLACED, meta.unplaced, unplaced))
    if not agree(meta.emissions_kg, emissions):
        violations.append(
            _violation(Rule.TOTAL_EMISSIONS, meta.emissions_kg, emissions.value)
        )
    objective = _objective(meta, instance, placed, expected, before)
    violations += _objective_violations(meta, objective)
    scale = max(abs(meta.objective or 0.0), objective.scale if objective else 0.0)
    violations += _proof_violations(meta, scale)
    return violations + _status_violations(meta, len(placed.job), unplaced)


def total_emissions(instance: Instance, placed: Placement, expected: Shares) -> Total:
    """Grid energy at its intensity, and transfers. [kg CO₂e]"""
    from_grid = (expected.region_grid_kwh * instance.g_per_kwh).sum() / G_PER_KG
    moved = instance.transfer_kwh(placed.job, placed.region)
    intensity = instance.at_home(instance.g_per_kwh, placed.job)
    total = float(from_grid + (moved * intensity).sum() / G_PER_KG)
    return Total(value=total, scale=abs(total))


def agree(found: float, expected: Total) -> bool:
    """Whether a stated total is what follows, within rounding."""
    return abs(found - expected.value) <= TOLERANCE * expected.scale + _TINY


def _objective(
    meta: PlanMeta,
    instance: Instance,
    placed: Placement,
    expected: Shares,
    before: Usage,
) -> Total | None:
    """Objective of the rows; None if the price of an unplaced job is not known."""
    settings = instance.settings.objective
    weight = instance.weight_per_kwh
    energy = expected.region_grid_kwh * weight
    moved = instance.transfer_kwh(placed.job, placed.region)
    transfer = moved * instance.at_home(weight, placed.job)
    waited_us = placed.start_us - instance.earliest_us[placed.job]
    delay = settings.delay_per_hour * waited_us / US_PER_HOUR
    parts = [energy, transfer, delay]
    waiting = np.setdiff1d(np.arange(len(instance.jobs)), placed.job)
    left_out = waiting[plannable(instance, waiting, before)]
    if len(left_out):
        price = _unplaced_price(meta, settings.unplaced)
        if price is None:
            return None
        pinned = instance.jobs.pin_start_us[left_out] != NO_INSTANT
        weight = instance.jobs.weight[left_out] * np.where(pinned, PINNED, 1.0)
        parts.append(price * weight)
    return Total(
        value=float(sum(part.sum() for part in parts)),
        scale=float(sum(np.abs(part).sum() for part in parts)),
    )


def _unplaced_price(meta: PlanMeta, setting: float | str) -> float | None:
    """Weight of leaving out a job of weight 1; with "auto", what the plan used."""
    used = setting if setting != "auto" else meta.settings.get("unplaced_per_weight")
    if isinstance(used, bool) or not isinstance(used, int | float):
        return None
    return float(used)


def _objective_violations(meta: PlanMeta, expected: Total | None) -> list[Violation]:
    if expected is None:
        return [
            Violation(
                rule=Rule.OBJECTIVE,
                where="settings.unplaced_per_weight",
                found=shortened(meta.settings.get("unplaced_per_weight")),
                expected="the weight of an unplaced job, as it was used",
            )
        ]
    if meta.objective is None or not agree(meta.objective, expected):
        return [_violation(Rule.OBJECTIVE, meta.objective, expected.value)]
    return []


def _proof_violations(meta: PlanMeta, scale: float) -> list[Violation]:
    objective, bound = meta.objective, meta.bound
    if bound is None:
        return [] if meta.gap is None else [_violation(Rule.GAP, meta.gap, None)]
    if objective is None:
        return [_violation(Rule.BOUND, bound, "none without an objective")]
    violations = []
    if bound > objective + TOLERANCE * scale + _TINY:
        violations.append(_violation(Rule.BOUND, bound, f"at most {objective:.9g}"))
    if objective == bound:
        gap: float | None = 0.0
    else:
        gap = (objective - bound) / abs(objective) if objective else None
    if (gap is None) != (meta.gap is None) or (
        gap is not None
        and meta.gap is not None
        and abs(gap - meta.gap) > TOLERANCE * abs(gap) + _TINY
    ):
        violations.append(_violation(Rule.GAP, meta.gap, gap))
    return violations


def _status_violations(meta: PlanMeta, placed: int, unplaced: int) -> list[Violation]:
    wrong = None
    match meta.status:
        case "optimal":
            wrong = _unproven(meta)
        case "feasible" if unplaced:
            wrong = "partial"
        case "partial" if not unplaced:
            wrong = "feasible"
        case "infeasible" if placed or not unplaced:
            wrong = "a status of a plan with jobs in it"
        case "feasible" | "partial" | "infeasible":
            pass
        case _:
            wrong = "optimal, feasible, partial or infeasible"
    return [] if wrong is None else [_violation(Rule.STATUS, meta.status, wrong)]


def _unproven(meta: PlanMeta) -> str | None:
    """What a plan may call itself whose gap is not what was asked for."""
    asked = meta.settings.get("gap")
    if meta.gap is None:
        return "a status without proof"
    if isinstance(asked, float) and meta.gap > max(asked, _GAP_NOISE) + _TINY:
        return f"feasible or partial: the gap asked for is {asked:.9g}"
    return None


def _violation(rule: Rule, found: object, expected: object) -> Violation:
    return Violation(
        rule=rule,
        where="metadata",
        found=shortened(found),
        expected=shortened(expected),
    )
