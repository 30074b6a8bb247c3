"""The reference receiver of docs/backends/webhook.md, in memory, on a loopback port.

It shares no code with the back end: it is written from the page.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from planner.executor.backends.deadline import CallLimits
from planner.executor.backends.settings import read_settings
from planner.executor.backends.webhook import Webhook, WebhookSettings
from tests.replay_servers import ReplayServer, Reply, Seen, serving

SECRET = "canary-webhook-secret"
ENVIRON = {"PLANNER_WEBHOOK_KEY": SECRET}
OLDEST_S = 300
HOOK = "/hook"


@dataclass
class Receiver:
    """Takes orders, knows each by its key, runs nothing.

    Parameters
    ----------
    jobs
        What is known of each key.
    orders
        Every order that was taken, in order.
    """

    secret: str = SECRET
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, seen: Seen) -> Reply:
        if not self._is_signed(seen):
            return Reply({"taken": False, "error": "unsigned or old"}, 401)
        key = seen.headers["idempotency-key"]
        if seen.method == "POST" and seen.path == HOOK:
            return self._post(key, json.loads(seen.body))
        if seen.path != f"{HOOK}/{key}":
            return Reply({"taken": False, "error": "no such path"}, 404)
        if seen.method == "DELETE":
            self._end(key)
        known = self.jobs.get(key)
        if known is None:
            return Reply({"key": key, "phase": "absent"}, 404)
        return Reply({"key": key, **known["report"]})

    def finish(self, key: str, **report: Any) -> None:
        """The work behind a key ended, or began."""
        self.jobs[key]["report"] = {"phase": "done", **report}

    def _post(self, key: str, order: dict[str, Any]) -> Reply:
        if order["key"] != key:
            return Reply({"taken": False, "error": "two keys"}, 400)
        known = self.jobs.get(key)
        if known is not None and known["digest"] not in (None, order["digest"]):
            return Reply({"taken": False, "error": "the key is another order's"}, 409)
        if known is None:
            self.orders.append(order)
            report = {"phase": "waiting", "handle": f"work-{len(self.orders)}"}
            known = self.jobs[key] = {"digest": order["digest"], "report": report}
        return Reply({"key": key, **known["report"]}, 202)

    def _end(self, key: str) -> None:
        """What runs is ended; what is not known is closed, so that it never begins."""
        known = self.jobs.setdefault(key, {"digest": None, "report": {}})
        if known["report"].get("phase") not in ("done", "failed"):
            known["report"] = {"phase": "cancelled", "reason": "ended by the planner"}

    def _is_signed(self, seen: Seen) -> bool:
        stamp = seen.headers.get("planner-timestamp", "0")
        text = f"{stamp}\n{seen.method}\n{seen.path}\n".encode() + seen.body
        right = hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()
        given = seen.headers.get("planner-signature", "")
        fresh = abs(time.time() - int(stamp)) <= OLDEST_S
        return fresh and hmac.compare_digest(given, f"v1={right}")


@contextmanager
def receiving() -> Iterator[tuple[Receiver, ReplayServer]]:
    receiver = Receiver()
    with serving(receiver.answer) as server:
        yield receiver, server


def webhook_at(
    url: str, *, limits: CallLimits | None = None, **changes: Any
) -> Webhook:
    """The back end for a receiver on this machine."""
    table = {"url": f"{url}{HOOK}", "allow": ["127.0.0.0/8"]} | changes
    settings = read_settings(WebhookSettings, {"webhook": table}, "webhook")
    return Webhook(settings, environ=ENVIRON, limits=limits)
