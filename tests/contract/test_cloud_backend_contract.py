"""The same questions to every back end that talks to a service."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner.executor.backends.backend import Backend, Phase
from planner.executor.backends.registry import BACKENDS, Place, load_all
from planner.executor.dispatch import run_once
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from planner.executor.verification import verify
from tests.cloud_venues import AT, CANARIES, VENUES, Venue
from tests.factories_executor import at, ledger_in, order, plan_of, row, until
from tests.moto_aws import CREDENTIALS
from tests.processes import with_this_program
from tests.replay_servers import Reply, Seen, closed_port, page, replying, serving
from tests.webhook_receiver import ENVIRON

LIBRARIES = {"aws_batch": "boto3", "azure_batch": "azure", "google_batch": "google"}
EXTRAS = {"aws_batch": "aws", "azure_batch": "azure", "google_batch": "google"}
HOSTILE = ("run", "--wrap=x", "-o", "$(id)", "a b", "'\"", ";rm", "`id`", "|", "*")
TABLES = {
    "aws_batch": {"aws_region": "r", "job_queue": "q", "job_definition": "d"},
    "azure_batch": {"account_url": "https://a.example", "job_id": "j"},
    "google_batch": {"project": "nightly", "location": "somewhere", "image": "i"},
    "webhook": {"url": "https://hook.example/hook"},
}


@dataclass(frozen=True)
class Site:
    """A back end by name, and the far side that it talks to."""

    name: str
    venue: Venue

    def backend(self) -> Backend:
        """A new one, as another process would make it."""
        return self.at(self.venue.address)

    def at(self, url: str) -> Backend:
        return AT[self.name](url)


@pytest.fixture(scope="module", params=sorted(VENUES))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        venue = stack.enter_context(VENUES[request.param]())
        yield Site(request.param, venue)


def nothing(seen: Seen) -> Reply:
    return Reply(b"")


def test_an_unknown_key_is_absent(site: Site) -> None:
    backend, key = site.backend(), order("never sent").key
    assert backend.look_up(key).phase is Phase.ABSENT
    assert backend.status(key, None).phase is Phase.ABSENT
    assert backend.cancel(order("never").key, None).phase in (
        Phase.ABSENT,
        Phase.CANCELLED,
    )


def test_a_key_submitted_twice_is_taken_once(site: Site) -> None:
    asked = order("twice")
    reports = [site.backend().submit(asked) for _ in range(2)]
    assert {report.phase for report in reports} == {Phase.WAITING}
    assert site.venue.keys().count(asked.key) == 1


def test_another_process_finds_a_key_without_its_handle(site: Site) -> None:
    asked = order("found")
    handle = site.backend().submit(asked).handle
    other = site.backend()
    found = other.look_up(asked.key)
    assert found.phase is Phase.WAITING
    assert other.status(asked.key, handle).phase is Phase.WAITING
    assert other.status(asked.key, found.handle).phase is Phase.WAITING


def test_ended_by_the_user_it_is_cancelled_and_not_taken_again(site: Site) -> None:
    asked = order("ended")
    backend = site.backend()
    handle = backend.submit(asked).handle
    backend.cancel(asked.key, handle)
    with site.venue.at_work():
        until(lambda: backend.look_up(asked.key).phase is Phase.CANCELLED)
    assert site.backend().submit(asked).phase is Phase.CANCELLED
    assert backend.cancel(asked.key, handle).phase is Phase.CANCELLED
    assert site.venue.keys().count(asked.key) == 1


def test_in09_se11_words_of_a_command_stay_words(site: Site) -> None:
    asked = order("hostile", command=HOSTILE)
    site.backend().submit(asked)
    assert site.venue.words(asked.key) == list(HOSTILE)


def test_where_the_output_is_can_be_said_without_the_service(site: Site) -> None:
    asked = order("logs")
    handle = site.backend().submit(asked).handle
    site.at(closed_port()).logs(asked.key, handle)
    site.at(closed_port()).logs(asked.key, None)


def test_a_service_that_is_gone_has_taken_nothing_and_denies_nothing(
    site: Site,
) -> None:
    backend = site.at(closed_port())
    with pytest.raises(NotTakenError):
        backend.submit(order())
    with pytest.raises(BackendError):
        backend.look_up(order().key)
    with pytest.raises(BackendError):
        backend.cancel(order().key, None)


def test_a_page_in_place_of_an_answer_denies_nothing(site: Site) -> None:
    with serving(nothing) as server:
        server.misbehave(forever=page("text/html"))
        backend = site.at(server.url)
        with pytest.raises(BackendError) as told:
            backend.submit(order())
        assert isinstance(told.value, UncertainError | NotTakenError)
        with pytest.raises(BackendError):
            backend.look_up(order().key)


ODD = (
    b"",
    b"null",
    b"[]",
    b'"x"',
    b'{"error": "no"}',
    b'{"error": null}',
    b'{"code": 5}',
)


@pytest.mark.parametrize("status", [200, 404, 409, 500])
def test_no_shape_of_an_answer_takes_the_back_end_by_surprise(
    site: Site, status: int
) -> None:
    with serving(nothing) as server:
        backend = site.at(server.url)
        for body in ODD:
            server.misbehave(forever=replying(status, body))
            with pytest.raises(BackendError) as told:
                backend.submit(order())
            with pytest.raises(BackendError):
                backend.look_up(order().key)
            if status in (200, 500):
                assert not isinstance(told.value, RejectedError)


def test_se09_no_secret_is_in_ledger_log_or_error(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = site.name
    caplog.set_level(logging.DEBUG)
    rows = [row("good", executor=name), row("bad", executor=name)]
    told = []
    with serving(nothing) as server:
        server.misbehave(forever=page("text/html"))
        for backend in (site.at(server.url), site.backend()):
            with ledger_in(tmp_path) as ledger:
                run_once(
                    plan=plan_of(*rows),
                    ledger=ledger,
                    backends={name: backend},
                    now=at("02:00"),
                    actor="test",
                )
                told += ledger.query("select detail from transitions")
                assert verify(ledger) == ()
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    seen = kept.decode("latin-1") + caplog.text + json.dumps(told)
    assert "good" in seen
    assert [canary for canary in CANARIES if canary in seen] == []


KILLED_AFTER_SENDING = """
import os, signal, sys
from pathlib import Path
from planner.executor.dispatch import run_once
from tests.cloud_venues import AT
from tests.factories_executor import at, ledger_in, plan_of, row

