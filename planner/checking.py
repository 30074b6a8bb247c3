"""A written plan against the inputs that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inputs.settings import Workspace
from outputs.check import Violation
from outputs.plan_file import read_meta
from outputs.plan_signature import key_ring
from planner.drafts import check_draft
from planner.recall import recall_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Outcome of checking a plan file.

    Parameters
    ----------
    path, plan_id
        Which plan.
    violations
        Every limit and number that does not hold.
    notes
        What a reader must know: inputs that changed since, forecasts fetched anew.
    """

    path: Path
    plan_id: str
    violations: tuple[Violation, ...]
    notes: tuple[str, ...]


def check_file(
    workspace: Workspace, path: Path, *, now: datetime, environment: Mapping[str, str]
) -> Checked:
    """Re-do a plan's arithmetic from the files of its workspace.

    Parameters and errors are those of ``recall_day``; besides, a plan that is not
    signed by a key of the environment is refused if there is one.
    """
    key_ring(environment).require(read_meta(path))
    recalled = recall_day(workspace, path, now=now, environment=environment)
    return Checked(
        path=path,
        plan_id=recalled.plan.meta.plan_id,
        violations=tuple(check_draft(recalled.day, recalled.plan)),
        notes=recalled.notes,
    )
