"""A provider within the settings of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from forecasts.cloud_grids import in_words_of
from forecasts.errors import ProviderUnknownError
from forecasts.provider import ForecastRequest, Observations, Provider
from forecasts.registry import find


@runtime_checkable
class Corrector(Protocol):
    """A provider that asks another one and corrects what it says."""

    source: Provider


def built(source: Mapping[str, Any]) -> Provider:
    """Provider of a table ``{ provider = "…", … }`` with its own keys.

    Raises
    ------
    ProviderUnknownError
        If there is no such provider.
    ValidationError
        If it does not accept the keys.
    """
    keys = {key: value for key, value in source.items() if key != "provider"}
    kind = find(str(source.get("provider", "")))
    return kind(kind.Options.model_validate(keys))


def known_source(source: dict[str, Any]) -> dict[str, Any]:
    """Such a table, once its provider and keys are known to be right.

    Raises
    ------
    ValueError
        With everything that is wrong.
    """
    try:
        built(source)
    except ProviderUnknownError as error:
        raise ValueError(str(error)) from None
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise ValueError("; ".join(faults)) from None
    return source


def asked(source: Provider, request: ForecastRequest) -> Observations:
    """What a source says, asked in its own words and for its forecast alone.

    Raises
    ------
    ForecastError
        As by the source.
    """
    return source.fetch(in_words_of(source, replace(request, extras=False)))
