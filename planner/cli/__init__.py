"""The command line: the only place that prints, exits or reads the clock."""

from planner.cli.main import main as main

__all__ = ["main"]
