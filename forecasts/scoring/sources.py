"""Where the settings of a series say that measured and published values lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forecasts.chain import keys_of_providers
from forecasts.errors import ForecastError, ForecastUnavailableError
from forecasts.own.kept import read_kept
from forecasts.own.record import Record, read_record
from forecasts.own.weather import read_weather
from forecasts.provider import ForecastRequest
from inputs.settings import ForecastTable

FILE_KEYS = ("unit", "signal", "stamp", "step")
"""Keys of the ``file`` provider besides ``path``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What forecasts of one place can be judged by, and what there is to judge.

    Parameters
    ----------
    history
        What was measured.
    issues
        Provider to what it has published.
    weather
        Forecasts of other quantities, for forecasters that learn.
    notes
        Who could not be read, and why.
    """

    history: Record
    issues: dict[str, Record]
    weather: tuple[Record, ...] = ()
    notes: tuple[str, ...]


def sources_of(
    table: ForecastTable, request: ForecastRequest, *, history: str | None = None
) -> Sources:
    """Everything that ``[forecasts.SERIES]`` names and that can be read.

    Parameters
    ----------
    table
        Settings of the series.
    request
        Series, region and clock.
    history
        File or folder of measured values; by default the ``history`` of the
        settings.

    Raises
    ------
    ForecastError
        If there is no history, or it cannot be read.
    """
    keys = keys_of_providers(request.series, table)
    path = history or _first(keys, "history")
    weather = _first(keys, "weather")
    if path is None:
        raise ForecastUnavailableError(
            "nothing to judge forecasts by: name a file of measured values with "
            f'--history, or as history = "…" in [forecasts.{request.series}]'
        )
    own = _given(next((k for k in keys.values() if "history" in k), {}))
    issues: dict[str, Record] = {}
    notes = []
    for name, provider_keys in _published(keys):
        try:
            record = _issues(name, provider_keys, request)
        except ForecastError as error:
            notes.append(f"{name}: {error}")
            continue
        if record is not None:
            issues[name] = record
    return Sources(
        history=read_record(request, path, options=own),
        issues=issues,
        weather=() if weather is None else read_weather(request, weather),
        notes=tuple(notes),
    )


def _first(keys: Mapping[str, Mapping[str, Any]], key: str) -> str | None:
    return next((str(own[key]) for own in keys.values() if own.get(key)), None)


def _given(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: keys[key] for key in FILE_KEYS if key in keys}


def _published(
    keys: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Providers of the chain and what blends are made of, each with its keys."""
    for name, own in keys.items():
        source = own.get("source")
        if isinstance(source, dict):
            inner = {key: value for key, value in source.items() if key != "provider"}
            yield str(source.get("provider")), {**inner, "issues": own.get("issues")}
        elif "history" not in own:
            yield name, own


def _issues(
    name: str, keys: Mapping[str, Any], request: ForecastRequest
) -> Record | None:
    if name == "file":
        return read_record(request, str(keys["path"]), options=_given(keys))
    return read_kept(request, name, keys, path=keys.get("issues"))