class Killed:
    def __init__(self, inner):
        self._inner = inner
    def __getattr__(self, name):
        return getattr(self._inner, name)
    def submit(self, order):
        self._inner.submit(order)
        os.kill(os.getpid(), signal.SIGKILL)

folder, name, url = sys.argv[1:]
with ledger_in(Path(folder)) as ledger:
    run_once(plan=plan_of(row("killed", executor=name)), ledger=ledger,
             backends={name: Killed(AT[name](url))}, now=at("02:00"), actor="killed")
"""


def test_ex02_killed_between_sending_and_storing_it_is_taken_once(
    site: Site, tmp_path: Path
) -> None:
    name = site.name
    AT[name](site.venue.address)  # skipped here where its client is missing
    environ = with_this_program()
    arguments = [str(tmp_path), name, site.venue.address]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_SENDING, *arguments], env=environ
    )
    assert killed.returncode == -signal.SIGKILL
    for _ in range(2):
        with ledger_in(tmp_path) as ledger:
            run_once(
                plan=plan_of(row("killed", executor=name)),
                ledger=ledger,
                backends={name: site.backend()},
                now=at("02:00"),
                actor="after",
            )
            assert ledger.query("select state from dispatches") == [("sent",)]
            assert verify(ledger) == ()
    assert site.venue.keys().count(order("killed").key) == 1


# What holds before there is a service at all


def place(tmp_path: Path, **settings: dict[str, str]) -> Place:
    return Place(
        workspace=tmp_path, outputs=tmp_path, environ=ENVIRON, settings=settings
    )


@pytest.mark.parametrize("name", sorted(VENUES))
def test_without_settings_nothing_is_sent_and_the_table_is_named(
    name: str, tmp_path: Path
) -> None:
    backend = load_all(place(tmp_path))[name]
    with pytest.raises(NotTakenError, match=rf"\[executor\.{name}\]"):
        backend.submit(order())
    with pytest.raises(BackendError, match=rf"\[executor\.{name}\]"):
        backend.look_up(order().key)


@pytest.mark.parametrize("name", sorted(LIBRARIES))
def test_a_missing_library_is_named_with_the_way_to_get_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load_all(place(tmp_path, **{name: TABLES[name]}))[name]
    gone = {"aws": "boto3", "azure": "azure.batch", "google": "google.cloud"}
    monkeypatch.setitem(sys.modules, gone[EXTRAS[name]], None)
    hint = rf"pip install carbon-batch-planner\[{EXTRAS[name]}\]"
    with pytest.raises(NotTakenError, match=hint):
        backend.submit(order())
    with pytest.raises(BackendError, match=hint):
        backend.look_up(order().key)


def test_back_ends_are_set_up_without_their_libraries(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from planner.executor.backends.registry import Place, load_all\n"
        "load_all(Place(workspace=Path('.'), outputs=Path('.'), environ={}))\n"
        "print([m for m in sys.modules if m.partition('.')[0] in "
        "('boto3', 'botocore', 'google', 'azure', 'requests', 'urllib3')])"
    )
    environ = with_this_program()
    said = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, check=True
    )
    assert said.stdout.strip() == b"[]"


def test_every_back_end_has_a_page() -> None:
    docs = Path(__file__).parents[2] / "docs"
    pages = {path.stem for path in (docs / "backends").glob("*.md")}
    assert set(VENUES) <= pages
    assert set(VENUES) <= set(BACKENDS)
    text = (docs / "executor.md").read_text()
    assert [name for name in VENUES if f"backends/{name}.md" not in text] == []
