"""The schema of places: ``[regions.NAME]`` and ``[cloud_regions]``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator

from inputs.settings_table import NAME_PATTERN, NonNegative, Positive, Table

Pue = Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)]
GridName = Annotated[str, Field(min_length=1, max_length=128)]


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
