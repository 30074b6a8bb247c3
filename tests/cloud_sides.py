"""What is behind the back ends that talk to a service: fakes over real HTTP.

The client libraries are the real ones; the test plays the machines that run the jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from planner.executor.backends.backend import Backend, Order
from planner.executor.errors import BackendError, NotTakenError, UncertainError
from tests.azure_cloud import azure_at, azure_cloud
from tests.factories_orders import order_of
from tests.google_cloud import google_at, google_cloud
from tests.moto_aws import QUEUE, Aws
from tests.replay_servers import ReplayServer, Reply, Seen, replying, serving
from tests.webhook_receiver import receiving, webhook_at

BEGAN, ENDED = 1_795_312_800_000, 1_795_314_600_000


class ServiceSide:
    """Orders are entries of a service; begun and ended by hand."""

    down: type[BackendError] = UncertainError
    """What a sending has to say while the service answers 503."""

    def __init__(self, server: ReplayServer, stack: ExitStack) -> None:
        self.server = server
        self.close: Callable[[], None] = stack.close
        self.codes: dict[str, int] = {}

    def order(self, *, exit_code: int = 0) -> Order:
        order = order_of("sh", "-c", f"exit {exit_code}")
        self.codes[order.key] = exit_code
        return order

    def mark(self, order: Order) -> str:
        return order.key

    def forget_requests(self) -> None:
        """As after a time in which a repeated request is known again."""

    @contextmanager
    def unreachable(self) -> Iterator[type[BackendError]]:
        self.server.misbehave(forever=replying(503))
        yield self.down
        self.server.misbehave()


class AwsSide(ServiceSide):
    """The four calls of AWS Batch."""

    down = NotTakenError  # it is looked up first, and then not sent

    def __init__(self) -> None:
        stack = ExitStack()
        super().__init__(stack.enter_context(serving(self.answer)), stack)
        self.jobs: dict[str, dict[str, Any]] = {}

    def backend(self) -> Backend:
        return Aws(self.server.url).backend()

    def answer(self, seen: Seen) -> Reply:
        asked = json.loads(seen.body)
        verb = seen.path.removeprefix("/v1/")
        if verb == "submitjob":
            return self._submit(asked)
        if verb == "listjobs":
            assert asked["jobQueue"] == QUEUE
            [name] = asked["filters"][0]["values"]
            named = [job for job in self.jobs.values() if job["jobName"] == name]
            return Reply({"jobSummaryList": named})
        if verb == "describejobs":
            known = [self.jobs[one] for one in asked["jobs"] if one in self.jobs]
            return Reply({"jobs": known})
        assert verb == "terminatejob"
        self.jobs[asked["jobId"]] |= {"status": "FAILED", "isTerminated": True}
        return Reply({})

    def begin(self, order: Order) -> None:
        job = self._of(order)
        job |= {"status": "RUNNING", "startedAt": BEGAN}
        job["container"] = {"logStreamName": f"job/default/{job['jobId']}"}

    def end(self, order: Order) -> None:
        job, code = self._of(order), self.codes[order.key]
        job |= {"status": "FAILED" if code else "SUCCEEDED", "stoppedAt": ENDED}
        job["container"] |= {"exitCode": code}

    def runs(self, order: Order) -> int:
        return [job["jobName"] for job in self.jobs.values()].count(order.key)

    def mark(self, order: Order) -> str:
        return str(self._of(order)["jobId"])

    def _submit(self, asked: dict[str, Any]) -> Reply:
        job_id = f"id-{len(self.jobs)}"
        job = {"jobId": job_id, "jobName": asked["jobName"], "status": "RUNNABLE"}
        self.jobs[job_id] = job
        return Reply(job)

    def _of(self, order: Order) -> dict[str, Any]:
        [job] = [one for one in self.jobs.values() if one["jobName"] == order.key]
        return job


class GoogleSide(ServiceSide):
    def __init__(self) -> None:
        stack = ExitStack()
        self.cloud, server = stack.enter_context(google_cloud())
        super().__init__(server, stack)

    def backend(self) -> Backend:
        return google_at(self.server.url)

    def begin(self, order: Order) -> None:
        self.cloud.move(order.key, "RUNNING")

    def end(self, order: Order) -> None:
        code = self.codes[order.key]
        state = "FAILED" if code else "SUCCEEDED"
        self.cloud.move(order.key, state, taskExecution={"exitCode": code})

    def forget_requests(self) -> None:
        self.cloud.requests.clear()

    def runs(self, order: Order) -> int:
        return self.cloud.created.count(order.key)


class AzureSide(ServiceSide):
    def __init__(self) -> None:
        stack = ExitStack()
        self.cloud, server = stack.enter_context(azure_cloud())
        super().__init__(server, stack)

    def backend(self) -> Backend:
        return azure_at(self.server.url)

    def begin(self, order: Order) -> None:
        self.cloud.tasks[order.key]["state"] = "running"

    def end(self, order: Order) -> None:
        code = self.codes[order.key]
        self.cloud.end(order.key, "failure" if code else "success", exitCode=code)

    def runs(self, order: Order) -> int:
        return self.cloud.added.count(order.key)


class WebhookSide(ServiceSide):
    def __init__(self) -> None:
        stack = ExitStack()
        self.receiver, server = stack.enter_context(receiving())
        super().__init__(server, stack)

    def backend(self) -> Backend:
        return webhook_at(self.server.url)

    def begin(self, order: Order) -> None:
        self.receiver.finish(order.key, **self._report(order, phase="running"))

    def end(self, order: Order) -> None:
        code = self.codes[order.key]
        facts = {"exit_code": code, "ended_at": "2026-11-22T02:30:00Z"}
        if code:
            facts |= {"reason": f"exit status {code}"}
        phase = "failed" if code else "done"
        self.receiver.finish(order.key, **self._report(order, phase=phase), **facts)

    def runs(self, order: Order) -> int:
        return [one["key"] for one in self.receiver.orders].count(order.key)

    def _report(self, order: Order, *, phase: str) -> dict[str, Any]:
        return {
            "phase": phase,
            "handle": "work-1",
            "started_at": "2026-11-22T02:00:00Z",
            "stdout": f"https://hook.example/{order.key}/stdout",
        }
