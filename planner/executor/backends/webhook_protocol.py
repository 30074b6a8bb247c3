"""The webhook protocol, version 1, as docs/backends/webhook.md tells receivers."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.fingerprint import fingerprint
from planner.executor.backends.wording import one_line

SCHEMA = 1
TIMESTAMP, SIGNATURE, KEY = "Planner-Timestamp", "Planner-Signature", "Idempotency-Key"


class ProtocolError(ValueError):
    """An answer is not one of the protocol."""


def order_body(order: Order) -> bytes:
    """An order as it is posted."""
    content = asdict(order) | {
        "schema": SCHEMA,
        "digest": fingerprint(order),
        "start": _shown(order.start),
        "end": _shown(order.end),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def signature(
    secret: bytes, *, timestamp: str, method: str, path: str, body: bytes
) -> str:
    """Value of the signature header.

    HMAC-SHA256 over time, method, path and body: none of them can be changed, and
    the receiver can refuse what is old.
    """
    head = "\n".join((timestamp, method, path, "")).encode()
    return "v1=" + hmac.new(secret, head + body, hashlib.sha256).hexdigest()


def content_of(body: bytes) -> dict[str, Any]:
    """An answer's JSON object.

    Raises
    ------
    ProtocolError
        If it is none.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolError(
            f"no JSON: {one_line(body[:80].decode('latin-1'))}"
        ) from None
    if not isinstance(content, dict):
        raise ProtocolError("no JSON object")
    return content


def report_of(body: bytes, *, key: str) -> Report:
    """What an answer says about a key.

    Raises
    ------
    ProtocolError
        If it says nothing about that key, or nothing that is meant.
    """
    content = content_of(body)
    if content.get("key") != key:
        raise ProtocolError("the answer is not about the key that was asked for")
    try:
        phase = Phase(str(content.get("phase")))
    except ValueError:
        known = ", ".join(Phase)
        shown = one_line(content.get("phase"))
        raise ProtocolError(f"phase {shown!r} is none of {known}") from None
    exit_code = content.get("exit_code")
    if exit_code is not None and type(exit_code) is not int:
        raise ProtocolError("exit_code is not a whole number")
    return Report(
        phase=phase,
        handle=_handle(content),
        started_at=_instant(content, "started_at"),
        ended_at=_instant(content, "ended_at"),
        exit_code=exit_code,
        reason=_text(content, "reason"),
    )


def outputs_of(handle: str | None) -> tuple[str | None, str | None]:
    """Where the receiver said that the output is."""
    facts = json.loads(handle) if handle else {}
    return facts.get("stdout"), facts.get("stderr")


def _handle(content: Mapping[str, Any]) -> str | None:
    facts = {name: _text(content, name) for name in ("handle", "stdout", "stderr")}
    known = {name: text for name, text in facts.items() if text is not None}
    return json.dumps(known) if known else None


def _text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise ProtocolError(f"{name} is not a text")
    return None if value is None else one_line(value)


def _instant(content: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(content, name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ProtocolError(f"{name} {text!r} is not an instant") from None
    raise ProtocolError(f"{name} {text!r} has no offset")


def _shown(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
