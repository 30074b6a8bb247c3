"""Back ends by name; one is imported when the workspace's executor is set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from inputs.errors import Finding, SettingsError
from planner.executor.backends.backend import Backend
from planner.executor.backends.settings import refuse_unknown

BACKENDS = {
    "aws_batch": "planner.executor.backends.aws_batch:in_workspace",
    "azure_batch": "planner.executor.backends.azure_batch:in_workspace",
    "google_batch": "planner.executor.backends.google_batch:in_workspace",
    "shell": "planner.executor.backends.shell:in_workspace",
    "slurm": "planner.executor.backends.slurm:in_workspace",
    "kubernetes": "planner.executor.backends.kubernetes:in_workspace",
    "webhook": "planner.executor.backends.webhook:in_workspace",
}
"""Name to ``module:function``; one line for each back end."""


AS_THE_EXECUTOR = frozenset({"shell"})
"""Back ends that run jobs as the user of the executor itself, so as root if it is."""


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
    settings
        Back ends' own tables of planner.toml (``[executor.NAME]``), by name; each
        back end reads its own with `read_settings`.
    site
        Name of the site, None for an unnamed one.
    ledger
        Address of the ledger's server, with its password; None for a file below
        the outputs.
    """

    workspace: Path
    outputs: Path
    environ: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    site: str | None = None
    ledger: str | None = field(default=None, repr=False)


def load_all(place: Place) -> dict[str, Backend]:
    """Every back end that there is, by name.

    Raises
    ------
    SettingsError
        With every fault in the back ends' own settings.
    """
    findings: list[Finding] = []
    loaded: dict[str, Backend] = {}
    try:
        refuse_unknown(place.settings, BACKENDS)
    except SettingsError as error:
        findings += error.findings
    for name, target in BACKENDS.items():
        try:
            loaded[name] = _factory(target)(place)
        except SettingsError as error:
            findings += error.findings
    if findings:
        raise SettingsError(findings)
    return loaded


def _factory(target: str) -> Callable[[Place], Backend]:
    module, _, attribute = target.partition(":")
    factory: Callable[[Place], Backend] = getattr(import_module(module), attribute)
    return factory
