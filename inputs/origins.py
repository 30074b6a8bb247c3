"""Every setting in force, and whether file, environment, flag or table gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from inputs.overrides import flatten
from inputs.settings import Settings, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value in force and where it came from."""

    key: str
    value: object
    source: str


def sources(workspace: Workspace) -> tuple[Setting, ...]:
    """Every setting in force, in the order of the schema, with its source."""
    return tuple(_listed(workspace.settings, "", workspace.origins))


def _listed(table: BaseModel, at: str, origins: Mapping[str, str]) -> Iterator[Setting]:
    for name, value in table:
        key = f"{at}{name}"
        if key == "regions" and isinstance(table, Settings):
            for region in table.regions:
                yield from _listed(region, f"regions.{region.name}.", origins)
        elif key == "executor" and isinstance(table, Settings):
            for inner, single in flatten(table.executor.model_dump(), (key,)):
                dotted = ".".join(inner)
                yield Setting(key=dotted, value=single, source=_source(dotted, origins))
        elif isinstance(value, BaseModel):
            yield from _listed(value, f"{key}.", origins)
        elif key == "cloud_regions" and isinstance(table, Settings):
            yield from _changed_rows(table, origins)
        elif not (at.startswith("regions.") and name == "name"):
            yield Setting(key=key, value=value, source=_source(key, origins))


def _changed_rows(settings: Settings, origins: Mapping[str, str]) -> Iterator[Setting]:
    for cloud, own in settings.cloud_regions.items():
        for column, cell in own.model_dump(exclude_none=True).items():
            key = f"cloud_regions.{cloud}.{column}"
            yield Setting(key=key, value=cell, source=_source(key, origins))


def _source(key: str, origins: Mapping[str, str]) -> str:
    if key in origins:
        return origins[key]
    inside = [s for k, s in origins.items() if k.startswith(f"{key}.")]
    return inside[0] if inside else "default"
