"""The keys of providers in ``[forecasts.SERIES]``: whose they are, and are they right.

A key goes to the first provider of the table that knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from forecasts.provider import Provider
from forecasts.series import Series
from inputs.errors import Finding
from inputs.settings import ForecastTable

SETTINGS_FILE = "planner.toml"

SHARED_KEYS = ("history", "weather")
"""Keys of providers that, like ``path``, go to each that knows them."""


def keys_of(
    name: str, kinds: Mapping[str, type[Provider]], table: ForecastTable
) -> dict[str, Any]:
    """Keys of a table that are meant for one of its providers."""
    extras = table.model_extra or {}
    keys = {
        key: value
        for key, value in extras.items()
        if (key in SHARED_KEYS and _knows(kinds[name], key))
        or next((n for n, kind in kinds.items() if _knows(kind, key)), None) == name
    }
    if table.path is not None and _knows(kinds[name], "path"):
        keys["path"] = table.path
    own = extras.get(name)
    return {**keys, **own} if isinstance(own, dict) else keys


def _knows(kind: type[Provider], key: str) -> bool:
    return key in kind.Options.model_fields


def unknown_keys(
    series: Series, extras: Mapping[str, Any], kinds: Mapping[str, type[Provider]]
) -> list[Finding]:
    """Keys that no provider of a table knows, with the nearest known one."""
    own = {key for kind in kinds.values() for key in kind.Options.model_fields}
    known = sorted({*ForecastTable.model_fields, *own, *kinds})
    findings = []
    for key, value in extras.items():
        if key in own or (key in kinds and isinstance(value, dict)):
            continue
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]}?" if near else None
        expected = f"one of {', '.join(known)}"
        findings.append(finding(series, key, "an unknown key", expected, hint))
    return findings


def build_one(
    kind: type[Provider],
    keys: Mapping[str, Any],
    *,
    series: Series,
    findings: list[Finding],
) -> Provider | None:
    """Provider with its keys checked; None with what is wrong taken in."""
    try:
        return kind(kind.Options.model_validate(dict(keys)))
    except ValidationError as error:
        findings += [
            _option_finding(kind, series, dict(fault)) for fault in error.errors()
        ]
        return None


def _option_finding(
    kind: type[Provider], series: Series, fault: Mapping[str, Any]
) -> Finding:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        found, expected = "nothing", f"a value; provider {kind.name} needs it"
        return finding(series, key, found, expected)
    hint = None
    if fault["type"] == "extra_forbidden":
        key = f"{kind.name}.{key}"
        near = get_close_matches(str(fault["loc"][-1]), kind.Options.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else None
    found = repr(fault["input"])[:60]
    return finding(series, key, found, _expected(fault), hint)


def _expected(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return "a key that the provider knows"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message.removeprefix("Input should be ")


def finding(
    series: Series, key: str, found: str, expected: str, hint: str | None = None
) -> Finding:
    """What is wrong with a key of ``[forecasts.SERIES]``."""
    return Finding(
        path=SETTINGS_FILE,
        field=f"forecasts.{series.value}.{key}",
        found=found,
        expected=expected,
        hint=hint,
    )
