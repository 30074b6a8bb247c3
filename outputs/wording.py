"""How figures and outside strings are put into words, the same in every output."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

NOTHING = "–"
"""Stands where there is no figure: not proven, not asked for, or not defined."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
# Line and paragraph separators, and the marks that turn the reading direction:
# printable to Python or not, they let a name rearrange what stands around it.
_TREACHEROUS = frozenset(
    "\u2028\u2029\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def printable(text: str) -> str:
    """Outside text without control characters, line breaks or direction marks.

    Every such character becomes one U+FFFD, so that nothing vanishes unseen and
    no escape sequence reaches a terminal.
    """
    if text.isprintable() and not _TREACHEROUS.intersection(text):
        return text
    return "".join(
        "\ufffd" if char in _TREACHEROUS or not char.isprintable() else char
        for char in text
    )


def shortened(text: str, width: int) -> str:
    """Text cut to a width, the cut marked by an ellipsis."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def count(number: int) -> str:
    """Whole number with thousands separated."""
    return f"{number:,}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Number and noun in agreement: ``1 job``, ``2,000 jobs``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def decimals(values: Iterable[float | None]) -> int:
    """Decimals that show the largest of some amounts with about four digits."""
    finite = [abs(v) for v in values if v is not None and math.isfinite(v)]
    largest = max(finite, default=0.0)
    if largest == 0:
        return 0
    return min(max(3 - math.floor(math.log10(largest)), 0), 6)


def amount(value: float | None, places: int | None = None) -> str:
    """Amount with thousands separated; ``NOTHING`` for None and what is not finite.

    Without ``places`` it has about three digits, enough for a sentence.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if places is None:
        places = max(decimals([value]) - 1, 0)
    text = f"{value:,.{places}f}"
    rounded_away = not any(digit in text for digit in "123456789")
    return text.lstrip("-") if rounded_away else _minus(text)


def amounts(values: Sequence[float | None], most: int = 2) -> list[str]:
    """A column of amounts with the same number of decimals, at most ``most``."""
    places = min(decimals(values), most)
    return [amount(value, places) for value in values]


def percent(fraction: float | None) -> str:
    """Fraction as a percentage with one decimal.

    More decimals are shown where one would make it look like 0 or all of it.
    """
    if fraction is None or not math.isfinite(fraction):
        return NOTHING
    hundred = 100 * fraction
    if hundred in (0, 100):
        return f"{hundred:.0f} %"
    if abs(hundred) < 1e-4:
        return "< 0.0001 %" if hundred > 0 else "> −0.0001 %"
    places = 1
    near = min(abs(hundred), abs(100 - hundred))
    while near < 0.95 * 10**-places and places < 4:
        places += 1
    return f"{_minus(f'{hundred:,.{places}f}')} %"


def at_most(fraction: float) -> str:
    """Percentage that something does not exceed: ``at most 1.0 %``, in words."""
    text = percent(fraction)
    below = text.removeprefix("< ")
    return f"at most {text}" if below == text else f"less than {below}"


def seconds(elapsed: float) -> str:
    """Elapsed seconds; two decimals below ten."""
    return f"{elapsed:.2f}" if elapsed < 10 else f"{elapsed:,.0f}"


def duration(elapsed_s: float | None) -> str:
    """Rough length of time: ``45 min``, ``26 h``, ``3 d``."""
    if elapsed_s is None:
        return NOTHING
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(elapsed_s) >= 2 * length or unit == "min":
            return f"{_minus(f'{elapsed_s / length:.0f}')} {unit}"
    raise AssertionError


def day(value: date) -> str:
    """Date with its weekday, without the host's locale: ``Sun 22 Nov 2026``."""
    month = _MONTHS[value.month - 1]
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {month} {value.year}"


def moment(instant: datetime | None, timezone: str) -> str:
    """Instant in local time with its offset: ``2026-11-22 06:30+01:00``."""
    if instant is None:
        return NOTHING
    local = instant.astimezone(ZoneInfo(timezone))
    return local.isoformat(sep=" ", timespec="minutes")


def _minus(text: str) -> str:
    return "−" + text[1:] if text.startswith("-") else text
