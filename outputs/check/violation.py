"""What a check reports: one broken rule at one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

MAX_LISTED = 20
"""Places listed for each rule; the number of further ones is told."""

Text = Callable[[int], object]


class Rule(StrEnum):
    """Everything that a plan must keep; the value is what reports show."""

    LAYOUT = "layout"
    """Types, empty values and words of the columns."""
    ORDER = "order"
    """Rows sorted by start, job id and segment; rows without a start last."""
    JOB_UNKNOWN = "job-unknown"
    """A row's job is in no manifest."""
    JOB_MISSING = "job-missing"
    """A job of the manifests has no row."""
    JOB_REPEATED = "job-repeated"
    """A job has more rows than it may have segments."""
    SEGMENT = "segment"
    """Segments are counted from 0."""
    REGION_UNKNOWN = "region-unknown"
    """A row's region is none of the workspace's."""
    REASON = "reason"
    """A job that is left out says why."""
    REPLICAS = "replicas"
    """A rigid job runs as one replica."""
    SLOT_BORDER = "slot-border"
    """Jobs start on slot borders."""
    DURATION = "duration"
    """A row ends its job's running time after its start."""
    WINDOW = "window"
    """Not before earliest, done by the deadline, both cut to the horizon."""
    REGION = "region"
    """Only where the job may run."""
    PIN = "pin"
    """The user's override is kept."""
    RESOURCE = "resource"
    """No resource of a region is used beyond its capacity."""
    POWER_CAP = "power-cap"
    """Metered power of all jobs stays within the region's cap."""
    POWER = "power_kw"
    """IT power times PUE."""
    ENERGY = "energy_kwh"
    """Metered power times running time."""
    SOLAR = "solar_kwh"
    """The row's share of on-site solar, within sun and budget."""
    GRID = "grid_kwh"
    """The row's share of grid energy."""
    EMISSIONS = "emissions_kg"
    """Grid energy at its intensity, and the transfer of input data."""
    TEAM = "team"
    """As in the manifest."""
    EXECUTOR = "executor"
    """The job's, else the region's."""
    COMMAND = "command"
    """As in the manifest."""
    SPEC = "spec"
    """As in the manifest."""
    BASELINE = "baseline"
    """The asap columns: places, limits and emissions of the baseline."""
    HORIZON = "horizon"
    """Date, zone, horizon and slot length are those of the inputs."""
    TOTAL_EMISSIONS = "total-emissions"
    """Emissions of the plan are the sum over slots and transfers."""
    UNPLACED = "unplaced"
    """The number of jobs left out."""
    OBJECTIVE = "objective"
    """Weighted carbon, energy cost, delay and unplaced jobs."""
    BOUND = "bound"
    """A proven limit never lies above the objective."""
    GAP = "gap"
    """(objective − bound) / |objective|."""
    STATUS = "status"
    """Says no more than rows and gap prove."""
    POLICY = "policy"
    """What the plan says of asap follows from the baseline columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule that a plan breaks.

    Parameters
    ----------
    rule
        Which one.
    where
        The job, the region and slot, or the key of the metadata.
    found
        What the plan says or uses.
    expected
        What follows from the inputs.
    """

    rule: Rule
    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        return (
            f"{self.rule}: {self.where}: found {self.found}, expected {self.expected}"
        )


def listed(
    rule: Rule,
    broken: npt.NDArray[np.bool_],
    *,
    where: Text,
    found: Text,
    expected: Text,
) -> list[Violation]:
    """Violations at the marked entries of a flat mask, the first ones in full."""
    places = np.flatnonzero(broken)
    shown = [
        Violation(
            rule=rule,
            where=str(where(i)),
            found=shortened(found(i)),
            expected=shortened(expected(i)),
        )
        for i in places[:MAX_LISTED].tolist()
    ]
    more = len(places) - len(shown)
    if more:
        shown.append(
            Violation(
                rule=rule,
                where=f"{more} more places",
                found="the same rule broken",
                expected="none",
            )
        )
    return shown


def shortened(value: object) -> str:
    """Value as shown to people: numbers in nine digits, text cut at 80."""
    text = f"{value:.9g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
