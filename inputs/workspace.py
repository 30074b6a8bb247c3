"""A workspace: the folder of planner.toml, found, read and checked as a whole.

Each setting comes from the first that gives it: flag, ``PLANNER_*`` environment
variable (see ``inputs.overrides``), planner.toml, default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from inputs.cloud_defaults import refuse_unknown_clouds, with_cloud_pue
from inputs.errors import Finding, SettingsError
from inputs.files import read_one
from inputs.findings import Findings, Unreadable, nearest, quoted
from inputs.overrides import Key, flatten, from_environment
from inputs.settings import (
    ForecastsTable,
    ForecastTable,
    Region,
    Settings,
    Workspace,
)
from inputs.settings_checks import (
    refuse_unfit_operations,
    refuse_unknown_regions,
    refuse_unsupported,
)
from inputs.toml_lines import line_of, mistake_in

FILE = "planner.toml"
MAX_BYTES = 4 << 20
"""Largest planner.toml that is read."""


def find_root(start: Path) -> Path:
    """Nearest folder with a planner.toml, from ``start`` upwards.

    Raises
    ------
    SettingsError
        If there is none up to the root of the file system.
    """
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    finding = Finding(
        path=str(start),
        found=f"no {FILE} here or in a folder above",
        expected="a workspace",
        hint="make one with `planner init`, or name one with `planner -C DIR`",
    )
    raise SettingsError([finding])


def load_workspace(
    root: Path,
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
) -> Workspace:
    """Settings of a workspace, with what overrides them.

    Parameters
    ----------
    root
        Folder of planner.toml.
    environment
        Environment variables; those named ``PLANNER_*`` override single values.
    flags
        Dotted key to value, as given on the command line.

    Raises
    ------
    SettingsError
        If anything cannot be used; carries every finding.
    """
    findings = Findings(FILE)
    text = _text(root / FILE)
    tree = _parse(text)
    given: dict[Key, tuple[Any, str]] = {
        key: (value, FILE) for key, value in flatten(tree)
    }
    given |= from_environment(tree, environment, findings)
    for dotted, value in (flags or {}).items():
        given[tuple(dotted.split("."))] = (value, "flag")
    for key, (value, source) in given.items():
        if source != FILE:
            _keep_default_provider(tree, key)
            _put(tree, key, value)
    origins = {".".join(key): source for key, (_, source) in given.items()}
    settings = _validate(tree, origins, text, findings)
    return Workspace(
        root=root,
        settings=with_cloud_pue(settings, origins),
        origins=origins,
    )


def _text(path: Path) -> str:
    try:
        return read_one(path, MAX_BYTES).data.decode("utf-8-sig")
    except Unreadable as error:
        raise _refusal(
            found=error.found, expected=error.expected, hint=error.hint
        ) from None
    except UnicodeDecodeError as error:
        raise _refusal(
            found=f"byte 0x{error.object[error.start]:02x} at {error.start}",
            expected="UTF-8 text",
        ) from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _refusal(found="very deep nesting", expected="TOML") from None
    except ValueError as error:
        mistake = mistake_in(error)
        raise _refusal(
            found=mistake.found, expected="TOML", line=mistake.line
        ) from None


def _refusal(
    *, found: str, expected: str, hint: str | None = None, line: int | None = None
) -> SettingsError:
    return SettingsError(
        [Finding(path=FILE, line=line, found=found, expected=expected, hint=hint)]
    )


def _put(tree: dict[str, Any], key: Key, value: Any) -> None:
    for name in key[:-1]:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree[key[-1]] = value


def _keep_default_provider(tree: dict[str, Any], key: Key) -> None:
    """A forecast that only an override mentions keeps its default provider."""
    forecasts = tree.setdefault("forecasts", {}) if key[0] == "forecasts" else None
    if isinstance(forecasts, dict) and key[1] not in forecasts:
        field = ForecastsTable.model_fields.get(key[1])
        if field is not None and isinstance(field.default, ForecastTable):
            forecasts[key[1]] = {"provider": field.default.provider}


def _validate(
    tree: dict[str, Any], origins: Mapping[str, str], text: str, findings: Findings
) -> Settings:
    names: list[str] = []
    shaped = dict(tree)
    regions = tree.get("regions")
    if isinstance(regions, dict):
        names = list(regions)
        shaped["regions"] = [
            {**table, "name": name} if isinstance(table, dict) else table
            for name, table in regions.items()
        ]
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(shaped)
    except ValidationError as error:
        told: set[tuple[str | int, ...]] = set()
        for details in error.errors():
            path = _place(details["loc"], names)
            # A union tells once for each branch, a table again for its parts.
            if path not in told and not (path == ("regions",) and names):
                _add(details, path, origins, text, findings)
            told.add(path)
    else:
        refuse_unsupported(settings, text, findings)
        refuse_unknown_regions(settings, text, findings)
        refuse_unknown_clouds(settings, text, findings)
        refuse_unfit_operations(settings, text, findings)
    findings.raise_as(SettingsError)
    assert settings is not None
    return settings


def _add(
    details: ErrorDetails,
    path: tuple[str | int, ...],
    origins: Mapping[str, str],
    text: str,
    findings: Findings,
) -> None:
    dotted = ".".join(str(part) for part in path)
    origin = origins.get(dotted, FILE)
    found, expected, hint = _words(details, path)
    findings.add(
        line=line_of(text, path) if origin == FILE else None,
        field=dotted if origin == FILE else f"{dotted} ({origin})",
        found=found,
        expected=expected,
        hint=hint,
    )


def _place(loc: tuple[str | int, ...], names: list[str]) -> tuple[str | int, ...]:
    """Path of a problem in planner.toml, without the validator's own steps."""
    path = [p for p in loc if not (isinstance(p, str) and "[" in p)]
    if len(path) > 1 and path[0] == "regions" and isinstance(path[1], int):
        path[1] = names[path[1]]
    while path and path[-1] in ("float", "constrained-float", "literal['auto']"):
        path.pop()
    return tuple(path)


def _words(
    details: ErrorDetails, path: tuple[str | int, ...]
) -> tuple[str, str, str | None]:
    kind = details["type"]
    if path == ("regions",):
        return "no region", "at least one [regions.NAME]", None
    if path == ("objective", "unplaced"):
        return quoted(details["input"]), '"auto" or a number greater than 0', None
    # What is no table cannot be a back end's either.
    if kind == "extra_forbidden" or (kind == "dict_type" and path[0] == "executor"):
        hint = nearest(str(path[-1]), _known(path[:-1]))
        return "an unknown key", "a key of the schema", hint
    if kind == "missing":
        return "nothing", "a value", None
    if path[0] == "regions" and path[-1] == "name":
        return "this name", "at most 128 of A-Z a-z 0-9 . _ -, no leading dash", None
    expected = details["msg"]
    for prefix in ("Input should be ", "Value error, "):
        expected = expected.removeprefix(prefix)
    if path[0] == "alerts" and path[-1] in ("url", "password"):
        return "something else (not shown)", expected, None
    return quoted(details["input"]), expected, None


def _known(path: tuple[str | int, ...]) -> list[str]:
    """Keys of the table at a path."""
    model: type[BaseModel] = Settings
    for part in path:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        inner = _model(model.model_fields[part].annotation)
        if inner is None:
            return []
        model = inner
    return [n for n in model.model_fields if not (model is Region and n == "name")]


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if (found := _model(part)) is not None:
            return found
    return None
