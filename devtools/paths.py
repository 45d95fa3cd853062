"""Where things lie: the cache that all checkouts share, and this checkout's part.

::

    CACHE/odoo-19/            Odoo, unpacked
    CACHE/venv-KEY/           Odoo's Python packages and the development tools
    CACHE/packages-KEY/       packages that must not be among those
    CACHE/npm-KEY/            Prettier
    CACHE/base-KEY/           a PostgreSQL cluster with the prepared database
    CACHE/checkout-KEY/       what runs for one checkout: databases, logs, processes
    CACHE/checkout-KEY-faults/  the same for its `make faults`, which breaks things
    CACHE/bytecode/           what Python compiled
    CACHE/locks/
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from .terminal import step

ADDON = "account_copaco"
CHECKOUT = Path(__file__).resolve().parent.parent
TESTS = CHECKOUT / "tests"


def _cache() -> Path:
    if configured := os.environ.get("ACCOUNT_COPACO_CACHE"):
        return Path(configured).expanduser().resolve()
    if os.geteuid() == 0:
        # PostgreSQL can't run as root and its own user can't see into root's home.
        return Path("/var/cache") / ADDON
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).resolve() / ADDON


def key(*parts: object) -> str:
    """Return a short name that differs as soon as one of ``parts`` differs."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:10]


CACHE = _cache()
RUNTIME = CACHE / f"checkout-{key(CHECKOUT)}"
LOGS = RUNTIME / "logs"
FAULTS_RUNTIME = RUNTIME.with_name(f"{RUNTIME.name}-faults")


def make_runtime(runtime: Path = RUNTIME) -> None:
    """Create a folder in the cache for what runs for this checkout."""
    # Others may read the cache: PostgreSQL's own user has to pass through it.
    for folder in (CACHE, CACHE / "locks", runtime, LOGS):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    (runtime / "checkout.txt").write_text(f"{CHECKOUT}\n")


@contextmanager
def locked(name: str):
    """Keep every other process out that asks for the same ``name``, until the end."""
    path = CACHE / "locks" / f"{name}.lock"
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(f"Waiting for another command to finish with {name}"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def cache_entry(name: str, build: Callable[[Path], None]) -> Path:
    """Return the cache folder ``name``, made by ``build(folder)`` when missing.

    It gets its name only when whole, so a command that was killed leaves nothing
    that looks finished, and two checkouts never build the same one.
    """
    entry = CACHE / name
    if not entry.exists():
        with locked(name):
            if not entry.exists():
                for abandoned in CACHE.glob(f".unfinished-{name}-*"):
                    shutil.rmtree(abandoned, ignore_errors=True)
                # What a killed command started may still be at work in its folder.
                unfinished = CACHE / f".unfinished-{name}-{os.getpid()}"
                unfinished.mkdir(mode=0o755)
                build(unfinished)
                unfinished.rename(entry)
    return entry
