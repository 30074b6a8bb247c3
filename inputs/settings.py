"""The schema of planner.toml: every key, its meaning, range and default.

``[regions]`` and ``[cloud_regions]`` stand in ``inputs.settings_sites``, ``[metrics]``
and ``[[alerts]]`` in ``inputs.settings_operations``, ``[settlement]`` and ``[energy]``
in ``inputs.settings_settlement``, all others here. The models are frozen values once
parsed. Reading the file, its environment overrides and its error messages live in
``inputs.workspace``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, field_validator

from inputs.cloud_regions import CloudRegion, cloud_regions
from inputs.settings_operations import AlertTable as AlertTable
from inputs.settings_operations import MetricsTable as MetricsTable
from inputs.settings_settlement import EnergyTable, SettlementTable
from inputs.settings_settlement import PrometheusTable as PrometheusTable
from inputs.settings_sites import Battery as Battery
from inputs.settings_sites import CloudRegionTable
from inputs.settings_sites import Region as Region
from inputs.settings_sites import SolarArray as SolarArray
from inputs.settings_table import NAME_PATTERN, NonNegative, Positive
from inputs.settings_table import Duration as Duration
from inputs.settings_table import Table as Table
from inputs.timegrid import MAX_HORIZON_HOURS, SLOT_MINUTES

CloudName = Annotated[str, Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9._-]{1,127}$")]


class PlannerTable(Table):
    """``[planner]``: what a date means and where things lie."""

    timezone: str = "UTC"
    slot_minutes: int = 15
    horizon_hours: Annotated[int, Field(ge=1, le=MAX_HORIZON_HOURS)] = 24
    jobs: Annotated[tuple[str, ...], Field(strict=False)] = ()
    outputs: str = "outputs"
    site: Annotated[str, Field(pattern=NAME_PATTERN)] | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("an IANA time zone name such as Europe/Berlin") from None
        return name

    @field_validator("slot_minutes")
    @classmethod
    def _known_step(cls, minutes: int) -> int:
        if minutes not in SLOT_MINUTES:
            raise ValueError("5, 10, 15, 20, 30 or 60")
        return minutes


class ObjectiveTable(Table):
    """``[objective]``: weights of what is minimised."""

    carbon_price_per_kg: NonNegative = 1.0
    energy_cost: NonNegative = 0.0
    delay_per_hour: NonNegative = 0.0
    unplaced: Literal["auto"] | Positive = "auto"


class PoliciesTable(Table):
    """``[policies]``: knobs of the policies that plans are compared with."""

    threshold_g_per_kwh: NonNegative | None = None


class Budget(Table):
    """``[[budgets]]``: limit of a team per local day; not yet planned with."""

    team: str
    emissions_kg: NonNegative | None = None
    energy_kwh: NonNegative | None = None


class ForecastTable(Table):
    """``[forecasts.SERIES]``: which provider speaks, and who stands in for it.

    ``max_age`` is compared with the time of issue; holes up to ``max_gap`` are
    filled in; values above ``plausible_max`` are refused, and so are prices in another
    currency than ``currency``. With ``second_opinion``, for carbon, the next source of
    the chain is asked as well, to tell where the two are far apart. Providers in
    ``past`` are asked for what was measured alone. Keys beyond these belong to the
    provider, which checks them itself.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    provider: str
    path: str | None = None
    fallback: Annotated[tuple[str, ...], Field(strict=False)] = ()
    max_age: Duration | None = None
    max_gap: Duration = timedelta(hours=2)
    plausible_max: Positive | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    second_opinion: bool = True
    past: Annotated[tuple[str, ...], Field(strict=False)] = ()


class ForecastsTable(Table):
    """``[forecasts]``: one table for each series."""

    carbon: ForecastTable = ForecastTable(provider="typical")
    solar: ForecastTable = ForecastTable(provider="clear_sky")
    price: ForecastTable | None = None


class TransferTable(Table):
    """``[transfer]``: energy to move a job's input data between regions."""

    kwh_per_gb: NonNegative = 0.0


class ExecutorTable(Table):
    """``[executor]``: how plans are carried out.

    Tables in it, ``[executor.NAME]``, are settings of back ends, which check them
    themselves.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, dict[str, Any]] = Field(init=False)

    allow_root: bool = False
    keep_runs_days: Annotated[int, Field(ge=0, le=36_500)] = 90
    ledger: str | None = None

    @property
    def backends(self) -> dict[str, dict[str, Any]]:
        """Table of each back end that has one, by its name."""
        return self.__pydantic_extra__


class Settings(Table):
    """All of planner.toml."""

    planner: PlannerTable = PlannerTable()
    objective: ObjectiveTable = ObjectiveTable()
    policies: PoliciesTable = PoliciesTable()
    regions: Annotated[tuple[Region, ...], Field(strict=False, min_length=1)]
    forecasts: ForecastsTable = ForecastsTable()
    transfer: TransferTable = TransferTable()
    cloud_regions: dict[CloudName, CloudRegionTable] = Field(default={})
    budgets: Annotated[tuple[Budget, ...], Field(strict=False)] = ()
    executor: ExecutorTable = ExecutorTable()
    metrics: MetricsTable = MetricsTable()
    alerts: Annotated[tuple[AlertTable, ...], Field(strict=False, max_length=16)] = ()
    energy: EnergyTable = EnergyTable()
    settlement: SettlementTable = SettlementTable()


def known_cloud_regions(settings: Settings) -> dict[str, CloudRegion]:
    """Rows of the table, changed and added to by ``[cloud_regions]``."""
    known = dict(cloud_regions())
    for name, own in settings.cloud_regions.items():
        row = known.get(name, CloudRegion(name=name))
        known[name] = row.changed(own.grids(), own.pue, source="planner.toml")
    return known


class Workspace(Table):
    """A folder with its planner.toml, read and checked.

    Parameters
    ----------
    root
        The folder; relative paths in the settings are relative to it.
    settings
        What planner.toml, the environment and flags say together.
    origins
        Dotted key to where its value came from: ``flag --x``, ``environment
        PLANNER_X`` or ``planner.toml``; what is missing is a default.
    """

    root: Path
    settings: Settings
    origins: dict[str, str] = Field(default={})

    @property
    def regions(self) -> tuple[Region, ...]:
        """Regions in the order of planner.toml."""
        return self.settings.regions

    def cloud_region(self, region: Region) -> CloudRegion | None:
        """Cloud region that a region's ``zone`` names, with the user's own changes.

        Returns
        -------
        CloudRegion or None
            None if the zone is none of a cloud, or nothing is known of it.
        """
        return known_cloud_regions(self.settings).get(region.zone or "")

    @property
    def outputs(self) -> Path:
        """Folder of plans, reports, ledger and forecast cache."""
        return self.root / self.settings.planner.outputs
