"""What all tables of planner.toml have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from inputs.durations import parse_duration

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Table(BaseModel):
    """One table of planner.toml: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
