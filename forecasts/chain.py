"""One series' providers in the order of the settings, tried until one will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from forecasts.begun import prepare_from_now
from forecasts.cloud_grids import in_words_of
from forecasts.errors import (
    ForecastError,
    NoForecastError,
    ProviderUnknownError,
)
from forecasts.provider import FileDigest, ForecastRequest, Provider
from forecasts.registry import load, names_for
from forecasts.series import Forecast, Series
from inputs.errors import Finding, SettingsError
from inputs.settings import ForecastTable

SETTINGS_FILE = "planner.toml"

SHARED_KEYS = ("history", "weather")
"""Keys of providers that, like ``path``, go to each that knows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Providers of one series, checked and ready to be asked.

    Parameters
    ----------
    series
        What they forecast.
    table
        The settings they come from.
    providers
        The configured one first, then its stand-ins.
    """

    series: Series
    table: ForecastTable
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A forecast and the files that it was read from."""

    forecast: Forecast
    files: tuple[FileDigest, ...]


def build_chain(series: Series, table: ForecastTable) -> Chain:
    """Providers of ``[forecasts.SERIES]`` with their own keys checked.

    A key goes to the first provider of the chain that knows it, so that an address
    meant for one is never used by another; a table ``[forecasts.SERIES.NAME]`` gives
    a provider keys of its own. ``path``, ``history`` and ``weather`` go to every
    provider that knows them.

    Raises
    ------
    SettingsError
        With every finding: unknown providers and keys, by the nearest known name,
        and values that a provider does not accept.
    """
    findings: list[Finding] = []
    kinds: dict[str, type[Provider]] = {}
    for name in dict.fromkeys((table.provider, *table.fallback)):
        try:
            kinds[name] = load(name, series)
        except ProviderUnknownError as error:
            place = "provider" if name == table.provider else "fallback"
            known = f"one of {', '.join(names_for(series))}"
            findings.append(_finding(series, place, repr(name), known, str(error)))
    if table.currency is not None and series is not Series.PRICE:
        expected = "it below [forecasts.price] alone"
        findings.append(_finding(series, "currency", repr(table.currency), expected))
    extras = table.model_extra or {}
    if not findings:
        findings += _unknown_keys(series, extras, kinds)
    providers = [
        _build(kind, _keys_of(name, kinds, table), series=series, findings=findings)
        for name, kind in kinds.items()
    ]
    if findings:
        raise SettingsError(findings)
    return Chain(series=series, table=table, providers=tuple(p for p in providers if p))


def keys_of_providers(
    series: Series, table: ForecastTable
) -> dict[str, dict[str, Any]]:
    """Each provider of ``[forecasts.SERIES]``, in order, and the keys meant for it.

    Raises
    ------
    ProviderUnknownError
        If one is not known.
    """
    names = dict.fromkeys((table.provider, *table.fallback))
    kinds = {name: load(name, series) for name in names}
    return {name: _keys_of(name, kinds, table) for name in names}


def follow(chain: Chain, request: ForecastRequest) -> Answer:
    """First usable forecast of a chain for one region.

    A forecast older than ``max_age`` is passed over, but taken, labelled as
    degraded, when nobody else has anything.

    Raises
    ------
    NoForecastError
        If nothing is usable; names every attempt and why it failed.
    """
    attempts: list[str] = []
    stale: Answer | None = None
    for provider in chain.providers:
        try:
            answer = _ask(provider, request, chain.table)
        except ForecastError as error:
            attempts.append(f"{provider.name}: {error}")
            continue
        if age := _too_old(answer.forecast, request, chain.table.max_age):
            attempts.append(f"{provider.name}: {age}")
            stale = stale or answer
            continue
        return _labelled(answer, attempts)
    if stale is not None:
        return _labelled(stale, attempts)
    raise NoForecastError(chain.series, [request.region.name], attempts)


def _ask(provider: Provider, request: ForecastRequest, table: ForecastTable) -> Answer:
    observations = provider.fetch(in_words_of(provider, request))
    forecast = prepare_from_now(
        observations, request, table=table, provider=provider.name
    )
    return Answer(forecast=forecast, files=observations.files)


def _too_old(
    forecast: Forecast, request: ForecastRequest, max_age: timedelta | None
) -> str | None:
    if max_age is None or forecast.issued_at is None:
        return None
    age = request.now - forecast.issued_at
    if age <= max_age:
        return None
    hours = age / timedelta(hours=1)
    return (
        f"issued at {forecast.issued_at.isoformat()}, {hours:.1f} h ago; "
        f"max_age is {max_age / timedelta(hours=1):g} h"
    )


def _labelled(answer: Answer, attempts: list[str]) -> Answer:
    """Say what happened before this answer; anything at all makes it degraded."""
    if not attempts:
        return answer
    forecast = answer.forecast
    used = f"{forecast.provider} was used because " + "; ".join(attempts)
    notes = (used, *forecast.notes)
    return replace(answer, forecast=replace(forecast, degraded=True, notes=notes))


def _keys_of(
    name: str, kinds: Mapping[str, type[Provider]], table: ForecastTable
) -> dict[str, Any]:
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


def _unknown_keys(
    series: Series, extras: Mapping[str, Any], kinds: Mapping[str, type[Provider]]
) -> list[Finding]:
    own = {key for kind in kinds.values() for key in kind.Options.model_fields}
    known = sorted({*ForecastTable.model_fields, *own, *kinds})
    findings = []
    for key, value in extras.items():
        if key in own or (key in kinds and isinstance(value, dict)):
            continue
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]}?" if near else None
        expected = f"one of {', '.join(known)}"
        findings.append(_finding(series, key, "an unknown key", expected, hint))
    return findings


def _build(
    kind: type[Provider],
    keys: Mapping[str, Any],
    *,
    series: Series,
    findings: list[Finding],
) -> Provider | None:
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
        return _finding(series, key, found, expected)
    hint = None
    if fault["type"] == "extra_forbidden":
        key = f"{kind.name}.{key}"
        near = get_close_matches(str(fault["loc"][-1]), kind.Options.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else None
    found = repr(fault["input"])[:60]
    return _finding(series, key, found, _expected(fault), hint)


def _expected(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return "a key that the provider knows"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message.removeprefix("Input should be ")


def _finding(
    series: Series, key: str, found: str, expected: str, hint: str | None = None
) -> Finding:
    return Finding(
        path=SETTINGS_FILE,
        field=f"forecasts.{series.value}.{key}",
        found=found,
        expected=expected,
        hint=hint,
    )
