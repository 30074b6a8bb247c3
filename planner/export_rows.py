"""Rows of a plan as the dispatches that the executor would make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from outputs.errors import PlanFormatError
from outputs.plan import PLANNED, Plan
from planner.executor.incoming import DEFAULT_EXECUTOR
from planner.executor.instants import from_us, to_us
from planner.executor.keys import dispatch_key
from planner.executor.records import Dispatch
from planner.executor.rules import GRACE_US
from planner.executor.specs import digest_of, rules_of
from planner.executor.states import State


def rows_of(plan: Plan, region: str | None) -> list[dict[str, Any]]:
    """All rows, or those of one region.

    Raises
    ------
    PlanFormatError
        If nothing is planned in that region.
    """
    table = plan.rows
    if region is None:
        return list(table.to_pylist())
    known = pc.unique(plan.rows["region"].drop_null()).to_pylist()
    if region not in known:
        raise PlanFormatError(
            f'plan {plan.meta.plan_id} has nothing in region "{region}"; its regions: '
            f"{', '.join(sorted(known)) or 'none'}"
        )
    return list(table.filter(pc.equal(table["region"], region)).to_pylist())


def why_unplaced(row: Mapping[str, Any]) -> str:
    """Reason of a row without a place."""
    return f"unplaced: {row['reason'] or 'no reason given'}"


def dispatches(
    plan: Plan, rows: list[dict[str, Any]], site: str
) -> Iterator[tuple[Dispatch, str]]:
    """What the executor would enter into its ledger for each placed row.

    Raises
    ------
    PlanFormatError
        If a row is there twice or cannot be meant.
    """
    seen = set[tuple[str, int]]()
    for row in rows:
        if row["status"] != PLANNED:
            continue
        job_id, segment = row["job_id"], row["segment"]
        if (job_id, segment) in seen or None in (
            row["region"],
            row["start"],
            row["end"],
        ):
            raise PlanFormatError(
                f"plan {plan.meta.plan_id}: segment {segment} of job {job_id} stands "
                "there twice or has no region or time"
            )
        seen.add((job_id, segment))
        yield _dispatch(plan, row, site), row["spec"]


def _dispatch(plan: Plan, row: Mapping[str, Any], site: str) -> Dispatch:
    job_id, segment, day = row["job_id"], row["segment"], plan.meta.date
    try:
        rules = rules_of(row["spec"])
    except ValueError as error:
        raise PlanFormatError(
            f"plan {plan.meta.plan_id}: spec of job {job_id}: {error}"
        ) from error
    deadline_us = rules.deadline_us
    return Dispatch(
        key=dispatch_key(site=site, day=day, job_id=job_id, segment=segment, attempt=1),
        date=day.isoformat(),
        job_id=job_id,
        segment=segment,
        attempt=1,
        plan_id=plan.meta.plan_id,
        region=row["region"],
        executor=row["executor"] or DEFAULT_EXECUTOR,
        replicas=row["replicas"] or 1,
        power_kw=row["power_kw"] or 0.0,
        start_us=to_us(row["start"]),
        end_us=to_us(row["end"]),
        due_us=to_us(row["start"]),
        deadline_us=to_us(plan.meta.horizon_end)
        if deadline_us is None
        else deadline_us,
        on_missed=rules.on_missed,
        retries=rules.retries,
        spec_digest=digest_of(row["spec"]),
        state=State.PLANNED,
        changed_us=0,
    )


def latest_start(dispatch: Dispatch) -> datetime:
    """Until when the executor would begin it: punctual, or late within its rule."""
    punctual_us = dispatch.start_us + GRACE_US
    if dispatch.on_missed == "skip":
        return from_us(punctual_us)
    return from_us(max(punctual_us, dispatch.deadline_us - dispatch.duration_us))
