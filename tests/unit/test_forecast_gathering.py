from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from forecasts import ForecastError, ForecastSet, gather
from forecasts.chain import Chain, build_chain, follow
from forecasts.errors import (
    ForecastSignalError,
    ForecastUnavailableError,
    NoForecastError,
    ProviderUnknownError,
)
from forecasts.provider import ForecastRequest, Observations, ProviderOptions
from forecasts.registry import PROVIDERS, load
from forecasts.series import Quality, Series, Signal
from inputs.errors import SettingsError
from inputs.settings import ForecastTable, Table
from inputs.timegrid import TimeGrid
from tests.factories_forecast import (
    ARRAY,
    carbon_csv,
    day_values,
    grid_of,
    observations_of,
    region_of,
    request_of,
    workspace_of,
)

FILE = {"provider": "file", "path": "c.csv"}


@dataclass
class Fake:
    """A provider that says what it is told to say."""

    answer: Callable[[ForecastRequest], Observations]
    name: ClassVar[str] = "fake"
    series: ClassVar[frozenset[Series]] = frozenset(Series)
    Options: ClassVar[type[Table]] = ProviderOptions

    def fetch(self, request: ForecastRequest) -> Observations:
        return self.answer(request)


def chain_of(*answers: Any, **table: Any) -> Chain:
    def told(answer: Any) -> Callable[[ForecastRequest], Observations]:
        def speak(request: ForecastRequest) -> Observations:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return speak

    return Chain(
        series=Series.CARBON,
        table=ForecastTable(provider="fake", **table),
        providers=tuple(Fake(told(answer)) for answer in answers),
    )


def gathered(
    root: Path, *regions: Any, grid: TimeGrid | None = None, **tables: Any
) -> ForecastSet:
    grid = grid or grid_of()
    workspace = workspace_of(root, *regions, **tables)
    return gather(workspace, grid, now=grid.start - timedelta(hours=6))


def test_defaults_need_no_network_and_no_file(tmp_path: Path) -> None:
    regions = (region_of("a", zone="SE-SE3", solar=ARRAY), region_of("b", zone="PL"))
    forecasts = gathered(tmp_path, *regions)
    assert [forecast.region for forecast in forecasts.carbon] == ["a", "b"]
    assert [solar and solar.provider for solar in forecasts.solar] == [
        "clear_sky",
        None,
    ]
    assert forecasts.price is None
    assert forecasts.signal is Signal.AVERAGE
    assert not forecasts.degraded
    assert any(note.startswith("carbon, a: typical") for note in forecasts.notes)


