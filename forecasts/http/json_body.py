"""Strict reading of an answer that should be JSON."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.http.message import one_line
from inputs.errors import Finding

SHOWN = 5
"""Faults of one answer that are spelt out."""

M = TypeVar("M", bound=BaseModel)


def read_json(body: bytes, *, source: str) -> Any:
    """Value of a JSON text: UTF-8, no repeated keys, no NaN, nesting bounded.

    Parameters
    ----------
    body
        The answer.
    source
        Who sent it, for messages.

    Raises
    ------
    ForecastUnavailableError
        If there is nothing: an empty text, ``{}`` or ``[]``.
    ForecastFormatError
        If it is not JSON.
    """
    if not body.strip():
        raise ForecastUnavailableError("the answer is empty")
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refused_constant,
        )
    except RecursionError:
        raise _unreadable(source, "nesting without end") from None
    except ValueError as error:
        raise _unreadable(source, one_line(str(error))) from None
    if value in ({}, []):
        raise ForecastUnavailableError("the answer holds nothing")
    return value


def read_model(model: type[M], value: Any, *, source: str) -> M:
    """JSON value as the shape that a service documents.

    Raises
    ------
    ForecastFormatError
        With the first findings, if it has another shape.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise ForecastFormatError(
            [
                Finding(
                    path=f"answer of {source}",
                    field=".".join(str(part) for part in fault["loc"]) or None,
                    found=one_line(repr(fault["input"])),
                    expected=fault["msg"].removeprefix("Input should be "),
                )
                for fault in faults[:SHOWN]
            ]
        ) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refused_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unreadable(source: str, found: str) -> ForecastFormatError:
    finding = Finding(path=f"answer of {source}", found=found, expected="JSON")
    return ForecastFormatError([finding])
