"""Back ends by name; one is imported when the workspace's executor is set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from planner.executor.backends.backend import Backend

BACKENDS = {
    "shell": "planner.executor.backends.shell:in_workspace",
}
"""Name to ``module:function``; one line for each back end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the executor works; all that a back end may need to be set up.

    Parameters
    ----------
    workspace
        Folder of planner.toml.
    outputs
        Folder of ledger, runs and plans.
    environ
        Variables of the executor itself.
    """

    workspace: Path
    outputs: Path
    environ: Mapping[str, str]


def load_all(place: Place) -> dict[str, Backend]:
    """Every back end that there is, by name."""
    return {name: _factory(target)(place) for name, target in BACKENDS.items()}


def _factory(target: str) -> Callable[[Place], Backend]:
    module, _, attribute = target.partition(":")
    factory: Callable[[Place], Backend] = getattr(import_module(module), attribute)
    return factory
