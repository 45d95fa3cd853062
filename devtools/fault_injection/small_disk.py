"""A real file system that is soon full."""

import ctypes
import errno
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_machines_mounts():
    """Give this process, and those it starts, mounts of their own, which vanish with
    them. Anyone but root needs a kernel that lets everybody do that.

    :raise OSError: the kernel doesn't; or other threads run already
    """
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _call("unshare", CLONE_NEWNS)
    else:
        _call("unshare", CLONE_NEWNS | CLONE_NEWUSER)
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)


class SmallDisk:
    """A file system of ``size`` bytes in memory, mounted on ``folder``."""

    def __init__(self, folder: Path, size: int):
        self.folder = folder
        self._filling = folder / "filling"
        options = f"size={size}".encode()
        _call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options)

    def free(self):
        """Return how many bytes are free."""
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize

    def fill(self, leave):
        """Fill the disk until only ``leave`` bytes are free, to the next block."""
        with self._filling.open("wb") as file:
            while True:
                try:
                    size = max(self.free() - int(leave), 1)
                    os.posix_fallocate(file.fileno(), 0, size)
                    return
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    # Others write at the same time.
                    if self.free() <= leave:
                        return

    def empty(self):
        """Take away what filled it."""
        self._filling.unlink(missing_ok=True)

    def unmount(self):
        """Remove the file system, with all that is on it."""
        _call("umount2", os.fsencode(self.folder), 0)


def _call(name, *arguments):
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
