"""Alerts over real sockets: told once, never lost in silence, never in the way."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from planner.operations.alerts.memory import ATTEMPTS
from planner.operations.incidents import Trouble
from tests.factories_operations import (
    Desk,
    alert,
    incident,
)
from tests.replay_servers import (
    ReplayServer,
    Reply,
    closed_port,
    drip_body,
    hang,
    redirect,
    replying,
    serving,
)

SECRET = "canary-alert-address"


@pytest.fixture
def receiver() -> Any:
    with serving(lambda seen: Reply({})) as server:
        yield server


def hooked(tmp_path: Path, server: ReplayServer, **changes: Any) -> Desk:
    return Desk(tmp_path, [alert(url=f"{server.url}/hook?to=ops", **changes)])


def bodies(server: ReplayServer) -> list[dict[str, Any]]:
    return [json.loads(seen.body) for seen in server.seen]


def test_one_message_tells_all_that_happened_in_a_run(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver)
    desk.tell(incident("a"), incident("b"))
    (body,) = bodies(receiver)
    assert [one["facts"]["job_id"] for one in body["alerts"]] == ["a", "b"]
    assert body["site"] == "night"
    assert body["alerts"][0]["code"] == "dispatch-failed"
    assert receiver.seen[0].query == {"to": "ops"}
    assert receiver.seen[0].headers["idempotency-key"] == body["id"]
    assert desk.logged == []


def test_the_same_trouble_is_told_again_only_after_its_time(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver, repeat="2h")
    desk.tell(incident("a", "02:00"), when="02:00")
    desk.tell(incident("a", "02:01"), when="02:01")
    desk.tell(incident("a", "03:59"), when="03:59")
    assert len(receiver.seen) == 1
    desk.tell(incident("a", "04:01"), when="04:01")
    assert len(receiver.seen) == 2


def test_only_what_was_asked_for_is_told(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver, on=["missed"])
    desk.tell(incident("a"), incident("b", trouble=None))
    assert receiver.seen == []
    desk.tell(incident("c", trouble=Trouble.MISSED))
    assert len(receiver.seen) == 1


def test_a_budget_is_told_from_its_share_on(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver, on=["budget"], budget_share=0.8)
    desk.tell(incident("a", trouble=Trouble.BUDGET, facts={"share": 0.79}))
    assert receiver.seen == []
    desk.tell(incident("b", trouble=Trouble.BUDGET, facts={"share": 0.8}))
    assert len(receiver.seen) == 1


def test_more_messages_than_allowed_wait_and_go_together(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver, per_hour=2)
    for minute in range(10):
        when = f"02:{minute:02}"
        desk.tell(incident(f"job-{minute}", when), when=when)
    assert len(receiver.seen) == 2
    desk.tell(when="03:10")
    assert len(bodies(receiver)[2]["alerts"]) == 8


def test_a_flood_is_counted_and_not_spelt_out(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver)
    desk.tell(*(incident(f"job-{n}") for n in range(300)))
    (body,) = bodies(receiver)
    assert (len(body["alerts"]), body["more"]) == (50, 250)


def test_what_could_not_be_delivered_is_told_by_a_later_run(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    receiver.misbehave(replying(503))
    desk = hooked(tmp_path, receiver)
    desk.tell(incident("a"), when="02:00")
    assert desk.codes == ["alert-failed"]
    desk.tell(when="02:00")
    assert len(receiver.seen) == 1, "not before its wait is over"
    desk.tell(when="02:02")
    assert len(receiver.seen) == 2
    first, second = bodies(receiver)
    assert first["alerts"][0]["id"] == second["alerts"][0]["id"]
    desk.tell(when="05:00")
    assert len(receiver.seen) == 2
    totals = desk.post.totals()
    assert totals == {("webhook-1", "failed"): 1, ("webhook-1", "sent"): 1}


def test_the_retry_budget_ends_and_is_told(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    receiver.misbehave(forever=replying(500))
    desk = hooked(tmp_path, receiver)
    desk.tell(incident("a"), when="02:00")
    for hour in range(3, 3 + 2 * ATTEMPTS):
        desk.tell(when=f"{hour}:00")
    assert len(receiver.seen) == ATTEMPTS
    assert desk.codes == ["alert-failed"] * (ATTEMPTS - 1) + ["alert-given-up"]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_is_final(
    tmp_path: Path, receiver: ReplayServer, status: int
) -> None:
    receiver.misbehave(forever=replying(status))
    desk = hooked(tmp_path, receiver)
    desk.tell(incident("a"), when="02:00")
    desk.tell(when="04:00")
    assert len(receiver.seen) == 1
    assert desk.codes == ["alert-given-up"]


def test_no_redirect_is_followed(tmp_path: Path, receiver: ReplayServer) -> None:
    with serving(lambda seen: Reply({})) as other:
        receiver.misbehave(forever=redirect(f"{other.url}/x", 307))
        desk = hooked(tmp_path, receiver)
        desk.tell(incident("a"))
        assert other.seen == []
    assert desk.codes == ["alert-given-up"]


@pytest.mark.parametrize("fault", [hang, drip_body])
def test_a_slow_receiver_costs_no_more_than_its_limit(
    tmp_path: Path, receiver: ReplayServer, fault: Any
) -> None:
    receiver.misbehave(forever=fault)
    desk = hooked(tmp_path, receiver)
    began = time.monotonic()
    desk.tell(incident("a"))
    assert time.monotonic() - began < 3
    assert desk.codes == ["alert-failed"]


def test_the_bound_of_a_run_ends_the_wait_for_every_channel(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    receiver.misbehave(hang, hang)
    url = f"{receiver.url}/hook"
    desk = Desk(tmp_path, [alert(url=url), alert(url=url)])
    began = time.monotonic()
    desk.tell(incident("a"), bound_s=0.2)
    assert time.monotonic() - began < 0.9
    assert desk.codes == ["alert-failed", "alert-failed"]


def test_a_channel_that_is_down_does_not_silence_another(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    down = alert(url=f"{closed_port()}/hook", name="down")
    desk = Desk(tmp_path, [down, alert(url=f"{receiver.url}/hook", name="up")])
    desk.tell(incident("a"))
    assert len(receiver.seen) == 1
    assert [one.facts["channel"] for one in desk.logged] == ["down"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/hook",
        "https://localhost:1/hook",
    ],
)
def test_se_10_private_addresses_are_refused_unless_allowed(
    tmp_path: Path, url: str
) -> None:
    desk = Desk(tmp_path, [alert(url=url, allow=[])])
    desk.tell(incident("a"))
    assert desk.codes == ["alert-given-up"]
    assert "not a public address" in desk.logged[0].message


def test_an_address_may_stand_in_the_environment_and_is_in_no_message(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    receiver.misbehave(replying(500))
    variable = "PLANNER_ALERT_HOOK"
    secret = f"{receiver.url}/services/{SECRET}"
    desk = Desk(tmp_path, [alert(url=f"env:{variable}")], {variable: secret})
    desk.tell(incident("a", message=f"quoted {secret}"))
    assert receiver.seen[0].path.endswith(SECRET)
    assert SECRET not in receiver.seen[0].body.decode()
    assert SECRET not in repr(desk.alerts) + repr(desk.logged) + repr(desk.post)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*.sqlite*"))
    assert SECRET.encode() not in kept


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [alert(url="env:PLANNER_ALERT_HOOK")])
    desk.tell(incident("a"))
    assert "set PLANNER_ALERT_HOOK" in desk.logged[0].message


def test_slack_reads_text_in_which_nothing_is_a_command(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver, kind="slack")
    desk.tell(incident("a", message="<!channel> & <http://evil|x>\nsecond"))
    (body,) = bodies(receiver)
    assert set(body) == {"text"}
    assert "&lt;!channel&gt; &amp; &lt;http://evil|x&gt; second" in body["text"]
    assert "<" not in body["text"]


def test_a_damaged_memory_is_an_error_of_alerting_alone(
    tmp_path: Path, receiver: ReplayServer
) -> None:
    desk = hooked(tmp_path, receiver)
    desk.tell(incident("a"))
    memory = desk.post.memory
    memory.write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match="not a database"):
        desk.tell(incident("b"))
