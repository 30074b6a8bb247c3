"""What every command shares: the workspace, the clock, the environment, stderr."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from planner.cli.logs import Logs

if TYPE_CHECKING:  # pydantic is not needed to show help
    from rich.console import RenderableType

    from inputs.cloud_regions import CloudRegion
    from inputs.settings import Workspace
    from planner.executor.backends.registry import Place
    from planner.executor.steady import Steady
    from planner.overseeing import Site
    from planner.stopwatch import Stopwatch


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _steady() -> Steady:
    from planner.executor.processes import boot_identity
    from planner.executor.steady import Steady

    return Steady(boot=boot_identity(), at_us=time.monotonic_ns() // 1000)


def _is_root() -> bool:
    return os.geteuid() == 0


@dataclass(kw_only=True)
class App:
    """The outside world as commands see it; tests pass their own.

    Parameters
    ----------
    clock
        The current instant, aware.
    timer
        A steady clock. [s]
    environment
        Variables for settings and secrets.
    directory
        Where the search for planner.toml begins.
    progress_every_s
        Time between two lines of progress where stderr is no terminal. [s]
    root
        Whether this process may do everything on the machine.
    steady
        Time that nobody sets, the same for all processes of a boot.
    """

    clock: Callable[[], datetime] = _utc_now
    timer: Callable[[], float] = time.perf_counter
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    directory: Path = field(default_factory=Path)
    progress_every_s: float = 10.0
    root: Callable[[], bool] = _is_root
    steady: Callable[[], Steady] = _steady
    _told_mistyped: bool = field(default=False, init=False, repr=False)

    def workspace(self) -> Workspace:
        """Find and load the workspace."""
        from inputs.workspace import find_root, load_workspace

        root = find_root(self.directory.resolve())
        workspace = load_workspace(root, environment=self.environment)
        self._tell_mistyped(workspace)
        return workspace

    def _tell_mistyped(self, workspace: Workspace) -> None:
        """Tell of variables that set nothing, once."""
        from inputs.overrides import mistyped

        if self._told_mistyped:
            return
        self._told_mistyped = True
        names = (region.name for region in workspace.regions)
        for name, meant in mistyped(names, self.environment).items():
            self.note(f"note: variable {name} sets nothing; did you mean {meant}?")

    @cached_property
    def zone(self) -> ZoneInfo:
        """Time zone of the workspace."""
        return ZoneInfo(self.workspace().settings.planner.timezone)

    def cloud_regions(self) -> Mapping[str, CloudRegion]:
        """Cloud regions that are known here, inside a workspace or not."""
        from inputs.cloud_regions import cloud_regions
        from inputs.errors import SettingsError
        from inputs.settings import known_cloud_regions
        from inputs.workspace import find_root

        try:
            find_root(self.directory.resolve())
        except SettingsError:
            return cloud_regions()
        return known_cloud_regions(self.workspace().settings)

    def place(self) -> Place:
        """Folders and variables of the executor in this workspace."""
        from planner.executor.backends.registry import Place
        from planner.executor.ledger_place import ledger_url

        workspace = self.workspace()
        url, environ = ledger_url(self.environment, workspace.settings.executor.ledger)
        return Place(
            workspace=workspace.root,
            outputs=workspace.outputs,
            environ=environ,
            settings=workspace.settings.executor.backends,
            ledger=url,
            site=workspace.settings.planner.site,
        )

    def site(self) -> Site:
        """What watching over this workspace needs to know."""
        from planner.overseeing import Site

        workspace = self.workspace()
        return Site(
            place=self.place(),
            metrics=workspace.settings.metrics,
            alerts=workspace.settings.alerts,
            solar_budgets_kwh={
                region.name: region.solar_budget_kwh
                for region in workspace.regions
                if region.solar_budget_kwh is not None
            },
        )

    def forbidden_back_ends(self, *, allow_root: bool) -> frozenset[str]:
        """Back ends that would run jobs as root although nobody has allowed it."""
        from planner.executor.backends.registry import AS_THE_EXECUTOR

        allowed = allow_root or self.workspace().settings.executor.allow_root
        return AS_THE_EXECUTOR if self.root() and not allowed else frozenset()

    @cached_property
    def logs(self) -> Logs:
        """What goes to stderr."""
        return Logs(clock=self.clock, environment=self.environment)

    def note(self, text: str) -> None:
        """Tell the user something beside the result, on stderr."""
        self.logs.note(text)

    def show(self, renderable: RenderableType) -> None:
        """Print a table or text on stdout; colour on a terminal only."""
        from rich.console import Console

        if sys.stdout.isatty():
            Console().print(renderable)
            return
        from outputs.tables import as_text

        click.echo(as_text(renderable))

    @staticmethod
    def shown(path: Path) -> Path:
        """A file's path as people read it: from the working directory if below it."""
        here = Path.cwd()
        return path.relative_to(here) if path.is_relative_to(here) else path

    def result_json(self, value: Mapping[str, Any]) -> None:
        """Print a command's one JSON object on stdout."""
        click.echo(json.dumps(value, indent=2, default=str, allow_nan=False))

    @contextmanager
    def stopwatch(self, *, as_json: bool) -> Iterator[Stopwatch]:
        """Measure a run, and show on stderr what it is doing.

        Parameters
        ----------
        as_json
            Whether a program is listening, which no line is written for; on a
            terminal somebody is looking all the same.
        """
        from planner.cli.progress import Line, shown
        from planner.stopwatch import Stopwatch

        if self.logs.json:
            line = Line(self.timer)  # its stages are log lines already
            yield Stopwatch(self.timer, line.say, line.tell)
            return
        with shown(
            self.timer,
            self.environment,
            every_s=self.progress_every_s,
            quiet=as_json,
        ) as line:
            yield Stopwatch(self.timer, line.say, line.tell)


pass_app = click.make_pass_decorator(App, ensure=True)
