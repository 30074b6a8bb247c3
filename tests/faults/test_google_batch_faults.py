"""What is peculiar to Google Cloud Batch: it knows a repeated request for an hour."""

from __future__ import annotations

from tests.factories_executor import order
from tests.google_cloud import google_at, google_cloud


def test_a_repeat_within_the_hour_is_the_same_job() -> None:
    with google_cloud() as (cloud, server):
        backend = google_at(server.url)
        first, second = backend.submit(order()), backend.submit(order())
        assert first == second
        assert cloud.created == [order().key]
