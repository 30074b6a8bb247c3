"""The schema of planner.toml: every key, its meaning, range and default.

The models are frozen values once parsed. Reading the file, its environment
overrides and its error messages live in ``inputs.workspace``.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, field_validator

from inputs.cloud_regions import CloudRegion, cloud_regions
from inputs.settings_operations import AlertTable as AlertTable
from inputs.settings_operations import MetricsTable as MetricsTable
from inputs.settings_table import Duration as Duration
from inputs.settings_table import Table as Table
from inputs.timegrid import MAX_HORIZON_HOURS, SLOT_MINUTES

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"

Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Pue = Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)]
GridName = Annotated[str, Field(min_length=1, max_length=128)]
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


class SolarArray(Table):
    """On-site photovoltaic array; azimuth 0 N, 90 E, 180 S, 270 W. [degrees]"""

    kwp: NonNegative
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    tilt: Annotated[float, Field(ge=0, le=90)] = 35.0
    azimuth: Annotated[float, Field(ge=0, le=360)] = 180.0


class Battery(Table):
    """On-site storage; known to the schema, not yet planned with."""

    capacity_kwh: Positive
    charge_kw: Positive
    discharge_kw: Positive
    efficiency: Annotated[float, Field(gt=0, le=1)] = 0.9
    initial_kwh: NonNegative = 0.0


class Budget(Table):
    """``[[budgets]]``: limit of a team per local day; not yet planned with."""

    team: str
    emissions_kg: NonNegative | None = None
    energy_kwh: NonNegative | None = None


class Region(Table):
    """``[regions.NAME]``: a place with capacity and one grid signal."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    zone: str | None = None
    capacity: dict[str, NonNegative] = Field(default={})
    power_cap_kw: NonNegative | None = None
    pue: Pue = 1.0
    base_load_kw: NonNegative = 0.0
    solar: SolarArray | None = None
    solar_budget_kwh: NonNegative | None = None
    battery: Battery | None = None
    executor: str = "shell"

    @field_validator("capacity")
    @classmethod
    def _resource_names(cls, capacity: dict[str, float]) -> dict[str, float]:
        for name in capacity:
            if not re.match(NAME_PATTERN, name):
                raise ValueError(f"resource names of A-Z a-z 0-9 . _ -, not {name!r}")
        return capacity


class CloudRegionTable(Table):
    """``[cloud_regions."provider:region"]``: what a user knows better than the table.

    Each key but ``pue`` names the grid as one kind of provider calls it; see
    ``inputs.cloud_regions.GRIDS``.
    """

    electricity_maps: GridName | None = None
    watttime: GridName | None = None
    uk_carbon_intensity: GridName | None = None
    energy_charts: GridName | None = None
    bidding_zone: GridName | None = None
    pue: Pue | None = None

    def grids(self) -> dict[str, str]:
        """Column of the table to the grid's name, where one is given."""
        named = self.model_dump(exclude={"pue"}, exclude_none=True)
        return {column: str(grid) for column, grid in named.items()}


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


class ActualTable(Table):
    """``[settlement.SERIES]``: a file of values that were measured.

    The keys are those of a forecast file; ``path`` may also be a folder of kept
    issues.
    """

    path: Annotated[str, Field(min_length=1)]
    unit: str | None = None
    signal: Literal["average", "marginal"] | None = None
    stamp: Literal["start", "middle", "end"] | None = None
    step: Duration | None = None


class PrometheusTable(Table):
    """``[energy.prometheus]``: a server that knows what jobs drew."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#@]+$", max_length=2048)]
    query: Annotated[str, Field(min_length=1, max_length=8192)]
    unit: Literal["kWh", "J"] = "kWh"
    at_plug: bool = False


class EnergyTable(Table):
    """``[energy]``: who knows the energy of jobs that do not tell it themselves."""

    prometheus: PrometheusTable | None = None


class SettlementTable(Table):
    """``[settlement]``: how days are settled once they are over."""

    carbon: ActualTable | None = None
    solar: ActualTable | None = None
    embodied_kg_per_hour: dict[str, NonNegative] = Field(default={})


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
