"""Messages in the format of Slack's incoming webhooks, which Mattermost reads, too.

Reference: https://api.slack.com/messaging/webhooks
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from planner.operations.alerts.message import Message
from planner.operations.alerts.posting import post

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable
    from planner.executor.backends.deadline import CallLimits

MOST_LINES = 20
_MOST_CHARACTERS = 3_500
"""Slack cuts texts above 4,000 characters."""


class Slack:
    """Channel ``slack``."""

    def __init__(self, alert: AlertTable, environ: Mapping[str, str]) -> None:
        self._alert = alert
        self._environ = environ

    def send(self, message: Message, limits: CallLimits) -> None:
        """Post the text."""
        post(
            self._alert,
            json.dumps({"text": text_of(message)}).encode(),
            environ=self._environ,
            limits=limits,
        )


def text_of(message: Message) -> str:
    """Subject and first lines, with nothing that Slack would take for a command."""
    text, left = escaped(message.subject), len(message.lines)
    for line in message.lines[:MOST_LINES]:
        longer = f"{text}\n• {escaped(line)}"
        if len(longer) > _MOST_CHARACTERS:
            break
        text, left = longer, left - 1
    return f"{text}\n… {left} more lines" if left else text


def escaped(text: str) -> str:
    """Text in which ``<!channel>`` and links are only characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
