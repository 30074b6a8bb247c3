"""Each back end that talks to a service, with a service on loopback to talk to."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from planner.executor.backends.backend import Backend
from tests.azure_cloud import SECRET as AZURE_SECRET
from tests.azure_cloud import azure_at, azure_cloud
from tests.google_cloud import google_at, google_cloud
from tests.moto_aws import CREDENTIALS, Aws, moto_server
from tests.webhook_receiver import SECRET as WEBHOOK_SECRET
from tests.webhook_receiver import receiving, webhook_at


@dataclass(frozen=True)
class Venue:
    """A back end and what the far side knows.

    Parameters
    ----------
    keys
        Keys that the far side took, one for each time that it took one.
    words
        Command that the far side would run for a key.
    address
        Of the service.
    at_work
        While it is entered, the far side does what it was asked to do.
    """

    keys: Callable[[], list[str]]
    words: Callable[[str], list[str]]
    address: str
    at_work: Callable[[], AbstractContextManager[None]] = nullcontext


@contextmanager
def aws() -> Iterator[Venue]:
    with moto_server() as server:
        server.fresh(jobs_wait=True)

        def words(key: str) -> list[str]:
            command: list[str] = server.jobs(key)[0]["container"]["command"]
            return command

        yield Venue(
            keys=lambda: [job["jobName"] for job in server.jobs()],
            words=words,
            address=server.url,
            at_work=server.jobs_move_on,
        )


@contextmanager
def google() -> Iterator[Venue]:
    with google_cloud() as (cloud, server):

        def words(key: str) -> list[str]:
            spec = cloud.jobs[key]["taskGroups"][0]["taskSpec"]
            container = spec["runnables"][0]["container"]
            return [container["entrypoint"], *container.get("commands", [])]

        yield Venue(
            keys=lambda: list(cloud.created),
            words=words,
            address=server.url,
        )


@contextmanager
def azure() -> Iterator[Venue]:
    with azure_cloud() as (cloud, server):
        yield Venue(
            keys=lambda: list(cloud.added),
            words=lambda key: shlex.split(cloud.tasks[key]["commandLine"]),
            address=server.url,
        )


@contextmanager
def webhook() -> Iterator[Venue]:
    with receiving() as (receiver, server):

        def words(key: str) -> list[str]:
            [order] = [one for one in receiver.orders if one["key"] == key]
            command: list[str] = json.loads(json.dumps(order["command"]))
            return command

        yield Venue(
            keys=lambda: [order["key"] for order in receiver.orders],
            words=words,
            address=server.url,
        )


VENUES: dict[str, Callable[[], AbstractContextManager[Venue]]] = {
    "aws_batch": aws,
    "azure_batch": azure,
    "google_batch": google,
    "webhook": webhook,
}

AT: dict[str, Callable[[str], Backend]] = {
    "aws_batch": lambda url: Aws(url).backend(),
    "azure_batch": azure_at,
    "google_batch": google_at,
    "webhook": webhook_at,
}
"""The back end for a service at an address, as any process would make it."""

CANARIES = (
    CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    AZURE_SECRET,
    base64.b64decode(AZURE_SECRET).decode(),
    WEBHOOK_SECRET,
)
"""Secrets that may appear nowhere but where they are used."""
