"""What docs/forecasters.md says is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from forecasts.chain import build_chain
from forecasts.own.blend import BlendOptions
from forecasts.own.past import FARTHEST_LAG
from forecasts.own.providers import FORECASTERS, LearnedOptions
from forecasts.own.ridge import HALF_LIFE_DAYS, PENALTY
from forecasts.own.site_solar import FEW_DAYS, SiteSolarOptions
from forecasts.own.weather import MAX_COLUMNS
from forecasts.series import Series
from inputs.settings import ForecastTable

PAGE = Path(__file__).parents[2] / "docs" / "forecasters.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_accepted(example: str) -> None:
    table = tomllib.loads(example)["forecasts"]["carbon"]
    chain = build_chain(Series.CARBON, ForecastTable.model_validate(table))
    assert chain.providers[0].name == table["provider"]


def test_every_forecaster_and_key_is_on_the_page() -> None:
    options = (LearnedOptions, BlendOptions, SiteSolarOptions)
    keys = {key for kind in options for key in kind.model_fields}
    for name in (*FORECASTERS, "blend", "site_solar", *keys):
        assert f"`{name}`" in TEXT, name


def test_constants_of_the_page_are_those_of_the_program() -> None:
    assert f"half-life of {HALF_LIFE_DAYS:g} days" in TEXT
    assert f"with λ = {PENALTY:g}" in TEXT
    assert f"n² / (n² + {FEW_DAYS:g}²)" in TEXT
    assert f"more than {FARTHEST_LAG - 1} days before" in TEXT
    assert f"({MAX_COLUMNS} at most)" in TEXT
