"""Starts the supervisors of shell runs: ``python -P -m planner.executor.spawner``.

One interpreter is started for each run of the executor instead of one for each job:
it reads run folders from its input, one a line, forks a supervisor for each, and
answers with that one's process number. A fork takes about a millisecond and shares
its memory, an interpreter takes fifty times as much of both. Ends with its input;
the supervisors, in sessions of their own, go on.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from planner.executor import runner

LOG = "supervisor.log"


def main() -> int:
    """Serve until the executor ends or has no more to start."""
    # Ended supervisors are not waited for; the kernel lets them go.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        folder = Path(os.fsdecode(line.rstrip(b"\n")))
        answer = b"%d\n" % _fork(folder)
        try:
            os.write(sys.stdout.fileno(), answer)
        except BrokenPipeError:  # the executor was killed; its job goes on
            break
    return 0


def _fork(folder: Path) -> int:
    """Process number of the new supervisor, 0 if there can be none now."""
    try:
        pid = os.fork()
    except OSError:
        return 0
    if pid:
        return pid
    code = 1
    try:
        _leave(folder)
        code = runner.main(folder)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _leave(folder: Path) -> None:
    """Share nothing with the spawner: own session, own streams, usual signals."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    empty = os.open(os.devnull, os.O_RDONLY)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((empty, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for handle in (empty, log):
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
