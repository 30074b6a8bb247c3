"""PL-05 to PL-10: plans that were changed, replayed, replaced or lost."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from outputs.errors import (
    PlanCheckError,
    PlanError,
    PlanFormatError,
    PlanSignatureError,
    StalePlanError,
)
from outputs.plan import SCHEMA_VERSION, Plan
from outputs.plan_digest import canonical_json, plan_digest
from outputs.plan_file import META_KEY, read_plan, write_plan
from outputs.plan_meta import parse_json
from outputs.plan_name import plan_path
from outputs.plan_signature import KeyRing, SigningKey, key_ring
from outputs.plan_store import save_plan
from planner.executor.dispatch import run_once
from planner.executor.plan_choice import PlanChoice, choose_plan
from planner.executor.plan_trust import Trust
from planner.executor.verification import verify
from tests.factories_executor import (
    DAY,
    FakeBackend,
    at,
    ledger_in,
    plan_of,
    row,
)

OURS = KeyRing((SigningKey(b"0123456789abcdef-ours"),))
THEIRS = KeyRing((SigningKey(b"0123456789abcdef-theirs"),))
TRUST = Trust(keys=OURS)


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    folder = tmp_path / "plans"
    folder.mkdir()
    return folder


def whole(columns: dict[str, Any]) -> dict[str, Any]:
    """A row with the numbers that a plan file must have."""
    energies = dict.fromkeys(("solar_kwh", "grid_kwh", "energy_kwh"), 0.5)
    return {**energies, "emissions_kg": 0.1, **columns}


def saved(folder: Path, serial: int = 1, *, keys: KeyRing = OURS, **facts: Any) -> Path:
    rows = facts.pop("rows", (row("a"), row("b", "04:00")))
    plan = plan_of(*map(whole, rows), serial=serial, digest=None, **facts)
    return save_plan(plan, folder, keys=keys)[0]


def rewritten(path: Path, **changes: Any) -> None:
    """What anyone can do: change the metadata, and work out the digest anew."""
    table = pq.read_table(path)
    meta = parse_json(table.schema.metadata[META_KEY]) | changes
    meta["digest"] = plan_digest(meta)
    changed = table.replace_schema_metadata({META_KEY: canonical_json(meta)})
    pq.write_table(changed, path, compression="zstd", write_page_checksum=True)


def choice(
    folder: Path,
    ledger_folder: Path,
    *,
    trust: Trust = TRUST,
    now: datetime | None = None,
) -> PlanChoice:
    with ledger_in(ledger_folder) as ledger:
        return choose_plan(folder, now=now or at("01:00"), ledger=ledger, trust=trust)


def codes(chosen: PlanChoice) -> list[str]:
    return [passed.code for passed in chosen.passed_over]


def test_a_signed_plan_is_followed(plans: Path, tmp_path: Path) -> None:
    saved(plans)
    chosen = choice(plans, tmp_path)
    assert chosen.plan is not None
    assert chosen.passed_over == ()


def test_pl05_a_changed_plan_with_a_new_digest_and_the_old_signature_is_refused(
    plans: Path, tmp_path: Path
) -> None:
    path = saved(plans)
    rewritten(path, emissions_kg=0.5)
    assert read_plan(path).meta.emissions_kg == 0.5
    with pytest.raises(PlanSignatureError, match="it was changed, or made elsewhere"):
        TRUST.read(path, now=at("01:00"))
    chosen = choice(plans, tmp_path)
    assert chosen.plan is None
    assert codes(chosen) == ["plan-signature"]


@pytest.mark.parametrize("keys", [THEIRS, KeyRing()], ids=["another key", "none"])
def test_pl05_a_plan_signed_otherwise_or_not_at_all_is_refused(
    plans: Path, tmp_path: Path, keys: KeyRing
) -> None:
    saved(plans, keys=keys)
    chosen = choice(plans, tmp_path)
    assert chosen.plan is None
    assert codes(chosen) == ["plan-signature"]


def test_pl05_the_last_good_plan_is_followed_instead_of_a_forged_one(
    plans: Path, tmp_path: Path
) -> None:
    saved(plans, 1)
    saved(plans, 2, keys=THEIRS)
    chosen = choice(plans, tmp_path)
    assert isinstance(chosen.plan, Plan)
    assert chosen.plan.meta.serial == 1
    assert codes(chosen) == ["plan-signature"]


@pytest.mark.parametrize("change", ["", "x", "hmac-sha256::", "é", "hmac-sha256:a:b:c"])
def test_pl05_a_signature_of_any_other_form_is_refused(
    plans: Path, change: str
) -> None:
    path = saved(plans)
    rewritten(path, signature=change)
    with pytest.raises(PlanSignatureError):
        TRUST.read(path, now=at("01:00"))


def test_without_a_key_signed_and_unsigned_plans_are_followed(
    plans: Path, tmp_path: Path
) -> None:
    saved(plans, keys=THEIRS)
    assert choice(plans, tmp_path, trust=Trust()).plan is not None


def test_while_the_key_changes_plans_under_both_are_followed(
    plans: Path, tmp_path: Path
) -> None:
    saved(plans, keys=THEIRS)
    both = Trust(keys=KeyRing((*OURS.keys, *THEIRS.keys)))
    assert choice(plans, tmp_path, trust=both).plan is not None


def test_keys_come_from_a_variable_or_a_file_with_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"0123456789abcdef-new\n\n0123456789abcdef-ours\r\n")
    named = key_ring({"PLANNER_SIGNING_KEY_FILE": str(file)})
    assert [len(key.secret) for key in named.keys] == [20, 21]
    assert named.keys[1] == OURS.keys[0]
    assert key_ring({"PLANNER_SIGNING_KEY": "0123456789abcdef-ours\n"}) == OURS
    assert key_ring({}) == KeyRing()
    assert "0123" not in repr(OURS)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PLANNER_SIGNING_KEY": "short-secret"}, "12 bytes, expected 16"),
        ({"PLANNER_SIGNING_KEY": ""}, "0 bytes"),
        ({"PLANNER_SIGNING_KEY_FILE": "/nowhere/key"}, "cannot be read"),
        ({"PLANNER_SIGNING_KEY_FILE": os.devnull}, "holds no key"),
        (
            {"PLANNER_SIGNING_KEY": "x", "PLANNER_SIGNING_KEY_FILE": "y"},
            "not both",
        ),
    ],
)
def test_an_unusable_key_is_refused_and_never_shown(
    environment: dict[str, str], message: str
) -> None:
    with pytest.raises(PlanSignatureError, match=message) as refused:
        key_ring(environment)
    assert "short-secret" not in str(refused.value)


def test_pl06_a_plan_whose_day_is_over_is_refused(plans: Path, tmp_path: Path) -> None:
    path = saved(plans)
    tomorrow = at("01:00") + timedelta(days=1)
    with pytest.raises(StalePlanError, match="ended at"):
        TRUST.read(path, now=tomorrow)
    assert choice(plans, tmp_path, now=tomorrow).plan is None


def test_pl06_yesterdays_plan_under_todays_name_is_refused(
    plans: Path, tmp_path: Path
) -> None:
    path = saved(plans)
    path.rename(plan_path(plans, DAY + timedelta(days=1)))
    chosen = choice(plans, tmp_path, now=at("01:00") + timedelta(days=1))
    assert chosen.plan is None
    assert codes(chosen) == ["plan-stale"]


@pytest.mark.parametrize(("made_for", "here"), [("a", "b"), ("a", None), (None, "b")])
def test_pl06_the_plan_of_another_site_is_refused_although_signed(
    plans: Path, tmp_path: Path, made_for: str | None, here: str | None
) -> None:
    saved(plans, site=made_for)
    chosen = choice(plans, tmp_path, trust=Trust(keys=OURS, site=here))
    assert chosen.plan is None
    assert codes(chosen) == ["plan-stale"]
    same = Trust(keys=OURS, site=made_for)
    assert choice(plans, tmp_path, trust=same).plan is not None


def test_pl06_an_earlier_version_put_back_is_refused_although_signed(
    plans: Path, tmp_path: Path
) -> None:
    first = saved(plans, 1).read_bytes()
    second = saved(plans, 2)
    with ledger_in(tmp_path) as ledger:
        facts: dict[str, Any] = {"ledger": ledger, "now": at("01:00"), "actor": "test"}
        run_once(plan=read_plan(second), backends={}, **facts)
        second.write_bytes(first)
        with pytest.raises(StalePlanError, match="older than plan plan-2"):
            run_once(plan=TRUST.read(second, now=at("01:00")), backends={}, **facts)
    chosen = choice(plans, tmp_path)
    assert chosen.plan is None
    assert codes(chosen) == ["plan-stale"]


def test_pl07_a_plan_of_a_newer_version_is_refused_naming_both(plans: Path) -> None:
    path = saved(plans)
    rewritten(path, schema_version=SCHEMA_VERSION + 1, planner_version="9.9")
    message = f"schema {SCHEMA_VERSION + 1}, written by planner 9.9.*{SCHEMA_VERSION}"
    with pytest.raises(PlanFormatError, match=message):
        TRUST.read(path, now=at("01:00"))


@pytest.mark.parametrize("replaced_after", range(7))
def test_pl09_a_plan_that_is_replaced_after_each_dispatch_in_turn(
    tmp_path: Path, replaced_after: int
) -> None:
    """Six jobs, one an hour; the day is planned anew, in reverse, after the nth."""
    hours = range(1, 7)
    first = plan_of(*(row(f"j{n}", f"{n:02}:00", minutes=30) for n in hours))
    new_hours = {n: 14 - n for n in hours}
    second = plan_of(
        *(row(f"j{n}", f"{new_hours[n]:02}:00", minutes=30) for n in hours),
        row("late", "15:00"),
        serial=2,
    )
    backend, plan = FakeBackend(), first
    with ledger_in(tmp_path) as ledger:
        for hour in range(24):
            if len(backend.submitted) >= replaced_after:
                plan = second
            run_once(
                plan=plan,
                ledger=ledger,
                backends={"shell": backend},
                now=at(f"{hour:02}:00"),
                actor="test",
            )
        sent = [backend.orders[key].job_id for key in backend.submitted]
        assert sorted(sent) == [*(f"j{n}" for n in hours), "late"]
        assert sent[:replaced_after] == [f"j{n}" for n in range(1, replaced_after + 1)]
        assert verify(ledger) == ()


def test_pl10_without_a_plan_that_can_be_trusted_the_ledger_is_gone_on_with(
    plans: Path, tmp_path: Path
) -> None:
    path = saved(plans)
    backend = FakeBackend()
    with ledger_in(tmp_path) as ledger:
        facts: dict[str, Any] = {
            "ledger": ledger,
            "backends": {"shell": backend},
            "actor": "test",
        }
        run_once(plan=TRUST.read(path, now=at("01:00")), now=at("02:00"), **facts)
        path.write_bytes(path.read_bytes()[:100])
        chosen = choose_plan(plans, now=at("04:00"), ledger=ledger, trust=TRUST)
        assert chosen.plan is None
        assert codes(chosen) == ["plan-format"]
        path.unlink()
        run_once(plan=None, now=at("04:00"), **facts)
    assert len(backend.submitted) == 2


BROKEN: dict[str, dict[str, Any]] = {
    "ends after the horizon": {"start": "23:30"},
    "starts within a slot": {"start": "02:07"},
    "ends after its deadline": {"deadline": "2026-11-22T02:30:00+00:00"},
    "has an impossible power": {"power_kw": -1.0},
    "has no replica": {"replicas": 0},
    "a spec is unusable": {"retries": "many"},
}


@pytest.mark.parametrize("limit", BROKEN)
def test_rows_that_break_a_limit_are_refused_before_anything_is_sent(
    plans: Path, tmp_path: Path, limit: str
) -> None:
    path = saved(plans, rows=(row("x", **BROKEN[limit]),))
    with pytest.raises(PlanCheckError, match=limit):
        TRUST.read(path, now=at("01:00"))
    chosen = choice(plans, tmp_path)
    assert chosen.plan is None
    assert codes(chosen) == ["plan-limits"]


def test_each_cause_of_refusal_has_a_code_of_its_own() -> None:
    kinds = (PlanFormatError, PlanSignatureError, StalePlanError, PlanCheckError)
    assert len({PlanError.code, *(kind.code for kind in kinds)}) == 5


def test_the_signature_depends_on_the_whole_content(plans: Path) -> None:
    plan = plan_of(whole(row("a")), digest=None)

    def signed(plan: Plan) -> str | None:
        return write_plan(plan, plans / "p.parquet", keys=OURS).meta.signature

    once = signed(plan)
    assert once == signed(plan)
    assert once != signed(replace(plan, meta=replace(plan.meta, seed=1)))
    changed = plan_of(whole(row("a", power_kw=2.0))).rows
    assert once != signed(replace(plan, rows=changed))
