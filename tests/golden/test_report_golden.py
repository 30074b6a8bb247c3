"""Markdown and JSON of known reports, kept as files and reviewed as diffs."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from outputs.report.contents import sections
from outputs.report.document import json_report
from outputs.report.markdown import markdown_report
from tests.factories_report import known_report
from tests.golden.rewrite_report import CASES, FOLDER


@pytest.mark.parametrize("case", CASES)
def test_markdown_is_as_reviewed(case: str) -> None:
    report = known_report(case)
    expected = (FOLDER / case / "expected.md").read_text(encoding="utf-8")
    assert markdown_report(report, sections(report)) == expected


@pytest.mark.parametrize("case", CASES)
def test_json_is_as_reviewed(case: str) -> None:
    expected = json.loads((FOLDER / case / "expected.json").read_text("utf-8"))
    found = json.loads(json_report(known_report(case)))
    assert differences(found, expected) == []


def differences(found: Any, expected: Any, place: str = "") -> list[str]:
    """Places where two JSON values differ by more than rounding."""
    if isinstance(found, dict) and isinstance(expected, dict):
        wrong = [f"{place}: keys {set(found) ^ set(expected)}"]
        wrong = wrong if list(found) != list(expected) else []
        return wrong + [
            line
            for key in found.keys() & expected.keys()
            for line in differences(found[key], expected[key], f"{place}.{key}")
        ]
    if isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            return [f"{place}: {len(found)} items, expected {len(expected)}"]
        return [
            line
            for i, (a, b) in enumerate(zip(found, expected, strict=True))
            for line in differences(a, b, f"{place}[{i}]")
        ]
    numbers = isinstance(found, float | int) and isinstance(expected, float | int)
    same = math.isclose(found, expected, rel_tol=1e-9) if numbers else found == expected
    return [] if same else [f"{place}: {found!r}, expected {expected!r}"]
