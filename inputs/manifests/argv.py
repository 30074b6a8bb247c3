"""Splitting a command line into words as a POSIX shell does; nothing is expanded.

Gives what ``shlex.split`` gives, an order of magnitude sooner.
"""

from __future__ import annotations

import re

_SPACE, _DOUBLE = 1, 4
_PIECE = re.compile(
    r"""([ \t\r\n]+)|([^ \t\r\n'"\\]+)|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL
)
_ESCAPED = re.compile(r'\\(["\\])')


def split_words(line: str) -> list[str]:
    r"""Words of a command line.

    Raises
    ------
    ValueError
        If a quote is not closed or nothing follows a backslash.

    Examples
    --------
    >>> split_words(r'''python run.py --name "a b" 'c"d' e\ f''')
    ['python', 'run.py', '--name', 'a b', 'c"d', 'e f']
    """
    words: list[str] = []
    word: str | None = None
    end = 0
    for piece in _PIECE.finditer(line):
        if piece.start() != end:
            break
        end = piece.end()
        which = piece.lastindex or 0
        text = piece[which]
        if which == _SPACE:
            if word is not None:
                words.append(word)
            word = None
            continue
        if which == _DOUBLE:
            text = _ESCAPED.sub(r"\1", text)
        word = text if word is None else word + text
    if end != len(line):
        what = "a quote is not closed" if line[end] in "'\"" else "a backslash ends it"
        raise ValueError(what)
    return words if word is None else [*words, word]
