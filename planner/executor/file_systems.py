"""Which kind of file system a folder lies on."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "pvfs2", "smb3", "smbfs", "vboxsf"),
        *("fuse.glusterfs", "fuse.s3fs", "fuse.sshfs"),
    }
)
"""Types whose locks or syncs cannot be relied on between machines."""

MOUNTS = Path("/proc/self/mounts")


def mount_table() -> str:
    """The kernel's list of mounts; empty where the system has no such file."""
    return MOUNTS.read_text(errors="replace") if MOUNTS.exists() else ""


def file_system(folder: Path, mounts: str) -> str | None:
    """Type of the file system that holds a folder.

    Parameters
    ----------
    folder
        Any folder that exists.
    mounts
        Lines of ``device mount-point type …`` in the order of mounting.

    Returns
    -------
    str or None
        None where it cannot be told.
    """
    place = str(folder.resolve())
    found, depth = None, -1
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = fields[1].replace("\\040", " ").rstrip("/")
        if f"{place}/".startswith(f"{mount}/") and len(mount) >= depth:
            found, depth = fields[2], len(mount)
    return found
