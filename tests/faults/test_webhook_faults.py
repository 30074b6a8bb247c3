"""Receivers that are slow, late, rude or gone: no order twice, no false word of it."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.backends.settings import read_settings
from planner.executor.backends.webhook import Webhook, WebhookSettings
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.call_limits import SHORT, limits_for
from tests.factories_executor import order
from tests.replay_servers import (
    Fault,
    Handler,
    Reply,
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
from tests.webhook_receiver import ENVIRON, SECRET, Receiver, receiving, webhook_at

GOOD = json.dumps({"key": order().key, "phase": "waiting"}).encode()


def good_but_cut(handler: Handler) -> None:
    """A whole report, and the promise of more that never comes."""
    handler.send(Reply(GOOD), announced=1000)


def good_without_end(handler: Handler) -> None:
    """A whole report of no stated length, and then blanks for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + GOOD)
    while not handler.server.stopping.wait(0.02):
        handler.wfile.write(b" ")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (hang, UncertainError),
        (drip_body, UncertainError),
        (drip_headers, UncertainError),
        (reset, UncertainError),
        (short_body, UncertainError),
        (good_but_cut, UncertainError),
        (good_without_end, UncertainError),
        (endless, UncertainError),
        (page("text/html"), UncertainError),
        (replying(200, {}), UncertainError),
        (replying(200, {"key": order().key, "phase": "absent"}), UncertainError),
        (replying(200, {"key": "another", "phase": "waiting"}), UncertainError),
        (replying(204, b""), UncertainError),
        (replying(408), UncertainError),
        (replying(500), UncertainError),
        (replying(503), UncertainError),
        (redirect("/elsewhere"), UncertainError),
        (redirect("/elsewhere", 307), UncertainError),
        (replying(400), RejectedError),
        (replying(404), RejectedError),
        (replying(409), RejectedError),
        (replying(401), NotTakenError),
        (replying(403), NotTakenError),
        (replying(429), NotTakenError),
        (replying(503, {"taken": False}), NotTakenError),
    ],
)
def test_a_fault_of_the_receiver_is_told_truly_and_nothing_is_sent_again(
    fault: Fault, error: type[BackendError]
) -> None:
    with receiving() as (_, server):
        server.misbehave(forever=fault)
        begun = time.monotonic()
        with pytest.raises(BackendError) as told:
            webhook_at(server.url, limits=limits_for(fault)).submit(order())
        assert type(told.value) is error
        assert time.monotonic() - begun < 20
        assert len(server.seen) == 1
        assert SECRET not in str(told.value)


def test_an_answer_that_is_too_long_is_named_as_such() -> None:
    with receiving() as (_, server):
        server.misbehave(forever=replying(200, GOOD + b" " * 70_000))
        with pytest.raises(UncertainError, match="longer than 65,536 bytes"):
            webhook_at(server.url).submit(order())


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_page_is_no_absence(status: int) -> None:
    with receiving() as (_, server):
        server.misbehave(forever=replying(status, b"<html>no such page</html>"))
        with pytest.raises(BackendError):
            webhook_at(server.url).look_up(order().key)


def test_where_no_connection_comes_about_nothing_is_taken() -> None:
    with pytest.raises(NotTakenError):
        webhook_at(closed_port()).submit(order())
    with full_backlog() as url, pytest.raises(NotTakenError):
        webhook_at(url, limits=SHORT).submit(order())


def test_a_receiver_with_another_secret_takes_nothing() -> None:
    receiver = Receiver(secret="another secret than that one")
    with serving(receiver.answer) as server, pytest.raises(NotTakenError, match="401"):
        webhook_at(server.url).submit(order())
    assert receiver.orders == []


@pytest.mark.parametrize("environ", [{}, {"PLANNER_WEBHOOK_KEY": "short"}])
def test_without_a_secret_nothing_is_sent(environ: dict[str, str]) -> None:
    table = {"url": "https://example.org/hook"}
    settings = read_settings(WebhookSettings, {"webhook": table}, "webhook")
    with pytest.raises(NotTakenError, match="PLANNER_WEBHOOK_KEY_FILE"):
        Webhook(settings, environ=environ).submit(order())


def test_the_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    with receiving() as (receiver, server):
        table = {"url": f"{server.url}/hook", "allow": ["127.0.0.1"]}
        settings = read_settings(WebhookSettings, {"webhook": table}, "webhook")
        environ = {"PLANNER_WEBHOOK_KEY_FILE": str(tmp_path / "key")}
        Webhook(settings, environ=environ).submit(order())
        assert len(receiver.orders) == 1


def test_se10_a_name_that_leads_to_this_machine_is_not_connected_to() -> None:
    table = {"url": "https://localhost/hook"}
    settings = read_settings(WebhookSettings, {"webhook": table}, "webhook")
    with pytest.raises(RejectedError, match="not a public address"):
        Webhook(settings, environ=ENVIRON).submit(order())


def test_an_old_request_is_not_taken_again() -> None:
    with receiving() as (receiver, server):
        table = {"url": f"{server.url}/hook", "allow": ["127.0.0.1"]}
        settings = read_settings(WebhookSettings, {"webhook": table}, "webhook")
        late = Webhook(settings, environ=ENVIRON, clock=lambda: time.time() - 600)
        with pytest.raises(NotTakenError):
            late.submit(order())
        assert receiver.orders == []


def test_a_key_that_is_another_orders_is_refused_and_left_alone() -> None:
    with receiving() as (receiver, server):
        backend = webhook_at(server.url)
        backend.submit(order())
        with pytest.raises(RejectedError, match="409"):
            backend.submit(order(command=("false",)))
        assert len(receiver.orders) == 1


def test_a_closed_key_never_begins() -> None:
    with receiving() as (receiver, server):
        backend = webhook_at(server.url)
        assert backend.cancel(order().key, None).phase is Phase.CANCELLED
        assert backend.submit(order()).phase is Phase.CANCELLED
        assert receiver.orders == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate")
def test_an_untrusted_certificate_sees_no_order_and_a_trusted_one_does(
    tmp_path: Path,
) -> None:
    command = [
        "openssl", "req", "-x509", "-nodes", "-newkey", "ec",
        "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=hook",
        "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", "hook.key", "-out", "hook.pem", "-days", "2",
    ]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "hook.pem", tmp_path / "hook.key")
    receiver = Receiver()
    with serving(receiver.answer, context) as server:
        with pytest.raises(NotTakenError, match="no trusted connection"):
            webhook_at(server.url).submit(order())
        assert server.seen == []
        table = {"url": f"{server.url}/hook", "allow": ["127.0.0.1"]}
        settings = read_settings(WebhookSettings, {"webhook": table}, "webhook")
        trusted = ENVIRON | {"SSL_CERT_FILE": str(tmp_path / "hook.pem")}
        report = Webhook(settings, environ=trusted).submit(order())
        assert report.phase is Phase.WAITING


def test_two_receivers_are_both_asked_and_a_silent_one_is_no_absence() -> None:
    with receiving() as (_, one), receiving() as (_, two):
        regions = {"south": {"url": f"{two.url}/hook"}}
        backend = webhook_at(one.url, regions=regions)
        backend.submit(order(region="south"))
        assert backend.look_up(order().key).phase is Phase.WAITING
        one.misbehave(forever=replying(500))
        assert backend.look_up(order().key).phase is Phase.WAITING
        with pytest.raises(BackendError):
            backend.look_up(order("another").key)
