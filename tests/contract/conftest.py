"""Live providers, each with its own replayed service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers_live import Night
from tests.replay_servers import ReplayServer, serving
from tests.replay_services import SERVICES, Service


@pytest.fixture(params=SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


@pytest.fixture
def server(service: Service) -> Iterator[ReplayServer]:
    with serving(service.answer()) as one:
        yield one


@pytest.fixture
def night(tmp_path: Path, service: Service, server: ReplayServer) -> Night:
    return Night(tmp_path, service, server.url)
