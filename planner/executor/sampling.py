"""The energy of a shell job, from what CodeCarbon saw of the whole machine.

Standard library only: the runner of every shell job imports this.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.executor.energy_file import MAX_KWH
from planner.executor.energy_sampler import READY

CODECARBON = "codecarbon"
"""The word of ``energy`` in ``[executor.shell]`` that asks for this."""

ANSWER_S = 10.0
"""How long an answer is waited for once the job has ended. [s]"""

ALONE = 0.9
"""Share of the machine's work from which on a job counts as alone on it."""
WATCHED = 0.95
"""Share of its time that a job must have been watched for its energy to be measured;
a job watched for less than half of it has no figure."""

GPU_VARIABLES = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""With one of them a job names its GPUs, which are then its own."""

Facts = Mapping[str, Any]
Told = tuple[dict[str, Any] | None, str | None]
"""A figure as it stands in ``result.json``, and what is wrong with it."""


class _NoFigureError(Exception):
    """There is no figure; the words say why."""


class Sampler:
    """CodeCarbon at work beside a job, in a process of its own.

    Parameters
    ----------
    folder
        The run's folder, in which it works.
    variables
        Of the job; those that name its GPUs are passed on.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        gpus = {n: variables[n] for n in GPU_VARIABLES if n in variables}
        self._names_gpus = any(gpus.values())
        self._why_not: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "planner.executor.energy_sampler"],
                cwd=folder,
                env={**os.environ, **gpus},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except OSError as error:
            self._why_not = f"CodeCarbon could not be started: {error.strerror}"

    def discard(self) -> None:
        """End it without an answer."""
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._process.communicate(timeout=ANSWER_S)

    def answer(self, *, run_s: float, cpu_s: float, limit_s: float = ANSWER_S) -> Told:
        """Energy of the job, which has just ended.

        Parameters
        ----------
        run_s, cpu_s
            How long the job ran, and how long processors worked for it. [s]
        limit_s
            How long to wait for the answer at most. [s]
        """
        try:
            seen = self._seen(limit_s)
            share = _share(seen, run_s, cpu_s)
            figure = figure_of(
                seen, run_s=run_s, share=share, own_gpus=self._names_gpus
            )
        except _NoFigureError as error:
            return None, f"its energy was not told: {error}"
        except (ValueError, KeyError, TypeError) as error:
            return None, f"its energy was not told: unusable figure: {error!r}"
        return figure, None

    def _seen(self, limit_s: float) -> Facts:
        """What it tells of the time until now."""
        if self._process is None:
            raise _NoFigureError(self._why_not)
        seen = json.loads(self._last_words(self._process, limit_s))
        if "problem" in seen:
            raise _NoFigureError(seen["problem"])
        return dict(seen)

    def _last_words(self, process: subprocess.Popen[bytes], limit_s: float) -> bytes:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        early = process.stdout.read()
        os.set_blocking(process.stdout.fileno(), True)
        if early is None:
            self.discard()
            raise _NoFigureError("the job ended before CodeCarbon was ready")
        try:
            late, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self.discard()
            raise _NoFigureError(
                f"CodeCarbon did not answer within {limit_s:g} s"
            ) from None
        said = (early + late).removeprefix(READY)
        if not said:
            raise _NoFigureError("CodeCarbon ended without an answer")
        return bytes(said)


def figure_of(
    seen: Facts, *, run_s: float, share: float, own_gpus: bool
) -> dict[str, Any]:
    """The job's part of what the machine used, and how far it can be believed.

    Parameters
    ----------
    seen
        What the sampler told.
    share
        The job's part of all that processors did meanwhile.
    own_gpus
        Whether the GPUs that were watched are those of the job alone.

    Raises
    ------
    _NoFigureError
        If it was not watched long enough, or the energy is none.
    """
    watched = min(1.0, float(seen["seconds"]) / run_s)
    if watched < 0.5:
        raise _NoFigureError(
            f"CodeCarbon watched {seen['seconds']:.3g} of {run_s:.3g} s"
        )
    alone = share >= ALONE
    part = 1.0 if alone else share
    kwh, by_sensor = seen["kwh"], seen["cpu_by_sensor"] is True
    # Memory is never read from a sensor: beside a reading it would be a guess.
    others = float(kwh["cpu"]) + (0.0 if by_sensor else float(kwh["memory"]))
    total = part * others + (1.0 if own_gpus else part) * float(kwh["gpu"])
    total /= watched
    if not math.isfinite(total) or not 0 < total <= MAX_KWH:
        raise _NoFigureError(f"{total:g} kWh is no energy of a job")
    measured = by_sensor and alone and watched >= WATCHED
    return {
        "kwh": total,
        "label": "measured" if measured else "estimated",
        "source": f"CodeCarbon ({'sensors' if by_sensor else 'load'})",
        "units": None,
    }


def _share(seen: Facts, run_s: float, cpu_s: float) -> float:
    """The job's part of what processors did, as rates over the two times."""
    busy = float(seen["busy_s"]) / float(seen["seconds"])
    return min(1.0, cpu_s / run_s / busy) if busy > 0 else 0.0
