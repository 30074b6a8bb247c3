"""Tables as rows of text, shared by the terminal, Markdown and HTML.

Cells hold plain text; each renderer escapes it in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from outputs.comparison import Comparison, FloatArray, PolicyDay
from outputs.savings import Saving, Share, SharePair, SideBySide, saving
from outputs.wording import (
    NOTHING,
    amount,
    amounts,
    count,
    counted,
    decimals,
    percent,
    seconds,
)

BASELINE = "asap"
FULL = 0.995
"""Used share of a limit from which a slot counts as full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A small table.

    Parameters
    ----------
    title
        What it shows; empty where a heading says it already.
    columns
        Headings.
    rows
        Cells of each row, as many as there are columns.
    text_columns
        Indices of columns that hold words and are aligned to the left.
    strong
        Indices of rows to emphasise.
    notes
        Sentences to stand below.
    """

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: frozenset[int] = frozenset({0})
    strong: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


def policies_sheet(comparison: Comparison, *, detailed: bool = False) -> Sheet:
    """The main result: every policy on one line.

    Parameters
    ----------
    detailed
        Whether to add energy by origin and, if known, its cost.
    """
    policies = comparison.policies
    savings = [_against_baseline(comparison, policy) for policy in policies]
    columns = {
        "policy": [policy.name for policy in policies],
        "kg CO₂e": amounts([policy.emissions_kg for policy in policies]),
        f"planned saving against {BASELINE}": [_starred(s) for s in savings],
    }
    if detailed:
        columns["grid kWh"] = amounts([policy.grid_kwh for policy in policies], 1)
        columns["solar kWh"] = amounts([policy.solar_kwh for policy in policies], 1)
        if any(policy.energy_cost is not None for policy in policies):
            columns["cost"] = amounts([policy.energy_cost for policy in policies])
    columns["unplaced"] = [count(policy.unplaced) for policy in policies]
    columns["seconds"] = [seconds(policy.seconds) for policy in policies]
    columns["gap"] = [percent(policy.gap) for policy in policies]
    return Sheet(
        columns=tuple(columns),
        rows=tuple(zip(*columns.values(), strict=True)),
        strong=frozenset(
            i for i, p in enumerate(policies) if p.name == comparison.plan_name
        ),
        notes=tuple(f"* {s.note}." for s in savings if s is not None and s.note),
    )


def side_sheet(sides: SideBySide, *, most: int = 30, detailed: bool = False) -> Sheet:
    """Two policies by region or team; what passes ``most`` rows is summed up.

    The rows with the most emissions are kept, in their own order.

    Parameters
    ----------
    sides
        The comparison, already split.
    most
        Most rows besides the sum.
    detailed
        Whether to add energy.
    """
    rows, rest = _largest(sides.rows, most)
    if rest:
        rows = [*rows, _summed(f"({counted(len(rest), 'other')})", rest)]
    whole = _summed("all", sides.rows)
    lines = [*rows, whole]
    lefts, rights = [p.left for p in lines], [p.right for p in lines]
    n = len(lines)
    # The sum would leave no decimals to its parts.
    parts = [s.emissions_kg for s in [*lefts[:-1], *rights[:-1]]]
    places = min(decimals(parts), 2)
    kg = [amount(share.emissions_kg, places) for share in [*lefts, *rights]]
    kwh = amounts([share.energy_kwh for share in [*lefts, *rights]], 1)
    columns: dict[str, list[str]] = {sides.kind: [p.name for p in lines]}
    if sides.kind == "region":
        columns[f"jobs {sides.left}"] = [count(share.jobs) for share in lefts]
        columns[f"jobs {sides.right}"] = [count(share.jobs) for share in rights]
    else:
        columns["jobs"] = [count(share.jobs) for share in lefts]
    if detailed:
        columns[f"kWh {sides.left}"], columns[f"kWh {sides.right}"] = kwh[:n], kwh[n:]
    columns[f"kg {sides.left}"], columns[f"kg {sides.right}"] = kg[:n], kg[n:]
    columns["kg avoided"] = [amount(pair.avoided_kg, places) for pair in lines]
    columns["planned saving"] = [percent(_fraction(pair)) for pair in lines]
    note = sides.saving.note
    return Sheet(
        columns=tuple(columns),
        rows=tuple(zip(*columns.values(), strict=True)),
        strong=frozenset({n - 1}),
        notes=(f"{note[0].upper()}{note[1:]}.",) if note else (),
    )


def limits_sheet(comparison: Comparison, policy: PolicyDay, *, most: int = 40) -> Sheet:
    """How full each limit of each region becomes under one policy, fullest first."""
    lines = []
    for limit, region, used, free in limit_series(comparison, policy):
        bounded = free > 0
        share = np.divide(used, free, out=np.zeros_like(used), where=bounded)
        slot = int(share.argmax())
        full_h = float((share >= FULL).sum()) * comparison.grid.slot_hours
        lines.append((share[slot], region, limit, used[slot], free[slot], full_h))
    lines.sort(key=lambda line: -line[0])
    left_out = len(lines) - most
    return Sheet(
        columns=("region", "limit", "at most", "of", "full", "hours full"),
        rows=tuple(
            (region, limit, amount(used, 1), amount(free, 1), percent(share), f"{h:g}")
            for share, region, limit, used, free, h in lines[:most]
        ),
        text_columns=frozenset({0, 1}),
        notes=(f"{counted(left_out, 'limit')} less full not listed.",)
        if left_out > 0
        else (),
    )


def limit_series(
    comparison: Comparison, policy: PolicyDay
) -> Iterable[tuple[str, str, FloatArray, FloatArray]]:
    """Name, region, use and free amount of each limit that a region really has."""
    for r, region in enumerate(comparison.regions):
        cap = comparison.power_cap_kw[r]
        if np.isfinite(cap).any():
            yield "power kW", region, policy.load_kw[r], cap
        for k, resource in enumerate(comparison.resources):
            free = comparison.capacity[k, r]
            if resource != "power_kw" and np.isfinite(free).all() and free.any():
                yield resource, region, policy.usage[k, r], free


def _against_baseline(comparison: Comparison, policy: PolicyDay) -> Saving | None:
    if policy.name == BASELINE or comparison.find(BASELINE) is None:
        return None
    return saving(comparison, policy.name, baseline=BASELINE)


def _starred(found: Saving | None) -> str:
    if found is None:
        return NOTHING
    return ("* " if found.note else "") + percent(found.fraction)


def _largest(
    rows: tuple[SharePair, ...], most: int
) -> tuple[list[SharePair], list[SharePair]]:
    ranked = sorted(
        range(len(rows)),
        key=lambda i: -max(rows[i].left.emissions_kg, rows[i].right.emissions_kg),
    )
    kept = set(ranked[:most])
    return (
        [row for i, row in enumerate(rows) if i in kept],
        [row for i, row in enumerate(rows) if i not in kept],
    )


def _summed(name: str, pairs: Iterable[SharePair]) -> SharePair:
    pairs = list(pairs)

    def total(shares: list[Share]) -> Share:
        return Share(
            jobs=sum(share.jobs for share in shares),
            energy_kwh=sum(share.energy_kwh for share in shares),
            emissions_kg=sum(share.emissions_kg for share in shares),
        )

    return SharePair(
        name=name,
        left=total([pair.left for pair in pairs]),
        right=total([pair.right for pair in pairs]),
    )


def _fraction(pair: SharePair) -> float | None:
    before = pair.left.emissions_kg
    return pair.avoided_kg / before if before > 0 else None