def test_configured_file_is_used_and_its_digest_kept(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", day_values())
    forecasts = gathered(tmp_path, forecasts={"carbon": FILE})
    assert forecasts.carbon[0].provider == "file"
    assert [path for path, _ in forecasts.files] == ["c.csv"]
    assert not forecasts.degraded


def test_fallback_is_degraded_and_says_who_and_why(tmp_path: Path) -> None:
    table = {**FILE, "fallback": ["typical"]}
    forecasts = gathered(tmp_path, forecasts={"carbon": table})
    assert forecasts.degraded
    assert forecasts.carbon[0].degraded
    assert forecasts.carbon[0].provider == "typical"
    assert "typical was used because file: c.csv: No such file" in forecasts.notes[0]
    assert forecasts.files == ()


def test_only_the_region_without_data_falls_back(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", day_values(), region="here")
    regions = (region_of("here"), region_of("there", zone="DE"))
    table = {**FILE, "fallback": ["typical"]}
    forecasts = gathered(tmp_path, *regions, forecasts={"carbon": table})
    assert [f.provider for f in forecasts.carbon] == ["file", "typical"]
    assert [f.degraded for f in forecasts.carbon] == [False, True]


def test_same_failure_of_many_regions_is_told_once(tmp_path: Path) -> None:
    regions = [region_of(f"r{i}") for i in range(5)]
    with pytest.raises(NoForecastError) as caught:
        gathered(tmp_path, *regions, forecasts={"carbon": FILE})
    assert str(caught.value).count("No such file") == 1
    assert caught.value.regions == ("r0", "r1", "r2", "r3", "r4")


def test_different_failures_are_all_told(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", [0.0] * 24, region="a")
    regions = (region_of("a"), region_of("b"))
    with pytest.raises(ForecastUnavailableError) as caught:
        gathered(tmp_path, *regions, forecasts={"carbon": FILE})
    assert "all values are zero" in str(caught.value)
    assert "no region 'b'" in str(caught.value)


def test_every_attempt_is_named_when_nothing_will_do() -> None:
    chain = chain_of(ForecastUnavailableError("down"), observations_of([0.0] * 24))
    with pytest.raises(NoForecastError) as caught:
        follow(chain, request_of())
    assert caught.value.attempts[0] == "fake: down"
    assert "all values are zero" in caught.value.attempts[1]


def test_answer_for_another_zone_is_refused_and_the_next_is_asked() -> None:
    wrong = observations_of(day_values(), place="FR")
    right = observations_of([300.0] * 24, place="DE")
    answer = follow(chain_of(wrong, right), request_of())
    assert (answer.forecast.values == 300).all()
    assert "about 'FR'" in answer.forecast.notes[0]


def test_stale_forecast_yields_to_a_fresh_fallback() -> None:
    request = request_of()
    old = observations_of([100.0] * 24, issued_at=request.now - timedelta(hours=40))
    fresh = observations_of([200.0] * 24, issued_at=request.now - timedelta(hours=1))
    answer = follow(chain_of(old, fresh, max_age="36h"), request)
    assert answer.forecast.values[0] == 200
    assert answer.forecast.degraded
    assert "40.0 h ago; max_age is 36 h" in answer.forecast.notes[0]


def test_stale_forecast_is_better_than_none_and_degraded() -> None:
    request = request_of()
    old = observations_of([100.0] * 24, issued_at=request.now - timedelta(hours=40))
    chain = chain_of(old, ForecastUnavailableError("down"), max_age="36h")
    forecast = follow(chain, request).forecast
    assert forecast.values[0] == 100
    assert forecast.degraded
    assert "40.0 h ago" in forecast.notes[0]


def test_age_within_the_limit_is_clean() -> None:
    request = request_of()
    said = observations_of(day_values(), issued_at=request.now - timedelta(hours=36))
    assert not follow(chain_of(said, max_age="36h"), request).forecast.degraded


def test_average_is_never_mixed_with_marginal(tmp_path: Path) -> None:
    start = grid_of().start
    lines = ["region,start,g_per_kwh,signal"]
    for region, signal in (("a", "average"), ("b", "marginal")):
        lines += [
            f"{region},{(start + timedelta(hours=i)).isoformat()},100,{signal}"
            for i in range(24)
        ]
    (tmp_path / "c.csv").write_text("\n".join(lines))
    with pytest.raises(ForecastSignalError, match="a: average, b: marginal"):
        gathered(tmp_path, region_of("a"), region_of("b"), forecasts={"carbon": FILE})


def test_carbon_without_a_signal_is_refused() -> None:
    with pytest.raises(ForecastError, match="average or marginal"):
        follow(chain_of(observations_of(day_values(), signal=None)), request_of())


def price_csv(path: Path, **units: str) -> None:
    start = grid_of().start
    lines = ["region,start,value,unit"]
    for region, unit in units.items():
        lines += [
            f"{region},{(start + timedelta(hours=i)).isoformat()},{80 - 5 * i},{unit}"
            for i in range(24)
        ]
    path.write_text("\n".join(lines))


PRICE = {"price": {"provider": "file", "path": "p.csv"}}
COST = {"energy_cost": 1.0}


def test_cost_without_prices_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[forecasts.price\]"):
        gathered(tmp_path, objective=COST)


def test_prices_are_gathered_and_may_be_negative(tmp_path: Path) -> None:
    price_csv(tmp_path / "p.csv", here="EUR/MWh")
    forecasts = gathered(tmp_path, forecasts=PRICE, objective=COST)
    assert forecasts.price is not None
    assert forecasts.price[0].values[[0, 23]] == pytest.approx([0.08, -0.035])
    assert forecasts.price[0].currency == "EUR"


def test_two_currencies_are_no_comparison(tmp_path: Path) -> None:
    price_csv(tmp_path / "p.csv", a="EUR/MWh", b="SEK/MWh")
    with pytest.raises(ForecastSignalError, match="a: EUR, b: SEK"):
        gathered(
            tmp_path, region_of("a"), region_of("b"), forecasts=PRICE, objective=COST
        )


def test_missing_prices_matter_only_where_a_cost_depends_on_them(
    tmp_path: Path,
) -> None:
    forecasts = gathered(tmp_path, forecasts=PRICE)
    assert forecasts.price is None
    assert forecasts.degraded
    assert "no prices" in forecasts.notes[-1]
    with pytest.raises(NoForecastError, match="price"):
        gathered(tmp_path, forecasts=PRICE, objective=COST)


def test_mean_far_from_the_zone_is_noted(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", 0.001 * 50_000 * np.ones(24) + np.arange(24))
    doubtful = gathered(tmp_path, region_of(zone="IN"), forecasts={"carbon": FILE})
    assert any("are zone and unit right?" in note for note in doubtful.notes)
    likely = gathered(tmp_path, region_of(zone="SE"), forecasts={"carbon": FILE})
    assert not any("are zone and unit right?" in note for note in likely.notes)


@pytest.mark.parametrize(
    ("series", "table", "field", "hint"),
    [
        ("carbon", {"provider": "fille"}, "carbon.provider", "mean file"),
        ("carbon", {"provider": "clear_sky"}, "carbon.provider", "not carbon"),
        ("carbon", {"provider": "typical", "fallback": ["fil"]}, "fallback", "file"),
        ("carbon", {"provider": "file", "path": "c", "unti": "W"}, "unti", "unit"),
        ("carbon", {"provider": "file", "path": "c", "unit": 3}, "unit", "string"),
        ("carbon", {"provider": "file"}, "carbon.path", "needs it"),
        ("carbon", {"provider": "typical", "unit": "W"}, "carbon.unit", "one of"),
        ("solar", {"provider": "clear_sky", "losses": 1.5}, "losses", "less than 1"),
        ("solar", {"provider": "clear_sky", "linke": 3.0}, "linke", "linke_turbidity"),
        (
            "solar",
            {"provider": "clear_sky", "clear_sky": {"loses": 0.1}},
            "clear_sky.loses",
            "losses",
        ),
    ],
)
def test_settings_are_refused_by_key_with_a_hint(
    tmp_path: Path, series: str, table: dict[str, Any], field: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        gathered(tmp_path, forecasts={series: table})
    finding = str(caught.value.findings[0])
    assert f"forecasts.{series}" in finding
    assert field in finding
    assert hint in finding


def test_faults_of_all_series_are_told_together(tmp_path: Path) -> None:
    tables = {"carbon": {"provider": "x"}, "solar": {"provider": "y"}}
    with pytest.raises(SettingsError) as caught:
        gathered(tmp_path, forecasts=tables, objective=COST)
    assert len(caught.value.findings) == 3


def test_own_table_of_a_fallback_reaches_it_alone() -> None:
    table = ForecastTable.model_validate(
        {"provider": "typical", "fallback": ["file"], "file": {"path": "f.csv"}}
    )
    chain = build_chain(Series.CARBON, table)
    assert [provider.name for provider in chain.providers] == ["typical", "file"]


def test_registry_names_the_nearest_provider() -> None:
    with pytest.raises(ProviderUnknownError, match="did you mean typical"):
        load("tipical", Series.CARBON)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_registered_providers_are_what_they_are_called(name: str) -> None:
    for series in Series:
        try:
            provider = load(name, series)
        except ProviderUnknownError:
            continue
        assert provider.name == name
        assert series in provider.series
        assert issubclass(provider.Options, Table)
        assert provider.Options.model_config["extra"] == "forbid"


def test_many_filled_slots_are_degraded(tmp_path: Path) -> None:
    values: list[Any] = list(day_values())
    for i in range(1, 23, 3):
        values[i] = ""
    carbon_csv(tmp_path / "c.csv", values)
    forecast = gathered(tmp_path, forecasts={"carbon": FILE}).carbon[0]
    assert forecast.filled_slots == 8
    assert forecast.degraded


def test_clear_sky_next_to_solar_file(tmp_path: Path) -> None:
    start = grid_of().start
    lines = ["region,start,kw"] + [
        f"here,{(start + timedelta(hours=i)).isoformat()},{min(i, 24 - i)}"
        for i in range(24)
    ]
    (tmp_path / "s.csv").write_text("\n".join(lines))
    table = {"provider": "file", "path": "s.csv", "fallback": ["clear_sky"]}
    forecasts = gathered(tmp_path, region_of(solar=ARRAY), forecasts={"solar": table})
    assert forecasts.solar[0] is not None
    assert forecasts.solar[0].values.max() == 12
    assert (forecasts.solar[0].quality == Quality.PROVIDED).all()
