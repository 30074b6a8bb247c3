"""What one run needs before it asks anybody: chains, the clock and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from forecasts.chain import Chain, build_chain
from forecasts.http.client import HttpClient
from forecasts.provider import ForecastRequest
from forecasts.series import Series
from inputs.errors import Finding, InputError, SettingsError
from inputs.settings import Region, Workspace
from inputs.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every request of one run has in common."""

    workspace: Workspace
    grid: TimeGrid
    now: datetime
    environment: Mapping[str, str]
    http: HttpClient

    def request(self, series: Series, region: Region) -> ForecastRequest:
        """What a provider is asked about one region."""
        return ForecastRequest(
            series=series,
            region=region,
            grid=self.grid,
            now=self.now,
            root=self.workspace.root,
            environment=self.environment,
            http=self.http,
            outputs=self.workspace.outputs,
            cloud=self.workspace.cloud_region(region),
        )


def open_desk(
    workspace: Workspace,
    grid: TimeGrid,
    *,
    now: datetime,
    environment: Mapping[str, str],
    http: HttpClient | None,
) -> Desk:
    """A desk with the way out that was given, or with one of its own."""
    return Desk(
        workspace=workspace,
        grid=grid,
        now=now,
        environment=environment,
        http=http or client_for(workspace, now, environment),
    )


def client_for(
    workspace: Workspace, now: datetime, environment: Mapping[str, str]
) -> HttpClient:
    """The one way out for a run, remembering below ``outputs`` who is to be left."""
    memory = workspace.outputs / "cache" / "http" / "cool_downs"
    return HttpClient(now=now, environment=environment, memory=memory)


def chains_of(workspace: Workspace) -> dict[Series, Chain]:
    """Chain of each configured series.

    Raises
    ------
    SettingsError
        With every fault of the settings at once.
    """
    settings = workspace.settings
    tables = {
        Series.CARBON: settings.forecasts.carbon,
        Series.SOLAR: settings.forecasts.solar,
        Series.PRICE: settings.forecasts.price,
    }
    findings: list[Finding] = []
    chains = {}
    for series, table in tables.items():
        if table is None:
            continue
        try:
            chains[series] = build_chain(series, table)
        except InputError as error:
            findings += error.findings
    if settings.objective.energy_cost > 0 and settings.forecasts.price is None:
        findings.append(_price_missing())
    if findings:
        raise SettingsError(findings)
    return chains


def _price_missing() -> Finding:
    return Finding(
        path="planner.toml",
        field="objective.energy_cost",
        found="a weight on the cost of electricity, and no price forecast",
        expected="a table [forecasts.price]",
        hint='for example provider = "file", path = "forecasts/price.csv"',
    )
