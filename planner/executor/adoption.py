"""Taking a plan into the ledger: what was never sent follows the newest plan."""

from __future__ import annotations

from dataclasses import dataclass

from outputs.errors import PlanFormatError, StalePlanError
from outputs.plan import Plan, PlanMeta
from planner.executor.incoming import brought_in
from planner.executor.instants import to_us
from planner.executor.ledger import Ledger
from planner.executor.states import REPLANNABLE, State

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
        with brought_in(ledger, plan):
            return _merge(ledger, meta, at_us=at_us, actor=actor)


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
