"""What docs/providers says is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from forecasts.carbon_aware_data import parse_file
from forecasts.chain import build_chain
from forecasts.http.limits import UNTOLD_COOL_DOWN_S, Limits
from forecasts.live import LiveOptions
from forecasts.registry import PROVIDERS, load, names_for
from forecasts.series import Series, Signal
from inputs.settings import ForecastTable, Region

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "forecasts.md").read_text(encoding="utf-8")
EVERY = {
    name: load(name, series)
    for series in Series
    for name in names_for(series)
    if name in PROVIDERS
}
LIVE = [name for name, kind in EVERY.items() if issubclass(kind.Options, LiveOptions)]


def page_of(name: str) -> str:
    return (DOCS / "providers" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LIVE)
def test_example_of_each_provider_is_accepted(name: str) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", page_of(name), re.DOTALL)
    tables = tomllib.loads(example)
    ((region, settings),) = tables["regions"].items()
    Region.model_validate({"name": region, **settings})
    assert {*tables["forecasts"]} == {*EVERY[name].series}
    for series, table in tables["forecasts"].items():
        chain = build_chain(Series(series), ForecastTable.model_validate(table))
        assert name in (chain.providers[0].name, *(p.name for p in chain.past))


@pytest.mark.parametrize("name", LIVE)
def test_every_key_of_a_provider_is_on_its_page_with_its_default(name: str) -> None:
    text = page_of(name)
    for key, field in EVERY[name].Options.model_fields.items():
        if key in LiveOptions.model_fields and key != "base_url":
            assert f"`{key}`" in PAGE
            continue
        (row,) = re.findall(rf"^\| `{key}` \| (.*?) \|", text, re.MULTILINE)
        if isinstance(field.default, str):
            assert row == f'`"{field.default}"`'


@pytest.mark.parametrize("name", LIVE)
def test_page_of_each_provider_is_linked_and_names_its_keys(name: str) -> None:
    assert f"(providers/{name}.md)" in PAGE
    module = Path(__file__).parents[2] / "forecasts" / f"{name}.py"
    for variable in re.findall(
        r'"([A-Z_]+_(?:TOKEN|USER|PASSWORD|API_KEY))"', module.read_text()
    ):
        assert f"`{variable}`" in page_of(name)
        assert f"`{variable}`" in PAGE


def test_limits_of_the_page_are_those_of_the_client() -> None:
    limits = Limits()
    for text in (
        f"{limits.connect_s:g} s to connect",
        f"{limits.answer_s:g} s for one answer",
        f"{limits.total_s:g} s for everything",
        f"{limits.max_bytes >> 20} MiB",
        f"at most {limits.attempts} attempts",
        f"{UNTOLD_COOL_DOWN_S / 60:g} minutes if it did not say",
    ):
        assert text in PAGE


def test_data_file_of_the_page_is_read() -> None:
    text = page_of("carbon_aware_sdk")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    read = parse_file(
        example.encode(), zone="eastus", signal=Signal.AVERAGE, timezone=None
    )
    assert read.values.tolist() == [65]
