"""Messages as JSON to any address; docs/operations.md describes the object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from planner.operations.alerts.message import Message, shortened
from planner.operations.alerts.posting import post

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable
    from planner.executor.backends.deadline import CallLimits


class Webhook:
    """Channel ``webhook``."""

    def __init__(self, alert: AlertTable, environ: Mapping[str, str]) -> None:
        self._alert = alert
        self._environ = environ

    def send(self, message: Message, limits: CallLimits) -> None:
        """Post the object; ``Idempotency-Key`` tells a repetition."""
        post(
            self._alert,
            body_of(message),
            environ=self._environ,
            limits=limits,
            headers={"Idempotency-Key": message.id},
        )


def body_of(message: Message) -> bytes:
    """The documented object."""
    alerts = [
        {
            "id": notice.id,
            "on": notice.trouble,
            "code": notice.code,
            "message": shortened(notice.text),
            "at": notice.at.isoformat(),
            "facts": dict(notice.facts),
        }
        for notice in message.notices
    ]
    value = {
        "schema": 1,
        "id": message.id,
        "site": message.site,
        "sent_at": message.at.isoformat(),
        "summary": message.subject,
        "alerts": alerts,
        "more": message.more,
    }
    return json.dumps(value, default=str, allow_nan=False).encode()
