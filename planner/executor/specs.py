"""The spec of a plan row: all that dispatch needs, as JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from planner.executor.backends.backend import Order
from planner.executor.errors import LedgerDamagedError, RejectedError
from planner.executor.instants import from_us, to_us
from planner.executor.records import Dispatch


def digest_of(spec: str) -> str:
    """Name of a spec in the ledger."""
    return sha256(spec.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a job may still be sent, and how often.

    Parameters
    ----------
    deadline_us
        Must have ended by then, None for the end of the horizon. [µs]
    on_missed
        ``run`` or ``skip``: whether it is started late at all.
    retries
        How many more attempts a failed one allows.
    depends_on
        Ids of jobs that must be done first; that of an array means all its jobs.
    """

    deadline_us: int | None
    on_missed: str
    retries: int
    depends_on: tuple[str, ...] = ()


def rules_of(spec: str) -> Rules:
    """The rules in a spec.

    Raises
    ------
    ValueError
        If the text is not a spec; the message says what is wrong.
    """
    facts = _object(spec)
    on_missed = facts.get("on_missed") or "run"
    retries = facts.get("retries") or 0
    if on_missed not in ("run", "skip"):
        raise ValueError(f"on_missed {on_missed!r} is neither run nor skip")
    if type(retries) is not int or not 0 <= retries < 100:
        raise ValueError(f"retries {retries!r} is not a whole number below 100")
    deadline = facts.get("deadline")
    return Rules(
        deadline_us=None if deadline is None else to_us(_instant(deadline)),
        on_missed=on_missed,
        retries=retries,
        depends_on=_strings(facts.get("depends_on") or [], "depends_on"),
    )


def timeout_s_of(spec: str) -> float | None:
    """Longest running time in a spec, None for no limit or an unusable one. [s]"""
    try:
        return _seconds(_object(spec).get("timeout_s"))
    except ValueError:
        return None


def order_of(dispatch: Dispatch, spec: str) -> Order:
    """What a back end is told about a dispatch.

    Raises
    ------
    LedgerDamagedError
        If the text is not the one that the plan held.
    RejectedError
        If it cannot be run at all.
    """
    if digest_of(spec) != dispatch.spec_digest:
        raise LedgerDamagedError(
            f"the spec of {dispatch.job_id} is not the one that its plan held; "
            "nothing is sent. Restore the ledger from a copy"
        )
    try:
        facts = _object(spec)
        command = _strings(facts.get("command") or [], "command")
        env = _string_map(facts.get("env") or {})
        labels = _string_map(facts.get("labels") or {})
        timeout_s = _seconds(facts.get("timeout_s"))
    except ValueError as error:
        raise RejectedError(f"its spec is unusable: {error}") from error
    return Order(
        key=dispatch.key,
        job_id=dispatch.job_id,
        segment=dispatch.segment,
        region=dispatch.region,
        replicas=dispatch.replicas,
        start=from_us(dispatch.start_us),
        end=from_us(dispatch.end_us),
        command=command,
        env={**env, **_place(dispatch)},
        timeout_s=timeout_s,
        resources=facts.get("resources") or {},
        labels=labels,
        image=facts.get("image"),
    )


def _place(dispatch: Dispatch) -> dict[str, str]:
    end = from_us(dispatch.end_us).isoformat().replace("+00:00", "Z")
    return {
        "PLANNER_JOB_ID": dispatch.job_id,
        "PLANNER_SEGMENT": str(dispatch.segment),
        "PLANNER_REGION": dispatch.region,
        "PLANNER_REPLICAS": str(dispatch.replicas),
        "PLANNER_END": end,
        "PLANNER_KEY": dispatch.key,
    }


def _object(spec: str) -> dict[str, Any]:
    try:
        facts = json.loads(spec)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError("not a JSON object")
    return facts


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"deadline {value!r} is not an instant")
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"deadline {value!r} has no offset")
    return instant.astimezone(UTC)


def _strings(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{name} is not a list of strings")
    return tuple(value)


def _string_map(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("env or labels is not a map")
    return {str(name): str(text) for name, text in value.items()}


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise ValueError(f"timeout_s {value!r} is not a number above 0")
    return float(value)
