"""A report as JSON; docs/report.md lists every key."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from outputs.charts.delays import delays
from outputs.comparison import Comparison, FloatArray, PolicyDay
from outputs.limit_costs import costs_document
from outputs.report.data import Report, notices, plan_savings
from outputs.report.sections import moved_jobs
from outputs.savings import Saving, SideBySide, by_region, by_team
from outputs.sheets import limit_series
from outputs.unplaced import counted_reasons, unplaced_rows

SCHEMA = 1
"""Raised when a key changes its meaning or goes; new keys do not raise it."""

_SERIES_DECIMALS = 4


def json_report(report: Report) -> str:
    """The whole report; lists of figures stand on one line each."""
    return _written(document(report)) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report as plain values: no NaN, no infinity, instants in UTC."""
    comparison = report.comparison
    return {
        "schema": SCHEMA,
        "plan": _plain(asdict(report.meta)),
        **_compared(comparison),
        "unplaced": _unplaced(report),
        "moved": _plain(moved_jobs(report)),
        "delays": _delays(comparison),
        "limits": _limits(comparison),
        "limit_prices": _plain(costs_document(comparison)),
        "notices": notices(report),
        "assumptions": list(report.all_assumptions()),
        "series": _series(comparison),
        **({} if report.evidence is None else {"outcome": report.evidence.meta}),
    }


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """What ``planner compare --json`` prints: the report's keys of the same names."""
    grid = comparison.grid
    return {
        "schema": SCHEMA,
        "date": _plain(grid.date),
        "timezone": grid.timezone,
        **_compared(comparison),
    }


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "plan_policy": comparison.plan_name,
        "jobs": comparison.n_jobs,
        "policies": [_policy(policy) for policy in comparison.policies],
        "savings": [_saving(found) for found in plan_savings(comparison)],
        "by_region": _split(comparison, by_region),
        "by_team": _split(comparison, by_team),
    }


def _policy(policy: PolicyDay) -> dict[str, Any]:
    return {
        "name": policy.name,
        "emissions_kg": policy.emissions_kg,
        "grid_kwh": policy.grid_kwh,
        "solar_kwh": policy.solar_kwh,
        "energy_cost": policy.energy_cost,
        "placed": policy.placed,
        "unplaced": policy.unplaced,
        "gap": policy.gap,
        "seconds": policy.seconds,
    }


def _saving(found: Saving) -> dict[str, Any]:
    fraction = found.fraction
    return {
        "plan": found.plan,
        "baseline": found.baseline,
        "planned_saving_percent": None if fraction is None else 100 * fraction,
        "avoided_kg": found.avoided_kg,
        "plan_kg": found.plan_kg,
        "baseline_kg": found.baseline_kg,
        "jobs": found.jobs,
        "jobs_left_out": found.left_out,
        "note": found.note,
    }


def _split(
    comparison: Comparison, split: Callable[[Comparison, str, str], SideBySide]
) -> dict[str, Any] | None:
    left, right = "greedy", comparison.plan_name
    if comparison.find(left) is None or left == right:
        return None
    sides = split(comparison, left, right)
    return {
        "left": sides.left,
        "right": sides.right,
        "jobs_left_out": sides.saving.left_out,
        "rows": [
            {
                "name": row.name,
                "left": asdict(row.left),
                "right": asdict(row.right),
                "avoided_kg": row.avoided_kg,
            }
            for row in sides.rows
        ],
    }


def _unplaced(report: Report) -> dict[str, Any]:
    rows = unplaced_rows(report.plan.rows)
    listed = rows.slice(0, report.most_listed)
    return {
        "count": rows.num_rows,
        "reasons": [{"reason": r, "jobs": n} for r, n in counted_reasons(rows)],
        "jobs": listed.select(["job_id", "team", "reason"]).to_pylist(),
        "jobs_not_listed": rows.num_rows - listed.num_rows,
    }


def _delays(comparison: Comparison) -> dict[str, Any]:
    found = delays(comparison)
    return {
        "edges_h": found.edges_h.tolist(),
        "jobs": {name: jobs.tolist() for name, jobs in found.jobs.items()},
    }


def _limits(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "region": region,
            "limit": limit.removesuffix(" kW"),
            "peak_used": float(used.max()),
            "used": _rounded(used),
            "free": _rounded(free),
        }
        for limit, region, used, free in limit_series(comparison, comparison.plan)
    ]


def _series(comparison: Comparison) -> dict[str, Any]:
    """Slot by slot: what was known of a region, and what each policy does there."""
    regions = {}
    for r, region in enumerate(comparison.regions):
        regions[region] = {
            "g_per_kwh": _rounded(comparison.g_per_kwh[r]),
            "solar_kw": _rounded(comparison.solar_kw[r]),
            "power_cap_kw": _rounded(comparison.power_cap_kw[r]),
            "load_kw": {p.name: _rounded(p.load_kw[r]) for p in comparison.policies},
            "grid_kw": {p.name: _rounded(p.grid_kw[r]) for p in comparison.policies},
        }
    grid = comparison.grid
    return {
        "start": _plain(grid.start),
        "slot_minutes": grid.slot_hours * 60,
        "slots": grid.n_slots,
        "regions": regions,
    }


def _rounded(values: FloatArray) -> list[float | None] | None:
    if not np.isfinite(values).any():
        return None
    rounded = np.round(values, _SERIES_DECIMALS).tolist()
    return [v if math.isfinite(v) else None for v in rounded]


def _plain(value: Any) -> Any:
    """Values that JSON knows; instants as ISO 8601 in UTC."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _written(value: Any, indent: str = "") -> str:
    """JSON text, one key a line; a list of plain figures or words stays on one."""
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{_json(k)}: {_written(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        lines = [f"{inner}{_written(v, inner)}" for v in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
