"""What the webhook back end sends, and what it takes for an answer."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.backend import Phase
from planner.executor.backends.http_call import is_open
from planner.executor.backends.settings import read_settings
from planner.executor.backends.webhook import WebhookSettings
from planner.executor.backends.webhook_protocol import (
    ProtocolError,
    order_body,
    report_of,
    signature,
)
from tests.factories_executor import at, order

PAGE = Path(__file__).parents[2] / "docs" / "backends" / "webhook.md"
KEY = order().key


def answer(**content: Any) -> bytes:
    return json.dumps({"key": KEY, "phase": "running"} | content).encode()


def test_an_order_is_posted_as_the_page_shows_it() -> None:
    [shown] = re.findall(r"```json order\n(.*?)```", PAGE.read_text(), re.DOTALL)
    posted = json.loads(order_body(order(start=at("02:00"), env={"SEED": "7"})))
    assert posted.keys() == json.loads(shown).keys()
    assert posted["start"] == "2026-11-22T02:00:00Z"


def test_the_signature_is_the_one_of_the_page() -> None:
    page = PAGE.read_text()
    [example] = re.findall(r"`(v1=[0-9a-f]{64})`", page)
    secret = b"an-example-of-a-secret"
    given = {"timestamp": "1795312800", "method": "POST", "path": "/hook"}
    assert signature(secret, body=b'{"key":"x"}', **given) == example
    for name, value in {"timestamp": "1", "method": "PUT", "path": "/"}.items():
        assert signature(secret, body=b'{"key":"x"}', **{**given, name: value}) != (
            example
        )
    assert signature(secret, body=b"", **given) != example


def test_two_orders_under_one_key_have_different_digests() -> None:
    one, two = (
        json.loads(order_body(order(command=(word,)))) for word in ("true", "false")
    )
    assert one["key"] == two["key"]
    assert one["digest"] != two["digest"]


def test_an_answer_is_read_with_its_times_and_reason() -> None:
    report = report_of(
        answer(
            phase="failed",
            started_at="2026-11-22T03:00:00+01:00",
            ended_at="2026-11-22T02:30:00Z",
            exit_code=3,
            reason="out\nof memory",
        ),
        key=KEY,
    )
    assert report.phase is Phase.FAILED
    assert (report.started_at, report.ended_at) == (at("02:00"), at("02:30"))
    assert (report.exit_code, report.reason) == (3, "out of memory")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"[" * 60_000,
        answer(key="another"),
        answer(phase="finished"),
        answer(phase=None),
        answer(exit_code="0"),
        answer(exit_code=True),
        answer(reason=["x"]),
        answer(started_at="02:00"),
        answer(ended_at="2026-11-22T02:30:00"),
        answer(ended_at="0001-01-01T00:00:00+14:00"),
    ],
)
def test_what_is_not_an_answer_is_none(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        report_of(body, key=KEY)


def test_an_order_in_another_zone_is_the_same_order() -> None:
    berlin = at("02:00").astimezone(timezone(timedelta(hours=1)))
    shown = json.loads(order_body(order(start=berlin)))["start"]
    assert shown == "2026-11-22T02:00:00Z"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
def test_se10_no_private_address_is_open_unless_it_is_allowed(address: str) -> None:
    one = ipaddress.ip_address(address)
    assert not is_open(one, ())
    assert is_open(ipaddress.ip_address("93.184.216.34"), ())


def test_se10_an_allowed_network_is_open_and_no_other() -> None:
    allowed = (ipaddress.ip_network("10.1.0.0/16"),)
    assert is_open(ipaddress.ip_address("10.1.2.3"), allowed)
    assert is_open(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)
    assert not is_open(ipaddress.ip_address("10.2.2.3"), allowed)


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("url", {"url": "http://example.org/hook"}),
        ("url", {"url": "http://127.0.0.1/hook"}),
        ("url", {"url": "http://localhost/hook", "allow": ["127.0.0.0/8"]}),
        ("url", {"url": "http://10.1.2.3/hook", "allow": ["10.0.0.0/8"]}),
        ("url", {"url": "https://user:word@example.org/hook"}),
        ("url", {"url": "https://example.org/hook?x=1"}),
        ("url", {"url": "https://example.org/a b"}),
        ("url", {"url": "https://example.org:0/"}),
        ("url", {"url": "https://[::1/"}),
        ("url", {"url": "file:///etc/passwd"}),
        ("allow", {"allow": ["example.org"]}),
        ("allow", {"allow": ["10.0.0.1/8"]}),
        ("key_variable", {"key_variable": "AWS_SECRET_ACCESS_KEY"}),
        ("settle_s", {"settle_s": -1}),
    ],
)
def test_se10_a_setting_that_leads_astray_is_refused(
    key: str, changes: dict[str, Any]
) -> None:
    table = {"url": "https://example.org/hook"} | changes
    with pytest.raises(SettingsError, match=f"executor.webhook.{key}"):
        read_settings(WebhookSettings, {"webhook": table}, "webhook")
