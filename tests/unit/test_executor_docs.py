"""docs/executor.md says what the program does."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from planner.executor.schema import MIGRATIONS
from planner.executor.states import FINAL, LIVE, REPLANNABLE, TRANSITIONS, State

TEXT = (Path(__file__).parents[2] / "docs/executor.md").read_text(encoding="utf-8")


def test_every_state_is_explained_and_no_other() -> None:
    table = TEXT.split("## States")[1].split("Steps between")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [*State]


def test_every_transition_stands_in_the_document_and_no_other() -> None:
    found = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE)
    steps = [(a, b, why) for a, to in TRANSITIONS.items() for b, why in to.items()]
    assert found == steps


def test_every_table_of_the_ledger_is_explained() -> None:
    made = re.findall(r"create (?:table|view) (\w+)", "".join(MIGRATIONS))
    assert all(f"| `{name}`" in TEXT for name in made)


def test_what_may_have_been_sent_never_becomes_merely_planned_again() -> None:
    for before, after in product(State, State):
        if after in TRANSITIONS[before] and after in REPLANNABLE:
            sent = before in LIVE - {State.INTENT}
            assert not sent or after is State.MISSED, (before, after)


def test_final_and_live_states_are_apart_and_leave_only_planned() -> None:
    assert set(State) - FINAL - LIVE == {State.PLANNED}
    assert not FINAL & LIVE
