"""Everything that is known of a settled day, before it becomes evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow.compute as pc

from inputs.settings import Workspace
from outputs.plan import Plan
from planner.executor.states import State
from planner.settlement.columns import Work
from planner.settlement.hindsight import Hindsight
from planner.settlement.stages import Stages
from planner.settlement.values import Values
from planner.settlement.work import Found
from solvers.metered import touched
from solvers.problem import BoolArray, Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """Everything that is known of a settled day.

    Parameters
    ----------
    found
        Every segment.
    work, stages
        Those that ran, and what they emitted in each stage.
    hindsight
        The best plan, or why it is not known.
    notes
        What a reader must know.
    """

    workspace: Workspace
    plan: Plan
    ledger_digest: str
    found: Found
    work: Work
    stages: Stages
    hindsight: Hindsight | str
    values: Values
    places: Places
    now: datetime
    notes: tuple[str, ...]

    @property
    def waits(self) -> BoolArray:
        """Which of the segments that ran used a slot whose value is to come."""
        runs, step_us = self.work.attempted.runs, self.values.grid.step_us
        flag = touched(self.places, runs, self.values.awaited, step_us=step_us)
        waits = np.bincount(self.work.attempted.segment, flag, len(self.work)) > 0
        unsure = pc.equal(self.found.state, State.UNKNOWN.value).to_numpy()
        return waits | unsure[self.work.at]  # type: ignore[no-any-return]

    @property
    def regions(self) -> tuple[str, ...]:
        """Names, in the order of planner.toml."""
        return tuple(region.name for region in self.workspace.regions)
