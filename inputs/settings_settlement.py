"""The schema of what is known afterwards: ``[settlement]`` and ``[energy]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inputs.settings_table import Duration, NonNegative, Table


class ActualTable(Table):
    """``[settlement.SERIES]``: a file of values that were measured.

    The keys are those of a forecast file; ``path`` may also be a folder of kept
    issues.
    """

    path: Annotated[str, Field(min_length=1)]
    unit: str | None = None
    signal: Literal["average", "marginal"] | None = None
    stamp: Literal["start", "middle", "end"] | None = None
    step: Duration | None = None


class PrometheusTable(Table):
    """``[energy.prometheus]``: a server that knows what jobs drew."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#@]+$", max_length=2048)]
    query: Annotated[str, Field(min_length=1, max_length=8192)]
    unit: Literal["kWh", "J"] = "kWh"
    at_plug: bool = False


class EnergyTable(Table):
    """``[energy]``: who knows the energy of jobs that do not tell it themselves."""

    prometheus: PrometheusTable | None = None


class SettlementTable(Table):
    """``[settlement]``: how days are settled once they are over."""

    carbon: ActualTable | None = None
    solar: ActualTable | None = None
    embodied_kg_per_hour: dict[str, NonNegative] = Field(default={})
