"""How long orders of one minute take to services that are some way off.

``python -m benchmarks.sending [--orders N] [--away-ms N]`` sends the same orders one
after another and side by side, in turn, through each back end that talks to a service.
The services are those of the tests, on loopback, behind a relay that keeps every
request waiting. Prints one JSON object for each run.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPErrorProcessor, Request, build_opener

from planner.executor.backends.backend import Backend
from planner.executor.dispatch import run_once
from tests.cloud_venues import AT, VENUES
from tests.factories_executor import at, ledger_in, plan_of, row
from tests.moto_aws import CREDENTIALS
from tests.replay_servers import Answer, Reply, Seen, serving


class _EveryStatus(HTTPErrorProcessor):
    """No status is a fault to one who only passes it on."""

    def http_response(self, request: Request, response: object) -> object:
        return response


def relay_to(url: str, away_s: float) -> Answer:
    """Answers of another address, so much later."""
    opener = build_opener(_EveryStatus)

    def answer(seen: Seen) -> Reply:
        time.sleep(away_s)
        query = f"?{urlencode(seen.query)}" if seen.query else ""
        request = Request(
            f"{url}{seen.path}{query}",
            data=seen.body or None,
            headers=seen.headers,
            method=seen.method,
        )
        with opener.open(request) as response:
            kind = response.headers.get("Content-Type", "application/json")
            headers = {"Content-Type": kind}
            return Reply(response.read(), response.status, headers)

    return answer


def sent_in(backend: Backend, orders: int) -> tuple[float, int]:
    """Seconds of the run that sends them, and how many were sent."""
    plan = plan_of(
        *(row(f"j{n}", executor=backend.name, power_kw=0.01) for n in range(orders))
    )
    with tempfile.TemporaryDirectory() as name, ledger_in(Path(name)) as ledger:
        began = time.perf_counter()
        tick = run_once(
            plan=plan,
            ledger=ledger,
            backends={backend.name: backend},
            now=at("02:00"),
            actor="benchmark",
        )
        return time.perf_counter() - began, len(tick.started)


def far_side(name: str, away_s: float, line: Connection) -> None:
    """A service and its relay: tells its address, and at the end what arrived."""
    with VENUES[name]() as venue, serving(relay_to(venue.address, away_s)) as far:
        line.send(far.url)
        line.recv()
        line.send(venue.keys())


def measure(name: str, orders: int, away_s: float, *, side_by_side: bool) -> None:
    """Print one run. The far side has a process of its own, as it would have."""
    here, there = Pipe()
    far = Process(target=far_side, args=(name, away_s, there))
    far.start()
    backend = AT[name](here.recv())
    if not side_by_side:
        backend.at_once = 1  # type: ignore[misc]
    cpu_s = time.process_time()
    seconds, sent = sent_in(backend, orders)
    cpu_s = time.process_time() - cpu_s
    here.send("end")
    arrived = here.recv()
    far.join()
    figures = {
        "back_end": name,
        "away_ms": round(1000 * away_s),
        "at_once": backend.at_once,
        "sent": sent,
        "seconds": round(seconds, 1),
        "processor_s": round(cpu_s, 1),
        "arrived": len(arrived),
        "twice": len(arrived) - len(set(arrived)),
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Measure each back end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--away-ms", type=float, default=50.0)
    parser.add_argument("--only", choices=sorted(VENUES))
    asked = parser.parse_args()
    os.environ.update(CREDENTIALS)
    for name in [asked.only] if asked.only else VENUES:
        for side_by_side in (False, True):
            away_s = asked.away_ms / 1000
            measure(name, asked.orders, away_s, side_by_side=side_by_side)


if __name__ == "__main__":
    main()
