"""Stand-ins for Slurm's commands that note how they are called."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planner.executor.backends.backend import Order
from planner.executor.backends.slurm import Slurm
from tests.factories_orders import order_of
from tests.slurm_cluster import slurm_in

CLAIM = {"slurm_job": "7", "claimed_at": "2026-11-22T02:00:00+00:00"}
END = {"started_at": "2026-11-22T02:00:00+00:00", "ended_at": "2026-11-22T03:00:00Z"}

_FAKE = """\
#!{python}
import json, os, sys
from pathlib import Path
here = Path({folder!r})
name = Path(sys.argv[0]).name
said = json.loads((here / "answers.json").read_text()).get(name, ["", "", 0])
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([name, sys.argv[1:], dict(os.environ)]) + "\\n")
sys.stdout.write(said[0]); sys.stderr.write(said[1]); sys.exit(said[2])
"""


class FakeSlurm:
    """Commands of Slurm's names that note how they are called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("sbatch", "squeue", "sacct", "scancel"):
            text = _FAKE.format(python=sys.executable, folder=str(folder))
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.answer()

    def answer(self, **answers: list[Any]) -> None:
        """Set stdout, stderr and exit status of commands."""
        given = {"sbatch": ["17\n", "", 0], **answers}
        (self.folder / "answers.json").write_text(json.dumps(given))

    @property
    def called(self) -> bool:
        """Whether any command was called yet."""
        return (self.folder / "calls").exists()

    def calls(self, name: str) -> list[list[str]]:
        return [argv for called, argv, _ in self._calls() if called == name]

    def environ(self) -> dict[str, str]:
        environ: dict[str, str] = self._calls()[-1][2]
        return environ

    def backend(
        self,
        environ: dict[str, str] | None = None,
        *,
        timer: Callable[[], float] = time.monotonic,
        **table: Any,
    ) -> Slurm:
        """The back end that calls them."""
        table = {"commands": str(self.folder), **table}
        return slurm_in(self.folder, environ or {}, timer=timer, **table)

    def _calls(self) -> list[Any]:
        return [*map(json.loads, (self.folder / "calls").read_text().splitlines())]


def ended(slurm: Slurm) -> Order:
    """An order whose job, number 7, has run for an hour and noted its end."""
    order = order_of("true")
    slurm.submit(order)
    folder = Path(str(slurm.logs(order.key, None).stdout)).parent
    result = {"outcome": "exited", "exit_code": 0, **END}
    for name, content in (("claim", CLAIM), ("result", result)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return order
