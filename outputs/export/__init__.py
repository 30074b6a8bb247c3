"""A plan in the words of other tools: cron, systemd, Slurm, Kubernetes and others."""

from outputs.export.registry import FORMATS as FORMATS
from outputs.export.registry import load as load
from outputs.export.sheet import Exporter as Exporter
from outputs.export.sheet import ExportFile as ExportFile
from outputs.export.sheet import LeftOut as LeftOut
from outputs.export.sheet import Sheet as Sheet
from outputs.export.sheet import Task as Task

__all__ = [
    "FORMATS",
    "ExportFile",
    "Exporter",
    "LeftOut",
    "Sheet",
    "Task",
    "load",
]
