"""The history under ``kill -9``, damage, and readers who must not look ahead."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.errors import ForecastUnavailableError
from forecasts.history import keep_issue
from forecasts.issues import kept_issues, newest_about, read_issue
from forecasts.series import Series, Signal
from tests.drivers_history import VALUES, keep_number
from tests.factories_forecast import day_values, observations_of
from tests.replay_services import NOW

ROUNDS = 15


def run_rounds(folder: Path, rounds: int, seed: int) -> list[int]:
    """Kill keepers at random moments; number of issues after each."""
    words = [str(folder), str(rounds), str(seed)]
    command = [sys.executable, "-m", "tests.drivers_history", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counts: list[int] = json.loads(done.stdout)
    return counts


def assert_whole(folder: Path, count: int) -> None:
    """So many issues are there, numbered without a hole, each whole."""
    kept = kept_issues(folder)
    assert kept.unreadable == ()
    numbers = [int((i.fetched_at - NOW).total_seconds()) for i in kept.issues]
    assert numbers == list(range(1, count + 1))
    for issue, number in zip(kept.issues, numbers, strict=True):
        assert read_issue(issue).values.tolist() == [100.0 + number] * VALUES


def test_keepers_killed_at_random_moments_leave_whole_issues(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    counts = run_rounds(folder, ROUNDS, seed=1)
    assert len(set(counts)) == ROUNDS + 1
    assert_whole(folder, counts[-1])
    keep_number(folder, counts[-1] + 1)  # and removes what the last one left
    assert not list(folder.glob(".*"))


@pytest.mark.slow
def test_keepers_killed_500_times_leave_whole_issues(tmp_path: Path) -> None:
    counts = run_rounds(tmp_path / "history", 500, seed=2)
    assert_whole(tmp_path / "history", counts[-1])


def keep_one(
    folder: Path, values: object, *, issued: datetime | None, fetched: datetime
) -> Path:
    said = observations_of(values, issued_at=issued)
    return keep_issue(folder, said, provider="test", fetched_at=fetched)


HOURS = st.integers(-72, 24)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    issues=st.lists(st.tuples(HOURS, st.integers(0, 12), st.booleans()), max_size=8),
    as_of=HOURS,
)
def test_reader_never_sees_what_was_fetched_later(
    tmp_path_factory: pytest.TempPathFactory,
    issues: list[tuple[int, int, bool]],
    as_of: int,
) -> None:
    folder = tmp_path_factory.mktemp("history")
    known_at = NOW + timedelta(hours=as_of)
    expected = set()
    for n, (fetched, age, dated) in enumerate(issues):
        at = NOW + timedelta(hours=fetched, seconds=n)
        issued = at - timedelta(hours=age) if dated else None
        # what is fetched later is poisoned: a reader who peeks shows it
        poisoned = at > known_at
        keep_one(folder, day_values(seed=n) + 1e6 * poisoned, issued=issued, fetched=at)
        if not poisoned:
            expected.add(at)
    seen = kept_issues(folder, as_of=known_at).issues
    assert {issue.fetched_at for issue in seen} == expected
    span = (NOW - timedelta(days=9), NOW + timedelta(days=9))
    for said in newest_about(folder, series=Series.CARBON, as_of=known_at, span=span):
        assert said.values.max() < 1e6


def test_an_old_issue_that_came_late_is_not_known_before_it_came(
    tmp_path: Path,
) -> None:
    keep_one(tmp_path, day_values(), issued=NOW, fetched=NOW + timedelta(hours=5))
    assert kept_issues(tmp_path, as_of=NOW + timedelta(hours=4)).issues == ()
    assert len(kept_issues(tmp_path, as_of=NOW + timedelta(hours=5)).issues) == 1


def test_issue_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    values = day_values()
    values[3] = np.nan
    said = observations_of(
        values, issued_at=NOW, quantiles={0.1: values - 5, 0.975: values + 5},
        unit="lb/MWh", signal=Signal.MARGINAL,
    )  # fmt: skip
    keep_issue(tmp_path, said, provider="test", fetched_at=NOW)
    (issue,) = kept_issues(tmp_path).issues
    back = read_issue(issue)
    assert np.array_equal(back.values, said.values, equal_nan=True)
    assert np.array_equal(back.times_us, said.times_us)
    assert (back.unit, back.signal, back.issued_at) == (
        "lb/MWh",
        Signal.MARGINAL,
        NOW,
    )
    assert sorted(back.quantiles) == [0.1, 0.975]
    assert np.array_equal(back.quantiles[0.975], values + 5, equal_nan=True)


def test_the_newest_issue_about_a_time_comes_first(tmp_path: Path) -> None:
    for hours in (2, 0, 1):
        at = NOW + timedelta(hours=hours)
        keep_one(tmp_path, day_values() + hours, issued=at, fetched=at)
    span = (NOW + timedelta(hours=6), NOW + timedelta(hours=7))
    found = newest_about(
        tmp_path, series=Series.CARBON, as_of=NOW + timedelta(hours=9), span=span
    )
    first = [float(said.values[0] - day_values()[0]) for said in found]
    assert first == pytest.approx([2, 1, 0])


def test_damaged_issue_is_refused_or_known_as_unreadable(tmp_path: Path) -> None:
    path = keep_number(tmp_path, 1)
    good = path.read_bytes()
    whole = read_issue(kept_issues(tmp_path).issues[0]).values
    rng = Random(3)
    for _ in range(80):
        cut = bytearray(good[: rng.randint(0, len(good))])
        flipped = bytearray(good)
        flipped[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
        for data in (cut, flipped):
            path.write_bytes(bytes(data))
            kept = kept_issues(tmp_path)
            assert len(kept.issues) + len(kept.unreadable) == 1
            for issue in kept.issues:
                try:
                    values = read_issue(issue).values
                except ForecastUnavailableError:
                    continue
                assert np.array_equal(values, whole)
