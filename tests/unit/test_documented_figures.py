"""Figures of the pages are those that were measured last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def rows_below(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    text = (ROOT / page).read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert lines, heading
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[0].splitlines()[2:]
    ]


def first_figure(cell: str) -> float:
    return float(cell.split()[0])


MEASURED = {
    row[0]: row
    for row in rows_below("benchmarks/RESULTS.md", "Solver by number of jobs")
    if row[1] == "price"
}
TOLD = rows_below("docs/price-engine.md", "Measured")


@pytest.mark.parametrize("told", TOLD, ids=[row[0] for row in TOLD])
def test_the_price_engine_is_as_fast_as_its_page_says(told: list[str]) -> None:
    _, _, _, _, gap, elapsed, processor, _, memory, *_ = MEASURED[told[0]]
    digits = len(told[1].split()[0].partition(".")[2])
    assert first_figure(told[1]) == round(first_figure(gap), digits)
    assert (first_figure(told[2]), first_figure(told[3])) == (
        float(elapsed),
        float(processor),
    )
    assert first_figure(told[4]) == round(float(memory), 1)


def test_the_readme_does_not_promise_more_than_was_measured() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "a million jobs on two cores with a gap of a few thousandths" in readme
    assert 0.001 <= first_figure(MEASURED["1,000,000"][4]) < 0.01
