"""Lines of unit files, read by systemd's own code."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

_CUNESCAPE, _UNQUOTE = 1 << 1, 1 << 5
"""EXTRACT_CUNESCAPE and EXTRACT_UNQUOTE of systemd's extract-word.h."""

_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu/systemd",
    "/usr/lib/systemd",
    "/usr/lib64/systemd",
)


class SystemdWords:
    """systemd's splitting of words; a test that needs it is skipped without it."""

    def __init__(self) -> None:
        found = [
            path
            for folder in _FOLDERS
            for path in Path(folder).glob("libsystemd-shared-*.so")
        ]
        if not found:
            pytest.skip("libsystemd-shared is not installed")
        self._library = ctypes.CDLL(str(found[0]))
        self._library.replace_env_argv.restype = ctypes.POINTER(ctypes.c_char_p)

    def commands(self, unit: str, key: str) -> list[list[str]]:
        """argv of every line of a key, as a process would get it."""
        return [self._with_variables(self._split(line)) for line in values(unit, key)]

    def environment(self, unit: str) -> dict[str, str]:
        """Variables of every line ``Environment=``."""
        pairs = [
            word.partition("=")
            for line in values(unit, "Environment")
            for word in self._split(line)
        ]
        return {name: text for name, _, text in pairs}

    def _split(self, line: str) -> list[str]:
        """Words of a line, without quotes, escapes and specifiers."""
        start = ctypes.create_string_buffer(line.encode())
        rest = ctypes.c_char_p(ctypes.addressof(start))
        words = []
        while True:
            word = ctypes.c_char_p()
            flags = _CUNESCAPE | _UNQUOTE
            got = self._library.extract_first_word(
                ctypes.byref(rest), ctypes.byref(word), None, flags
            )
            assert got >= 0, f"systemd refuses {line!r}"
            if got == 0:
                return words
            words.append(self._specified(word.value or b"").decode())

    def _specified(self, word: bytes) -> bytes:
        none = (ctypes.c_char * 256)()  # a table that ends at once
        printed = ctypes.c_char_p()
        got = self._library.specifier_printf(
            word, ctypes.c_size_t(1 << 20), none, None, None, ctypes.byref(printed)
        )
        assert got >= 0, f"systemd refuses {word!r}"
        return printed.value or b""

    def _with_variables(self, words: list[str]) -> list[str]:
        """Words after $NAME was put in, none of which is known."""
        argv = (ctypes.c_char_p * (len(words) + 1))(*(w.encode() for w in words), None)
        read = self._library.replace_env_argv(argv, None)
        found = []
        while read[len(found)] is not None:
            found.append(read[len(found)].decode())
        return found


def values(unit: str, key: str) -> list[str]:
    """Values of a key of a unit file that continues no line."""
    return [
        line.partition("=")[2]
        for line in unit.split("\n")
        if line.startswith(f"{key}=")
    ]
