"""A message posted over HTTP: what webhook and Slack have in common.

Addresses, limits and certificates are kept as for the executor's back ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from planner.executor.backends import http_call
from planner.executor.backends.http_call import Call
from planner.executor.errors import BackendError, RejectedError
from planner.operations.alerts.channel import networks, revealed
from planner.operations.errors import AlertError, AlertRefusedError

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable
    from planner.executor.backends.deadline import CallLimits

_MAY_PASS = frozenset({401, 403, 408, 425, 429})
"""Credentials may be mended, and a rush passes."""


def post(
    alert: AlertTable,
    body: bytes,
    *,
    environ: Mapping[str, str],
    limits: CallLimits,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Post JSON to a channel's address, once.

    Raises
    ------
    AlertRefusedError
        If the address or the message is refused for good.
    AlertError
        If there is no answer that it was taken.
    """
    assert alert.url is not None, "checked with the settings"
    url, allowed = revealed(alert.url.get_secret_value(), environ), networks(alert)
    if not http_call.is_usable(url, allowed, query=True):
        raise AlertRefusedError(
            "url is not an https address without user or fragment; http only for a "
            "loopback address in allow"
        )
    call = Call(
        method="POST",
        url=url,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=body,
        allowed=allowed,
        certificates=environ.get("SSL_CERT_FILE") or None,
    )
    try:
        answer = http_call.send(call, limits)
    except RejectedError as error:
        raise AlertRefusedError(str(error)) from error
    except BackendError as error:
        raise AlertError(str(error)) from error
    if 200 <= answer.status < 300:
        return
    # what a receiver says may repeat what it was sent, so only its status is told
    if 300 <= answer.status < 500 and answer.status not in _MAY_PASS:
        raise AlertRefusedError(f"HTTP {answer.status}")
    raise AlertError(f"HTTP {answer.status}")
