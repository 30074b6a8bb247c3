"""Single settings overridden from outside planner.toml: ``PLANNER_*`` variables.

A variable's name is the dotted key in capitals, every other character an
underscore, after ``PLANNER_``; the ``[planner]`` table itself is left out::

    planner.timezone               PLANNER_TIMEZONE
    objective.energy_cost          PLANNER_OBJECTIVE_ENERGY_COST
    forecasts.carbon.provider      PLANNER_FORECASTS_CARBON_PROVIDER
    regions.eu-north.power_cap_kw  PLANNER_REGIONS_EU_NORTH_POWER_CAP_KW
    executor.slurm.partition       PLANNER_EXECUTOR_SLURM_PARTITION
    settlement.carbon.path         PLANNER_SETTLEMENT_CARBON_PATH

Only single values can be set so, not lists and tables.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from inputs.findings import Findings, nearest
from inputs.settings import ForecastsTable, ForecastTable, Region, Settings

PREFIX = "PLANNER_"
_TABLES = (
    "planner",
    "objective",
    "policies",
    "transfer",
    "executor",
    "metrics",
    "energy",
    "settlement",
)
"""Tables whose single values can be set so, besides forecasts and regions."""
_SECTIONS = tuple(
    f"{PREFIX}{table.upper()}_" for table in (*_TABLES[1:], "forecasts", "regions")
)
"""What a variable begins with that must mean a setting."""
_OTHERS = frozenset(
    {
        "PLANNER_LEDGER",
        "PLANNER_LOG",
        "PLANNER_SIGNING_KEY",
        "PLANNER_SIGNING_KEY_FILE",
    }
)
"""Variables that are no settings, and that this program reads all the same."""
_TOLD_TO_JOBS = frozenset(
    {
        *("PLANNER_ENERGY_FILE", "PLANNER_JOB_ID", "PLANNER_SEGMENT", "PLANNER_KEY"),
        *("PLANNER_REGION", "PLANNER_REPLICAS", "PLANNER_END"),
    }
)
"""What the executor tells its jobs: one may call planner."""
_LIKE = 0.85
"""Letters in common from which on a name is taken for a mistyped one."""
_PROVIDER_KEY = re.compile(r"PLANNER_FORECASTS_(CARBON|SOLAR|PRICE)_(\w+)")

Key = tuple[str, ...]


def variable(key: Key) -> str:
    """Name of the environment variable that overrides a key."""
    words = key[1:] if key[0] == "planner" else key
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", "_".join(words).upper())


def from_environment(
    tree: Mapping[str, Any], environment: Mapping[str, str], findings: Findings
) -> dict[Key, tuple[Any, str]]:
    """Values that the environment sets, with the variable that set each.

    Parameters
    ----------
    tree
        What planner.toml says; its regions decide which variables exist.
    environment
        All environment variables.
    findings
        Takes in variables that mean no key, or several.
    """
    known: dict[str, list[tuple[Key, type]]] = {}
    for key, kind in _scalars(tree):
        known.setdefault(variable(key), []).append((key, kind))
    values: dict[Key, tuple[Any, str]] = {}
    for name in sorted(environment):
        if name in known:
            keys = known[name]
            if len(keys) > 1:
                _refuse_ambiguous(name, [key for key, _ in keys], findings)
                continue
            key, kind = keys[0]
            values[key] = (_value(environment[name], kind), f"environment {name}")
        elif extra := _PROVIDER_KEY.fullmatch(name):
            key = ("forecasts", extra[1].lower(), extra[2].lower())
            values[key] = (environment[name], f"environment {name}")
        elif (backend_key := _backend_key(tree, name)) is not None:
            values[backend_key] = (environment[name], f"environment {name}")
        elif name.startswith(_SECTIONS) and name not in _TOLD_TO_JOBS:
            findings.add(
                field=name,
                found="an environment variable that sets nothing",
                expected="the name of a setting",
                hint=nearest(name, known),
            )
    return values


def mistyped(regions: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that set nothing and look like one that would, with its name.

    Parameters
    ----------
    regions
        Names of the workspace's regions.
    """
    tree = {"regions": dict.fromkeys(regions)}
    known = {variable(key) for key, _ in _scalars(tree)} | _OTHERS
    words = sorted(name.removeprefix(PREFIX) for name in known)
    found = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name.startswith(_SECTIONS):
            continue
        word = name.removeprefix(PREFIX)[:128]
        near = get_close_matches(word, words, n=1, cutoff=_LIKE)
        if near and name not in known | _TOLD_TO_JOBS:
            found[name] = PREFIX + near[0]
    return found


def _backend_key(tree: Mapping[str, Any], name: str) -> Key | None:
    """Key of a back end's table; names with underscores need the table to be there."""
    tables = tree.get("executor")
    backends = list(tables) if isinstance(tables, dict) else []
    for backend in sorted(backends, key=len, reverse=True):
        prefix = f"{variable(('executor', backend))}_"
        if name.startswith(prefix) and len(name) > len(prefix):
            return ("executor", backend, name.removeprefix(prefix).lower())
    return None


def _refuse_ambiguous(name: str, keys: list[Key], findings: Findings) -> None:
    findings.add(
        field=name,
        found=f"a variable that means {' and '.join('.'.join(k) for k in keys)}",
        expected="one setting",
        hint="rename a region or set the value in planner.toml",
    )


def _scalars(tree: Mapping[str, Any]) -> Iterator[tuple[Key, type]]:
    for table in _TABLES:
        annotation = Settings.model_fields[table].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _leaves((table,), annotation)
    for series in ForecastsTable.model_fields:
        yield from _leaves(("forecasts", series), ForecastTable)
    regions = tree.get("regions")
    for name in regions if isinstance(regions, dict) else ():
        yield from _leaves(("regions", name), Region)


def _leaves(at: Key, model: type[BaseModel]) -> Iterator[tuple[Key, type]]:
    for name, field in model.model_fields.items():
        if at[0] == "regions" and name == "name":
            continue
        parts = list(_parts(field.annotation))
        if tables := [p for p in parts if issubclass(p, BaseModel)]:
            yield from _leaves((*at, name), tables[0])
        elif not any(issubclass(p, tuple | dict) for p in parts):
            yield (*at, name), _kind(set(parts))


def _kind(parts: set[type]) -> type:
    if bool in parts:
        return bool
    return float if {int, float} & parts else str


def _parts(annotation: Any) -> Iterable[type]:
    """Plain classes that an annotation such as ``float | None`` is made of."""
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _parts(part)
    elif hasattr(annotation, "__metadata__"):
        yield from _parts(annotation.__origin__)
    else:
        plain = get_origin(annotation) or annotation
        if isinstance(plain, type) and plain is not type(None):
            yield plain


def _value(text: str, kind: type) -> Any:
    """Number, true or false where the setting takes one and the text is one."""
    if kind is str:
        return text
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def flatten(tree: Mapping[str, Any], at: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value of a tree of tables, with its path."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, (*at, name))
        else:
            yield (*at, name), value
