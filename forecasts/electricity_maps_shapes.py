"""What all answers of Electricity Maps have in common."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import Field

from forecasts.answer_shapes import Shape
from forecasts.errors import ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model

NAME = "electricity_maps"
STEPS = {
    "5_minutes": timedelta(minutes=5),
    "15_minutes": timedelta(minutes=15),
    "hourly": timedelta(hours=1),
}


class Origin(Shape):
    """Whom an answer is about, and whether it is meant."""

    zone: str
    granularity: str | None = Field(None, validation_alias="temporalGranularity")
    disclaimer: Any = Field(None, validation_alias="_disclaimer")
    method: Any = Field(None, validation_alias="estimationMethod")


OriginT = TypeVar("OriginT", bound=Origin)


def read_answer(shape: type[OriginT], body: bytes) -> OriginT:
    """Answer in a shape, unless it is one of the sandbox.

    Raises
    ------
    ForecastError
        If it cannot be read, or its numbers are made up.
    """
    answer = read_model(shape, read_json(body, source=NAME), source=NAME)
    if answer.disclaimer is not None:
        raise _made_up()
    refuse_sandbox([answer.method])
    return answer


def refuse_sandbox(methods: Iterable[Any]) -> None:
    """Refuse numbers that say of themselves that they are made up.

    Raises
    ------
    ForecastUnavailableError
        If one of them does.
    """
    if any(method == "SANDBOX_MODE_DATA" for method in methods):
        raise _made_up()


def _made_up() -> ForecastUnavailableError:
    return ForecastUnavailableError(
        "the answer holds made-up numbers: the key is one for the sandbox"
    )
