r"""Software carbon intensity: emissions for each unit of use.

.. math:: SCI = (E \cdot I + M) / R

References
----------
Green Software Foundation, Software Carbon Intensity specification, ISO/IEC
21031:2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from planner.settlement.uses import Uses
from solvers.evaluate import IndexArray
from solvers.problem import FloatArray


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


def scores(
    uses: Uses, *, energy_kwh: FloatArray, operational_kg: FloatArray
) -> tuple[Sci, ...]:
    """Score of each functional unit, by name.

    Parameters
    ----------
    energy_kwh, operational_kg
        Of each segment that ran, shape (n_ran,). [kWh] [kg CO₂e]
    """
    coded = pc.dictionary_encode(uses.unit)
    names = coded.dictionary.to_pylist()
    of = coded.indices.fill_null(-1).to_numpy()
    order = np.argsort(of, kind="stable")
    borders = np.searchsorted(of[order], np.arange(len(names) + 1))
    return tuple(
        _score(
            names[i],
            uses,
            order[borders[i] : borders[i + 1]],
            energy_kwh,
            operational_kg,
        )
        for i in sorted(range(len(names)), key=names.__getitem__)
    )


def _score(
    unit: str,
    uses: Uses,
    at: IndexArray,
    energy_kwh: FloatArray,
    operational_kg: FloatArray,
) -> Sci:
    """Score of one unit from its segments."""
    known = uses.embodied_kg[at]
    known = known[~np.isnan(known)]
    embodied = math.fsum(known.tolist()) if len(known) else None
    operational = math.fsum(operational_kg[at].tolist())
    made = np.nan_to_num(uses.units[at])
    units = math.fsum(made.tolist())
    counters = {"job" if one else "label" for one in uses.by_job[at][made > 0]}
    total_g = 1000 * (operational + (embodied or 0.0))
    return Sci(
        unit=unit,
        segments=len(at),
        energy_kwh=math.fsum(energy_kwh[at].tolist()),
        operational_kg=operational,
        embodied_kg=embodied,
        units=units,
        counted_by=counters.pop() if len(counters) == 1 else "both",
        g_per_unit=total_g / units if units else None,
    )
