"""Variables that the jobs of an executor inherit."""

from __future__ import annotations

from collections.abc import Mapping

SECRET_PREFIXES = (
    "PLANNER_",
    "ELECTRICITY_MAPS_",
    "WATTTIME_",
    "SOLCAST_",
    "FORECAST_SOLAR_",
    "OPEN_METEO_",
    "PROMETHEUS_TOKEN",
    "ENTSOE_",
)
"""Variables that are meant for the planner, not for the jobs that it starts."""


def job_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The executor's own environment without what only the planner may see."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(SECRET_PREFIXES)
    }
