"""A back end's own settings: its table of planner.toml, checked against a dataclass.

::

    [executor.slurm]                     # all regions
    partition = "batch"
    [executor.slurm.regions.eu-north]    # what differs there
    partition = "eu"
"""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from inputs.errors import Finding, SettingsError
from planner.executor.errors import BackendError, NotTakenError

FILE = "planner.toml"
REGIONS = "regions"

Table = Mapping[str, Any]
T = TypeVar("T")


class SettingValueError(ValueError):
    """A value that a settings dataclass refuses in its ``__post_init__``.

    Parameters
    ----------
    key
        Name of the field.
    expected
        What would have been accepted.
    """

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(f"{key}: expected {expected}")
        self.key = key
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Regional(Generic[T]):
    """Settings of one back end, the same everywhere or as a region has them.

    Parameters
    ----------
    name
        The back end.
    base
        Where a region says nothing of its own; None if required keys are missing.
    regions
        Settings of regions that have a table of their own, base included.
    missing
        Required keys that the back end's own table lacks.
    """

    name: str
    base: T | None
    regions: Mapping[str, T]
    missing: tuple[str, ...] = ()

    def of(self, region: str) -> T:
        """Settings for orders of a region.

        Raises
        ------
        NotTakenError
            If a required key is missing; to be let through by ``submit``.
        """
        settings = self.regions.get(region, self.base)
        if settings is None:
            raise NotTakenError(f"{self._incomplete}, or in one for region {region}")
        return settings

    def distinct(self) -> tuple[T, ...]:
        """Every different set of settings, where a key may have been sent to.

        Raises
        ------
        BackendError
            If there is none at all, so that nothing can be looked up.
        """
        every = [] if self.base is None else [self.base]
        for settings in self.regions.values():
            if settings not in every:
                every.append(settings)
        if not every:
            raise BackendError(self._incomplete)
        return tuple(every)

    @property
    def _incomplete(self) -> str:
        keys = ", ".join(self.missing)
        return f"{FILE} lacks {keys} in a table [executor.{self.name}]"


def read_settings(kind: type[T], tables: Mapping[str, Table], name: str) -> Regional[T]:
    """Check a back end's table and its regions' tables.

    Parameters
    ----------
    kind
        Frozen keyword-only dataclass. Its fields are the keys: ``str``, ``bool``,
        ``int``, ``float``, ``tuple[str, ...]``, ``dict[str, str]``, each perhaps
        ``| None``; a field without default is required. Ranges are checked in its
        ``__post_init__``, which raises `SettingValueError`.
    tables
        Tables below ``[executor]`` by back end; one that is missing is empty.
    name
        The back end.

    Raises
    ------
    SettingsError
        With every unknown key and unusable value.
    """
    table = dict(tables.get(name, {}))
    overrides = table.pop(REGIONS, {})
    at = f"executor.{name}"
    reader = _Reader(kind)
    own = reader.values(table, at)
    missing = tuple(key for key in reader.required if key not in table)
    base = None if missing or reader.findings else reader.build(own, at)
    base_is_usable = not reader.findings
    if not _is_tables(overrides):
        reader.tell(f"{at}.{REGIONS}", overrides, "tables of regions")
        overrides = {}
    regions: dict[str, T] = {}
    for region, changes in overrides.items():
        below = f"{at}.{REGIONS}.{region}"
        told = len(reader.findings)
        merged = {**own, **reader.values(changes, below)}
        for key in missing:
            if key not in changes:
                reader.tell(f"{below}.{key}", None, "a value")
        if base_is_usable and told == len(reader.findings):
            built = reader.build(merged, below)
            regions |= {} if built is None else {region: built}
    if reader.findings:
        raise SettingsError(reader.findings)
    return Regional(name=name, base=base, regions=regions, missing=missing)


def refuse_unknown(tables: Mapping[str, Table], known: Mapping[str, object]) -> None:
    """Raise if a table belongs to no back end."""
    findings = [
        _finding(f"executor.{name}", None, "a back end's name", hint=_near(name, known))
        for name in tables
        if name not in known
    ]
    if findings:
        raise SettingsError(findings)


class _Reader(Generic[T]):
    """Turns tables into settings of one kind, and gathers what is wrong with them."""

    def __init__(self, kind: type[T]) -> None:
        declared: Any = kind
        self.findings: list[Finding] = []
        self.required = tuple(
            field.name
            for field in fields(declared)
            if field.default is MISSING and field.default_factory is MISSING
        )
        self._kind = kind
        self._hints = get_type_hints(kind)

    def values(self, table: Table, at: str) -> dict[str, Any]:
        """Usable values of a table; what is not usable is told."""
        usable = {}
        for key, value in table.items():
            if key not in self._hints:
                hint = _near(key, [*self._hints, REGIONS])
                self.tell(f"{at}.{key}", None, "a key of the back end", hint)
                continue
            usable[key], expected = _read(value, self._hints[key])
            if expected:
                self.tell(f"{at}.{key}", value, expected)
        return usable

    def build(self, values: Mapping[str, Any], at: str) -> T | None:
        """The settings, None if something is wrong with them."""
        try:
            return self._kind(**values)
        except SettingValueError as error:
            found = values.get(error.key)
            self.tell(f"{at}.{error.key}", found, error.expected)
            return None

    def tell(
        self, field: str, value: object, expected: str, hint: str | None = None
    ) -> None:
        """Take in one problem."""
        self.findings.append(_finding(field, value, expected, hint))


def _is_tables(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(inner, Mapping) for inner in value.values()
    )


def _read(value: Any, hint: Any) -> tuple[Any, str | None]:
    """Value as its field takes it, or what would have been accepted."""
    kinds = list(_kinds(hint))
    for kind in kinds:
        usable = _as(kind, value)
        if usable is not None:
            return usable, None
    return None, " or ".join(_WORDS[kind] for kind in kinds)


def _as(kind: type, value: Any) -> Any:
    """Value of a kind, None if it is none; the environment gives all as text."""
    if kind is tuple:
        return tuple(value) if isinstance(value, list) and _all_text(value) else None
    if kind is dict:
        is_table = isinstance(value, Mapping) and _all_text(value.values())
        return dict(value) if is_table else None
    if kind is bool:
        value = {"true": True, "false": False}.get(value) if _is_text(value) else value
    if kind in (int, float) and _is_text(value):
        value = _number(value, kind)
    if kind is float and type(value) is int:
        value = float(value)
    if kind is float and type(value) is float and not math.isfinite(value):
        return None
    return value if type(value) is kind else None


_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list of texts",
    dict: "a table of texts",
}


def _kinds(hint: Any) -> Iterator[type]:
    if get_origin(hint) in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _kinds(part)
    elif hint is not type(None):
        yield get_origin(hint) or hint


def _number(text: str, kind: Any) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _all_text(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _near(name: str, known: Any) -> str:
    near = get_close_matches(name[:128], known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _finding(
    field: str, value: object, expected: str, hint: str | None = None
) -> Finding:
    found = "an unknown key" if hint else "nothing"
    if value is not None:
        found = f'"{value}"' if isinstance(value, str) else str(value)
    return Finding(
        path=FILE, field=field, found=found[:60], expected=expected, hint=hint
    )
