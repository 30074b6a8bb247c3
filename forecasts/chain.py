"""One series' providers in the order of the settings, tried until one will do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from forecasts.begun import prepare_from_now
from forecasts.cloud_grids import in_words_of
from forecasts.errors import (
    ForecastError,
    NoForecastError,
    ProviderUnknownError,
)
from forecasts.provider import FileDigest, ForecastRequest, Provider
from forecasts.provider_keys import build_one, finding, keys_of, unknown_keys
from forecasts.registry import load, names_for
from forecasts.series import Forecast, Series
from inputs.errors import Finding, SettingsError
from inputs.settings import ForecastTable


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
    past
        Those who are asked for what was measured alone.
    """

    series: Series
    table: ForecastTable
    providers: tuple[Provider, ...]
    past: tuple[Provider, ...] = ()


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
    kinds = _kinds(series, table, findings)
    if table.currency is not None and series is not Series.PRICE:
        expected = "it below [forecasts.price] alone"
        findings.append(finding(series, "currency", repr(table.currency), expected))
    extras = table.model_extra or {}
    if not findings:
        findings += unknown_keys(series, extras, kinds)
    built = {
        name: build_one(
            kind, keys_of(name, kinds, table), series=series, findings=findings
        )
        for name, kind in kinds.items()
    }
    if findings:
        raise SettingsError(findings)
    names = dict.fromkeys((table.provider, *table.fallback))
    return Chain(
        series=series,
        table=table,
        providers=tuple(p for name in names if (p := built[name])),
        past=tuple(p for name in table.past if (p := built[name])),
    )


def _kinds(
    series: Series, table: ForecastTable, findings: list[Finding]
) -> dict[str, type[Provider]]:
    """Classes of all providers that a table names, in order; takes in what is wrong."""
    named = {
        "provider": (table.provider,), "fallback": table.fallback, "past": table.past,
    }  # fmt: skip
    kinds: dict[str, type[Provider]] = {}
    for place, names in named.items():
        for name in names:
            try:
                kinds.setdefault(name, load(name, series))
            except ProviderUnknownError as error:
                known = f"one of {', '.join(names_for(series))}"
                findings.append(finding(series, place, repr(name), known, str(error)))
                continue
            if expected := _out_of_place(kinds[name], place):
                findings.append(finding(series, place, repr(name), expected))
    return kinds


def _out_of_place(kind: type[Any], place: str) -> str | None:
    """What stands where a provider does that can do nothing there."""
    # by attributes: to import live providers takes a third of a second
    if place == "past":
        keeps = getattr(kind, "measured_span", None)
        return None if keeps else "a service that tells what was measured"
    if getattr(kind, "past_only", False):
        return "a provider that forecasts; this one tells the past: past = [...]"
    return None


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
    return {name: keys_of(name, kinds, table) for name in names}


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
            answer = ask_one(provider, request, chain.table)
        except ForecastError as error:
            attempts.append(f"{provider.name}: {error}")
            continue
        if age := too_old(answer.forecast, request, chain.table.max_age):
            attempts.append(f"{provider.name}: {age}")
            stale = stale or answer
            continue
        return _labelled(answer, attempts)
    if stale is not None:
        return _labelled(stale, attempts)
    raise NoForecastError(chain.series, [request.region.name], attempts)


def ask_one(
    provider: Provider, request: ForecastRequest, table: ForecastTable
) -> Answer:
    """What one provider of a chain says.

    Raises
    ------
    ForecastError
        If it has no usable answer.
    """
    observations = provider.fetch(in_words_of(provider, request))
    forecast = prepare_from_now(
        observations, request, table=table, provider=provider.name
    )
    return Answer(forecast=forecast, files=observations.files)


def too_old(
    forecast: Forecast, request: ForecastRequest, max_age: timedelta | None
) -> str | None:
    """How a forecast is older than it may be; None if it is not."""
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
