"""One suite for all live providers: what they promise, and faults FC-01 to FC-18."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from forecasts import Forecast, gather
from inputs.errors import SettingsError
from tests.drivers_live import SHORT, Night, Waits, texts_below
from tests.factories_forecast import region_of, workspace_of
from tests.replay_servers import (
    Fault,
    ReplayServer,
    closed_port,
    drip_body,
    drip_headers,
    endless,
    full_backlog,
    hang,
    page,
    redirect,
    replying,
    reset,
    serving,
    short_body,
)
from tests.replay_services import (
    CANARY,
    GRID,
    NOW,
    OTHER_ZONE,
    SERVICES,
    TOKEN,
    TRUTH,
    Service,
)

HOUR = timedelta(hours=1)
DAY = TRUTH[6:30]
"""What every service says of the planned day. [g/kWh]"""


@pytest.fixture(params=SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


@pytest.fixture
def server(service: Service) -> Iterator[ReplayServer]:
    with serving(service.answer()) as one:
        yield one


@pytest.fixture
def night(tmp_path: Path, service: Service, server: ReplayServer) -> Night:
    return Night(tmp_path, service, server.url)


def assert_stood_in(forecast: Forecast, *words: str) -> None:
    """The typical profile was used, and the note says why."""
    assert forecast.provider == "typical"
    assert forecast.degraded
    for word in words:
        assert word in forecast.notes[0]


def test_provider_gives_the_true_series_and_its_signal(night: Night) -> None:
    forecast = night.carbon()
    assert forecast.values == pytest.approx(DAY, rel=1e-12)
    assert forecast.provider == night.service.name
    assert forecast.signal is night.service.signal
    assert not forecast.degraded
    assert forecast.issued_at == (NOW if night.service.dated else None)


def test_provider_is_asked_once_within_minutes_and_again_later(
    night: Night, server: ReplayServer
) -> None:
    first = night.carbon()
    asked = len(server.seen)
    again = night.carbon(now=NOW + timedelta(minutes=10))
    assert len(server.seen) == asked
    assert (again.values == first.values).all()
    assert not again.degraded
    night.carbon(now=NOW + timedelta(minutes=31))
    assert len(server.seen) == 2 * asked


def test_provider_keeps_every_issue_as_a_forecast_file(
    night: Night, server: ReplayServer, tmp_path: Path
) -> None:
    night.carbon()
    server.answer_with(night.service.answer(issued=NOW + HOUR, scale=1.1))
    second = night.carbon(now=NOW + HOUR)
    name, zone = night.service.name, night.service.zone
    folder = tmp_path / "outputs" / "forecasts" / "history" / name / zone
    first, later = sorted(folder.iterdir())
    for path, values, issued_at in (
        (first, DAY, NOW),
        (later, second.values, NOW + HOUR),
    ):
        kept = from_file(tmp_path, night.service, path)
        assert kept.values == pytest.approx(values, rel=1e-12)
        assert kept.signal is night.service.signal
        assert kept.issued_at == issued_at


def from_file(root: Path, service: Service, path: Path) -> Forecast:
    table = {"provider": "file", "path": str(path.relative_to(root))}
    workspace = workspace_of(
        root, region_of(zone=service.zone), forecasts={"carbon": table}
    )
    return gather(workspace, GRID, now=NOW + HOUR).carbon[0]


def test_provider_answers_the_same_twice(night: Night) -> None:
    first = night.carbon(refresh="0s")
    second = night.carbon(refresh="0s")
    assert (first.values == second.values).all()
    assert first.notes == second.notes


def test_provider_refuses_a_key_that_it_does_not_know(
    night: Night, service: Service
) -> None:
    table = {"base_url": "http://127.0.0.1:1", **service.options, "bose_url": "x"}
    with pytest.raises(SettingsError, match="did you mean base_url"):
        night.carbon(tables={service.name: table})


@pytest.mark.parametrize("url", ["ftp://x", "https://u:p@x", "https://x?k=1", "x"])
def test_provider_refuses_an_address_that_holds_a_key_or_is_none(
    night: Night, service: Service, url: str
) -> None:
    night.base_url = url
    with pytest.raises(SettingsError, match="base_url"):
        night.carbon()


def test_provider_names_the_zones_that_it_knows(night: Night) -> None:
    night.service = replace(night.service, zone="../../etc")
    assert_stood_in(night.carbon(), "is no zone of this provider, which knows")


def test_provider_asks_for_the_zone_that_the_settings_translate_to(
    night: Night, service: Service
) -> None:
    own = {"base_url": night.base_url, **service.options}
    night.service = replace(service, zone="my-own-name")
    own["zones"] = {"my-own-name": service.zone}
    forecast = night.carbon(tables={service.name: own})
    assert forecast.provider == service.name


def test_provider_without_its_key_says_which_variable_is_missing(
    night: Night, server: ReplayServer, service: Service
) -> None:
    if not service.environment:
        assert night.carbon(environment={}).provider == service.name
        return
    assert_stood_in(night.carbon(environment={}), next(iter(service.environment)))
    assert not server.seen


def test_fc_01_refused_connection_is_degraded(night: Night) -> None:
    night.base_url = closed_port()
    assert_stood_in(night.carbon(), "Connection refused", "4 attempts")


def test_fc_01_name_that_is_not_found_is_degraded(night: Night) -> None:
    if night.service.environment:
        pytest.skip("keys are sent to this machine or over https only")
    night.base_url = "http://nobody.invalid"
    assert_stood_in(night.carbon(limits=SHORT))


def test_fc_01_hanging_connect_is_degraded_in_time(night: Night) -> None:
    with full_backlog() as url:
        night.base_url = url
        begun = time.monotonic()
        assert_stood_in(night.carbon(limits=SHORT))
    assert time.monotonic() - begun < 0.8


@pytest.mark.parametrize("fault", [hang, drip_body, drip_headers, endless])
def test_fc_01_fc_02_wasted_time_ends_at_the_total_limit(
    night: Night, server: ReplayServer, fault: Fault
) -> None:
    server.misbehave(forever=fault)
    begun = time.monotonic()
    forecast = night.carbon(limits=SHORT)
    assert time.monotonic() - begun < 0.8
    assert_stood_in(forecast)


@pytest.mark.parametrize("fault", [reset, short_body])
def test_fc_03_broken_body_is_asked_for_again(
    night: Night, server: ReplayServer, fault: Fault
) -> None:
    server.misbehave(fault, fault)
    assert night.carbon().values == pytest.approx(DAY, rel=1e-12)
    assert len(night.waits.slept) == 2
    server.misbehave(forever=fault)
    night.root /= "another"
    assert_stood_in(night.carbon())


@pytest.mark.parametrize("value", ["20", "Sat, 21 Nov 2026 18:00:20 GMT"])
def test_fc_04_too_many_requests_waits_as_long_as_asked(
    night: Night, server: ReplayServer, value: str
) -> None:
    server.misbehave(replying(429, headers={"Retry-After": value}))
    assert night.carbon().provider == night.service.name
    (slept,) = night.waits.slept
    assert 19.5 < slept < 21.5  # the date counts from a clock that has run on a little


@pytest.mark.parametrize(
    ("value", "rest"),
    [
        ("3600", timedelta(hours=1)),
        ("Sat, 21 Nov 2026 20:00:00 GMT", timedelta(hours=2)),
        (None, timedelta(minutes=15)),
    ],
)
def test_fc_04_cool_down_is_remembered_by_the_next_run(
    night: Night, server: ReplayServer, value: str | None, rest: timedelta
) -> None:
    headers = {} if value is None else {"Retry-After": value}
    server.misbehave(forever=replying(429, headers=headers))
    assert_stood_in(night.carbon(), "HTTP 429", "left alone until")
    assert sum(night.waits.slept) < 60
    asked = len(server.seen)
    assert asked <= 4
    server.misbehave()
    resting = night.carbon(now=NOW + rest - timedelta(minutes=1))
    assert_stood_in(resting, "asked to be left alone until")
    assert len(server.seen) == asked
    night.waits = Waits()
    server.answer_with(night.service.answer(issued=NOW + rest))
    after = night.carbon(now=NOW + rest + timedelta(minutes=1))
    assert after.provider == night.service.name


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_fc_05_server_fault_is_asked_again_until_it_is_good(
    night: Night, server: ReplayServer, status: int
) -> None:
    server.misbehave(replying(status), replying(status))
    assert night.carbon().values == pytest.approx(DAY, rel=1e-12)
    assert len(night.waits.slept) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_fc_05_server_fault_for_ever_uses_the_last_good_forecast_with_its_age(
    night: Night, server: ReplayServer, status: int
) -> None:
    night.carbon()
    server.misbehave(forever=replying(status))
    forecast = night.carbon(now=NOW + 2 * HOUR, refresh="0s")
    assert forecast.provider == night.service.name
    assert forecast.values == pytest.approx(DAY, rel=1e-12)
    assert forecast.degraded
    assert "fetched 2.0 h ago" in forecast.notes[0]
    assert f"HTTP {status}" in forecast.notes[0]
    assert forecast.issued_at == NOW
    old = night.carbon(now=NOW + 3 * HOUR, refresh="0s", max_age="2h")
    assert_stood_in(old, "max_age")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("at_login", [True, False])
def test_fc_06_refused_key_is_not_tried_again_and_not_shown(
    night: Night,
    server: ReplayServer,
    service: Service,
    status: int,
    at_login: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if at_login and not service.login:
        pytest.skip("this service has no login")
    caplog.set_level(logging.DEBUG)
    sent = [CANARY] * bool(service.environment) + [TOKEN] * (
        bool(service.login) and not at_login
    )
    echo = {"error": f"Invalid {' and '.join(sent)}"}
    spare = service.login if service.login and not at_login else ""
    server.misbehave(forever=replying(status, echo), spare=spare)
    forecast = night.carbon()
    assert_stood_in(forecast, f"HTTP {status}", "check the key")
    assert len(server.seen) == (2 if spare else 1)
    assert not night.waits.slept
    shown = " ".join([*forecast.notes, caplog.text]).encode()
    for secret in sent:
        assert secret.encode() not in shown + texts_below(night.root)


def test_fc_06_canary_key_is_in_no_log_file_or_message_of_a_good_night(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    forecasts = night.run()
    said = f"{forecasts!r} {caplog.text} {night.service.name}".encode()
    assert caplog.text
    for secret in (CANARY, TOKEN):
        assert secret.encode() not in said + texts_below(night.root)


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/plain"])
def test_fc_07_page_instead_of_data_is_quoted_and_not_used(
    night: Night, server: ReplayServer, kind: str
) -> None:
    server.misbehave(forever=page(kind))
    assert_stood_in(night.carbon(), kind, "<!DOCTYPE html>", "not data")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "body", [{}, [], b"", b"  ", b"null", {"data": []}, [{}], b"{", b"[" * 100_000]
)
def test_fc_08_nothing_is_not_zero(
    night: Night, server: ReplayServer, service: Service, body: object
) -> None:
    server.misbehave(forever=replying(200, body), spare=service.login)
    assert_stood_in(night.carbon())
    server.misbehave(forever=replying(204, b""), spare=service.login)
    assert_stood_in(night.carbon(), "empty")


@pytest.mark.parametrize("scale", [0.0, float("nan"), 1e6])
def test_fc_09_fc_13_false_values_never_become_clean_power(
    night: Night, server: ReplayServer, scale: float
) -> None:
    server.answer_with(night.service.answer(scale=scale))
    assert_stood_in(night.carbon())


def test_fc_09_zeros_do_not_hide_the_last_good_forecast(
    night: Night, server: ReplayServer
) -> None:
    night.carbon()
    server.answer_with(night.service.answer(scale=0.0))
    forecast = night.carbon(now=NOW + HOUR)
    assert forecast.degraded
    assert forecast.values == pytest.approx(DAY, rel=1e-12)
    assert "zero or missing" in forecast.notes[0]


def test_fc_12_stale_answer_is_replaced_and_its_age_is_told(
    night: Night, server: ReplayServer, service: Service
) -> None:
    if not (service.dated or service.dated_when_old):
        pytest.skip("its answers never say when they were made")
    server.answer_with(service.answer(made=NOW - timedelta(hours=26)))
    assert_stood_in(night.carbon(max_age="24h"), "26.0 h ago", "max_age")
    old = night.carbon(max_age="24h", fallback=[])
    assert old.provider == service.name
    assert old.degraded


def test_fc_12_answer_that_is_old_and_undated_ends_before_the_day_does(
    night: Night, server: ReplayServer, service: Service
) -> None:
    server.answer_with(service.answer(issued=NOW - timedelta(hours=50)))
    assert_stood_in(night.carbon())


def test_fc_17_redirect_to_another_host_is_refused_and_sends_it_nothing(
    night: Night, server: ReplayServer, service: Service
) -> None:
    with serving(service.answer()) as elsewhere:
        server.misbehave(forever=redirect(f"{elsewhere.url}/v4"))
        assert_stood_in(night.carbon(), "redirects to another host")
        assert not elsewhere.seen
    assert len(server.seen) == 1


def test_fc_17_redirect_within_the_host_is_followed(
    night: Night, server: ReplayServer
) -> None:
    night.carbon()
    seen = server.seen[-1]
    query = urlencode(seen.query)
    server.misbehave(redirect(f"{seen.path}?{query}" if query else seen.path))
    if night.service.login:
        server.misbehave(redirect(night.service.login))
    assert night.carbon(refresh="0s").provider == night.service.name


def test_fc_17_redirect_in_a_circle_ends(night: Night, server: ReplayServer) -> None:
    server.misbehave(forever=redirect("/again"))
    assert_stood_in(night.carbon(), "redirects")
    assert len(server.seen) == 4


def test_fc_18_answer_about_another_zone_is_refused(
    night: Night, server: ReplayServer, service: Service
) -> None:
    if not service.names_zone:
        pytest.skip("its answers do not say what they are about")
    other = OTHER_ZONE[service.name]
    server.answer_with(service.answer(zone=other))
    assert_stood_in(night.carbon(), f"about '{other}'", f"'{service.zone}'")
    assert not list(night.root.rglob("*.parquet"))


def test_fc_18_second_source_is_used_and_named_when_the_first_is_down(
    night: Night, server: ReplayServer, service: Service
) -> None:
    first = next(s for s in SERVICES if s.name != service.name)
    with serving(first.answer()) as down:
        down.misbehave(forever=replying(500))
        tables = {
            first.name: {"base_url": down.url, **first.options},
            service.name: {"base_url": server.url, **service.options},
        }
        zones = {first.name: {"zones": {"here": first.zone}}}
        for name, own in zones.items():
            tables[name] |= own
        forecast = night.carbon(
            environment={**first.environment, **service.environment},
            provider=first.name,
            fallback=[service.name],
            tables=tables,
        )
    assert forecast.provider == service.name
    assert forecast.degraded
    assert forecast.notes[0].startswith(
        f"{service.name} was used because {first.name}: "
    )


def test_same_true_series_gives_the_same_slots_through_every_provider(
    tmp_path: Path,
) -> None:
    slots = []
    for service in SERVICES:
        with serving(service.answer()) as server:
            root = tmp_path / f"{service.name}-{service.zone}"
            slots.append(Night(root, service, server.url).carbon().values)
    for values in slots:
        np.testing.assert_allclose(values, DAY, rtol=1e-12)
