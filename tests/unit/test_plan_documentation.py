"""docs/plan-file.md names every column, metadata key and rule."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from outputs.check import Rule
from outputs.plan import PLAN_SCHEMA, PlanMeta
from outputs.plan_file import write_plan
from tests.factories_plan import small_plan

PAGE = Path(__file__).parents[2] / "docs" / "plan-file.md"
TYPES = {
    "string": "string",
    "int32": "int32",
    "double": "double",
    "timestamp[us, tz=UTC]": "timestamp[us, UTC]",
    "list<item: string>": "list&lt;string&gt;",
}


def first_cells() -> set[str]:
    """Words in code marks in the first column of the page's tables."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line[:1] == "|"]
    return {
        word for line in lines for word in re.findall(r"`(.+?)`", line.split("|")[1])
    }


@pytest.mark.parametrize("field", list(PLAN_SCHEMA), ids=lambda field: str(field.name))
def test_every_column_is_documented_with_its_type(field: object) -> None:
    line = f"| `{field.name}` | {TYPES[str(field.type)]} | "  # type: ignore[attr-defined]
    assert line in PAGE.read_text("utf-8")


def test_every_metadata_key_is_documented() -> None:
    assert set(PlanMeta.__dataclass_fields__) <= first_cells()


def test_every_rule_of_the_check_is_documented() -> None:
    assert {rule.value for rule in Rule} <= first_cells()


def test_nothing_is_documented_that_does_not_exist() -> None:
    known = {*PLAN_SCHEMA.names, *PlanMeta.__dataclass_fields__, *Rule}
    assert first_cells() <= known


def test_example_reads_a_plan(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert code is not None
    path = tmp_path / "plan.parquet"
    write_plan(small_plan(), path)
    names = {"json": json, "pq": pq}
    exec(code[1].replace("outputs/plans/plan-2026-11-22.parquet", str(path)), names)
    assert names["meta"]["serial"] == 1  # type: ignore[index]
