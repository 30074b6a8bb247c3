"""Taking a plan into the ledger: what was never sent follows the newest plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outputs.errors import PlanFormatError, StalePlanError
from outputs.plan import PLANNED, Plan, PlanMeta
from planner.executor.dependencies import enter_dependencies
from planner.executor.errors import LedgerConstraintError
from planner.executor.instants import to_us
from planner.executor.keys import dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.specs import Rules, digest_of, rules_of
from planner.executor.states import REPLANNABLE, State

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
_CHANGING = """
create temporary table changing (
    key text not null primary key, before_state text not null, stays integer not null
)
"""
_PLACED = (
    "region, executor, replicas, power_kw, start_us, end_us, deadline_us, on_missed, "
    "retries, spec_digest"
)
_NEVER_SENT = ", ".join(f"'{state}'" for state in sorted(REPLANNABLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What a newly seen plan changed: numbers of dispatches.

    Parameters
    ----------
    added
        New in the ledger.
    moved
        Not sent yet, now as the new plan has them.
    withdrawn
        Not sent yet and not in the new plan.
    """

    added: int = 0
    moved: int = 0
    withdrawn: int = 0


def adopt(ledger: Ledger, plan: Plan | PlanMeta, *, at_us: int, actor: str) -> Adoption:
    """Enter a plan's rows; in one transaction, and nothing if it was entered before.

    What was sent, or may have been, stays as it is. What surely never was is moved
    to where the new plan has it, or withdrawn if the new plan leaves it out.

    Parameters
    ----------
    plan
        The metadata are enough for one that was followed before.

    Raises
    ------
    StalePlanError
        If a newer plan of the date was followed before.
    PlanFormatError
        If a row cannot be meant, or the plan was never verified.
    """
    meta = plan.meta if isinstance(plan, Plan) else plan
    with ledger.transaction():
        if _known(ledger, meta):
            return Adoption()
        if not isinstance(plan, Plan):
            raise PlanFormatError(f"plan {meta.plan_id} has no rows to follow")
        _follow(ledger, meta, at_us=at_us)
        # Dropped first, too: a transaction that failed took its own tables along,
        # but one that was only a part of a larger one did not.
        ledger.execute("drop table if exists incoming")
        _bring_in(ledger, plan)
        adoption = _merge(ledger, meta, at_us=at_us, actor=actor)
        ledger.execute("drop table incoming")
        return adoption


def _known(ledger: Ledger, meta: PlanMeta) -> bool:
    if meta.digest is None:
        raise PlanFormatError(f"plan {meta.plan_id} has no digest and is not followed")
    seen = ledger.query("select digest from plans where plan_id = ?", meta.plan_id)
    if seen and seen[0][0] != meta.digest:
        raise PlanFormatError(
            f"plan {meta.plan_id} was followed before with other content"
        )
    newest = ledger.newest_followed(meta.date.isoformat())
    mine = (meta.serial, to_us(meta.created_at))
    if newest is not None and mine < (newest.serial, newest.created_us):
        raise StalePlanError(
            f"plan {meta.plan_id} (serial {meta.serial}) is older than plan "
            f"{newest.plan_id} (serial {newest.serial}), which was followed for "
            f"{meta.date}; solve again to get a newer one"
        )
    return bool(seen)


def _follow(ledger: Ledger, meta: PlanMeta, *, at_us: int) -> None:
    ledger.execute(
        "insert into plans values (?, ?, ?, ?, ?, ?, ?, ?)",
        meta.plan_id,
        meta.date.isoformat(),
        meta.serial,
        meta.digest,
        to_us(meta.created_at),
        to_us(meta.horizon_start),
        to_us(meta.horizon_end),
        at_us,
    )


