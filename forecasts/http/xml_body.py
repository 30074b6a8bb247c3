"""Strict reading of an answer that should be XML: no document type, no entities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.http.message import one_line
from inputs.errors import Finding

MAX_ELEMENTS = 200_000
"""Two weeks of quarter-hours in a hundred series are less."""

MAX_DEPTH = 32
MAX_TEXT = 4096
"""Characters in one element; longer ones are no value."""


@dataclass(slots=True)
class Element:
    """An element by its local name, with the text that stands before its children.

    Namespaces carry versions of a format, so they are left out.
    """

    name: str
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def every(self, name: str) -> Iterator[Element]:
        """Children of a name, in order."""
        return (child for child in self.children if child.name == name)

    def first(self, *path: str) -> str | None:
        """Text of the first element at a path below; None if there is none."""
        element: Element | None = self
        for name in path:
            if element is None:
                return None
            element = next(element.every(name), None)
        return None if element is None else element.text.strip()


class _Refused(Exception):
    """What was found that no service has reason to send."""


def read_xml(body: bytes, *, source: str) -> Element:
    """Root of an XML text; document types, hence entities, are refused.

    Parameters
    ----------
    body
        The answer.
    source
        Who sent it, for messages.

    Raises
    ------
    ForecastUnavailableError
        If there is nothing.
    ForecastFormatError
        If it is not XML, has a document type, or is endless in some way.
    """
    if not body.strip():
        raise ForecastUnavailableError("the answer is empty")
    builder = _Builder()
    try:
        return builder.read(body)
    except _Refused as error:
        raise _unreadable(source, str(error)) from None
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _unreadable(source, one_line(str(error))) from None


class _Builder:
    def __init__(self) -> None:
        self._root = Element("")
        self._open = [self._root]
        self._count = 0

    def read(self, body: bytes) -> Element:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.Parse(body, True)
        return self._root.children[0]

    def _doctype(self, *_: object) -> None:
        raise _Refused("a document type, which no answer needs")

    def _start(self, name: str, _: object) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) > MAX_DEPTH:
            raise _Refused("elements or nesting without end")
        element = Element(name.rpartition(" ")[2])
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _data(self, text: str) -> None:
        element = self._open[-1]
        if element.children:
            return
        element.text += text
        if len(element.text) > MAX_TEXT:
            raise _Refused("a text without end")


def _unreadable(source: str, found: str) -> ForecastFormatError:
    finding = Finding(path=f"answer of {source}", found=found, expected="XML")
    return ForecastFormatError([finding])
