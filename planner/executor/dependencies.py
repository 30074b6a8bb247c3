"""Jobs that wait for others: what is blocked, freed again, or has to wait.

A job has ended when the newest attempt at each of its segments has. It will not be
done when one of them failed for good, was missed, cancelled, withdrawn or blocked,
and neither will a job that the plan has no place for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.executor.journal import Journal
from planner.executor.ledger import Ledger
from planner.executor.states import FINAL, State

_BAD = ", ".join(f"'{state}'" for state in sorted(FINAL - {State.DONE}))
_NEWEST = (
    "p.attempt = (select max(q.attempt) from dispatches q where q.date = p.date "
    "and q.job_id = p.job_id and q.segment = p.segment)"
)
_NEEDED = (
    "left join dispatches p on p.date = d.date and p.job_id = x.needs "
    f"and {_NEWEST} where d.state = ? "
)
_EDGES = (
    "from dispatches d "
    "join dependencies x on x.plan_id = d.plan_id and x.job_id = d.job_id "
)
_CAUSES = {
    State.FAILED: "failed",
    State.MISSED: "was missed",
    State.CANCELLED: "was cancelled",
    State.WITHDRAWN: "was withdrawn",
    State.BLOCKED: "is blocked",
}
_NO_PLACE = "has no place in the plan"
_NUMBERS = {state: number for number, state in enumerate(_CAUSES)}
_WHY = [*_CAUSES.values(), _NO_PLACE]
# Causes go as numbers: texts of different origin cannot be told to sort alike in
# the same words to every database.
_CAUSE = "case {} else {} end".format(
    " ".join(f"when p.state = '{state}' then {n}" for state, n in _NUMBERS.items()),
    len(_CAUSES),
)
_STOPPED = f"""
with recursive stopped (date, job_id, needs, cause) as (
    select d.date, d.job_id, x.needs, {_CAUSE} {_EDGES} {_NEEDED}
        and (p.key is null or p.state in ({_BAD}))
    union
    select d.date, d.job_id, x.needs, {_NUMBERS[State.BLOCKED]} from stopped s
    join dependencies x on x.needs = s.job_id
    join dispatches d on d.plan_id = x.plan_id and d.job_id = x.job_id
        and d.date = s.date
    where d.state = ?
)
select date, job_id, needs, cause from stopped order by date, job_id, needs
"""
_FREE = f"""
state = ? and not exists (
    select 1 from dependencies x
    left join dispatches p on p.date = dispatches.date and p.job_id = x.needs
        and {_NEWEST}
    where x.plan_id = dispatches.plan_id and x.job_id = dispatches.job_id
        and (p.key is null or p.state in ({_BAD}))
)
"""
_WAITING = f"""
select d.key, min(x.needs) {_EDGES} {_NEEDED}
    and d.due_us <= ? and (p.state is null or p.state <> ?) group by d.key
"""


def enter_dependencies(
    ledger: Ledger,
    plan_id: str,
    spec_of_job: Iterable[tuple[str, int]],
    needs_of_spec: Sequence[tuple[str, ...]],
) -> None:
    """Store which job of a plan needs which others.

    Parameters
    ----------
    spec_of_job
        Id of each placed job and the number of its spec.
    needs_of_spec
        What each spec depends on. A name that no job has is that of an array, whose
        jobs are ``name[0]``, ``name[1]`` …, or of a job without a place.
    """
    if not any(needs_of_spec):
        return
    jobs = list(dict.fromkeys(spec_of_job))
    ids = {job_id for job_id, _ in jobs}
    members: dict[str, list[str]] = {}
    for job_id in sorted(ids):
        array, bracket, _ = job_id.partition("[")
        if bracket:
            members.setdefault(array, []).append(job_id)
    edges = {
        (plan_id, job_id, member)
        for job_id, spec in jobs
        for name in needs_of_spec[spec]
        for member in ([name] if name in ids else members.get(name, [name]))
    }
    ledger.execute_many("insert into dependencies values (?, ?, ?)", sorted(edges))


def settle_dependencies(journal: Journal) -> None:
    """Block what waits for jobs that will not be done; free what does no more."""
    ledger = journal.ledger
    if not ledger.query("select 1 from dependencies limit 1"):
        return
    with ledger.transaction():
        while freed := ledger.dispatches(_FREE + "order by key", State.BLOCKED):
            for dispatch in freed:
                detail = "what it depends on is tried again"
                journal.move(dispatch, State.PLANNED, detail, reason=None)
        _block(journal)


def waiting_for(ledger: Ledger, at_us: int) -> dict[str, str]:
    """What each due dispatch still waits for: key to the id of one such job."""
    return dict(ledger.query(_WAITING, State.PLANNED, at_us, State.DONE))


def _block(journal: Journal) -> None:
    reasons: dict[tuple[str, str], str] = {}
    for day, job_id, needs, cause in journal.ledger.query(
        _STOPPED, State.PLANNED, State.PLANNED
    ):
        reasons.setdefault((day, job_id), f"depends on {needs}, which {_WHY[cause]}")
    for (day, job_id), reason in reasons.items():
        for dispatch in journal.ledger.dispatches(
            "date = ? and job_id = ? and state = ? order by segment, attempt",
            *(day, job_id, State.PLANNED),
        ):
            journal.move(dispatch, State.BLOCKED, reason, reason=reason)
