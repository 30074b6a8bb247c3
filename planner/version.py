"""The installed version of this program and of the engines that it uses."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "carbon-batch-planner"


def planner_version() -> str:
    """Version of the installed distribution, ``0+unknown`` in a bare source tree."""
    return _version_of(DISTRIBUTION)


def solver_versions() -> dict[str, str]:
    """Versions of the libraries that can decide a plan."""
    return {name: _version_of(name) for name in ("numpy", "ortools", "pulp")}


def _version_of(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "0+unknown"
