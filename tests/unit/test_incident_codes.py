"""Codes of refusals and shortfalls: one each, stable, and on the page."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import forecasts
import inputs
import outputs
import planner
import solvers
from inputs.errors import PlannerError
from planner.executor.endings import ELSEWHERE
from planner.executor.journal import Event
from planner.executor.states import State
from planner.operations import incidents
from planner.operations.redaction import Redactor

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


def every_error() -> list[type[PlannerError]]:
    for package in (forecasts, inputs, outputs, planner, solvers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("errors"):
                importlib.import_module(module.name)
    found, ahead = [], [PlannerError]
    while ahead:
        kind = ahead.pop()
        if not kind.__module__.startswith("tests"):
            found.append(kind)
        ahead += kind.__subclasses__()
    return found


def test_every_kind_of_failure_has_a_code_of_its_own() -> None:
    kinds = every_error()
    codes = [kind.code for kind in kinds]
    assert len(kinds) > 40
    assert sorted(set(codes)) == sorted(codes)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in codes)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SettingsError", "settings"),
        ("ManifestError", "manifest"),
        ("PlanFormatError", "plan-format"),
        ("PlanCheckError", "plan-limits"),
        ("PlanSignatureError", "plan-signature"),
        ("PlanStorageError", "plan-storage"),
        ("StalePlanError", "plan-stale"),
        ("LockHeldError", "lock-held"),
        ("LedgerBusyError", "ledger-busy"),
        ("LedgerDamagedError", "ledger-damaged"),
        ("LedgerMissingError", "ledger-missing"),
        ("ClockError", "clock"),
        ("RootError", "root"),
    ],
)
def test_codes_that_people_have_written_rules_for_stay(name: str, code: str) -> None:
    (found,) = [kind for kind in every_error() if kind.__name__ == name]
    assert found.code == code
    assert f"`{code}`" in PAGE


def test_every_code_of_an_incident_is_on_the_page() -> None:
    texts = [
        path.read_text("utf-8")
        for path in Path(planner.__path__[0]).rglob("*.py")
        if "operations" in path.parts or path.name in ("overseeing.py", "watching.py")
    ]
    codes = {
        code
        for text in texts
        for code in re.findall(r'(?:code=|_harmless\()"([a-z-]+)"', text)
    }
    assert len(codes) > 12
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


@pytest.mark.parametrize("state", State)
def test_every_state_of_a_dispatch_is_on_the_page(state: State) -> None:
    assert f"-{state}`" in PAGE


def test_a_held_lock_wakes_nobody() -> None:
    from outputs.errors import LockHeldError
    from tests.factories_executor import at

    assert incidents.of_refusal(LockHeldError("x"), at=at("01:00")).trouble is None


def test_a_secret_is_blotted_out_however_it_is_spelt() -> None:
    redact = Redactor(
        {
            "WATTTIME_PASSWORD": "pass/word+1",
            "PLANNER_LEDGER": "postgresql://u:hunter22hunter@db/x",
            "AWS_ACCESS_KEY_ID": "not-a-secret",
            "HOME": "/home/nightly",
        }
    )
    said = "pass/word+1 pass%2Fword%2B1 hunter22hunter not-a-secret /home/nightly"
    assert redact(said) == "*** *** *** not-a-secret /home/nightly"


@pytest.mark.parametrize(
    ("detail", "trouble"),
    [
        (f"{ELSEWHERE}; scancel", incidents.Trouble.FAILED),
        ("cancelled by anna", None),
    ],
)
def test_a_job_called_off_by_others_is_told_like_a_failed_one(
    detail: str, trouble: incidents.Trouble | None
) -> None:
    event = Event(
        job_id="a",
        segment=0,
        attempt=1,
        key="k",
        region="r",
        state=State.CANCELLED,
        detail=detail,
    )
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert incidents.of_event(event, at=now, plan_id=None).trouble is trouble
