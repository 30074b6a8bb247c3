"""Tables of a report that come from the plan itself: jobs and provenance."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from outputs.comparison import NO_TEAM
from outputs.plan import PLANNED
from outputs.report.data import Report
from outputs.sheets import BASELINE, Sheet
from outputs.unplaced import counted_reasons, unplaced_rows
from outputs.wording import (
    NOTHING,
    amount,
    amounts,
    count,
    counted,
    duration,
    moment,
    seconds,
)

MOST_MOVED = 10

_MOVE_COLUMNS = (
    *("job_id", "team", "baseline_region", "baseline_start", "region", "start"),
)
_MOVE_DETAILS = ("status", "segment", "emissions_kg", "baseline_emissions_kg")


def unplaced_sheets(report: Report) -> list[Sheet]:
    """Reasons with their counts, then the jobs; empty if every job has a place."""
    rows = unplaced_rows(report.plan.rows)
    if not rows.num_rows:
        return []
    most = report.most_listed
    reasons = counted_reasons(rows)
    listed = rows.slice(0, most).select(["job_id", "team", "reason"]).to_pylist()
    return [
        Sheet(
            columns=("reason", "jobs"),
            rows=tuple((reason, count(n)) for reason, n in reasons[:most]),
            notes=_more(len(reasons) - most, "reason"),
        ),
        Sheet(
            columns=("job", "team", "reason"),
            rows=tuple(
                (job["job_id"], job["team"] or NO_TEAM, job["reason"] or NOTHING)
                for job in listed
            ),
            text_columns=frozenset({0, 1, 2}),
            notes=_more(rows.num_rows - most, "unplaced job"),
        ),
    ]


def moved_jobs(report: Report) -> list[dict[str, Any]]:
    """The jobs whose move avoids the most, most first, each with both places."""
    rows = report.plan.rows.select([*_MOVE_COLUMNS, *_MOVE_DETAILS])
    rows = rows.filter(
        pc.and_(pc.equal(rows["status"], PLANNED), pc.is_valid(rows["baseline_start"]))
    )
    if not rows.num_rows:
        return []
    before = pc.fill_null(rows["baseline_emissions_kg"], 0.0)
    planned = _by_job(rows)
    avoided = pc.subtract(before, planned)
    first = pc.equal(rows["segment"], 0)
    rows = rows.append_column("planned_kg", planned)
    rows = rows.append_column("avoided_kg", avoided)
    rows = rows.filter(pc.and_(first, pc.greater(avoided, 0.0)))
    keys = [("avoided_kg", "descending"), ("job_id", "ascending")]
    chosen = pc.select_k_unstable(
        rows, k=min(MOST_MOVED, rows.num_rows), sort_keys=keys
    )
    kg = ("baseline_emissions_kg", "planned_kg", "avoided_kg")
    found: list[dict[str, Any]] = (
        rows.take(chosen).select([*_MOVE_COLUMNS, *kg]).to_pylist()
    )
    return found


def moved_sheet(report: Report) -> Sheet | None:
    """``moved_jobs`` as a table; None if there are none."""
    jobs = moved_jobs(report)
    if not jobs:
        return None
    zone = report.meta.timezone
    kg = amounts([job["avoided_kg"] for job in jobs])
    return Sheet(
        columns=("job", "team", BASELINE, "planned", "kg avoided"),
        rows=tuple(
            (
                job["job_id"],
                job["team"] or NO_TEAM,
                f"{job['baseline_region']}, {moment(job['baseline_start'], zone)}",
                f"{job['region']}, {moment(job['start'], zone)}",
                kg[i],
            )
            for i, job in enumerate(jobs)
        ),
        text_columns=frozenset({0, 1, 2, 3}),
    )


def forecasts_sheet(report: Report) -> Sheet:
    """Which forecast was trusted for each series and region, and how good it is."""
    zone = report.meta.timezone
    return Sheet(
        columns=(
            *("series", "region", "provider", "signal", "issued", "age"),
            *("filled slots", "degraded", "notes"),
        ),
        rows=tuple(
            (
                *(used.series, used.region, used.provider, used.signal or NOTHING),
                moment(used.issued_at, zone),
                duration(used.age_s),
                count(used.filled_slots),
                "yes" if used.degraded else "no",
                " ".join(used.notes) or NOTHING,
            )
            for used in report.meta.forecasts
        ),
        text_columns=frozenset({0, 1, 2, 3, 4, 7, 8}),
        strong=frozenset(
            i for i, used in enumerate(report.meta.forecasts) if used.degraded
        ),
    )


def provenance_sheet(report: Report) -> Sheet:
    """What made the plan, and from what."""
    meta = report.meta
    versions = ", ".join(f"{k} {v}" for k, v in sorted(meta.solver_versions.items()))
    stages = ", ".join(f"{k} {seconds(v)} s" for k, v in meta.seconds.items())
    facts = {
        "plan": f"{meta.plan_id}, serial {meta.serial}",
        "digest": meta.digest or "not written yet",
        "status": meta.status,
        "solver": f"{meta.solver}, seed {meta.seed}",
        "versions": ", ".join(
            t for t in (f"planner {meta.planner_version}", versions) if t
        ),
        "objective, bound": f"{amount(meta.objective, 6)}, {amount(meta.bound, 6)}",
        "horizon": f"{moment(meta.horizon_start, meta.timezone)} to "
        f"{moment(meta.horizon_end, meta.timezone)}, {meta.timezone}, "
        f"slots of {meta.slot_minutes} min",
        "made": moment(meta.created_at, meta.timezone),
        "seconds": stages or NOTHING,
        "running from before": meta.carry_over or "nothing",
    }
    return Sheet(
        columns=("what", "value"),
        rows=tuple(facts.items()),
        text_columns=frozenset({0, 1}),
    )


def inputs_sheet(report: Report) -> Sheet:
    """The files that the plan was made from."""
    return Sheet(
        columns=("input", "sha256"),
        rows=tuple((file.path, file.sha256) for file in report.meta.inputs),
        text_columns=frozenset({0, 1}),
    )


def _by_job(rows: pa.Table) -> pa.ChunkedArray:
    """Emissions of a row's whole job, which may have several segments."""
    if not pc.any(pc.greater(rows["segment"], 0)).as_py():
        return rows["emissions_kg"]
    sums = rows.group_by("job_id").aggregate([("emissions_kg", "sum")])
    places = pc.index_in(rows["job_id"], sums["job_id"].combine_chunks())
    return sums["emissions_kg_sum"].take(places)


def _more(left_out: int, noun: str) -> tuple[str, ...]:
    return (f"{counted(left_out, f'more {noun}')} not listed.",) if left_out > 0 else ()
