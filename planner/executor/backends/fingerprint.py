"""Digest of an order: tells whether what bears its key is what was ordered."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256

from planner.executor.backends.backend import Order

LENGTH = 40
"""Characters: fits a label of Kubernetes and of Google Cloud. 160 bits."""


def fingerprint(order: Order) -> str:
    """Digest of everything that an order says; lower-case hexadecimal."""
    facts = asdict(order)
    text = json.dumps(facts, sort_keys=True, default=lambda value: value.isoformat())
    return sha256(text.encode()).hexdigest()[:LENGTH]
