"""The smallest orders that back ends are tested with."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from planner.executor.backends.backend import Order
from planner.executor.keys import dispatch_key
from tests.factories_executor import DAY, at


def order_of(*command: str, job_id: str = "job", **changes: Any) -> Order:
    """An order under a key of its own, planned for an hour of the past."""
    site = os.urandom(8).hex()
    key = dispatch_key(site=site, day=DAY, job_id=job_id, segment=0, attempt=1)
    begin = at("02:00") - timedelta(days=60)
    order = Order(
        key=key,
        job_id=job_id,
        segment=0,
        region="north",
        replicas=1,
        start=begin,
        end=begin + timedelta(hours=1),
        command=command,
        env={"PLANNER_JOB_ID": job_id, "PLANNER_KEY": key},
    )
    return replace(order, **changes)
