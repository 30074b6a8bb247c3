"""Processes of this program, started by tests."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any


def with_this_program(**variables: str) -> dict[str, str]:
    """Variables with which another interpreter finds what this one finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}


def python(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Another interpreter; options as for ``subprocess.Popen``."""
    return subprocess.Popen(
        [sys.executable, *arguments], env=with_this_program(), **options
    )
