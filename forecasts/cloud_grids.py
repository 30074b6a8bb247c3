"""What the grid of a cloud region is called at each provider."""

from __future__ import annotations

from dataclasses import replace

from forecasts.provider import ForecastRequest, Provider
from forecasts.series import Series
from inputs.cloud_regions import CloudRegion

COLUMNS = {
    "electricity_maps": "electricity_maps",
    "typical": "electricity_maps",
    "watttime": "watttime",
    "uk_carbon_intensity": "uk_carbon_intensity",
    "energy_charts": "energy_charts",
    "entsoe": "bidding_zone",
    "entsoe_generation": "bidding_zone",
}
"""Provider to the column of the table of cloud regions that speaks its language."""

PRICE_COLUMNS = {"energy_charts": "bidding_zone"}
"""Where prices go by other names than intensities."""


def grid_at(cloud: CloudRegion, provider: str, series: Series) -> str | None:
    """Name of a cloud region's grid at a provider; None where it has none there."""
    if provider == "carbon_aware_sdk":  # its locations are Azure's own names
        return cloud.region if cloud.provider == "azure" else None
    prices = PRICE_COLUMNS if series is Series.PRICE else {}
    column = prices.get(provider) or COLUMNS.get(provider)
    return None if column is None else cloud.grids.get(column)


def without_grid(cloud: CloudRegion) -> str:
    """Sentence on a cloud region that has no grid at the provider asked."""
    known = ", ".join(f"{column} {grid}" for column, grid in cloud.grids.items())
    return (
        f"cloud region {cloud.name} has no zone of this provider in the table, which "
        f"has {known or 'none for it'}; name one in zones or in "
        f'[cloud_regions."{cloud.name}"]'
    )


def in_words_of(provider: Provider, request: ForecastRequest) -> ForecastRequest:
    """The request with a cloud region's grid as this provider calls it."""
    if request.cloud is None:
        return request
    grid_name = grid_at(request.cloud, provider.name, request.series)
    return replace(request, grid_name=grid_name)
