"""One suite for all live providers: the faults FC-01 to FC-18 of services."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.drivers_live import (
    EVERY,
    SHORT,
    Night,
    Waits,
    assert_stood_in,
    in_turn,
    of_services,
    texts_below,
)
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
    NOW,
    TOKEN,
    Service,
)

HOUR = timedelta(hours=1)


def test_fc_01_refused_connection_is_degraded(night: Night) -> None:
    night.base_url = closed_port()
    assert_stood_in(night.forecast(), "Connection refused", "4 attempts")


@of_services(lambda s: not s.environment)  # else it is sent over https only
def test_fc_01_name_that_is_not_found_is_degraded(night: Night) -> None:
    night.base_url = "http://nobody.invalid"
    assert_stood_in(night.forecast(limits=SHORT))


def test_fc_01_hanging_connect_is_degraded_in_time(night: Night) -> None:
    with full_backlog() as url:
        night.base_url = url
        begun = time.monotonic()
        assert_stood_in(night.forecast(limits=SHORT))
    assert time.monotonic() - begun < 0.8


@in_turn("fault", hang, drip_body, drip_headers, endless)
def test_fc_01_fc_02_wasted_time_ends_at_the_total_limit(
    night: Night, server: ReplayServer, fault: Fault
) -> None:
    server.misbehave(forever=fault)
    begun = time.monotonic()
    forecast = night.forecast(limits=SHORT)
    assert time.monotonic() - begun < 0.8
    assert_stood_in(forecast)


@pytest.mark.parametrize("fault", [reset, short_body])
def test_fc_03_broken_body_is_asked_for_again(
    night: Night, server: ReplayServer, fault: Fault
) -> None:
    server.misbehave(fault, fault)
    assert night.forecast().values == night.truth
    assert len(night.waits.slept) == 2
    server.misbehave(forever=fault)
    night.root /= "another"
    assert_stood_in(night.forecast())


@pytest.mark.parametrize("value", ["20", "Sat, 21 Nov 2026 18:00:20 GMT"])
def test_fc_04_too_many_requests_waits_as_long_as_asked(
    night: Night, server: ReplayServer, value: str
) -> None:
    server.misbehave(replying(429, headers={"Retry-After": value}))
    assert night.forecast().provider == night.service.name
    (slept,) = night.waits.slept
    assert 19.5 < slept < 21.5  # the date counts from a clock that has run on a little


@in_turn(
    "value,rest",
    ("3600", timedelta(hours=1)),
    ("Sat, 21 Nov 2026 20:00:00 GMT", timedelta(hours=2)),
    (None, timedelta(minutes=15)),
)
def test_fc_04_cool_down_is_remembered_by_the_next_run(
    night: Night, server: ReplayServer, value: str | None, rest: timedelta
) -> None:
    headers = {} if value is None else {"Retry-After": value}
    server.misbehave(forever=replying(429, headers=headers))
    assert_stood_in(night.forecast(), "HTTP 429", "left alone until")
    assert sum(night.waits.slept) < 60
    asked = len(server.seen)
    assert asked <= 4
    server.misbehave()
    resting = night.forecast(now=NOW + rest - timedelta(minutes=1))
    assert_stood_in(resting, "asked to be left alone until")
    assert len(server.seen) == asked
    night.waits = Waits()
    server.answer_with(night.service.answer(issued=NOW + rest))
    after = night.forecast(now=NOW + rest + timedelta(minutes=1))
    assert after.provider == night.service.name


@in_turn("status", 500, 502, 503, 504)
def test_fc_05_server_fault_is_asked_again_until_it_is_good(
    night: Night, server: ReplayServer, status: int
) -> None:
    server.misbehave(replying(status), replying(status))
    assert night.forecast().values == night.truth
    assert len(night.waits.slept) == 2


@in_turn("status", 500, 502, 503, 504)
def test_fc_05_server_fault_for_ever_uses_the_last_good_forecast_with_its_age(
    night: Night, server: ReplayServer, status: int
) -> None:
    night.forecast()
    server.misbehave(forever=replying(status))
    forecast = night.forecast(now=NOW + 2 * HOUR, refresh="0s")
    assert forecast.provider == night.service.name
    assert forecast.values == night.truth
    assert forecast.degraded
    assert "fetched 2.0 h ago" in forecast.notes[0]
    assert f"HTTP {status}" in forecast.notes[0]
    assert forecast.issued_at == NOW
    old = night.forecast(now=NOW + 3 * HOUR, refresh="0s", max_age="2h")
    assert_stood_in(old, "max_age")


@pytest.mark.parametrize("status", [401, 403])
def test_fc_06_refused_key_is_not_tried_again_and_not_shown(
    night: Night,
    server: ReplayServer,
    service: Service,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = [CANARY] * bool(service.environment) + [TOKEN] * bool(service.login)
    echo = {"error": f"Invalid {' and '.join(sent)}"}
    server.misbehave(forever=replying(status, echo), spare=service.login)
    forecast = night.forecast()
    assert_stood_in(forecast, f"HTTP {status}", "check the key")
    assert len(server.seen) == (2 if service.login else 1)
    assert not night.waits.slept
    shown = " ".join([*forecast.notes, caplog.text]).encode()
    for secret in sent:
        assert secret.encode() not in shown + texts_below(night.root)


@pytest.mark.parametrize("status", [401, 403])
@of_services(lambda s: bool(s.login))
def test_fc_06_refused_login_is_not_tried_again_and_not_shown(
    night: Night, server: ReplayServer, service: Service, status: int
) -> None:
    server.misbehave(forever=replying(status, {"error": f"Invalid {CANARY}"}))
    forecast = night.forecast()
    assert_stood_in(forecast, f"HTTP {status}", *service.environment)
    assert len(server.seen) == 1
    assert CANARY.encode() not in " ".join(forecast.notes).encode()
    assert CANARY.encode() not in texts_below(night.root)


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
    assert_stood_in(night.forecast(), kind, "<!DOCTYPE html>", "not data")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "body", [{}, [], b"", b"  ", b"null", {"data": []}, [{}], b"{", b"[" * 100_000]
)
def test_fc_08_nothing_is_not_zero(
    night: Night, server: ReplayServer, service: Service, body: object
) -> None:
    server.misbehave(forever=replying(200, body), spare=service.login)
    assert_stood_in(night.forecast())
    server.misbehave(forever=replying(204, b""), spare=service.login)
    assert_stood_in(night.forecast(), "empty")


@pytest.mark.parametrize("scale", [0.0, float("nan"), 1e6])
def test_fc_09_fc_13_false_values_never_become_clean_power(
    night: Night, server: ReplayServer, scale: float
) -> None:
    server.answer_with(night.service.answer(scale=scale))
    assert_stood_in(night.forecast())


def test_fc_09_zeros_do_not_hide_the_last_good_forecast(
    night: Night, server: ReplayServer
) -> None:
    night.forecast()
    server.answer_with(night.service.answer(scale=0.0))
    forecast = night.forecast(now=NOW + HOUR)
    assert forecast.degraded
    assert forecast.values == night.truth
    assert "zero or missing" in forecast.notes[0]


@of_services(lambda s: s.dated or s.dated_when_old)
def test_fc_12_stale_answer_is_replaced_and_its_age_is_told(
    night: Night, server: ReplayServer, service: Service
) -> None:
    server.answer_with(service.answer(made=NOW - timedelta(hours=26)))
    assert_stood_in(night.forecast(max_age="24h"), "26.0 h ago", "max_age")
    old = night.forecast(max_age="24h", fallback=[])
    assert old.provider == service.name
    assert old.degraded


def test_fc_12_answer_that_is_old_and_undated_ends_before_the_day_does(
    night: Night, server: ReplayServer, service: Service
) -> None:
    server.answer_with(service.answer(issued=NOW - timedelta(hours=50)))
    assert_stood_in(night.forecast())


def test_fc_17_redirect_to_another_host_is_refused_and_sends_it_nothing(
    night: Night, server: ReplayServer, service: Service
) -> None:
    with serving(service.answer()) as elsewhere:
        server.misbehave(forever=redirect(f"{elsewhere.url}/v4"))
        assert_stood_in(night.forecast(), "redirects to another host")
        assert not elsewhere.seen
    assert len(server.seen) == 1


def test_fc_17_redirect_within_the_host_is_followed(
    night: Night, server: ReplayServer
) -> None:
    night.forecast()
    seen = server.seen[-1]
    query = urlencode(seen.query)
    server.misbehave(redirect(f"{seen.path}?{query}" if query else seen.path))
    if night.service.login:
        server.misbehave(redirect(night.service.login))
    forecast = night.forecast(refresh="0s")
    assert forecast.provider == night.service.name
    assert not forecast.degraded


def test_fc_17_redirect_in_a_circle_ends(night: Night, server: ReplayServer) -> None:
    server.misbehave(forever=redirect("/again"))
    assert_stood_in(night.forecast(), "redirects")
    assert len(server.seen) == 4


@of_services(lambda s: s.names_zone)
def test_fc_18_answer_about_another_zone_is_refused(
    night: Night, server: ReplayServer, service: Service
) -> None:
    other = service.other
    server.answer_with(service.answer(zone=other))
    assert_stood_in(night.forecast(), f"about '{other}'", f"'{service.zone}'")
    assert not list(night.root.rglob("*.parquet"))


def test_fc_18_second_source_is_used_and_named_when_the_first_is_down(
    night: Night, server: ReplayServer, service: Service
) -> None:
    first = next(
        s for s in EVERY if s.series is service.series and s.name != service.name
    )
    with serving(first.answer()) as down:
        down.misbehave(forever=replying(500))
        tables = {
            first.name: {"base_url": down.url, **first.options},
            service.name: {"base_url": server.url, **service.options},
        }
        zones = {first.name: {"zones": {"here": first.zone}}}
        for name, own in zones.items():
            tables[name] |= own
        forecast = night.forecast(
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
