"""Intensity from generation by type: arithmetic by hand, and documents as they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts.bidding_zones import BiddingZone
from forecasts.emission_factors import NAMED, Factors, factors_of
from forecasts.entsoe_generation import parse
from forecasts.errors import ForecastError, ForecastFormatError
from forecasts.provider import Observations
from forecasts.series import Signal
from tests.replay_generation import COAL, PUMPED, WIND, generation, hours, outputs
from tests.replay_price import EIC, NO_DATA, acknowledgement, period

ZONE = BiddingZone(name="DE-LU", eic=EIC)
START = datetime(2026, 11, 21, 23, tzinfo=UTC)
TABLE = factors_of(Path("/nowhere"), None)
of = pytest.mark.parametrize


def read(*all_series: str, factors: Factors = TABLE) -> Observations:
    return parse(generation(*all_series), zone=ZONE, factors=factors)


def steady(mw: float, count: int = 4, **own: Any) -> str:
    """The same power in each of some hours."""
    return outputs(hours(START, dict.fromkeys(range(1, count + 1), mw), count), **own)


FAR_APART = generation(
    outputs(
        *(
            period(at, at + timedelta(minutes=5), {1: 1.0}, "PT1M")
            for at in (datetime(1970, 1, 1, tzinfo=UTC), START)
        )
    )
)
"""Few bytes that a table of all minutes between would turn into gigabytes."""


def test_intensity_is_the_mean_of_factors_weighted_by_power() -> None:
    read_ = read(steady(300), steady(100, psr_type=WIND))
    assert read_.values == pytest.approx([(300 * 820 + 100 * 11) / 400] * 4)
    assert read_.unit == "g/kWh"
    assert read_.signal is Signal.AVERAGE
    assert read_.place == "DE-LU"
    assert read_.estimated == f"generation by type x {NAMED}; imports not counted"
    starts = [START + timedelta(hours=i) for i in range(4)]
    assert (read_.times_us == [int(s.timestamp()) * 10**6 for s in starts]).all()


def test_pumped_storage_counts_on_neither_side() -> None:
    alone = read(steady(300), steady(100, psr_type=WIND)).values
    generated = steady(5000, psr_type=PUMPED)
    consumed = steady(9000, psr_type=PUMPED, way="out")
    own_use = steady(50, psr_type=WIND, way="out")
    read_ = read(
        steady(300), generated, consumed, steady(100, psr_type=WIND), own_use
    )  # fmt: skip
    np.testing.assert_array_equal(read_.values, alone)


def test_a03_carries_power_on_to_the_end_of_the_period() -> None:
    coal = outputs(hours(START, {1: 300.0, 3: 100.0}, 4), curve="A03")
    read_ = read(coal, steady(100, psr_type=WIND))
    dirty, even = (300 * 820 + 1100) / 400, (820 + 11) / 2
    assert read_.values == pytest.approx([dirty, dirty, even, even])


@of(("unit", "factor"), [("MAW", 1), ("maw", 1), ("KWT", 1000), ("MWH", 1)])
def test_units_of_power_and_of_energy_may_be_mixed(unit: str, factor: float) -> None:
    wind = steady(100 * factor, psr_type=WIND, unit=unit)
    assert read(steady(100), wind).values == pytest.approx([415.5] * 4)


def test_energy_of_a_quarter_hour_is_a_fourth_of_its_power() -> None:
    quarters = period(START, START + timedelta(hours=4), {1: 25.0}, "PT15M")
    wind = outputs(quarters, psr_type=WIND, unit="MWH", curve="A03")
    assert read(steady(100), wind).values == pytest.approx([415.5] * 4)


def test_types_in_several_steps_are_taken_on_the_coarsest() -> None:
    quarters = {i: float(v) for i, v in enumerate([0, 100, 200, 100] * 4, start=1)}
    wind = outputs(
        period(START, START + timedelta(hours=4), quarters, "PT15M"), psr_type=WIND
    )
    read_ = read(steady(100), wind)
    assert read_.values == pytest.approx([415.5] * 4)
    assert read_.steps_us is not None
    assert set(read_.steps_us) == {3_600_000_000}


def test_interval_without_a_type_of_weight_is_a_hole_and_told() -> None:
    wind = outputs(hours(START, {1: 100.0, 2: 100.0, 4: 100.0}, 4), psr_type=WIND)
    read_ = read(steady(300), wind)
    assert np.isnan(read_.values).tolist() == [False, False, True, False]
    assert read_.notes == (
        "1 intervals were left out because types of weight are missing there",
    )


def test_type_that_ends_early_leaves_the_newest_hours_out() -> None:
    read_ = read(steady(300), steady(100, 2, psr_type=WIND))
    assert np.isnan(read_.values).tolist() == [False, False, True, True]


def test_hour_of_which_a_quarter_is_missing_is_a_hole() -> None:
    quarters = dict.fromkeys([*range(1, 7), *range(8, 17)], 100.0)
    wind = outputs(
        period(START, START + timedelta(hours=4), quarters, "PT15M"), psr_type=WIND
    )
    assert np.isnan(read(steady(300), wind).values).tolist() == [
        False, True, False, False,
    ]  # fmt: skip


def test_type_of_no_weight_may_be_missing() -> None:
    marine = outputs(hours(START, {1: 3.0}, 1), psr_type="B13")
    read_ = read(steady(300), steady(100, psr_type=WIND), marine)
    assert read_.values[1:] == pytest.approx([(300 * 820 + 1100) / 400] * 3)
    assert read_.values[0] == pytest.approx((300 * 820 + 1100 + 51) / 403)
    assert read_.notes == ()


def test_night_without_sun_is_stated_as_zero_and_is_no_hole() -> None:
    sun = outputs(hours(START, {1: 0.0, 2: 0.0, 3: 900.0, 4: 0.0}, 4), psr_type="B16")
    read_ = read(steady(300), sun)
    assert read_.values[[0, 1, 3]] == pytest.approx([820] * 3)


def test_power_below_zero_is_own_use_and_counts_as_none() -> None:
    assert read(steady(300), steady(-4, psr_type=WIND)).values == pytest.approx(820)


def test_series_that_stands_twice_counts_once() -> None:
    one = steady(300)
    np.testing.assert_array_equal(
        read(one, one, steady(100, psr_type=WIND)).values,
        read(one, steady(100, psr_type=WIND)).values,
    )


def test_type_in_two_series_one_after_the_other_is_whole() -> None:
    halves = [
        outputs(hours(START + timedelta(hours=h), {1: 300.0, 2: 300.0}, 2))
        for h in (0, 2)
    ]
    assert read(*halves, steady(0, psr_type=WIND)).values == pytest.approx(820)


@of("kind", ["B99", "X", "b05"])
def test_type_without_a_factor_is_named(kind: str) -> None:
    with pytest.raises(ForecastError, match=f"no emission factor for {kind}; a file"):
        read(steady(300), steady(1, psr_type=kind))


def test_fc_18_generation_of_another_area_is_refused() -> None:
    other = "10YFR-RTE------C"
    assert read(steady(300), steady(100, eic=other)).place == other


@of(
    ("body", "said"),
    [
        (acknowledgement(NO_DATA), "no generation is told of this time or zone"),
        (acknowledgement("limit exceeded"), "the service says: limit exceeded"),
        (generation(), "holds no generation"),
        (generation(steady(1, psr_type=PUMPED)), "holds no generation"),
        (generation(outputs()), "holds no generation"),
        (b"<Publication_MarketDocument/>", "expected GL_MarketDocument"),
        (generation(steady(1, unit="")), "quantity_Measure_Unit.name"),
        (generation(steady(1, unit="GWH")), "one of MAW, KWT, MWH, KWH"),
        (generation(steady(1, psr_type="")), "psrType"),
        (generation(steady(1.5)).replace(b">1.5<", b">nan<", 1), "a number"),
        (generation(steady(1e300)), r"at most 1e\+07"),
        (FAR_APART, "1 to 60000 intervals"),
        (b"", "empty"),
    ],
)
def test_document_without_sense_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(ForecastError, match=said):
        parse(body, zone=ZONE, factors=TABLE)


def test_few_bytes_that_state_endless_positions_are_refused() -> None:
    year = START + timedelta(days=365)
    many = outputs(*[period(START, year, {1: 1.0}, "PT60M")] * 9, curve="A03")
    with pytest.raises(ForecastFormatError, match="1 to 60000 positions"):
        read(many)


# The factors


def test_every_row_of_the_table_names_its_source_and_is_a_median_or_assumption() -> (
    None
):
    rows = (
        Path(__file__).parents[2] / "forecasts" / "emission_factors.csv"
    ).read_text()
    for row in rows.splitlines()[1:]:
        assert any(w in row for w in ("IPCC", "our assumption", "left out")), row
    given = TABLE.g_per_kwh
    assert (given["B05"], given["B04"], given["B14"], given["B19"]) == (
        820,
        490,
        12,
        11,
    )
    assert given[PUMPED] is None


def test_own_file_replaces_single_factors(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(
        f"psr_type,g_per_kwh,source\n{COAL},1000,own\nB10,50,own\n{WIND},,left out\n"
    )
    factors = factors_of(tmp_path, "f.csv")
    assert factors.named == f"f.csv, else {NAMED}"
    read_ = read(
        steady(300), steady(100, psr_type=PUMPED), steady(99, psr_type=WIND),
        factors=factors,
    )  # fmt: skip
    assert read_.values == pytest.approx([(300 * 1000 + 100 * 50) / 400] * 4)


@of(
    ("text", "said"),
    [
        ("psr_type,g_per_kwh\nB05,1\n", "source"),
        ("psr_type,g_per_kwh,source\nB05,x,own\n", "row 2, g_per_kwh"),
        ("psr_type,g_per_kwh,source\nB05,-1,own\n", "0 to 3000"),
        ("psr_type,g_per_kwh,source\nB05,nan,own\n", "0 to 3000"),
        ("psr_type,g_per_kwh,source\nB05,1,\n", "where the figure comes from"),
        ("psr_type,g_per_kwh,source\nB05,1,a\nB05,2,a\n", "a type that stands once"),
        ("psr_type,g_per_kwh,source\n,1,a\n", "row 2, psr_type"),
        ("\xff", "psr_type"),
        ('psr_type,g_per_kwh,source\n"B05,1,a\n', "CSV in UTF-8"),
    ],
)
def test_own_file_is_refused_by_row_and_column(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(ForecastFormatError, match=said):
        factors_of(tmp_path, "f.csv")


def test_own_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match=r"f\.csv: found"):
        factors_of(tmp_path, "f.csv")
