"""Answers and files changed at random: read, degraded or refused, never a traceback.

The suite tries a hundred for each parser, ``make soak`` 200,000; another number is
``FUZZ_EXAMPLES``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasts.errors import ForecastError
from forecasts.file import File, FileOptions
from forecasts.preparation import prepare
from inputs.settings import ForecastTable
from tests.damage import damaged_csv
from tests.drivers_live import EVERY, id_of
from tests.factories_forecast import carbon_csv, day_values, request_of
from tests.fuzzed_parsers import (
    LIVE,
    PARSERS,
    PAST,
    collect,
    damaged,
    forecast_from,
    good_answer,
    read,
)
from tests.replay_measured import PAST_ONLY
from tests.replay_services import GRID, NOW

FEW = int(os.environ.get("FUZZ_EXAMPLES", "100"))
MANY = int(os.environ.get("FUZZ_EXAMPLES", "200000"))
AT_ONCE = 20
"""Inputs from one generator in the long versions; starting each anew takes as long as
reading what it damaged."""


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """As many inputs for a test with ``rng``, the same ones each time."""
    chosen = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: chosen(given(rng=st.randoms(use_true_random=True))(test))


def read_damaged_file(root: Path, rng: Random) -> None:
    text = carbon_csv(root / "good.csv", day_values()).read_text()
    (root / "c.csv").write_bytes(damaged_csv(rng, text))
    request = request_of(grid=GRID, now=NOW, root=root)
    try:
        observations = File(FileOptions(path="c.csv")).fetch(request)
        prepare(
            observations, request, table=ForecastTable(provider="file"), provider="file"
        )
    except ForecastError:
        return


@pytest.mark.parametrize("name", PARSERS)
def test_good_answer_becomes_a_forecast(name: str) -> None:
    _, parse = PARSERS[name]
    assert len(parse(good_answer(name)).values) > 5
    assert len(forecast_from(name, good_answer(name)).values) >= 4


def test_every_live_provider_has_its_parser_fuzzed() -> None:
    assert set(LIVE) == {id_of(service) for service in EVERY}
    tell_the_past = {f"carbon-{service.name}" for service in PAST_ONLY}
    assert tell_the_past <= set(PAST)


@pytest.mark.parametrize("name", PARSERS)
@fuzzed(FEW)
def test_damaged_answer_is_read_or_refused(name: str, rng: Random) -> None:
    read(name, damaged(name, rng))


@fuzzed(FEW)
def test_damaged_forecast_file_is_read_or_refused(tmp_path: Path, rng: Random) -> None:
    read_damaged_file(tmp_path, rng)


@pytest.mark.parametrize(
    "name", [n for n in (*LIVE, *PAST) if not n.startswith("solar")]
)
@fuzzed(FEW // 4)
def test_damaged_answer_about_the_past_is_collected_or_refused(
    tmp_path: Path, name: str, rng: Random
) -> None:
    collect(tmp_path / "measured.parquet", name, damaged(name, rng))


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
@fuzzed(MANY // AT_ONCE)
def test_200_000_damaged_answers_are_read_or_refused(name: str, rng: Random) -> None:
    for _ in range(AT_ONCE):
        read(name, damaged(name, rng))


@pytest.mark.slow
@fuzzed(MANY // AT_ONCE)
def test_200_000_damaged_forecast_files_are_read_or_refused(
    tmp_path: Path, rng: Random
) -> None:
    for _ in range(AT_ONCE):
        read_damaged_file(tmp_path, rng)