def _bring_in(ledger: Ledger, plan: Plan) -> None:
    placed = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))
    for name in ("region", "start", "end"):
        if placed[name].null_count:
            raise PlanFormatError(
                f"plan {plan.meta.plan_id}: a placed row has no {name}"
            )
    specs = pc.dictionary_encode(placed["spec"]).combine_chunks()
    texts = specs.dictionary.to_pylist()
    ledger.execute_many(
        "insert into specs values (?, ?) on conflict do nothing",
        ((digest_of(text), text) for text in texts),
    )
    ledger.execute(_INCOMING)
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
        ((plan.meta.plan_id, *peak) for peak in peaks_kw(placed)),
    )


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


def peaks_kw(placed: pa.Table) -> list[tuple[str, float]]:
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


def _merge(ledger: Ledger, meta: PlanMeta, *, at_us: int, actor: str) -> Adoption:
    """Compare what came in with what is there, by key.

    A missed one that was once in doubt had its key closed: it stays missed.
    """
    day = meta.date.isoformat()
    ledger.execute("drop table if exists changing")
    ledger.execute(_CHANGING)
    ledger.execute(
        "insert into changing select key, state, "
        "case when exists (select 1 from incoming i where i.key = d.key) "
        "then 1 else 0 end "
        "from dispatches d where date = ? and attempt = 1 "
        f"and state in ({_NEVER_SENT}) and (state = ? or intent_us is null)",
        *(day, State.PLANNED),
    )
    step = (at_us, actor, ledger.current_lease, meta.plan_id)
    adoption = Adoption(
        moved=_move(ledger, meta.plan_id, at_us),
        withdrawn=_withdraw(ledger, meta.plan_id, at_us),
        added=_add(ledger, meta.plan_id, day, at_us),
    )
    _note_changes(ledger, step)
    ledger.execute("drop table changing")
    return adoption


def _move(ledger: Ledger, plan_id: str, at_us: int) -> int:
    return ledger.execute(
        f"update dispatches set ({_PLACED}) = (select {_PLACED} from incoming i "
        "where i.key = dispatches.key), due_us = (select start_us from incoming i "
        "where i.key = dispatches.key), plan_id = ?, state = ?, changed_us = ?, "
        "reason = null where key in (select key from changing where stays = 1)",
        *(plan_id, State.PLANNED, at_us),
    )


def _withdraw(ledger: Ledger, plan_id: str, at_us: int) -> int:
    return ledger.execute(
        "update dispatches set state = ?, changed_us = ?, reason = ? where state = ? "
        "and key in (select key from changing where stays = 0)",
        *(State.WITHDRAWN, at_us, f"plan {plan_id} leaves it out", State.PLANNED),
    )


def _add(ledger: Ledger, plan_id: str, day: str, at_us: int) -> int:
    return ledger.execute(
        "insert into dispatches (key, date, job_id, segment, attempt, plan_id, "
        f"{_PLACED}, due_us, state, changed_us) select key, ?, job_id, segment, 1, ?, "
        f"{_PLACED}, start_us, ?, ? from incoming i "
        "where not exists (select 1 from dispatches d where d.key = i.key) "
        "order by key",
        *(day, plan_id, State.PLANNED, at_us),
    )


def _note_changes(ledger: Ledger, step: tuple[object, ...]) -> None:
    note = (
        "insert into transitions (key, at_us, actor, lease, plan_id, before_state, "
        "after_state, detail) select key, ?, ?, ?, ?, {} "
    )
    ledger.execute(
        note.format("before_state, ?, ? from changing where stays = 1"),
        *(*step, State.PLANNED, "as the newer plan has it"),
    )
    ledger.execute(
        note.format("before_state, ?, ? from changing where stays = 0")
        + "and before_state = ?",
        *(*step, State.WITHDRAWN, "the newer plan leaves it out", State.PLANNED),
    )
    ledger.execute(
        note.format("null, ?, ? from dispatches d")
        + "where plan_id = ? and attempt = 1 "
        "and not exists (select 1 from changing c where c.key = d.key) order by key",
        *(*step, State.PLANNED, "new in the plan", step[-1]),
    )
