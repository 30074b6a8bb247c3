"""A back end's own settings: declared as a dataclass, read from its table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inputs.errors import SettingsError
from inputs.origins import sources
from inputs.workspace import load_workspace
from planner.executor.backends.registry import Place, load_all
from planner.executor.backends.settings import (
    Regional,
    SettingValueError,
    read_settings,
)
from planner.executor.errors import BackendError, NotTakenError


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    queue: str
    patience_s: float = 5.0
    tries: int | None = None
    eager: bool = False
    words: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.patience_s <= 0:
            raise SettingValueError("patience_s", "a number above 0")


def read(**table: Any) -> Regional[Knobs]:
    return read_settings(Knobs, {"fake": table}, "fake")


def refusal(**table: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        read(**table)
    return str(refused.value)


def test_values_of_every_kind_are_read() -> None:
    given = {
        "queue": "q",
        "patience_s": 3,
        "tries": 2,
        "eager": True,
        "words": ["a", "b"],
        "labels": {"x": "y"},
    }
    assert read(**given).of("north") == Knobs(
        queue="q",
        patience_s=3.0,
        tries=2,
        eager=True,
        words=("a", "b"),
        labels={"x": "y"},
    )


def test_numbers_and_truths_may_come_as_text_of_the_environment() -> None:
    knobs = read(queue="7", patience_s="2.5", tries="3", eager="true").of("north")
    assert knobs == Knobs(queue="7", patience_s=2.5, tries=3, eager=True)


def test_a_region_overrides_only_what_its_table_says() -> None:
    table = {"queue": "all", "tries": 1, "regions": {"north": {"queue": "n"}}}
    settings = read(**table)
    assert settings.of("north") == Knobs(queue="n", tries=1)
    assert settings.of("south") == Knobs(queue="all", tries=1)
    assert settings.distinct() == (settings.of("south"), settings.of("north"))


def test_every_problem_is_told_at_once_and_where() -> None:
    told = refusal(
        queu="q",
        queue=3,
        tries=1.5,
        words="a",
        labels={"x": 1},
        regions={"north": {"eagr": True, "eager": "perhaps"}},
    )
    assert told.splitlines() == [
        "planner.toml, executor.fake.queu: found an unknown key, "
        "expected a key of the back end; did you mean queue?",
        "planner.toml, executor.fake.queue: found 3, expected text",
        "planner.toml, executor.fake.tries: found 1.5, expected a whole number",
        'planner.toml, executor.fake.words: found "a", expected a list of texts',
        "planner.toml, executor.fake.labels: found {'x': 1}, expected a table of texts",
        "planner.toml, executor.fake.regions.north.eagr: found an unknown key, "
        "expected a key of the back end; did you mean eager?",
        'planner.toml, executor.fake.regions.north.eager: found "perhaps", '
        "expected true or false",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "soon"])
def test_what_is_no_number_is_refused(value: object) -> None:
    assert "patience_s" in refusal(queue="q", patience_s=value)


def test_a_range_is_checked_by_the_settings_themselves() -> None:
    assert refusal(queue="q", patience_s=-1) == (
        "planner.toml, executor.fake.patience_s: found -1.0, expected a number above 0"
    )
    told = refusal(queue="q", regions={"north": {"patience_s": 0}})
    assert "regions.north.patience_s: found 0.0" in told


def test_regions_that_are_no_tables_are_refused() -> None:
    assert "tables of regions" in refusal(queue="q", regions=["north"])


def test_without_a_required_key_nothing_is_sent_or_looked_up() -> None:
    settings = read()
    with pytest.raises(NotTakenError, match=r"lacks queue in a table \[executor.fake"):
        settings.of("north")
    with pytest.raises(BackendError, match="lacks queue"):
        settings.distinct()


def test_a_required_key_may_stand_with_the_regions_only() -> None:
    settings = read(regions={"north": {"queue": "n"}})
    assert settings.of("north") == Knobs(queue="n")
    with pytest.raises(NotTakenError, match="region south"):
        settings.of("south")
    assert "north.queue: found nothing" in refusal(regions={"north": {"tries": 2}})


def test_a_table_of_no_back_end_names_the_nearest_one(tmp_path: Path) -> None:
    place = Place(
        workspace=tmp_path, outputs=tmp_path, environ={}, settings={"shel": {}}
    )
    with pytest.raises(SettingsError, match="did you mean shell"):
        load_all(place)


def test_planner_toml_and_the_environment_reach_the_back_end(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(
        "[regions.north]\n[executor.two_words]\nqueue = 'a'\ntries = 1\n"
        "[executor.two_words.regions.north]\nqueue = 'n'\n"
    )
    workspace = load_workspace(
        tmp_path, environment={"PLANNER_EXECUTOR_TWO_WORDS_QUEUE": "b"}
    )
    knobs = read_settings(Knobs, workspace.settings.executor.backends, "two_words")
    assert knobs.of("south") == Knobs(queue="b", tries=1)
    assert knobs.of("north") == Knobs(queue="n", tries=1)
    shown = {setting.key: setting for setting in sources(workspace)}
    assert shown["executor.two_words.queue"].source.startswith("environment")
    assert shown["executor.two_words.regions.north.queue"].value == "n"


def test_a_variable_for_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text("[regions.north]\n")
    with pytest.raises(SettingsError, match="PLANNER_EXECUTOR_SLURM_PARTITION"):
        load_workspace(tmp_path, environment={"PLANNER_EXECUTOR_SLURM_PARTITION": "eu"})


def test_a_table_for_an_unknown_region_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(
        "[regions.north]\n[executor.slurm.regions.noth]\npartition = 'n'\n"
    )
    with pytest.raises(SettingsError, match=r"planner.toml:2, .*did you mean north"):
        load_workspace(tmp_path, environment={})
