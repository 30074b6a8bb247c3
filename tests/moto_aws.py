"""AWS Batch as moto plays it, in a server process of its own on a loopback port."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from planner.executor.backends.aws_batch import AwsBatch
from planner.executor.backends.aws_job import AwsSettings
from planner.executor.backends.settings import read_settings
from tests.factories_executor import until

AWS_REGION = "eu-north-1"
QUEUE, DEFINITION = "nightly", "planner-job"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "canary-access-key",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True)
class Aws:
    """One AWS with a queue and a job definition."""

    url: str

    def table(self, **changes: Any) -> dict[str, Any]:
        """What [executor.aws_batch] says."""
        return {
            "aws_region": AWS_REGION,
            "job_queue": QUEUE,
            "job_definition": DEFINITION,
            "endpoint_url": self.url,
            "settle_s": 60,
        } | changes

    def backend(self, **changes: Any) -> AwsBatch:
        tables = {"aws_batch": self.table(**changes)}
        return AwsBatch(read_settings(AwsSettings, tables, "aws_batch"))

    def client(self, service: str) -> Any:
        import boto3

        return boto3.client(service, region_name=AWS_REGION, endpoint_url=self.url)

    def jobs(self, name: str | None = None) -> list[dict[str, Any]]:
        """Every job of the queue, newest description."""
        batch = self.client("batch")
        values = [name or "p*"]
        listed = batch.list_jobs(
            jobQueue=QUEUE, filters=[{"name": "JOB_NAME", "values": values}]
        )["jobSummaryList"]
        if not listed:
            return []
        ids = [job["jobId"] for job in listed]
        found: list[dict[str, Any]] = batch.describe_jobs(jobs=ids)["jobs"]
        return found

    def fresh(self, *, jobs_wait: bool = False) -> Aws:
        """Forget all, and let jobs succeed at once or wait in their queue."""
        self.post("/moto-api/reset", None)
        self.post("/moto-api/config", {"batch": {"use_docker": jobs_wait}})
        self._move_jobs_on_every(seconds=3600)
        self._found()
        return self

    @contextmanager
    def jobs_move_on(self) -> Iterator[None]:
        """Waiting jobs go through their states; without containers they fail."""
        self._move_jobs_on_every(seconds=0)
        yield
        self._move_jobs_on_every(seconds=3600)

    def _move_jobs_on_every(self, *, seconds: float) -> None:
        transition = {"progression": "time", "seconds": seconds}
        self.post(
            "/moto-api/state-manager/set-transition",
            {"model_name": "batch::job", "transition": transition},
        )

    def post(self, path: str, content: Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.url + path, body, method="POST")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def _found(self) -> None:
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        iam, ec2, batch = (self.client(name) for name in ("iam", "ec2", "batch"))
        role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument=trust)
        profile = iam.create_instance_profile(InstanceProfileName="batch")
        network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.0.0.0/24")["Subnet"]
        group = ec2.create_security_group(
            GroupName="batch", Description="batch", VpcId=network
        )
        compute = batch.create_compute_environment(
            computeEnvironmentName="compute",
            type="MANAGED",
            state="ENABLED",
            computeResources={
                "type": "EC2",
                "minvCpus": 0,
                "maxvCpus": 8,
                "instanceTypes": ["t2.medium"],
                "subnets": [subnet["SubnetId"]],
                "securityGroupIds": [group["GroupId"]],
                "instanceRole": profile["InstanceProfile"]["Arn"],
            },
            serviceRole=role["Role"]["Arn"],
        )
        batch.create_job_queue(
            jobQueueName=QUEUE,
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[
                {"order": 1, "computeEnvironment": compute["computeEnvironmentArn"]}
            ],
        )
        batch.register_job_definition(
            jobDefinitionName=DEFINITION,
            type="container",
            containerProperties={"image": "busybox", "vcpus": 1, "memory": 128},
        )


@contextmanager
def moto_server() -> Iterator[Aws]:
    """A server of its own; skips the test where moto is not installed."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    pytest.importorskip("moto.server", reason="moto[server,batch] is not installed")
    port = free_port()
    arguments = ["-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _answers(port), pause=0.05)
        yield Aws(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(10)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
