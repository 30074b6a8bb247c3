"""Past issues of a provider, as they were kept whenever it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forecasts.cloud_grids import grid_at
from forecasts.http.answers import folder_name
from forecasts.own.record import Record, read_record
from forecasts.provider import ForecastRequest


def read_kept(
    request: ForecastRequest,
    provider: str,
    keys: Mapping[str, Any],
    *,
    path: str | None = None,
) -> Record | None:
    """All issues of a provider for the region of a request; None if none were kept.

    Parameters
    ----------
    request
        Series, region, and the folder of outputs.
    provider
        Registered name.
    keys
        The provider's own keys; ``zones`` says what it calls the region's grid.
    path
        File or folder to read instead.

    Raises
    ------
    ForecastError
        If what was kept cannot be read.
    """
    region = request.region
    zones = keys.get("zones") or {}
    own = region.zone
    if request.cloud is not None:
        own = grid_at(request.cloud, provider, request.series)
    zone = zones.get(region.name) or zones.get(region.zone) or own
    if path is None and request.outputs is not None and zone is not None:
        history = request.outputs / "forecasts" / "history"
        path = str(history / provider / folder_name(str(zone)))
    if path is None or not (request.root / path).exists():
        return None
    named = region.model_copy(update={"zone": zone})
    return read_record(replace(request, region=named), path)
