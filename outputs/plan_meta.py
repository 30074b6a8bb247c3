"""Metadata of a plan as JSON and back, strictly: every key, every type.

One reader serves all the frozen dataclasses of ``outputs.plan``: it follows their
type hints, so that a new field needs no second place.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from outputs.errors import PlanFormatError
from outputs.plan import SCHEMA_VERSION, PlanMeta

MAX_DEPTH = 32


def to_json(meta: PlanMeta) -> dict[str, Any]:
    """Metadata as values that JSON knows: instants in UTC, dates in ISO 8601."""
    encoded = _encode(meta)
    assert isinstance(encoded, dict)
    return encoded


def parse_json(text: str | bytes) -> dict[str, Any]:
    """JSON object of a plan's metadata, before its types are checked.

    Raises
    ------
    PlanFormatError
        If it is not one JSON object without repeated keys and with finite numbers.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise PlanFormatError(f"metadata are not JSON: {error}") from error
    if not isinstance(value, dict):
        raise PlanFormatError("metadata are not a JSON object")
    return value


def require_known_version(meta: Mapping[str, Any]) -> None:
    """Refuse a plan that a newer planner wrote, naming both versions.

    Raises
    ------
    PlanFormatError
        If the schema version is not one that this program reads.
    """
    found = meta.get("schema_version")
    if type(found) is not int or found < 1:
        raise PlanFormatError(
            f"schema_version is {found!r}, expected 1 to {SCHEMA_VERSION}"
        )
    if found > SCHEMA_VERSION:
        raise PlanFormatError(
            f"plan schema {found}, written by planner {meta.get('planner_version')}, "
            f"is newer than schema {SCHEMA_VERSION}, which this planner reads; "
            "update this planner"
        )


def from_json(values: Mapping[str, Any]) -> PlanMeta:
    """Metadata from JSON values.

    Raises
    ------
    PlanFormatError
        If a key is missing, unknown or of another type; names the key.
    """
    try:
        meta = _decode(PlanMeta, values, "metadata")
    except (ValueError, TypeError, OverflowError) as error:
        raise PlanFormatError(str(error)) from error
    assert isinstance(meta, PlanMeta)
    return meta


def _encode(value: object) -> Any:
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: _encode(getattr(value, field.name)) for field in fields}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def _decode(kind: Any, value: Any, where: str) -> Any:
    """Value of the type ``kind``, which is a hint of one of our dataclasses."""
    if kind is Any:
        _require_shallow(value, where, MAX_DEPTH)
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        (other,) = [one for one in arguments if one is not types.NoneType]
        return None if value is None else _decode(other, value, where)
    if origin is dict:
        items = _require(dict, value, where).items()
        return {k: _decode(arguments[1], v, f"{where}.{k}") for k, v in items}
    if origin is tuple:
        entries = enumerate(_require(list, value, where))
        return tuple(_decode(arguments[0], v, f"{where}[{i}]") for i, v in entries)
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, value, where)
    return _decode_scalar(kind, value, where)


def _decode_fields(kind: Any, value: Any, where: str) -> Any:
    _require(dict, value, where)
    hints = _hints(kind)
    for name in value:
        if name not in hints:
            raise ValueError(f"{where} has the unknown key {name!r}")
    for field in dataclasses.fields(kind):
        optional = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if field.name not in value and not optional:
            raise ValueError(f"{where} lacks the key {field.name!r}")
    fields = {k: _decode(hints[k], v, f"{where}.{k}") for k, v in value.items()}
    return kind(**fields)


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is datetime:
        return _instant(_require(str, value, where), where)
    if kind is date:
        return _day(_require(str, value, where), where)
    if kind is float and type(value) is int:
        return float(value)
    return _require(kind, value, where)


def _instant(text: str, where: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"{where} is {text!r:.80}, expected an instant with an offset")
    return instant.astimezone(UTC)


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{where} is {text!r:.80}, expected YYYY-MM-DD") from None


def _require(kind: type, value: Any, where: str) -> Any:
    """The value, if it is of exactly this type: True is not a 1 here."""
    if type(value) is not kind:
        raise ValueError(f"{where} is {value!r:.80}, expected {kind.__name__}")
    return value


def _require_shallow(value: Any, where: str, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"{where} is nested deeper than {MAX_DEPTH} levels")
    items = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for item in items:
            _require_shallow(item, where, depth - 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key is repeated")
    return values


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
