r"""Software carbon intensity: emissions for each unit of use.

.. math:: SCI = (E \cdot I + M) / R

References
----------
Green Software Foundation, Software Carbon Intensity specification, ISO/IEC
21031:2024.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

UNIT_LABEL, COUNT_LABEL = "functional_unit", "units"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCount:
    """What a segment was for.

    Parameters
    ----------
    unit
        The functional unit.
    units
        How many of them its job says it makes, None if that is no number.
    """

    unit: str
    units: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SciPart:
    """What one segment adds to the score of its unit."""

    unit: str
    units: float
    counted_by: str
    energy_kwh: float
    operational_kg: float
    embodied_kg: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sci:
    """Score of one functional unit.

    Parameters
    ----------
    operational_kg
        E·I: realised emissions of all attempts, failed ones too. [kg CO₂e]
    embodied_kg
        M; None where no rate is set, and then not in ``g_per_unit``. [kg CO₂e]
    units
        R.
    counted_by
        Who counted them: ``job`` (as it ran), ``label`` (as planned), or ``both``.
    g_per_unit
        None where nothing was made. [g CO₂e]
    """

    unit: str
    segments: int
    energy_kwh: float
    operational_kg: float
    embodied_kg: float | None
    units: float
    counted_by: str
    g_per_unit: float | None


def unit_of(spec: str | None) -> UnitCount | None:
    """Functional unit in the labels of a job, None if it names none."""
    labels = _spec(spec).get("labels") or {}
    unit = labels.get(UNIT_LABEL)
    if not unit:
        return None
    return UnitCount(unit=str(unit), units=_count(labels.get(COUNT_LABEL)))


def embodied_kg(
    spec: str | None, hours: float, rates: Mapping[str, float]
) -> float | None:
    """Share of the making of the hardware; None without any rate. [kg CO₂e]

    Parameters
    ----------
    rates
        Of each resource, for one unit of it and one hour. [kg CO₂e]
    """
    if not rates:
        return None
    held = _spec(spec).get("resources") or {}
    return hours * sum(rates.get(name, 0.0) * float(n) for name, n in held.items())


def scores(parts: Iterable[SciPart]) -> tuple[Sci, ...]:
    """Score of each functional unit, by name."""
    groups: dict[str, list[SciPart]] = {}
    for part in parts:
        groups.setdefault(part.unit, []).append(part)
    return tuple(_score(unit, groups[unit]) for unit in sorted(groups))


def _score(unit: str, parts: list[SciPart]) -> Sci:
    operational = math.fsum(part.operational_kg for part in parts)
    known = [part.embodied_kg for part in parts if part.embodied_kg is not None]
    embodied = math.fsum(known) if known else None
    units = math.fsum(part.units for part in parts)
    counters = {part.counted_by for part in parts if part.units}
    total_g = 1000 * (operational + (embodied or 0.0))
    return Sci(
        unit=unit,
        segments=len(parts),
        energy_kwh=math.fsum(part.energy_kwh for part in parts),
        operational_kg=operational,
        embodied_kg=embodied,
        units=units,
        counted_by=counters.pop() if len(counters) == 1 else "both",
        g_per_unit=total_g / units if units else None,
    )


def _spec(text: str | None) -> dict[str, Any]:
    """What dispatch was told of a job; nothing where the ledger alone knows it."""
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _count(text: object) -> float | None:
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
