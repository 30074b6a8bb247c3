"""Which plan is the one to follow now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from outputs.errors import PlanError, StalePlanError
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_meta
from outputs.plan_name import plan_path
from outputs.plan_store import StoredPlan, valid_plans
from planner.executor.instants import to_us
from planner.executor.ledger import Ledger
from planner.executor.plan_trust import Trust

ANYONE = Trust()

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=9)
"""From a date's begin in UTC to the end of its longest plan, a week, in any zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A plan that was not followed although it was the newer one, and why.

    Parameters
    ----------
    code
        The same for every plan that is refused for the same cause, for alerts.
    """

    path: Path
    reason: str
    code: str = PlanError.code


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChoice:
    """The plan to follow, read and verified.

    Parameters
    ----------
    plan
        Its metadata alone if the ledger holds it already.
    plan, path
        None if there is none: the executor goes on with what it followed before.
    passed_over
        Plans that would have come first but cannot be trusted; worth an alert.
    """

    plan: Plan | PlanMeta | None
    path: Path | None
    passed_over: tuple[PassedOver, ...] = ()


def choose_plan(
    folder: Path, *, now: datetime, ledger: Ledger, trust: Trust = ANYONE
) -> PlanChoice:
    """Newest valid plan of a folder whose horizon contains an instant.

    Newest means the latest date, then the highest serial number. A plan that is
    damaged, not signed by a key of the site, of another site, or breaks limits is
    passed over for the last good one, but never for one that is older than what
    was followed already for its date.

    Parameters
    ----------
    folder
        Where plans are kept.
    now
        The clock, aware.
    ledger
        Tells what was followed.
    trust
        What a plan must show: signature, site, limits.
    """
    passed = _unreadable(folder, now)
    # Years of plans may lie there, and this is done each minute.
    near = valid_plans(folder, first=(now - _LONGEST).date(), last=(now + _DAY).date())
    stored = [plan for plan in near if _covers(plan.meta, now)]
    for candidate in reversed(stored):
        if _is_stale(candidate.meta, ledger):
            passed += _replayed(candidate, folder)
            continue
        try:
            plan = read_if_new(candidate.path, now=now, ledger=ledger, trust=trust)
        except PlanError as error:
            passed.append(_passed(candidate.path, error))
        else:
            return PlanChoice(plan=plan, path=candidate.path, passed_over=tuple(passed))
    return PlanChoice(plan=None, path=None, passed_over=tuple(passed))


def read_if_new(
    path: Path, *, now: datetime, ledger: Ledger, trust: Trust
) -> Plan | PlanMeta:
    """A plan that may be followed; its metadata alone if the ledger holds its rows.

    What is sent comes from the ledger then, so that each later run of the executor
    takes as long for a large plan as for a small one.

    Raises
    ------
    PlanError
        See ``Trust.read``.
    """
    meta = read_meta(path)
    if not _was_followed(ledger, meta):
        return trust.read(path, now=now)
    trust.require(meta, now=now)
    return meta


def _was_followed(ledger: Ledger, meta: PlanMeta) -> bool:
    """Whether a ledger holds the rows of just this plan."""
    seen = ledger.query("select digest from plans where plan_id = ?", meta.plan_id)
    return meta.digest is not None and seen == [(meta.digest,)]


def _covers(meta: PlanMeta, now: datetime) -> bool:
    return meta.horizon_start <= now < meta.horizon_end


def _is_stale(meta: PlanMeta, ledger: Ledger) -> bool:
    followed = ledger.newest_followed(meta.date.isoformat())
    mine = (meta.serial, to_us(meta.created_at))
    return followed is not None and mine < (followed.serial, followed.created_us)


def _unreadable(folder: Path, now: datetime) -> list[PassedOver]:
    """Plans of yesterday to tomorrow that do not even say what their name says."""
    passed = []
    for days in (-1, 0, 1):
        path = plan_path(folder, (now + timedelta(days=days)).date())
        try:
            if path.exists() and read_meta(path).date.isoformat() not in path.name:
                raise StalePlanError(f"{path} holds a plan of another date")
        except PlanError as error:
            passed.append(_passed(path, error))
    return passed


def _replayed(stored: StoredPlan, folder: Path) -> list[PassedOver]:
    """An older plan under the newest one's name was put there; kept ones are older."""
    if stored.path != plan_path(folder, stored.meta.date):
        return []
    reason = (
        f"plan {stored.meta.plan_id} (serial {stored.meta.serial}) is older than the "
        "one that was followed last"
    )
    return [_passed(stored.path, StalePlanError(reason))]


def _passed(path: Path, error: PlanError) -> PassedOver:
    return PassedOver(path=path, reason=str(error), code=error.code)
