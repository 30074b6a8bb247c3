"""What docs/forecasts.md says is true."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts.chain import Chain, build_chain, follow
from forecasts.clear_sky import ClearSkyOptions
from forecasts.errors import NoForecastError
from forecasts.file import FileOptions
from forecasts.registry import PROVIDERS
from forecasts.series import Series, Signal
from forecasts.units import CARBON, ENERGY, POWER
from inputs.settings import ForecastTable
from tests.factories_forecast import HOUR_US, grid_of, request_of

PAGE = Path(__file__).parents[2] / "docs" / "forecasts.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def example() -> Any:
    names: dict[str, Any] = {"__name__": "inline"}
    exec(compile(blocks("python")[0], str(PAGE), "exec"), names)
    return names["Inline"]


def follow_example(answer: dict[str, Any]) -> Any:
    kind = example()
    options = kind.Options.model_validate({"answer": json.dumps(answer)})
    table = ForecastTable(provider="inline")
    chain = Chain(series=Series.CARBON, table=table, providers=(kind(options),))
    return follow(chain, request_of()).forecast


def half_hours(values: list[float | None]) -> list[list[Any]]:
    start, step = grid_of().start, timedelta(minutes=30)
    return [[(start + (i + 1) * step).isoformat(), v] for i, v in enumerate(values)]


def test_example_provider_runs_through_the_whole_path() -> None:
    data = half_hours([1000.0] * 20 + [None] + [2000.0] * 27)
    forecast = follow_example({"zone": "DE", "unit": "lb/MWh", "data": data})
    assert forecast.signal is Signal.MARGINAL
    assert forecast.values[[0, 23]] == pytest.approx([453.59237, 907.18474])
    assert np.flatnonzero(forecast.quality).tolist() == [10]


@pytest.mark.parametrize(
    "answer",
    [
        {"zone": "FR", "unit": "lb/MWh", "data": half_hours([1000.0] * 48)},
        {"zone": "DE", "data": half_hours([1000.0] * 48)},
        {"zone": "DE", "unit": "lb/MWh", "data": []},
        {"zone": "DE", "unit": "lb/MWh"},
        {"zone": "DE", "unit": "lb/MWh", "data": half_hours([0.0] * 48)},
    ],
)
def test_example_provider_refuses_what_it_should(answer: dict[str, Any]) -> None:
    with pytest.raises(NoForecastError, match="inline: "):
        follow_example(answer)


def test_settings_of_the_page_are_accepted() -> None:
    tables = tomllib.loads(blocks("toml")[0])["forecasts"]
    for series, table in tables.items():
        build_chain(Series(series), ForecastTable.model_validate(table))


def test_every_provider_key_and_unit_is_on_the_page() -> None:
    keys = {*FileOptions.model_fields, *ClearSkyOptions.model_fields}
    keys |= {*ForecastTable.model_fields}
    for name in (*PROVIDERS, *keys, *CARBON, *POWER, *ENERGY):
        assert f"`{name}`" in TEXT, name


def test_file_of_the_page_is_read(tmp_path: Path) -> None:
    header, *rows = blocks("csv")[0].splitlines()
    (tmp_path / "c.csv").write_text("\n".join([header, *rows]))
    from forecasts.file_columns import read_rows

    read = read_rows(tmp_path, "c.csv", series=Series.CARBON, unit=None)
    assert np.diff(read.times_us).tolist() == [HOUR_US]
    assert read.values.tolist() == [31.5, 30.1]
    assert list(read.quantiles) == [0.1, 0.9]


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"```.*?```", "", TEXT, flags=re.S), re.M
    )
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors
