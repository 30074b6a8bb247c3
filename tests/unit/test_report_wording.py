"""Figures and outside strings in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from outputs.wording import (
    amount,
    amounts,
    counted,
    day,
    duration,
    moment,
    percent,
    printable,
    seconds,
    shortened,
)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "–"),
        (float("inf"), "–"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.1234, "12.3 %"),
        (-0.05, "−5.0 %"),
        (0.00083, "0.08 %"),
        (0.0000042, "0.0004 %"),
        (1e-9, "< 0.0001 %"),
        (-1e-9, "> −0.0001 %"),
        (0.99997, "99.997 %"),
    ],
)
def test_percent(fraction: float | None, text: str) -> None:
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (1234567.0, "1,234,567"),
        (63.114, "63.1"),
        (0.6, "0.600"),
        (-2.5, "−2.50"),
    ],
)
def test_amount(value: float | None, text: str) -> None:
    assert amount(value) == text


def test_column_of_amounts_has_equal_decimals_and_no_negative_zero() -> None:
    assert amounts([248.0, 0.02, -0.001, None]) == ["248.0", "0.0", "0.0", "–"]


def test_noun_agrees_with_its_number() -> None:
    assert [counted(n, "job") for n in (0, 1, 2000)] == [
        "0 jobs",
        "1 job",
        "2,000 jobs",
    ]


def test_control_characters_and_direction_marks_are_replaced() -> None:
    assert printable("a\x1b[31m\n\u202eb\u2028") == "a\ufffd[31m\ufffd\ufffdb\ufffd"
    assert printable("Zürich · 東京") == "Zürich · 東京"


def test_cut_text_is_marked() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"


def test_times_are_local_with_their_offset() -> None:
    instant = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert moment(instant, "Europe/Berlin") == "2026-10-25 02:30+01:00"
    assert moment(None, "Europe/Berlin") == "–"
    assert day(date(2026, 11, 22)) == "Sun 22 Nov 2026"


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [(60.0, "1 min"), (7 * 3600.0, "7 h"), (3 * 86400.0, "3 d"), (None, "–")],
)
def test_age_is_rough(elapsed: float | None, text: str) -> None:
    assert duration(elapsed) == text


def test_seconds_have_decimals_only_where_they_matter() -> None:
    assert [seconds(s) for s in (0.004, 3.2, 130.0)] == ["0.00", "3.20", "130"]
