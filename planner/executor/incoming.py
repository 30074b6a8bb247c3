"""Rows of a plan on their way into the ledger, in a table that lives for that long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outputs.errors import PlanFormatError
from outputs.plan import PLANNED, Plan, PlanMeta
from planner.executor.dependencies import enter_dependencies
from planner.executor.errors import LedgerConstraintError
from planner.executor.instants import to_us
from planner.executor.keys import dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.specs import Rules, digest_of, rules_of

DEFAULT_EXECUTOR = "shell"

_INCOMING = """
create temporary table incoming (
    key text not null primary key, job_id text not null, segment integer not null,
    region text not null, executor text not null, replicas integer not null,
    power_kw double precision not null, start_us bigint not null,
    end_us bigint not null check (end_us > start_us),
    deadline_us bigint not null, on_missed text not null,
    retries integer not null, spec_digest text not null,
    unique (job_id, segment)
)
"""


@contextmanager
def brought_in(ledger: Ledger, plan: Plan) -> Iterator[None]:
    """A table ``incoming`` of the placed rows, one for each dispatch to be.

    Their specs, dependencies and peaks of power are entered for good.

    Raises
    ------
    PlanFormatError
        If a row cannot be meant.
    """
    # Dropped first, too: a transaction that failed took its own tables along,
    # but one that was only a part of a larger one did not.
    ledger.execute("drop table if exists incoming")
    ledger.execute(_INCOMING)
    _bring_in(ledger, plan)
    yield
    ledger.execute("drop table incoming")


def _bring_in(ledger: Ledger, plan: Plan) -> None:
    placed = _placed_rows(plan)
    specs = pc.dictionary_encode(placed["spec"]).combine_chunks()
    texts = specs.dictionary.to_pylist()
    ledger.execute_many(
        "insert into specs values (?, ?) on conflict do nothing",
        ((digest_of(text), text) for text in texts),
    )
    try:
        ledger.execute_many(
            f"insert into incoming values ({', '.join('?' * 13)})",
            _incoming(ledger.site, plan.meta, placed, specs.indices, texts),
        )
    except LedgerConstraintError as error:
        raise PlanFormatError(
            f"plan {plan.meta.plan_id} holds a job's segment twice or a row with "
            f"impossible values ({error})"
        ) from error
    enter_dependencies(
        ledger,
        plan.meta.plan_id,
        zip(placed["job_id"].to_pylist(), specs.indices.to_pylist(), strict=True),
        [_rules(text, plan.meta).depends_on for text in texts],
    )
    ledger.execute_many(
        "insert into region_power values (?, ?, ?)",
        ((plan.meta.plan_id, *peak) for peak in _peaks_kw(placed)),
    )


def _placed_rows(plan: Plan) -> pa.Table:
    placed = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))
    for name in ("region", "start", "end"):
        if placed[name].null_count:
            raise PlanFormatError(
                f"plan {plan.meta.plan_id}: a placed row has no {name}"
            )
    return placed


def _incoming(
    site: str,
    meta: PlanMeta,
    placed: pa.Table,
    spec_of_row: pa.Array,
    texts: list[str],
) -> Iterator[tuple[object, ...]]:
    rules = [_rules(text, meta) for text in texts]
    digests = [digest_of(text) for text in texts]
    end_us = to_us(meta.horizon_end)
    rows = zip(
        placed["job_id"].to_pylist(),
        placed["segment"].to_pylist(),
        placed["region"].to_pylist(),
        pc.fill_null(placed["executor"], DEFAULT_EXECUTOR).to_pylist(),
        pc.fill_null(placed["replicas"], 1).to_pylist(),
        pc.fill_null(placed["power_kw"], 0.0).to_pylist(),
        placed["start"].cast(pa.int64()).to_pylist(),
        placed["end"].cast(pa.int64()).to_pylist(),
        spec_of_row.to_pylist(),
        strict=True,
    )
    for job_id, segment, region, executor, replicas, power_kw, start, end, spec in rows:
        rule = rules[spec]
        key = dispatch_key(
            site=site, day=meta.date, job_id=job_id, segment=segment, attempt=1
        )
        deadline_us = end_us if rule.deadline_us is None else rule.deadline_us
        yield (
            *(key, job_id, segment, region, executor, replicas, power_kw, start, end),
            *(deadline_us, rule.on_missed, rule.retries, digests[spec]),
        )


def _rules(spec: str, meta: PlanMeta) -> Rules:
    try:
        return rules_of(spec)
    except ValueError as error:
        raise PlanFormatError(
            f"plan {meta.plan_id}: spec {json.dumps(spec[:80])}: {error}"
        ) from error


def _peaks_kw(placed: pa.Table) -> list[tuple[str, float]]:
    """Highest planned power of every region. [kW]"""
    regions = pc.dictionary_encode(placed["region"]).combine_chunks()
    region = regions.indices.to_numpy(zero_copy_only=False)
    power = pc.fill_null(placed["power_kw"], 0.0).to_numpy()
    start = placed["start"].cast(pa.int64()).to_numpy()
    end = placed["end"].cast(pa.int64()).to_numpy()
    peaks = []
    for index, name in enumerate(regions.dictionary.to_pylist()):
        mine = region == index
        times = np.concatenate([start[mine], end[mine]])
        steps = np.concatenate([power[mine], -power[mine]])
        # At equal instants what ends makes room for what begins.
        order = np.lexsort((steps, times))
        peaks.append((name, float(np.cumsum(steps[order]).max(initial=0.0))))
    return peaks
