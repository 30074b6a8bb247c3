"""Whatever stands in a file, reading it ends clean, degraded or refused."""

from __future__ import annotations

import json
import shlex
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inputs.durations import EXPECTED, parse_duration, written_duration
from inputs.errors import ManifestError
from inputs.manifests import load_jobs
from inputs.manifests.argv import split_words
from inputs.manifests.documents import PARSERS, read_document
from inputs.manifests.fields import TOP
from inputs.manifests.tables import SUFFIXES, read_table
from inputs.manifests.yaml_text import parse_yaml
from tests.factories_inputs import (
    FORMATS,
    grid,
    job,
    load,
    load_as,
    workspace,
    written,
)

GRID = grid()
SEEDS = {format_: written([job(), job(id="b")], format_) for format_ in FORMATS}


@given(format_=st.sampled_from(FORMATS), data=st.data())
@settings(max_examples=120, deadline=None)
def test_damaged_manifests_never_end_in_another_error(format_: str, data: Any) -> None:
    whole = SEEDS[format_]
    at = data.draw(st.integers(0, len(whole)))
    upto = data.draw(st.integers(at, min(len(whole), at + 8)))
    damaged = whole[:at] + data.draw(st.binary(max_size=12)) + whole[upto:]
    with tempfile.TemporaryDirectory() as folder:
        made = workspace(Path(folder), {f"jobs.{format_}": damaged})
        loaded = load_jobs(made, GRID)
    assert all(isinstance(error, ManifestError) for error in loaded.broken)
    assert all("\n" not in str(f) for e in loaded.broken for f in e.findings)
    assert len(loaded.broken) + len(loaded.files) == 1


@given(
    suffix=st.sampled_from([*PARSERS, *SUFFIXES]),
    data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
)
@settings(max_examples=120, deadline=None)
def test_any_bytes_are_read_or_refused(suffix: str, data: bytes) -> None:
    read = read_table if suffix in SUFFIXES else read_document
    draft = read(data, path="x", suffix=suffix, grid=GRID)
    assert draft.findings or draft.n_jobs >= 0


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_NAMES = st.sampled_from(sorted(TOP - {"id"}))


@given(fields=st.dictionaries(_NAMES, _VALUES, max_size=3))
@example(fields={"power_profile": [{"for": {}, "kw": 1}]})
@example(fields={"elastic": {"min": 10**30}})
@example(fields={"env": {"A": {}}})
@settings(max_examples=50, deadline=None)
def test_any_values_are_read_or_refused_alike_in_json_and_yaml(
    fields: dict[str, Any],
) -> None:
    one = {**job(), **fields}
    texts = {
        "json": json.dumps({"jobs": [one]}),
        "yaml": yaml.safe_dump({"jobs": [one]}, allow_unicode=True),
    }
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [load(Path(folder), {f"jobs.{f}": t}) for f, t in texts.items()]
    first, second = ([len(e.findings) for e in o.broken] for o in outcomes)
    assert first == second
    assert outcomes[0].jobs.spec == outcomes[1].jobs.spec


@given(
    power=st.floats(1e-6, 1e6),
    minutes=st.integers(1, 10_000),
    cpu=st.floats(1e-3, 1e3),
    words=st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        max_size=3,
    ),
)
@settings(max_examples=15, deadline=None)
def test_every_format_gives_equal_columns(
    power: float, minutes: int, cpu: float, words: list[str]
) -> None:
    one = job(
        power_kw=power,
        duration=f"{minutes}m",
        resources={"cpu": cpu},
        command=["run", *words],
    )
    with tempfile.TemporaryDirectory() as folder:
        loaded = [load_as(Path(folder), [one], format_) for format_ in FORMATS]
    for other in loaded:
        assert other.broken == ()
        assert other.jobs.power_kw.tolist() == [power]
        assert other.jobs.demand.tolist() == [[cpu, 0]]
        assert other.jobs.command.to_pylist() == [["run", *words]]
        spec = json.loads(other.jobs.spec[0].as_py())
        assert spec["command"] == ["run", *words]
        assert spec["resources"] == {"cpu": cpu}


_SHELL = st.text(st.sampled_from("ab \t\n'\"\\$`;#é"), max_size=24)


@given(line=_SHELL)
@settings(max_examples=500, deadline=None)
def test_words_are_split_as_shlex_does(line: str) -> None:
    try:
        expected = shlex.split(line)
    except ValueError:
        expected = None
    try:
        words = split_words(line)
    except ValueError:
        words = None
    assert words == expected


@given(text=st.text(max_size=12))
@settings(max_examples=120, deadline=None)
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        assert parse_duration(text).total_seconds() >= 0
    except ValueError as error:
        assert str(error) == EXPECTED  # noqa: PT017  both outcomes are allowed


@given(seconds=st.integers(0, 10**12))
@example(seconds=10**9)
@example(seconds=10**9 - 1)
@settings(max_examples=60, deadline=None)
def test_a_length_of_whole_seconds_is_read_again_as_it_is_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(written_duration(length)) == length


@given(value=_VALUES)
@settings(max_examples=200, deadline=None)
def test_quoted_yaml_strings_are_never_guessed(value: Any) -> None:
    text = json.dumps(str(value), ensure_ascii=True)
    if "\\ud" not in text:
        assert parse_yaml(f"jobs: {text}").root == {"jobs": str(value)}
