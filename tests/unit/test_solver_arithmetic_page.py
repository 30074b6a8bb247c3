"""Every number of the worked example in docs/arithmetic.md, worked out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from solvers.evaluate import Evaluation, evaluate
from tests.factories_solvers import AJob, a_problem, a_schedule

PAGE = Path(__file__).parents[2] / "docs" / "arithmetic.md"


def table(first_column: str) -> list[list[str]]:
    """Rows of the page's table whose heading starts with a word."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(first_column))
    rows = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def example(solar_budget_kwh: float = float("inf")) -> Evaluation:
    rows = table("| slot")
    grams = [float(row[1]) for row in rows]
    problem = a_problem(
        [AJob(slots=2, fraction=0.5, power_kw=2.0), AJob(power_kw=4.0)],
        weight=([g / 1000 for g in grams],),
        g_per_kwh=(grams,),
        pue=1.25,
        solar_kwh=([float(row[2]) for row in rows],),
        solar_budget_kwh=solar_budget_kwh,
    )
    return evaluate(problem, a_schedule((0, 0), (0, 1)))


def test_slots_of_the_example_are_right() -> None:
    priced, rows = example(), table("| slot")
    assert len(rows) == 4
    for t, row in enumerate(rows):
        grams, _, a, b, load, used, grid, kg = map(float, row[1:])
        assert a + b == pytest.approx(load)
        assert load == pytest.approx(priced.load_kwh[0, t])
        assert used == pytest.approx(priced.used_solar_kwh[0, t])
        assert grid == pytest.approx(priced.grid_kwh[0, t])
        assert kg == pytest.approx(grid * grams / 1000)


def test_shares_of_the_example_are_right() -> None:
    priced, rows = example(), table("| job")
    assert [row[0] for row in rows] == ["A", "B"]
    for j, row in enumerate(rows):
        energy, solar, grid, kg = map(float, row[1:])
        assert energy == pytest.approx(priced.job_energy_kwh[j])
        assert solar == pytest.approx(priced.job_solar_kwh[j])
        assert grid == pytest.approx(priced.job_grid_kwh[j])
        assert kg == pytest.approx(priced.job_emissions_kg[j])


def test_totals_of_the_example_are_right() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"Together {example().emissions_kg:.4g} kg" in text
    assert f"emissions are {example(2.2).emissions_kg:.4g} kg" in text
