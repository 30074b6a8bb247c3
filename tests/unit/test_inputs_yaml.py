"""YAML is read as YAML 1.2, with positions, and nothing hides."""

from __future__ import annotations

from pathlib import Path

import pytest

from inputs.manifests.kinds import Doubtful
from inputs.manifests.tree import NotADocument
from inputs.manifests.yaml_text import parse_yaml
from tests.factories_inputs import load, message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("true", True),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("NO", "NO"),
        ("22:30", "22:30"),
        ("2026-11-22", "2026-11-22"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("|\n  x\n", "x\n"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    root = parse_yaml(f"k: {text}").root
    assert isinstance(root, dict)
    assert root["k"] == value
    assert type(root["k"]) is type(value)


@pytest.mark.parametrize(
    "text", ["010", "0o7", "0x1F", "1_000", ".NaN", "-.inf", "007.5"]
)
def test_scalars_that_readers_disagree_about_are_doubtful(text: str) -> None:
    root = parse_yaml(f"k: {text}").root
    assert isinstance(root, dict)
    assert isinstance(root["k"], Doubtful)


def test_aliases_stand_for_their_anchor() -> None:
    root = parse_yaml("a: &x {cpu: 1}\nb: *x\n").root
    assert root == {"a": {"cpu": 1}, "b": {"cpu": 1}}


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\n---\nb: 2\n", 2), ("a: *x\n", 1), ("a: [1\nb: 2\n", 2), ("[a]: 1\n", 1)],
)
def test_what_is_not_one_document_is_refused_with_its_line(
    text: str, line: int
) -> None:
    with pytest.raises(NotADocument) as refused:
        parse_yaml(text)
    assert refused.value.line == line


def test_keys_that_stand_twice_are_told_at_every_level(tmp_path: Path) -> None:
    text = (
        "jobs:\n- id: a\n  id: b\n  command: [x]\n  duration: 1h\n  power_kw: 1\n"
        "  resources: {cpu: 1, cpu: 2}\n"
    )
    told = message(load(tmp_path, {"a.yaml": text}))
    assert 'a.yaml:3, job "b", id: found the key twice' in told
    assert 'a.yaml:7, job "b", resources.cpu: found the key twice' in told


def test_merge_keys_are_refused(tmp_path: Path) -> None:
    text = "jobs:\n- &a {id: a, command: [x], duration: 1h, power_kw: 1}\n- <<: *a\n"
    assert "<<: found an unknown field" in message(load(tmp_path, {"a.yaml": text}))
