"""One suite for all live providers: what they promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forecasts import Forecast, Series, gather
from inputs.errors import SettingsError
from tests.drivers_live import EVERY, Night, assert_stood_in, id_of, of_services
from tests.factories_forecast import ARRAY, region_of, workspace_of
from tests.replay_servers import (
    ReplayServer,
    serving,
)
from tests.replay_services import (
    GRID,
    NOW,
    Service,
)

HOUR = timedelta(hours=1)


def test_provider_gives_the_true_series_and_its_signal(night: Night) -> None:
    forecast = night.forecast()
    assert forecast.values == night.truth
    assert forecast.provider == night.service.name
    assert forecast.signal is night.service.signal
    assert not forecast.degraded
    assert forecast.filled_slots == night.service.filled
    assert forecast.issued_at == (NOW if night.service.dated else None)


def test_provider_is_asked_once_within_minutes_and_again_later(
    night: Night, server: ReplayServer
) -> None:
    first = night.forecast()
    asked = len(server.seen)
    again = night.forecast(now=NOW + timedelta(minutes=10))
    assert len(server.seen) == asked
    assert (again.values == first.values).all()
    assert not again.degraded
    night.forecast(now=NOW + night.service.refresh)
    assert len(server.seen) == 2 * asked


def test_provider_keeps_every_issue_as_a_forecast_file(
    night: Night, server: ReplayServer, tmp_path: Path
) -> None:
    night.forecast()
    server.answer_with(night.service.answer(issued=NOW + HOUR, scale=1.1))
    second = night.forecast(now=NOW + HOUR)
    name, shelf = night.service.name, night.service.shelf
    history = tmp_path / "outputs" / "forecasts" / "history" / name
    first, later = sorted(history.glob(f"{shelf}*/*.parquet"))
    tolerance = night.service.tolerance or 1e-12
    for path, values, issued_at in (
        (first, night.service.day, NOW),
        (later, second.values, NOW + HOUR),
    ):
        kept = from_file(tmp_path, night.service, path)
        assert kept.values == pytest.approx(values, rel=1e-12, abs=tolerance)
        assert kept.signal is night.service.signal
        assert kept.issued_at == issued_at


def from_file(root: Path, service: Service, path: Path) -> Forecast:
    table = {"provider": "file", "path": str(path.relative_to(root))}
    solar = ARRAY if service.series is Series.SOLAR else None
    workspace = workspace_of(
        root,
        region_of(zone=service.zone, solar=solar),
        forecasts={"carbon": {"provider": "typical"}, service.series.value: table},
    )
    forecasts = gather(workspace, GRID, now=NOW + HOUR).forecasts
    return next(f for f in forecasts if f.series is service.series)


def test_provider_answers_the_same_twice(night: Night) -> None:
    first = night.forecast(refresh="0s")
    second = night.forecast(refresh="0s")
    assert (first.values == second.values).all()
    assert first.notes == second.notes


def test_provider_refuses_a_key_that_it_does_not_know(
    night: Night, service: Service
) -> None:
    table = {"base_url": "http://127.0.0.1:1", **service.options, "bose_url": "x"}
    with pytest.raises(SettingsError, match="did you mean base_url"):
        night.forecast(tables={service.name: table})


@pytest.mark.parametrize("url", ["ftp://x", "https://u:p@x", "https://x?k=1", "x"])
def test_provider_refuses_an_address_that_holds_a_key_or_is_none(
    night: Night, service: Service, url: str
) -> None:
    night.base_url = url
    with pytest.raises(SettingsError, match="base_url"):
        night.forecast()


@of_services(lambda s: s.uses_zone)
def test_provider_names_the_zones_that_it_knows(night: Night) -> None:
    night.service = replace(night.service, zone="../../etc")
    assert_stood_in(night.forecast(), "is no zone of this provider, which knows")


@of_services(lambda s: s.uses_zone)
def test_provider_asks_for_the_zone_that_the_settings_translate_to(
    night: Night, service: Service
) -> None:
    own = {"base_url": night.base_url, **service.options}
    night.service = replace(service, zone="my-own-name")
    own["zones"] = {"my-own-name": service.zone}
    forecast = night.forecast(tables={service.name: own})
    assert forecast.provider == service.name


def test_provider_without_its_key_says_which_variable_is_missing(
    night: Night, server: ReplayServer, service: Service
) -> None:
    if not service.environment or service.key_optional:
        assert night.forecast(environment={}).provider == service.name
        return
    assert_stood_in(night.forecast(environment={}), next(iter(service.environment)))
    assert not server.seen


def test_same_true_series_gives_the_same_slots_through_every_provider(
    tmp_path: Path,
) -> None:
    for service in EVERY:
        with serving(service.answer()) as server:
            night = Night(tmp_path / id_of(service), service, server.url)
            assert night.forecast().values == night.truth
