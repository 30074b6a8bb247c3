"""Lengths of time as people write them: ``90m``, ``1h30m``, ``PT90M``, ``90``."""

from __future__ import annotations

import re
from datetime import timedelta

_SHORT = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MAX_DIGITS = 9
EXPECTED = "a duration such as 90m, 1h30m, PT90M or whole minutes"


def parse_duration(value: object) -> timedelta:
    """Length of time meant by a string, or by a whole number of minutes.

    Parameters
    ----------
    value
        ``90m``, ``1h30m``, ``2d``, ``45s``, ISO 8601 ``PT90M``, the whole number
        90 (minutes), or a timedelta, which is returned as it is.

    Raises
    ------
    ValueError
        If the value is none of these; the message is what was expected.

    Examples
    --------
    >>> parse_duration("1h30m") == parse_duration("PT90M") == parse_duration(90)
    True
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value}m"
    if not isinstance(value, str):
        raise ValueError(EXPECTED)
    text = value.strip()
    if text.isascii() and text.isdigit():
        text += "m"
    match = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    groups = match.groups() if match else ()
    if not any(groups) or any(len(g) > _MAX_DIGITS for g in groups if g):
        raise ValueError(EXPECTED)
    days, hours, minutes, seconds = (int(g or 0) for g in groups)
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError(EXPECTED) from None


def written_duration(length: timedelta) -> str:
    """A length of whole seconds as ``parse_duration`` reads it.

    Examples
    --------
    >>> written_duration(timedelta(minutes=90))
    '90m'
    """
    for unit, size in (("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        if not length % size:
            return f"{length // size}{unit}"
    seconds = length // timedelta(seconds=1)
    if seconds < 10**_MAX_DIGITS:
        return f"{seconds}s"
    return f"{seconds // 3600}h{seconds % 3600}s"
