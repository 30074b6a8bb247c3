"""What the history of a workspace holds, summed up by series, provider and zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from forecasts.cloud_grids import grid_at
from forecasts.issues import Issue, kept_issues
from forecasts.series import Series
from inputs.settings import Region, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """All issues about one zone by one provider.

    Parameters
    ----------
    series, provider, zone
        Who spoke of what; the zone as the provider names it.
    regions
        Regions of the workspace that ask about that zone now.
    issues, values, size_bytes
        How much there is.
    first_issued_at, last_issued_at, last_fetched_at
        From when to when.
    start, end
        Earliest and latest instant that any of them speaks about.
    """

    series: Series
    provider: str
    zone: str
    regions: tuple[str, ...]
    issues: int
    values: int
    size_bytes: int
    first_issued_at: datetime
    last_issued_at: datetime
    last_fetched_at: datetime
    start: datetime
    end: datetime


def history_folder(workspace: Workspace) -> Path:
    """Where a workspace keeps every issue."""
    return workspace.outputs / "forecasts" / "history"


def holdings_of(
    workspace: Workspace,
    *,
    series: str | None = None,
    provider: str | None = None,
    region: str | None = None,
) -> tuple[tuple[Holding, ...], tuple[Path, ...]]:
    """Sums over the history, and the files in it that cannot be read.

    Parameters
    ----------
    workspace
        Whose history.
    series, provider
        Only this one; None for all.
    region
        Only this region of the workspace, or this zone; None for all.
    """
    kept = kept_issues(history_folder(workspace))
    groups: dict[tuple[str, str, str], list[Issue]] = {}
    for issue in kept.issues:
        key = (issue.series.value, issue.provider, issue.zone)
        groups.setdefault(key, []).append(issue)
    every = (_summed(groups[key], workspace) for key in sorted(groups))
    wanted = (
        holding
        for holding in every
        if series in (None, holding.series.value)
        and provider in (None, holding.provider)
        and (region is None or region in (holding.zone, *holding.regions))
    )
    return tuple(wanted), kept.unreadable


def _summed(issues: list[Issue], workspace: Workspace) -> Holding:
    one = issues[0]
    asking = (
        region.name
        for region in workspace.regions
        if one.zone == _name_at(region, one, workspace)
    )
    return Holding(
        series=one.series,
        provider=one.provider,
        zone=one.zone,
        regions=tuple(asking),
        issues=len(issues),
        values=sum(issue.values for issue in issues),
        size_bytes=sum(issue.size_bytes for issue in issues),
        first_issued_at=min(issue.issued_at for issue in issues),
        last_issued_at=max(issue.issued_at for issue in issues),
        last_fetched_at=max(issue.fetched_at for issue in issues),
        start=min(issue.start for issue in issues),
        end=max(issue.end for issue in issues),
    )


def _name_at(region: Region, issue: Issue, workspace: Workspace) -> str | None:
    """What a region's zone is called at the provider of an issue."""
    translated = _zones(workspace, issue)
    named = translated.get(region.name) or translated.get(region.zone or "")
    cloud = workspace.cloud_region(region)
    in_table = cloud and grid_at(cloud, issue.provider, issue.series)
    return named or in_table or region.zone


def _zones(workspace: Workspace, issue: Issue) -> Mapping[str, str]:
    """Setting ``zones`` of a provider, wherever it stands."""
    table = getattr(workspace.settings.forecasts, issue.series.value)
    extra: Mapping[str, Any] = {} if table is None else table.model_extra or {}
    own = extra.get(issue.provider)
    found = (own if isinstance(own, dict) else {}).get("zones") or extra.get("zones")
    return found if isinstance(found, dict) else {}
