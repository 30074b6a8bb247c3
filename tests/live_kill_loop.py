"""A process that keeps answers and issues for ever, until it is killed."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np

from forecasts.history import keep_issue
from forecasts.http.answers import Answers
from forecasts.http.message import HttpRequest
from tests.factories_forecast import observations_of
from tests.replay_services import NOW

REQUEST = HttpRequest(url="https://service.invalid/forecast")


def body_of(version: int) -> bytes:
    """Answer whose length and every letter tell its version."""
    return f"{version},".encode() * (1000 + 997 * version % 5000)


def main(root: Path) -> None:
    version = 0
    while True:
        version += 1
        at = NOW + timedelta(seconds=version)
        Answers(folder=root / "answers").keep(REQUEST, body_of(version), fetched_at=at)
        said = observations_of(np.full(24, 100.0 + version), issued_at=at)
        keep_issue(root / "history", said, provider="test", fetched_at=at)
        os.write(1, b".")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
