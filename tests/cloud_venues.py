"""Each back end that talks to a service, with a service on loopback to talk to."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from planner.executor.backends.backend import Backend
from tests.azure_cloud import SECRET as AZURE_SECRET
from tests.azure_cloud import azure_at, azure_cloud
from tests.google_cloud import google_at, google_cloud
from tests.moto_aws import CREDENTIALS, moto_server
from tests.webhook_receiver import SECRET as WEBHOOK_SECRET
from tests.webhook_receiver import receiving, webhook_at


@dataclass(frozen=True)
class Venue:
    """A back end and what the far side knows.

    Parameters
    ----------
    connect
        A new back end, as another process would make it.
    keys
        Keys that the far side took, one for each time that it took one.
    words
        Command that the far side would run for a key.
    address
        Of the service.
    at
        The back end for another address.
    """

    connect: Callable[[], Backend]
    keys: Callable[[], list[str]]
    words: Callable[[str], list[str]]
    address: str
    at: Callable[[str], Backend]


@contextmanager
def aws() -> Iterator[Venue]:
    with moto_server() as server:
        server.fresh(jobs_wait=True)

        def words(key: str) -> list[str]:
            command: list[str] = server.jobs(key)[0]["container"]["command"]
            return command

        yield Venue(
            connect=server.backend,
            keys=lambda: [job["jobName"] for job in server.jobs()],
            words=words,
            address=server.url,
            at=lambda url: server.backend(endpoint_url=url),
        )


@contextmanager
def google() -> Iterator[Venue]:
    with google_cloud() as (cloud, server):

        def words(key: str) -> list[str]:
            spec = cloud.jobs[key]["taskGroups"][0]["taskSpec"]
            container = spec["runnables"][0]["container"]
            return [container["entrypoint"], *container.get("commands", [])]

        yield Venue(
            connect=lambda: google_at(server.url),
            keys=lambda: list(cloud.created),
            words=words,
            address=server.url,
            at=google_at,
        )


@contextmanager
def azure() -> Iterator[Venue]:
    with azure_cloud() as (cloud, server):
        yield Venue(
            connect=lambda: azure_at(server.url),
            keys=lambda: list(cloud.added),
            words=lambda key: shlex.split(cloud.tasks[key]["commandLine"]),
            address=server.url,
            at=azure_at,
        )


@contextmanager
def webhook() -> Iterator[Venue]:
    with receiving() as (receiver, server):

        def words(key: str) -> list[str]:
            [order] = [one for one in receiver.orders if one["key"] == key]
            command: list[str] = json.loads(json.dumps(order["command"]))
            return command

        yield Venue(
            connect=lambda: webhook_at(server.url),
            keys=lambda: [order["key"] for order in receiver.orders],
            words=words,
            address=server.url,
            at=webhook_at,
        )


VENUES: dict[str, Callable[[], AbstractContextManager[Venue]]] = {
    "aws_batch": aws,
    "azure_batch": azure,
    "google_batch": google,
    "webhook": webhook,
}

CANARIES = (
    CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    AZURE_SECRET,
    base64.b64decode(AZURE_SECRET).decode(),
    WEBHOOK_SECRET,
)
"""Secrets that may appear nowhere but where they are used."""
