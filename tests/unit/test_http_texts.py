"""Keys from the environment, strict JSON, answers on disk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.http.answers import KEPT, Answers
from forecasts.http.json_body import read_json
from forecasts.http.message import HttpRequest
from forecasts.http.secret import basic, bearer, from_environment, spellings
from tests.replay_services import NOW

ONE = HttpRequest(url="https://x/one", params={"zone": "DE"})
OTHER = HttpRequest(url="https://x/one", params={"zone": "FR"})


def test_key_is_read_from_its_variable_or_the_file_named_there(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    in_file = {"KEY_FILE": str(tmp_path / "key")}
    assert from_environment(in_file, "KEY").reveal() == "from-file"
    both = {**in_file, "KEY": " direct "}
    assert from_environment(both, "KEY").reveal() == "direct"


@pytest.mark.parametrize(
    "environment",
    [{}, {"KEY": ""}, {"KEY_FILE": "/nowhere/at/all"}, {"KEY_FILE": "/"}],
)
def test_missing_key_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(ForecastUnavailableError, match="KEY"):
        from_environment(environment, "KEY")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "schlüssel", "a\x00b", "  "])
def test_key_that_would_break_a_header_is_refused_unseen(value: str) -> None:
    with pytest.raises(ForecastUnavailableError, match="holds no key") as caught:
        from_environment({"KEY": value}, "KEY")
    assert "Evil" not in str(caught.value)


def test_secrets_are_shown_by_no_repr_and_known_in_every_spelling() -> None:
    user = from_environment({"U": "somebody"}, "U")
    password = from_environment({"P": "pass word/1"}, "P")
    pair = basic(user, password)
    assert repr([pair, bearer("tok-tok-tok"), password]) == str([pair] * 3)
    known = spellings([pair])
    assert {"pass word/1", "pass%20word%2F1"} <= set(known)
    assert any(text.endswith("=") or text.isalnum() for text in known)


def test_short_word_is_not_hunted_for_in_answers() -> None:
    hidden = ["Bearer%20data", "Bearer data", "Bearer+data"]
    assert spellings([bearer("data")]) == hidden


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b"[" * 100_000, "nesting"),
        (b'{"a": "\xff"}', "utf-8"),
        (b"<html>", "Expecting value"),
        (b"{'a': 1}", "Expecting"),
        (b"1" * 5000, "digits"),
    ],
)
def test_body_that_is_not_strict_json_is_refused(body: bytes, found: str) -> None:
    with pytest.raises(ForecastFormatError, match=found):
        read_json(body, source="test")


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b"[]"])
def test_body_without_anything_is_no_data(body: bytes) -> None:
    with pytest.raises(ForecastUnavailableError, match=r"empty|nothing"):
        read_json(body, source="test")


def test_byte_order_mark_is_no_fault() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": 1}', source="test") == {"a": 1}


def test_kept_answer_is_found_by_its_question_and_the_newest_by_its_zone(
    tmp_path: Path,
) -> None:
    answers = Answers(folder=tmp_path)
    assert answers.same(ONE) is answers.newest(NOW) is None
    answers.keep(ONE, b"first", fetched_at=NOW)
    answers.keep(OTHER, b"second", fetched_at=NOW + timedelta(hours=1))
    found = answers.same(ONE)
    assert found is not None
    assert (found.body, found.fetched_at) == (b"first", NOW)
    later = answers.newest(NOW + timedelta(hours=2))
    assert later is not None
    assert later.body == b"second"
    early = answers.newest(NOW)
    assert early is not None
    assert early.body == b"first"


def test_old_answers_are_forgotten(tmp_path: Path) -> None:
    answers = Answers(folder=tmp_path)
    answers.keep(ONE, b"first", fetched_at=NOW)
    answers.keep(OTHER, b"second", fetched_at=NOW + KEPT + timedelta(hours=1))
    assert answers.same(ONE) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_damaged_answer_is_no_answer(tmp_path: Path) -> None:
    answers = Answers(folder=tmp_path)
    answers.keep(ONE, b'{"a": 123}', fetched_at=NOW)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place])
        assert answers.same(ONE) is None
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = answers.same(ONE)
        # a changed letter of the address alone touches nothing that is used
        assert found is None or (found.body, found.fetched_at) == (b'{"a": 123}', NOW)
