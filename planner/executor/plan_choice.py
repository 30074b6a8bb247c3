"""Which plan is the one to follow now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from outputs.errors import PlanFormatError
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_meta, read_plan
from outputs.plan_store import plan_path, valid_plans
from planner.executor.instants import to_us
from planner.executor.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A plan that was not followed although it was the newer one, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChoice:
    """The plan to follow, read and verified.

    Parameters
    ----------
    plan, path
        None if there is none: the executor goes on with what it followed before.
    passed_over
        Damaged plans that would have come first; worth an alert.
    """

    plan: Plan | None
    path: Path | None
    passed_over: tuple[PassedOver, ...] = ()


def choose_plan(folder: Path, *, now: datetime, ledger: Ledger) -> PlanChoice:
    """Newest valid plan of a folder whose horizon contains an instant.

    Newest means the latest date, then the highest serial number. A damaged plan is
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
    """
    passed = _unreadable(folder, now)
    stored = [plan for plan in valid_plans(folder) if _covers(plan.meta, now)]
    for candidate in reversed(stored):
        if _is_stale(candidate.meta, ledger):
            continue
        try:
            plan = read_plan(candidate.path)
        except PlanFormatError as error:
            passed.append(PassedOver(path=candidate.path, reason=str(error)))
        else:
            return PlanChoice(plan=plan, path=candidate.path, passed_over=tuple(passed))
    return PlanChoice(plan=None, path=None, passed_over=tuple(passed))


def _covers(meta: PlanMeta, now: datetime) -> bool:
    return meta.horizon_start <= now < meta.horizon_end


def _is_stale(meta: PlanMeta, ledger: Ledger) -> bool:
    followed = ledger.newest_followed(meta.date.isoformat())
    mine = (meta.serial, to_us(meta.created_at))
    return followed is not None and mine < (followed.serial, followed.created_us)


def _unreadable(folder: Path, now: datetime) -> list[PassedOver]:
    """Plans of yesterday to tomorrow that cannot even say what they are."""
    passed = []
    for days in (-1, 0, 1):
        path = plan_path(folder, (now + timedelta(days=days)).date())
        try:
            if path.exists():
                read_meta(path)
        except PlanFormatError as error:
            passed.append(PassedOver(path=path, reason=str(error)))
    return passed
