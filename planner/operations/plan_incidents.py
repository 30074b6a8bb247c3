"""What people or programs should know of a plan that was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from planner.operations.incidents import Incident, Level, Trouble

if TYPE_CHECKING:
    from outputs.plan import PlanMeta

SPELT_OUT = 100
"""Jobs of one kind of trouble that are named one by one."""


def of_plan(
    meta: PlanMeta,
    *,
    at: datetime,
    left_out: int = 0,
    unplaced: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Incident]:
    """Shortfalls of a plan that was written.

    Parameters
    ----------
    meta
        Provenance of the plan.
    at
        When it was written.
    left_out
        Number of manifests that could not be used.
    unplaced
        Reason for each job without a place.
    """
    about = {"plan_id": meta.plan_id, "date": meta.date.isoformat()}
    tell = partial(Incident, at=at, level=Level.WARNING, subject=meta.plan_id)
    yield tell(
        code=f"plan-{meta.status}",
        level=Level.INFO,
        message=f"plan {meta.plan_id} of {meta.date} by {meta.solver}: {meta.status}",
        facts={**about, "gap": meta.gap, "emissions_kg": meta.emissions_kg},
    )
    if meta.degraded:
        yield tell(
            code="plan-degraded",
            message=f"plan {meta.plan_id} of {meta.date} is degraded: {_why(meta)}",
            trouble=Trouble.DEGRADED,
            facts=about,
        )
    if left_out:
        yield tell(
            code="manifest-left-out",
            message=f"manifests left out: {left_out}",
            facts={**about, "manifests": left_out},
        )
    yield from _forecasts(meta, at=at, about=about)
    for warning in meta.warnings:
        yield tell(code="plan-warning", message=warning, facts=about)
    yield from _unplaced(meta, unplaced, at=at, about=about)


def _why(meta: PlanMeta) -> str:
    weak = [
        f"{use.series} of {use.region} from {use.provider}"
        for use in meta.forecasts
        if use.degraded
    ]
    return "; ".join([*weak, *meta.warnings][:3]) or "see its warnings"


def _forecasts(
    meta: PlanMeta, *, at: datetime, about: Mapping[str, object]
) -> Iterator[Incident]:
    for use in meta.forecasts:
        if use.degraded:
            yield Incident(
                code="forecast-degraded",
                level=Level.WARNING,
                message=(
                    f"{use.series} of {use.region} comes from {use.provider}"
                    + (f": {use.notes[0]}" if use.notes else "")
                ),
                at=at,
                subject=f"{meta.plan_id}:{use.series}:{use.region}",
                facts={
                    **about,
                    "series": use.series,
                    "region": use.region,
                    "provider": use.provider,
                    "filled_slots": use.filled_slots,
                },
            )


def _unplaced(
    meta: PlanMeta,
    unplaced: Mapping[str, str],
    *,
    at: datetime,
    about: Mapping[str, object],
) -> Iterator[Incident]:
    for job_id in list(unplaced)[:SPELT_OUT]:
        yield Incident(
            code="job-unplaced",
            level=Level.WARNING,
            message=f"{job_id} is unplaced: {unplaced[job_id]}",
            at=at,
            subject=f"{meta.plan_id}:{job_id}",
            facts={**about, "job_id": job_id},
        )
    if len(unplaced) > SPELT_OUT:
        yield Incident(
            code="jobs-unplaced",
            level=Level.WARNING,
            message=f"{len(unplaced):,} jobs are unplaced",
            at=at,
            subject=meta.plan_id,
            facts={**about, "jobs": len(unplaced)},
        )
