"""The file in which a job tells its own energy: strict JSON, bounded, never believed.

Standard library only: the runner of every shell job imports this.
"""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

NAME = "energy.json"
VARIABLE = "PLANNER_ENERGY_FILE"
"""Variable that tells a job where to write."""

MAX_BYTES = 65_536
MAX_KWH = 1e6
"""More than a thousand racks use in a day; such a figure is a wrong unit."""

MAX_UNITS = 1e18


def read_energy(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """What a job wrote of its energy, and what is wrong with it.

    Returns
    -------
    dict or None, str or None
        The figure as it stands in ``result.json``; both None without a file.
    """
    try:
        text = _bytes(path)
        return (None, None) if text is None else (_checked(_parsed(text)), None)
    except OSError as error:
        return None, f"its energy file cannot be read: {error.strerror}"
    except ValueError as error:
        return None, f"its energy file is unusable: {error}"


def _bytes(path: Path) -> bytes | None:
    # A job may have put a link or a pipe there: neither is followed or waited for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no regular file")
        text = os.read(handle, MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(text) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    return text


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(
            text, parse_constant=_no_constant, object_pairs_hook=_no_repeats
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands there twice")
    return content


def _checked(content: dict[str, Any]) -> dict[str, Any]:
    if "energy_kwh" not in content:
        raise ValueError("it has no energy_kwh")
    kwh = _number(content, "energy_kwh", MAX_KWH)
    units = None
    if content.get("units") is not None:
        units = _number(content, "units", MAX_UNITS)
    return {"kwh": kwh, "label": "reported", "source": "the job", "units": units}


def _number(content: dict[str, Any], key: str, most: float) -> float:
    value = content[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{key} is no number")
    if not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError(f"{key} is not between 0 and {most:g}")
    return float(value)
