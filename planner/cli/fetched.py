"""What ``planner forecast fetch`` brought, as JSON and as lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from forecasts.collecting import PastFetched
    from forecasts.fetching import Fetched
    from planner.cli.app import App

MAX_DAYS = 400
"""No forecaster of ours looks farther back."""


def past_days(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> int | None:
    """Number of days meant by ``30d``."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,4})d?", text.strip())
    days = int(match[1]) if match else 0
    if not 1 <= days <= MAX_DAYS:
        expected = f"days from 1d to {MAX_DAYS}d, such as 30d"
        raise click.BadParameter(f"{text!r}; expected {expected}", ctx, param)
    return days


def fetched_json(
    found: Sequence[Fetched], told: Sequence[PastFetched] | None
) -> dict[str, Any]:
    """Everything that was asked for; ``measured`` only where the past was."""
    result: dict[str, Any] = {
        "schema": 1, "fetched": [_fetched(one) for one in found],
    }  # fmt: skip
    if told is not None:
        result["measured"] = [_past(one) for one in told]
    return result


def _fetched(one: Fetched) -> dict[str, Any]:
    return {
        "series": one.series.value,
        "region": one.region,
        "provider": one.provider,
        "fetched": one.failure is None,
        "failure": one.failure,
        "values": one.values,
        "start": iso(one.start),
        "end": iso(one.end),
        "issued_at": iso(one.issued_at),
        "notes": list(one.notes),
    }


def fetched_line(one: Fetched) -> str:
    """One forecast as a line of the terminal."""
    about = f"{one.series.value:<7} {one.region:<16} {one.provider:<20}"
    if one.failure is not None:
        return f"{about} missing: {one.failure}"
    issued = "" if one.issued_at is None else f", issued {minute(one.issued_at)}"
    return (
        f"{about} {one.values:>5} values, {minute(one.start)} to "
        f"{minute(one.end)}{issued}"
    )


def past_line(one: PastFetched, app: App) -> str:
    """Measured values of one region as a line of the terminal."""
    about = f"{one.series.value:<7} {one.region:<16} {one.provider:<20}"
    held = one.held
    had = "" if held is None else (
        f"measured: {held.values} values, {held.added} of them new, "
        f"{minute(held.start)} to {minute(held.end)}, in {app.shown(held.path)}"
    )  # fmt: skip
    if one.failure is None:
        return f"{about} {had}"
    return f"{about} {f'{had}; ' if had else ''}measured values missing: {one.failure}"


def _past(one: PastFetched) -> dict[str, Any]:
    held = one.held
    return {
        "series": one.series.value,
        "region": one.region,
        "provider": one.provider,
        "complete": one.failure is None,
        "failure": one.failure,
        "path": None if held is None else str(held.path),
        "added": 0 if held is None else held.added,
        "values": 0 if held is None else held.values,
        "start": None if held is None else iso(held.start),
        "end": None if held is None else iso(held.end),
    }


def iso(instant: datetime | None) -> str | None:
    """Instant as JSON has it."""
    return None if instant is None else instant.isoformat()


def minute(instant: datetime | None) -> str:
    """Instant as tables show it, to the minute."""
    return "unknown" if instant is None else f"{instant:%Y-%m-%d %H:%MZ}"
