"""A provider within the settings of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from forecasts.errors import ProviderUnknownError
from forecasts.provider import Provider
from forecasts.registry import find


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
