"""What goes to stderr: text for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from planner.operations.incidents import Incident
    from planner.operations.redaction import Redactor

PACKAGES = ("planner", "outputs", "solvers", "forecasts", "inputs")
VARIABLE = "PLANNER_LOG"
LONGEST = 8_000
"""Characters of a message that a line holds at most."""

_log = logging.getLogger("planner")


class LogFormat(StrEnum):
    """How stderr is written."""

    TEXT = "text"
    JSON = "json"


class Logs:
    """stderr of one command.

    Parameters
    ----------
    clock
        Time of each line, aware.
    environment
        Its secrets are in no line.
    """

    def __init__(
        self, *, clock: Callable[[], datetime], environment: Mapping[str, str]
    ) -> None:
        self._clock = clock
        self._environment = environment
        self._redactor: Redactor | None = None
        self._verbosity = 0
        self.format = LogFormat.TEXT

    @property
    def json(self) -> bool:
        """Whether a program reads stderr."""
        return self.format is LogFormat.JSON

    def redact(self, text: str) -> str:
        """The text without secrets."""
        if self._redactor is None:
            from planner.operations.redaction import Redactor

            self._redactor = Redactor(self._environment)
        return self._redactor(text)

    def set_up(
        self, *, format: LogFormat | None = None, verbosity: int | None = None
    ) -> None:
        """Send the log of all packages to stderr: warnings, -v the story, -vv all.

        In JSON every line has a meaning of its own, so the story is always told.
        """
        self.format = self.format if format is None else format
        self._verbosity = self._verbosity if verbosity is None else verbosity
        told = max(self._verbosity, 1) if self.json else self._verbosity
        level = {0: logging.WARNING, 1: logging.INFO}.get(told, logging.DEBUG)
        handler = _ToStderr()
        handler.setFormatter(
            _JsonLine(self) if self.json else _TextLine(self.redact, _TEXT)
        )
        for package in (*PACKAGES, "py.warnings"):
            logger = logging.getLogger(package)
            logger.handlers[:] = [handler]
            logger.setLevel(level)
            logger.propagate = False
        logging.captureWarnings(self.json)

    def note(self, text: str) -> None:
        """Tell something beside the result."""
        if self.json:
            _log.info("%s", text.removeprefix("note: "), extra={"code": "note"})
        else:
            click.echo(self.redact(text), err=True)

    def tell(self, incident: Incident) -> None:
        """Tell an incident, to whoever reads."""
        if self.json:
            self.record(incident)
        elif incident.level == "error":
            self.note(f"alert {incident.code}: {incident.message}")
        else:
            self.note(f"note: {incident.message}")

    def record(self, incident: Incident) -> None:
        """Write an incident for programs; people are told it otherwise."""
        if self.json:
            level = logging.getLevelNamesMapping()[incident.level.upper()]
            extra = {"code": incident.code, "facts": dict(incident.facts)}
            _log.log(level, "%s", incident.message, extra=extra)

    def failure(self, message: str, *, code: str) -> None:
        """Tell why the command ends without having done what it was asked."""
        if self.json:
            _log.error("%s", message, extra={"code": code})
        else:
            click.echo(f"Error: {self.redact(message)}", err=True)

    def line(self, record: logging.LogRecord) -> str:
        """One JSON object on one line, free of secrets."""
        values: dict[str, Any] = {
            "time": _instant(self._clock()),
            "level": record.levelname.lower(),
            "code": getattr(record, "code", "log"),
            "message": record.getMessage()[:LONGEST],
            "logger": record.name,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            values["exception"] = text[-LONGEST:]
        return json.dumps(_clean(values, self.redact), default=str, allow_nan=False)


def chosen(environment: Mapping[str, str]) -> LogFormat:
    """Format that the environment asks for.

    Raises
    ------
    click.UsageError
        If it asks for one that there is not.
    """
    text = environment.get(VARIABLE) or LogFormat.TEXT.value
    try:
        return LogFormat(text)
    except ValueError:
        listed = ", ".join(LogFormat)
        raise click.UsageError(f"{VARIABLE} is {text!r}, not one of {listed}") from None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clean(values: dict[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    return {
        key: redact(value) if isinstance(value, str) else value
        for key, value in values.items()
    }


_TEXT = "%(levelname)s %(name)s: %(message)s"


class _JsonLine(logging.Formatter):
    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self._logs = logs

    def format(self, record: logging.LogRecord) -> str:
        return self._logs.line(record)


class _TextLine(logging.Formatter):
    def __init__(self, redact: Callable[[str], str], text: str) -> None:
        super().__init__(text)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is now, so that a living line gives way to the log."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)
