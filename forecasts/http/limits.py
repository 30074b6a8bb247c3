"""Bounds of every request, and the time to wait between attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

MAX_COOL_DOWN_S = 86_400.0
"""A longer wait than a day is not believed. [s]"""

UNTOLD_COOL_DOWN_S = 900.0
"""Rest of a host that says "too many requests" and not for how long. [s]"""

_MAX_BACKOFF_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much time and memory a service may cost.

    Parameters
    ----------
    connect_s
        For each attempt to connect. [s]
    answer_s
        For each attempt, from looking up the name to the last byte. [s]
    total_s
        For all that is asked of one host in one run: names, connections, answers
        to the last byte, and waiting. [s]
    attempts
        Most requests for one answer.
    backoff_s
        Mean wait after the first failed attempt; doubled after each. [s]
    max_bytes
        Largest answer.
    redirects
        Most redirects within the same host.
    """

    connect_s: float = 5.0
    answer_s: float = 30.0
    total_s: float = 60.0
    attempts: int = 4
    backoff_s: float = 1.0
    max_bytes: int = 8 << 20
    redirects: int = 3


def wait_s(
    attempt: int, *, asked_s: float | None, limits: Limits, rng: Random
) -> float:
    """Time to wait after a failed attempt, spread so that clients drift apart.

    Parameters
    ----------
    attempt
        0 for the first.
    asked_s
        What the service asked for: never undercut. [s]
    limits
        Gives the first wait.
    rng
        Source of the spread.
    """
    if asked_s is not None:
        return asked_s + limits.backoff_s * rng.random()
    mean = min(limits.backoff_s * 2.0**attempt, _MAX_BACKOFF_S)
    return float(mean * (0.5 + rng.random()))


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Wait that a ``Retry-After`` header asks for; None without a readable one. [s]

    Examples
    --------
    >>> noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    >>> retry_after_s("120", noon)
    120.0
    >>> retry_after_s("Sat, 21 Nov 2026 12:00:30 GMT", noon)
    30.0
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), MAX_COOL_DOWN_S))
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return min(max((then - now).total_seconds(), 0.0), MAX_COOL_DOWN_S)
