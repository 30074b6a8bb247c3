"""How much of each budget a plan takes.

Known so far: the solar budget of a region per local day. Budgets of teams are not
planned with yet, so nothing can be said about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow.compute as pc

from outputs.plan import Plan
from planner.operations.incidents import Incident, Level, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """Planned use of one budget over a plan's horizon.

    Parameters
    ----------
    region
        Whose.
    used_kwh, limit_kwh
        Solar energy that the plan draws, and may draw on all its days. [kWh]
    """

    region: str
    used_kwh: float
    limit_kwh: float

    @property
    def share(self) -> float:
        """Part of the budget that is planned; 1 for a budget of nothing."""
        return self.used_kwh / self.limit_kwh if self.limit_kwh > 0 else 1.0


def solar_budgets(plan: Plan, limits_kwh: Mapping[str, float]) -> tuple[BudgetUse, ...]:
    """Use of every solar budget, in the order of the regions.

    Parameters
    ----------
    plan
        Rows with their solar energy.
    limits_kwh
        Budget per local day of each region that has one. [kWh]
    """
    if not limits_kwh:
        return ()
    meta = plan.meta
    # a local day has 23 to 25 hours
    days = max(1, round((meta.horizon_end - meta.horizon_start) / timedelta(days=1)))
    groups = plan.rows.group_by("region").aggregate([("solar_kwh", "sum")])
    groups = groups.filter(pc.is_valid(groups["region"]))
    used = dict(
        zip(
            groups["region"].to_pylist(),
            groups["solar_kwh_sum"].to_pylist(),
            strict=True,
        )
    )
    return tuple(
        BudgetUse(
            region=region, used_kwh=used.get(region) or 0.0, limit_kwh=limit * days
        )
        for region, limit in limits_kwh.items()
    )


def nearly_spent(
    uses: tuple[BudgetUse, ...], *, at: datetime, plan_id: str
) -> Iterator[Incident]:
    """One incident for each budget; who is told, from which share on, is their own."""
    for use in uses:
        yield Incident(
            code="budget-use",
            level=Level.INFO,
            message=(
                f"solar budget of {use.region}: {use.used_kwh:.1f} of "
                f"{use.limit_kwh:.1f} kWh planned ({use.share:.0%})"
            ),
            at=at,
            trouble=Trouble.BUDGET,
            subject=f"{plan_id}:{use.region}",
            facts={
                "plan_id": plan_id,
                "region": use.region,
                "used_kwh": use.used_kwh,
                "limit_kwh": use.limit_kwh,
                "share": use.share,
            },
        )
