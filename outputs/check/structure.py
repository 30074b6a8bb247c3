"""Whether rows and jobs belong together: without that no number means anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.jobs import Jobs
from outputs.check.violation import Rule, Violation, listed
from outputs.errors import PlanFormatError
from outputs.plan import UNPLACED
from outputs.plan_layout import conform, is_sorted

if TYPE_CHECKING:
    from inputs.settings import Settings


def job_index(rows: pa.Table, jobs: Jobs) -> pa.Int32Array:
    """Index of each row's job, null where no manifest has it."""
    if "job_id" not in rows.schema.names:
        return pa.nulls(len(rows), pa.int32())
    return pc.index_in(rows["job_id"], jobs.ids).combine_chunks()


def structure_violations(
    rows: pa.Table, jobs: Jobs, settings: Settings, job: pa.Int32Array
) -> list[Violation]:
    """Every rule of layout, order, and identity that the rows break.

    Parameters
    ----------
    job
        Index of each row's job, null where it is unknown.
    """
    try:
        conform(rows)
    except PlanFormatError as fault:
        return [
            Violation(
                rule=Rule.LAYOUT, where="rows", found=str(fault), expected="the schema"
            )
        ]
    return [
        *_order(rows),
        *_jobs(rows, jobs, job),
        *_segments(rows),
        *_regions(rows, settings),
        *_reasons(rows),
    ]


def _order(rows: pa.Table) -> list[Violation]:
    if is_sorted(rows):
        return []
    return [
        Violation(
            rule=Rule.ORDER,
            where="rows",
            found="another order",
            expected="start, job id, segment; rows without a start last",
        )
    ]


def _jobs(rows: pa.Table, jobs: Jobs, index: pa.Int32Array) -> list[Violation]:
    ids = rows["job_id"]
    known = index.drop_null().to_numpy().astype(np.intp)
    count = np.bincount(known, minlength=len(jobs))

    def name(job: int) -> str:
        return f'job "{jobs.ids[job].as_py()}"'

    return [
        *listed(
            Rule.JOB_UNKNOWN,
            index.is_null().to_numpy(zero_copy_only=False),
            where=lambda i: f'job "{ids[i].as_py()}"',
            found=lambda _: "a row",
            expected=lambda _: "a job of the manifests",
        ),
        *listed(
            Rule.JOB_MISSING,
            count == 0,
            where=name,
            found=lambda _: "no row",
            expected=lambda _: "1 row",
        ),
        *listed(
            Rule.JOB_REPEATED,
            count > 1,
            where=name,
            found=lambda job: f"{count[job]} rows",
            expected=lambda _: "1 row",
        ),
    ]


def _segments(rows: pa.Table) -> list[Violation]:
    segment = rows["segment"].to_numpy()
    return listed(
        Rule.SEGMENT,
        segment != 0,
        where=lambda i: f'job "{rows["job_id"][i].as_py()}"',
        found=lambda i: segment[i],
        expected=lambda _: 0,
    )


def _regions(rows: pa.Table, settings: Settings) -> list[Violation]:
    names = pa.array([region.name for region in settings.regions], pa.string())
    return [
        *_unknown_names(Rule.REGION_UNKNOWN, rows, rows["region"], names),
        *_unknown_names(Rule.BASELINE, rows, rows["baseline_region"], names),
    ]


def _unknown_names(
    rule: Rule, rows: pa.Table, given: pa.ChunkedArray, names: pa.StringArray
) -> list[Violation]:
    unknown = pc.and_(given.is_valid(), pc.invert(pc.is_in(given, names)))
    return listed(
        rule,
        unknown.to_numpy(),
        where=lambda i: f'job "{rows["job_id"][i].as_py()}"',
        found=lambda i: f'region "{given[i].as_py()}"',
        expected=lambda _: "a region of the workspace",
    )


def _reasons(rows: pa.Table) -> list[Violation]:
    silent = pc.and_(
        pc.equal(rows["status"], UNPLACED),
        pc.equal(pc.fill_null(rows["reason"], ""), ""),
    )
    return listed(
        Rule.REASON,
        silent.to_numpy(),
        where=lambda i: f'job "{rows["job_id"][i].as_py()}"',
        found=lambda _: "no reason",
        expected=lambda _: "why the job is left out",
    )
