"""Back ends whose runs belong to one host, under a ledger that several hosts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from planner.executor.actors import host_of
from planner.executor.backends.backend import Backend, Logs, Order, Report
from planner.executor.errors import ElsewhereError
from planner.executor.hosts import HOST_BOUND, sender_of
from planner.executor.ledger import Ledger

FOLDER_BOUND = frozenset({"slurm"})
"""Back ends that know a run by its folder, which other hosts may share, or not."""


def never_seen(key: str) -> bool:
    """Nothing of another host's run is here."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBound:
    """Asks a back end only about keys that its own host has sent.

    The files and processes of a run are on the host that sent it. To another host
    it would seem that the key was never sent, and it would be sent again.

    Parameters
    ----------
    backend
        The back end of this host.
    ledger
        Tells which host sent a key.
    host
        This one, as actors begin with it.
    seen
        Whether a run of another host can be judged here, too.
    """

    backend: Backend
    ledger: Ledger
    host: str
    seen: Callable[[str], bool] = never_seen

    @property
    def name(self) -> str:
        """Name of the back end."""
        return self.backend.name

    @property
    def settle(self) -> timedelta:
        """As the back end has it."""
        return self.backend.settle

    @property
    def refuses_repeats(self) -> bool:
        """As the back end has it."""
        return self.backend.refuses_repeats

    @property
    def at_once(self) -> int:
        """One: the ledger, which is asked with each call, belongs to one thread."""
        return 1

    def submit(self, order: Order) -> Report:
        """Hand over an order, which was never sent, or by this host."""
        return self.backend.submit(order)

    def look_up(self, key: str) -> Report:
        """What became of a key of this host."""
        self._require_here(key)
        return self.backend.look_up(key)

    def status(self, key: str, handle: str | None) -> Report:
        """How an order of this host stands."""
        self._require_here(key)
        return self.backend.status(key, handle)

    def cancel(self, key: str, handle: str | None) -> Report:
        """Ask for the end of a dispatch of this host."""
        self._require_here(key)
        return self.backend.cancel(key, handle)

    def logs(self, key: str, handle: str | None) -> Logs:
        """Where the output is kept, on the host that sent it."""
        return self.backend.logs(key, handle)

    def _require_here(self, key: str) -> None:
        host = sender_of(self.ledger, key) or self.host
        if host != self.host and not self.seen(key):
            raise ElsewhereError(f"it was sent by {host}, which alone can tell")


def bind_to_host(
    backends: Mapping[str, Backend], ledger: Ledger, *, actor: str
) -> Mapping[str, Backend]:
    """Back ends as they may be used under a ledger: bound if hosts share it."""
    if not ledger.store.shared:
        return backends
    return {
        name: _bound(name, backend, ledger, host_of(actor))
        for name, backend in backends.items()
    }


def _bound(name: str, backend: Backend, ledger: Ledger, host: str) -> Backend:
    if name in HOST_BOUND:
        return HostBound(backend=backend, ledger=ledger, host=host)
    if name in FOLDER_BOUND:

        def seen(key: str) -> bool:
            return _has_folder(backend, key)

        return HostBound(backend=backend, ledger=ledger, host=host, seen=seen)
    return backend


def _has_folder(backend: Backend, key: str) -> bool:
    output = backend.logs(key, None).stdout
    return isinstance(output, Path) and output.parent.is_dir()
