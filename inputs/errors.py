"""Everything that can go wrong, on the ground floor.

::

    PlannerError
    ├── InputError              what the user wrote cannot be used
    │   ├── ManifestError       a job manifest
    │   ├── RegionError         a region of the workspace
    │   └── SettingsError       planner.toml
    ├── ForecastError           forecasts.errors
    ├── SolverError             solvers.errors
    ├── PlanError               outputs.errors
    └── ExecutionError          planner.executor.errors

A *finding* is one problem of one place. Findings are gathered and raised once,
so that a user mends everything in one go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class PlannerError(Exception):
    """Any failure that this program explains in one message."""

    code = "error"
    """Word for logs and alerts, the same for ever: its class's name in small letters
    (``ledger-busy`` for ``LedgerBusyError``), unless the class says another."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Give each kind of failure a code of its own."""
        super().__init_subclass__(**options)
        if "code" not in cls.__dict__:
            words = re.findall(r"[A-Z][a-z0-9]*", cls.__name__.removesuffix("Error"))
            cls.code = "-".join(words).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem in outside data: where, what was found, what was expected.

    Parameters
    ----------
    path
        The file, as the user named it.
    line
        Line in a document, or row of a table counted as a spreadsheet shows it
        (the header is row 1). None when the place has no line.
    job
        Id of the job concerned, if any.
    field
        Dotted name of the key or column, if any.
    found
        What stands there, shortened for display.
    expected
        What would have been accepted.
    hint
        What to do, or the nearest known name.
    """

    path: str
    found: str
    expected: str
    line: int | None = None
    job: str | None = None
    field: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        if self.job is not None:
            place += f', job "{self.job}"'
        if self.field is not None:
            place += f", {self.field}"
        text = f"{place}: found {self.found}, expected {self.expected}"
        return text if self.hint is None else f"{text}; {self.hint}"


class InputError(PlannerError):
    """What the user wrote cannot be used; carries every finding at once.

    Parameters
    ----------
    findings
        The problems, in the order of the file.
    more
        Number of further problems that were counted but not spelt out.
    """

    def __init__(self, findings: Sequence[Finding], more: int = 0) -> None:
        self.findings = tuple(findings)
        self.more = more
        lines = [str(finding) for finding in self.findings]
        if more:
            lines.append(f"… and {more:,} more")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Finding, ...], int]]:
        return type(self), (self.findings, self.more)


class ManifestError(InputError):
    """A job manifest cannot be read or holds jobs that cannot be meant."""


class RegionError(InputError):
    """A region of the workspace is described in a way that cannot be used."""


class SettingsError(InputError):
    """planner.toml, an environment variable or a flag has an unusable value."""
