"""What the user says: time grid, settings, regions and jobs, read and checked."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inputs.errors import Finding as Finding
    from inputs.errors import InputError as InputError
    from inputs.errors import PlannerError as PlannerError
    from inputs.jobs import Jobs as Jobs
    from inputs.manifests import LoadedJobs as LoadedJobs
    from inputs.manifests import load_jobs as load_jobs
    from inputs.settings import Region as Region
    from inputs.settings import Settings as Settings
    from inputs.settings import Workspace as Workspace
    from inputs.timegrid import TimeGrid as TimeGrid
    from inputs.timegrid import day_grid as day_grid
    from inputs.timegrid import resolve_date as resolve_date
    from inputs.workspace import find_root as find_root
    from inputs.workspace import load_workspace as load_workspace

# Imported when asked for: pyarrow and pydantic would double the time of --help.
_HOMES = {
    "Finding": "inputs.errors",
    "InputError": "inputs.errors",
    "Jobs": "inputs.jobs",
    "LoadedJobs": "inputs.manifests",
    "PlannerError": "inputs.errors",
    "Region": "inputs.settings",
    "Settings": "inputs.settings",
    "TimeGrid": "inputs.timegrid",
    "Workspace": "inputs.settings",
    "day_grid": "inputs.timegrid",
    "find_root": "inputs.workspace",
    "load_jobs": "inputs.manifests",
    "load_workspace": "inputs.workspace",
    "resolve_date": "inputs.timegrid",
}

__all__ = [
    "Finding",
    "InputError",
    "Jobs",
    "LoadedJobs",
    "PlannerError",
    "Region",
    "Settings",
    "TimeGrid",
    "Workspace",
    "day_grid",
    "find_root",
    "load_jobs",
    "load_workspace",
    "resolve_date",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'inputs' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
