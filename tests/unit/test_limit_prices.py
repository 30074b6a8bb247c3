"""Shadow prices in kilograms: figures by hand, files, and words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from inputs.timegrid import TimeGrid, day_grid
from outputs.charts.prices import prices_chart
from outputs.errors import PlanFormatError
from outputs.limit_costs import costs_document, costs_sheet, costs_text
from outputs.limit_prices import LimitPrice, LimitPrices
from outputs.limit_prices_file import read_limit_prices, write_limit_prices
from tests.factories_comparison import make_comparison

GRID = day_grid(date(2026, 11, 22), timezone="UTC", slot_minutes=30)


def a_limit(
    *priced: tuple[int, float],
    region: str = "north",
    limit: str = "gpu",
    units: float = 4,
) -> LimitPrice:
    kg = np.zeros(GRID.n_slots)
    for slot, price in priced:
        kg[slot] = price
    return LimitPrice(
        region=region, limit=limit, kg=kg, available=np.full(GRID.n_slots, units)
    )


def test_sums_over_the_day_count_half_hours_as_half_an_hour():
    limit = a_limit((4, 0.2), (5, 0.1), (30, 0.001))
    assert limit.one_unit_kg(GRID) == pytest.approx(0.1505)
    assert limit.one_percent_kg(GRID) == pytest.approx(0.01 * 4 * 0.1505)
    assert limit.priced_hours(GRID) == 1.0  # a hundredth of the peak is noise
    assert limit.dearest() == (4, 6)


@pytest.mark.parametrize("slots", [(0,), (47,), tuple(range(48))])
def test_dearest_hours_may_touch_the_ends_of_the_day(slots):
    assert a_limit(*((s, 1.0) for s in slots)).dearest() == (slots[0], slots[-1] + 1)


def test_limits_are_ranked_by_what_a_percent_more_saves():
    many = a_limit((4, 0.1), region="many", units=100.0)
    few = a_limit((4, 1.0), region="few", units=2.0)
    free = a_limit(region="free")
    prices = LimitPrices(limits=(free, few, many))
    assert [p.region for p in prices.most_expensive(GRID, 9)] == ["many", "few"]
    assert [p.region for p in prices.most_expensive(GRID, 1)] == ["many"]


def test_prices_come_back_from_their_file_to_the_last_bit(tmp_path):
    prices = LimitPrices(
        limits=(a_limit((4, 0.1 + 0.2)), a_limit((7, 1e-9), limit="sun kW")),
        notes=("A note.",),
    )
    write_limit_prices(tmp_path / "deep" / "p.parquet", prices, GRID)
    found = read_limit_prices(tmp_path / "deep" / "p.parquet", GRID)
    assert found.notes == prices.notes
    for left, right in zip(found.limits, prices.limits, strict=True):
        assert (left.region, left.limit) == (right.region, right.limit)
        assert np.array_equal(left.kg, right.kg)
        assert np.array_equal(left.available, right.available)


def test_a_day_without_limits_has_a_file_too(tmp_path):
    write_limit_prices(tmp_path / "p.parquet", LimitPrices(limits=()), GRID)
    assert read_limit_prices(tmp_path / "p.parquet", GRID).limits == ()


def other_slots(path: Path) -> TimeGrid:
    write_limit_prices(path, LimitPrices(limits=(a_limit((1, 1.0)),)), GRID)
    return day_grid(date(2026, 11, 23), timezone="UTC", slot_minutes=30)


def cut_short(path: Path) -> TimeGrid:
    write_limit_prices(path, LimitPrices(limits=(a_limit((1, 1.0)),)), GRID)
    path.write_bytes(path.read_bytes()[:-20])
    return GRID


def no_parquet(path: Path) -> TimeGrid:
    path.write_text("prices")
    return GRID


@pytest.mark.parametrize("damage", [other_slots, cut_short, no_parquet])
def test_a_damaged_or_foreign_file_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "p.parquet"
    grid = damage(path)
    with pytest.raises(PlanFormatError, match=r"p\.parquet"):
        read_limit_prices(path, grid)


def test_a_day_on_which_nothing_is_short_says_so():
    comparison = make_comparison(limit_prices=LimitPrices(limits=()))
    assert "No limit costs anything" in costs_text(comparison)
    assert costs_sheet(comparison).rows == ()
    assert prices_chart(comparison) is None


def test_prices_that_were_not_computed_are_not_shown_as_none_needed():
    comparison = make_comparison()
    assert "Not computed" in costs_text(comparison)
    assert costs_document(comparison) is None
    assert prices_chart(comparison) is None


def test_words_say_that_prices_are_marginal_and_of_the_relaxed_problem():
    hourly = make_comparison().grid
    limit = LimitPrice(
        region="north",
        limit="gpu",
        kg=np.eye(hourly.n_slots)[6],
        available=np.ones(hourly.n_slots),
    )
    prices = LimitPrices(limits=(limit,), notes=("Mind this.",))
    comparison = make_comparison(limit_prices=prices)
    text = costs_text(comparison)
    assert "relaxed problem" in text
    assert "small changes" in text
    assert "Mind this." in text
    (row,) = costs_sheet(comparison).rows
    assert row[:3] == ("north", "gpu", "06:00–07:00")
    assert "north · gpu" in str(prices_chart(comparison).svg)
