"""What a piece of work costs: CPU seconds, wall seconds, memory, queries."""

import ctypes
import gc
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import odoo.sql_db

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
BACKENDS = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend'"""


class Meter:
    """Measures in this process and in the PostgreSQL processes that work for it.

    :param env: of the cursor that does the work
    """

    def __init__(self, env):
        self._env = env

    @contextmanager
    def measured(self, **labels):
        """Lend the block a dictionary, and put what the block cost into it: ``odoo``
        and ``postgres`` (CPU seconds), ``wall`` (seconds), ``memory`` (bytes that the
        process had at most, above what it had before) and ``queries``."""
        figures = dict(labels)
        _forget_garbage()
        idle = _start_peak()
        backends = self._get_backends()
        queries = odoo.sql_db.sql_counter
        wall, cpu = time.monotonic(), time.process_time()
        yield figures
        figures["odoo"] = time.process_time() - cpu
        figures["wall"] = time.monotonic() - wall
        figures["queries"] = odoo.sql_db.sql_counter - queries
        figures["postgres"] = sum(
            seconds - backends.get(pid, 0)
            for pid, seconds in self._get_backends().items()
        )
        figures["memory"] = _read_status("VmHWM") - idle

    def _get_backends(self):
        self._env.cr.execute(BACKENDS)
        pids = [pid for (pid,) in self._env.cr.fetchall()]
        return {pid: _get_seconds(pid) for pid in pids}


def _get_seconds(pid):
    with suppress(FileNotFoundError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
    return 0


def _forget_garbage():
    gc.collect()
    # What was freed and kept by the C library would hide what comes.
    ctypes.CDLL(None).malloc_trim(0)


def _start_peak():
    """Let the kernel forget the peak until now; return the bytes in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _read_status("VmRSS")


def _read_status(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
