"""Who is told to be without a place, and how much of it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from outputs.unplaced import unplaced_sentences


def rows(*jobs: tuple[str, str | None, str]) -> pa.Table:
    names = ("job_id", "reason", "status")
    types = pa.schema([(name, pa.string()) for name in names])
    return pa.Table.from_pylist(
        [dict(zip(names, job, strict=True)) for job in jobs], schema=types
    )


def without(reason: str | None, *jobs: str) -> list[tuple[str, str | None, str]]:
    return [(job, reason, "unplaced") for job in jobs]


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        (["a"], "a is unplaced: full"),
        (["a", "b"], "a and b are unplaced: full"),
        (["a", "b", "c"], "a, b and c are unplaced: full"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more are unplaced: full"),
    ],
)
def test_jobs_with_one_reason_share_a_sentence(jobs: list[str], said: str) -> None:
    assert unplaced_sentences(rows(*without("full", *jobs))) == [said]


def test_a_job_with_a_place_is_not_told() -> None:
    assert unplaced_sentences(rows(("a", None, "planned"))) == []


def test_a_job_without_a_reason_is_told_all_the_same() -> None:
    said = unplaced_sentences(rows(*without(None, "a")))
    assert said == ["a is unplaced: no reason given"]


def test_the_commonest_reasons_come_first_and_the_rest_is_counted() -> None:
    table = rows(
        *without("rare", "a"),
        *without("odd", "b", "c"),
        *without("common", "d", "e", "f"),
    )
    assert unplaced_sentences(table, most=1) == [
        "d, e and f are unplaced: common",
        "3 more jobs unplaced, for 2 other reasons",
    ]


def test_a_name_cannot_reach_the_terminal_as_an_escape_sequence() -> None:
    (said,) = unplaced_sentences(rows(*without("\x1b[2J", "a")))
    assert "\x1b" not in said
