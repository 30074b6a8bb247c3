"""Export formats by name; one is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from outputs.export.sheet import Exporter

FORMATS = {
    "crontab": "outputs.export.crontab",
    "systemd": "outputs.export.systemd",
    "slurm": "outputs.export.slurm",
    "kubernetes": "outputs.export.kubernetes",
    "airflow": "outputs.export.airflow",
    "github-actions": "outputs.export.github_actions",
}
"""Name to the module whose ``EXPORTER`` writes it; one line for each format."""


def load(name: str) -> Exporter:
    """The exporter of a format.

    Raises
    ------
    KeyError
        If there is none of the name.
    """
    exporter: Exporter = import_module(FORMATS[name]).EXPORTER
    return exporter
