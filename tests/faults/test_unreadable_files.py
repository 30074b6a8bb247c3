"""Files that are there and may not be read are not called damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inputs.files import read_one
from inputs.findings import Unreadable
from outputs.errors import PlanFormatError
from outputs.plan_file import read_plan, write_plan
from tests.factories_plan import small_plan

NOBODY = 65534


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """A file that this process may not read, also where it belongs to root."""
    path.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)
        path.chmod(0o600)


def test_a_plan_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "plan.parquet"
    written = write_plan(small_plan(), path)
    with (
        forbidden(path),
        pytest.raises(PlanFormatError, match=r"this user may not read it$"),
    ):
        read_plan(path)
    assert read_plan(path).meta == written.meta


def test_an_input_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("jobs: []")
    with forbidden(path), pytest.raises(Unreadable) as refused:
        read_one(path, 100)
    assert refused.value.found == "permission denied"
