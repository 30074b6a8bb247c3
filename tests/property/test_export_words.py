"""argv and variables of a plan arrive as they are, by whatever tool runs them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outputs.export import load
from tests.factories_export import ENV, PRINTF, READERS, sheet_of, task_of

NASTY = ["%", "\\", "'", '"', "$", "`", "\n", "\t", " ", "${{", "}}", "{{ x }}"]
NASTY += ["%%", "\\%", "\\\\", "#", ";", "-", "=", "é", "\r", "$(x)", "$$", "${x}", "!"]
NASTY += [
    "\x85",
    "\ufeff",
    "\u2028",
    "yes",
    "0x1",
    "~",
    "*",
    "%i",
    "\\n",
    "\\x41",
    "(",
    "&",
    "|",
]

texts = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=5).map("".join),
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
    ),
)


@pytest.mark.parametrize("format_name", READERS)
@settings(max_examples=25)
@example(words=["${{ x }}", "${{ 'b' }} }}", "a\\%b", "$(x) $$", "two\nlines\n", "%i"])
@given(words=st.lists(texts, min_size=1, max_size=5))
def test_argv_arrives_as_it_is(format_name: str, words: list[str]) -> None:
    sheet = sheet_of(task_of(PRINTF, "%s\\0", *words))
    reason = load(format_name).refusal(sheet, sheet.tasks[0])
    if reason is not None:
        assert format_name == "slurm", reason
        assert any("\r\n" in word for word in words)
        return
    assert READERS[format_name](sheet) == [word.encode() for word in words]


@pytest.mark.parametrize(
    "format_name", ["crontab", "systemd", "slurm", "github-actions"]
)
@settings(max_examples=25)
@example(value="${{ x }} % \\ $HOME %h")
@given(value=texts)
def test_variables_arrive_as_they_are(format_name: str, value: str) -> None:
    task = task_of(ENV, "-0", env={"SOME_TEXT": value, "t": "1"})
    sheet = sheet_of(task)
    reason = load(format_name).refusal(sheet, task)
    if reason is not None:
        assert "CR LF" in reason or "control characters" in reason
        return
    arrived = READERS[format_name](sheet)
    assert f"SOME_TEXT={value}".encode() in arrived
    assert b"t=1" in arrived
