"""The reference page, the schema and the public names agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

import inputs
from inputs import settings
from inputs.manifests.fields import FIELDS, MAPS

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")

TABLES = [
    settings.PlannerTable,
    settings.ObjectiveTable,
    settings.PoliciesTable,
    settings.Region,
    settings.SolarArray,
    settings.Battery,
    settings.ForecastTable,
    settings.TransferTable,
    settings.Budget,
    settings.ExecutorTable,
]


@pytest.mark.parametrize("name", [*FIELDS, *MAPS])
def test_every_field_of_a_job_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_is_in_the_reference(table: type[BaseModel]) -> None:
    names = set(table.model_fields) - ({"name"} if table is settings.Region else set())
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


@pytest.mark.parametrize("name", settings.Settings.model_fields)
def test_every_table_is_in_the_reference(name: str) -> None:
    assert f"[{name}" in PAGE


@pytest.mark.parametrize("name", [n for n, field in FIELDS.items() if field.later])
def test_what_is_not_supported_yet_is_listed_as_such(name: str) -> None:
    assert f"`{name}`" in PAGE.partition("## Known, but not supported yet")[2]


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert inputs.__all__ == sorted(inputs.__all__)
    assert set(inputs.__all__) == set(inputs._HOMES)
    for name in inputs.__all__:
        assert getattr(inputs, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = inputs.nothing


def test_importing_the_package_stays_light() -> None:
    code = (
        "import inputs, sys; print({'pyarrow', 'pydantic', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
