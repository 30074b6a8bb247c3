"""Live providers, each with its own replayed service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers_live import EVERY, Night, id_of
from tests.replay_servers import ReplayServer, serving
from tests.replay_services import Service


@pytest.fixture(params=EVERY, ids=id_of)
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
