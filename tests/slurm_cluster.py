"""A real Slurm of one's own: two nodes, two partitions, on free ports of this host."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from planner.executor.backends.registry import Place
from planner.executor.backends.settings import read_settings
from planner.executor.backends.slurm import Slurm
from planner.executor.backends.slurm_options import Settings
from tests.factories_executor import until
from tests.slurm_processes import jobs_of, send, steps_of

NODES = ("n1", "n2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")

_UNANSWERED = ("timed out", "Unable to contact")

_WAITING = re.compile(r"^Agent (?:queue size|count): +(\d+)", re.MULTILINE)

_CONF = """\
ClusterName=ci
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmctldPort={ports[0]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobcomp.txt
MessageTimeout=2
MinJobAge={min_job_age}
KillWait=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=64 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=64 State=UNKNOWN
PartitionName=eu Nodes=n1 Default=YES State=UP
PartitionName=us Nodes=n2 State=UP
"""


def missing() -> str | None:
    """Why no cluster can be started here; None if one can."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    absent = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "slurmd starts jobs for its user only; needs root here"
    return None


class SlurmCluster:
    """Controller and nodes as child processes.

    Parameters
    ----------
    folder
        Takes in all state, configuration and logs; a short path, for a socket's
        name is limited.
    min_job_age_s
        How long slurmctld remembers finished jobs. [s]
    """

    def __init__(self, folder: Path, *, min_job_age_s: int = 300) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.completions = folder / "jobcomp.txt"
        self.environ = {
            "PATH": f"{os.defpath}:/usr/sbin:/sbin",
            "SLURM_CONF": str(self.conf),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lost_numbers = False
        for name in ("state", "spool-n1", "spool-n2", "munge"):
            (folder / name).mkdir(mode=0o755)
        self.conf.write_text(
            _CONF.format(
                host=socket.gethostname(),
                user="root",
                folder=folder,
                ports=free_ports(3),
                min_job_age=min_job_age_s,
            )
        )

    def start(self) -> None:
        """Return when both nodes are idle."""
        self._start_munge()
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        until(lambda: self.idle_nodes() == len(NODES), seconds=30, pause=0.1)

    def stop(self) -> None:
        """End every process, jobs included."""
        if "slurmctld" in self._processes:
            self.signal_controller(signal.SIGCONT)
            self.run("scancel", "--user=root")
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start_controller(self) -> None:
        self._start("slurmctld", "slurmctld", "-D")

    def start_node(self, node: str) -> None:
        """Start a node's daemon unless it runs, and have the node take jobs."""
        if f"slurmd-{node}" not in self._processes:
            self._start(f"slurmd-{node}", "slurmd", "-D", "-N", node)
        self.tell("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def lose_node(self, node: str) -> None:
        """Kill all that runs on a node; the controller is told that it is down."""
        process = self._processes.pop(f"slurmd-{node}")
        process.kill()
        process.wait()
        pids = jobs_of(self.conf, node) | steps_of(self._log(node))
        # Stopped first, else one of Slurm's could tell of a job that was just killed.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            send(number, pids)
        down = (f"NodeName={node}", "State=DOWN", "Reason=lost")
        self.tell("scontrol", "update", *down)

    def signal_controller(self, number: int) -> None:
        self._processes["slurmctld"].send_signal(number)

    def kill_controller(self) -> None:
        """End the controller without a chance to save its state."""
        process = self._processes.pop("slurmctld")
        process.kill()
        process.wait()
        self._lost_numbers = True

    def wait_for_controller(self) -> None:
        until(lambda: self.idle_nodes() >= 0, seconds=30, pause=0.1)
        self.resume()

    def forget(self) -> None:
        """Have the controller lose all jobs; it begins to count at 1 again."""
        self.kill_controller()
        shutil.rmtree(self.folder / "state")
        (self.folder / "state").mkdir()
        self.start_controller()
        self.wait_for_controller()
        self.settle()

    def resume(self) -> None:
        """Put nodes back to work: a launch that a lost controller spoilt drains one."""
        for node in NODES:
            self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def clear(self) -> None:
        """End all jobs, then settle."""
        self.run("scancel", "--user=root")
        self.settle()

    def settle(self) -> None:
        """Return when every job has ended and both nodes are ready for more.

        A number that a killed controller gave out is given out again. The daemon of
        a node takes its new job for a second copy of the old one, and has Slurm
        cancel it, so that it is started anew to forget it.
        """
        until(self._is_over, seconds=60, pause=0.1)
        if self._lost_numbers:
            for node in NODES:
                self._restart_node(node)
            self._lost_numbers = False
        until(lambda: self.idle_nodes() == len(NODES), seconds=60, pause=0.1)

    def _is_over(self) -> bool:
        """Whether nothing waits, runs or was left behind by a lost controller."""
        self.resume()
        return self.is_quiet() and not any(jobs_of(self.conf, node) for node in NODES)

    def _restart_node(self, node: str) -> None:
        process = self._processes.pop(f"slurmd-{node}")
        process.terminate()
        process.wait()
        send(signal.SIGKILL, steps_of(self._log(node)))
        self.start_node(node)

    def idle_nodes(self) -> int:
        """Number of nodes with nothing to do; -1 if the controller is silent."""
        answer = self.run("sinfo", "-h", "-t", "idle", "-o", "%D")
        if answer.returncode != 0:
            return -1
        return sum(int(number) for number in answer.stdout.split())

    def is_quiet(self) -> bool:
        """Whether no job waits, runs or is being cleaned up."""
        busy = self.run("squeue", "-h", "-t", "pending,running,completing")
        return busy.returncode == 0 and not busy.stdout

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, env=self.environ, capture_output=True, text=True, check=False
        )

    def has_told(self, node: str) -> bool:
        """Whether a node answers, and the controller has nothing left to tell any."""
        state = self.run("sinfo", "-h", "-N", "-n", node, "-o", "%T").stdout.strip()
        waiting = _WAITING.findall(self.run("sdiag").stdout)
        return bool(state) and not state.endswith("*") and waiting == ["0", "0"]

    def tell(self, *argv: str) -> None:
        """Run a command until the controller has answered it, whatever it says.

        A controller that gets no processor for two seconds lets a command time out.
        """

        def is_answered() -> bool:
            said = self.run(*argv).stderr
            return not any(words in said for words in _UNANSWERED)

        until(is_answered, seconds=60, pause=0.1)

    def jobs(self) -> list[str]:
        """Names of all jobs that the controller knows."""
        return self.run("squeue", "-h", "-t", "all", "-o", "%j").stdout.split()

    def backend(
        self, workspace: Path, *, kind: type[Slurm] = Slurm, **table: Any
    ) -> Slurm:
        """The back end of a workspace on this cluster."""
        self.resume()
        return slurm_in(workspace, self.environ, kind=kind, **table)

    def _log(self, node: str) -> Path:
        return self.folder / f"slurmd-{node}.log"

    def _start_munge(self) -> None:
        folder = self.folder / "munge"
        key = folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        places = {"socket": "socket", "key-file": "key", "pid-file": "pid"}
        places |= {"log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={folder / name}" for option, name in places.items()]
        self._start("munged", "munged", "--foreground", "--force", *options)
        until(lambda: (folder / "socket").exists())

    def _start(self, name: str, *argv: str) -> None:
        self._processes[name] = subprocess.Popen(
            argv,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def slurm_in(
    workspace: Path,
    environ: Mapping[str, str],
    *,
    kind: type[Slurm] = Slurm,
    timer: Callable[[], float] = time.monotonic,
    **table: Any,
) -> Slurm:
    """The back end of a workspace with the settings of a table."""
    place = Place(
        workspace=workspace,
        outputs=workspace / "outputs",
        environ=environ,
        settings={"slurm": table},
    )
    settings = read_settings(Settings, place.settings, "slurm")
    return kind(settings=settings, place=place, timer=timer)


def free_ports(number: int) -> list[int]:
    """Ports of this host that nothing listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports
