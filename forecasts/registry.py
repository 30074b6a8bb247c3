"""Forecast providers by name; a provider's libraries are imported when asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from forecasts.errors import ProviderUnknownError
from forecasts.provider import Provider
from forecasts.series import Series

PROVIDERS = {
    "blend": "forecasts.own.blend:Blend",
    "carbon_aware_sdk": "forecasts.carbon_aware_sdk:CarbonAwareSdk",
    "climatology": "forecasts.own.providers:Climatology",
    "clear_sky": "forecasts.clear_sky:ClearSky",
    "electricity_maps": "forecasts.electricity_maps:ElectricityMaps",
    "energy_charts": "forecasts.energy_charts:EnergyCharts",
    "entsoe": "forecasts.entsoe:Entsoe",
    "entsoe_generation": "forecasts.entsoe_generation:EntsoeGeneration",
    "file": "forecasts.file:File",
    "flat": "forecasts.flat:Flat",
    "forecast_solar": "forecasts.forecast_solar:ForecastSolar",
    "open_meteo": "forecasts.open_meteo:OpenMeteo",
    "solcast": "forecasts.solcast:Solcast",
    "last_week": "forecasts.own.providers:LastWeek",
    "learned": "forecasts.own.providers:Learned",
    "site_solar": "forecasts.own.site_solar:SiteSolar",
    "typical": "forecasts.typical:Typical",
    "uk_carbon_intensity": "forecasts.uk_carbon_intensity:UkCarbonIntensity",
    "watttime": "forecasts.watttime:WattTime",
    "watttime_average": "forecasts.watttime_average:WattTimeAverage",
    "yesterday": "forecasts.own.providers:Yesterday",
}
"""Name to ``module:class``; one line for each provider."""


def names_for(series: Series) -> tuple[str, ...]:
    """Names of the providers that speak about a series; imports all of them."""
    every = {name: _imported(name) for name in PROVIDERS}
    return tuple(name for name, kind in every.items() if series in kind.series)


def load(name: str, series: Series) -> type[Provider]:
    """Provider registered under a name, as a class to be built with its options.

    Raises
    ------
    ProviderUnknownError
        If there is none, or it does not speak about the series; names the nearest.
    """
    provider = find(name)
    if series not in provider.series:
        spoken = ", ".join(sorted(provider.series))
        raise ProviderUnknownError(
            f"provider {name!r} forecasts {spoken}, not {series.value}"
        )
    return provider


def find(name: str) -> type[Provider]:
    """Provider registered under a name, whatever it speaks about.

    Raises
    ------
    ProviderUnknownError
        If there is none; names the nearest.
    """
    if name not in PROVIDERS:
        near = get_close_matches(name, PROVIDERS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(PROVIDERS)}"
        raise ProviderUnknownError(f"no forecast provider is called {name!r}; {hint}")
    return _imported(name)


def _imported(name: str) -> type[Provider]:
    module, _, attribute = PROVIDERS[name].partition(":")
    provider: type[Provider] = getattr(import_module(module), attribute)
    return provider
