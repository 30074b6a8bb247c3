"""Cloud regions: the grid each draws from, by every name it has, and its PUE.

The table is ``cloud_regions.csv``; docs/cloud-regions.md says where each figure comes
from. ``[cloud_regions."aws:eu-north-1"]`` of planner.toml changes or adds a row.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

GRIDS = (
    "electricity_maps",
    "watttime",
    "uk_carbon_intensity",
    "energy_charts",
    "bidding_zone",
)
"""Columns that name a region's grid, each in the words of those who use them."""

_TABLE = Path(__file__).with_name("cloud_regions.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRegion:
    """One region of a cloud provider.

    Parameters
    ----------
    name
        ``provider:region``, such as ``aws:eu-north-1``.
    location
        Place as the provider publishes it.
    grids
        Column of ``GRIDS`` to the grid's name there; missing where it has none.
    grid_from
        How the grid was found: ``country``, ``area`` or ``utility`` of the location,
        or ``planner.toml``.
    pue
        Power usage effectiveness as published; None where it is not.
    pue_from
        Who published it, and for which year.
    """

    name: str
    location: str = ""
    grids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    grid_from: str = ""
    pue: float | None = None
    pue_from: str = ""

    @property
    def provider(self) -> str:
        """Cloud provider: ``aws``, ``gcp``, ``azure`` or one of planner.toml."""
        return self.name.partition(":")[0]

    @property
    def region(self) -> str:
        """The cloud provider's own name for it."""
        return self.name.partition(":")[2]

    def changed(
        self, grids: Mapping[str, str], pue: float | None, *, source: str
    ) -> CloudRegion:
        """The same region with what a user knows better."""
        merged = MappingProxyType({**self.grids, **grids})
        known = replace(self, grids=merged, grid_from=source) if grids else self
        return known if pue is None else replace(known, pue=pue, pue_from=source)


def is_cloud_region(zone: str | None) -> bool:
    """Whether a region's ``zone`` is meant as ``provider:region``."""
    return zone is not None and ":" in zone


@cache
def cloud_regions() -> Mapping[str, CloudRegion]:
    """Every row of the table by name, in its order."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = [_row(cells) for cells in csv.DictReader(file)]
    return MappingProxyType({row.name: row for row in rows})


def _row(cells: Mapping[str, str]) -> CloudRegion:
    grids = {column: cells[column] for column in GRIDS if cells[column]}
    return CloudRegion(
        name=cells["cloud_region"],
        location=cells["location"],
        grids=MappingProxyType(grids),
        grid_from=cells["grid_from"],
        pue=float(cells["pue"]) if cells["pue"] else None,
        pue_from=cells["pue_from"],
    )
