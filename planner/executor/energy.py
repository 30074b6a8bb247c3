"""What was told of the energy of one attempt, and how far it can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEASURED, REPORTED, ESTIMATED, ASSUMED = "measured", "reported", "estimated", "assumed"

LABELS = (MEASURED, REPORTED, ESTIMATED, ASSUMED)
"""How a figure came to be, best first: read from a sensor or meter, told by the job
itself, worked out from load and data sheets, or planned power over the time it ran."""

J_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """One figure for one attempt.

    Parameters
    ----------
    kwh
        Energy of the whole attempt, before PUE unless ``at_plug``. [kWh]
    label
        One of ``LABELS``, but never ``assumed``: that is the lack of a figure.
    source
        Who said so.
    at_plug
        Whether cooling and losses are in it already.
    units
        Functional units that the job counted, None if it told none.
    """

    kwh: float
    label: str
    source: str
    at_plug: bool = False
    units: float | None = None


def energy_from(facts: Mapping[str, Any] | None) -> Energy | None:
    """Figure in a run's result file, None if there is none."""
    if not facts:
        return None
    return Energy(
        kwh=float(facts["kwh"]),
        label=str(facts["label"]),
        source=str(facts["source"]),
        units=None if facts.get("units") is None else float(facts["units"]),
    )
