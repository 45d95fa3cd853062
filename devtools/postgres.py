"""A PostgreSQL of one's own: one cluster in a folder, reached by a socket only."""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

from .paths import key
from .terminal import SetupError, tail

USER = "odoo"  # Odoo refuses a database role called postgres
PORT = 5432  # names the socket's file; no network port is opened
SOCKET_PATH_LIMIT = 107  # Linux: sun_path holds 108 bytes with the final zero

# Nothing in these databases is worth waiting for the disk.
SETTINGS = """
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
shared_buffers = 256MB
max_connections = 200
"""


def programs() -> Path:
    """Return the folder of the newest PostgreSQL programs on this machine."""
    versions = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (folder / "initdb").exists()
    ]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    if not found:
        raise SetupError("PostgreSQL's initdb was not found.")
    return Path(found).resolve().parent


def major_version() -> int:
    """Return the major version of PostgreSQL, such as 15."""
    answer = subprocess.run(
        [programs() / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return int(re.search(r"\) (\d+)", answer)[1])


class Cluster:
    """The PostgreSQL cluster in ``folder``; made by :meth:`create`, then started."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.log = folder.parent / "postgres.log"

    @cached_property
    def socket_folder(self) -> Path:
        """The folder of the socket: beside the data, or a short one when too long."""
        folder = self.folder.parent / "socket"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > SOCKET_PATH_LIMIT:
            folder = Path(tempfile.gettempdir()) / f"odoo-{key(self.folder)}"
        return folder

    @property
    def environment(self) -> dict[str, str]:
        """What tells PostgreSQL's own programs how to connect."""
        return {
            "PGHOST": str(self.socket_folder),
            "PGPORT": str(PORT),
            "PGUSER": USER,
            "PGDATABASE": "postgres",
        }

    def create(self) -> None:
        """Make an empty cluster."""
        self._give_away(self.folder)
        options = ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", USER]
        self._as_server("initdb", *options, "--no-sync", "-D", self.folder)
        with (self.folder / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)

    def is_running(self) -> bool:
        """Tell whether the server runs."""
        status = self._as_server("pg_ctl", "status", "-D", self.folder, check=False)
        return status.returncode == 0

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._give_away(self.socket_folder)
        self.log.touch()
        self._own(self.log)
        result = self._as_server(
            *("pg_ctl", "start", "-w", "-t", "120", "-D", self.folder, "-l", self.log),
            *("-o", f"-k '{self.socket_folder}' -p {PORT}"),
            check=False,
        )
        if result.returncode:
            raise SetupError(f"PostgreSQL did not start:\n{tail(self.log)}")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, ending what is still connected.

        :param mode: pg_ctl's; ``immediate`` is a crash
        """
        stop = ("pg_ctl", "stop", "-w", "-m", mode, "-D", self.folder)
        self._as_server(*stop, check=False)
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    def make_folder(self, folder: Path) -> Path:
        """Make ``folder`` one in which the server may write, and return it."""
        self._give_away(folder)
        return folder

    def databases(self) -> set[str]:
        """Return the names of the databases."""
        answer = self.run(
            "psql", "-XAtc", "SELECT datname FROM pg_database", capture_output=True
        ).stdout
        return set(answer.split())

    def run(self, program: str, *arguments: object, **kwargs):
        """Run one of PostgreSQL's client programs on this cluster.

        :param kwargs: as of ``subprocess.run``; ``check`` is the default
        :raise SetupError: the program failed
        """
        try:
            return subprocess.run(
                [programs() / program, *map(str, arguments)],
                env={**os.environ, **self.environment},
                text=True,
                check=kwargs.pop("check", True),
                **kwargs,
            )
        except subprocess.CalledProcessError as error:
            reason = f"{error}\n{error.stderr or ''}"
            raise SetupError(f"PostgreSQL failed: {reason}") from error

    def _as_server(self, program: str, *arguments: object, check: bool = True):
        """Run a server program, as the user ``postgres`` where root may not."""
        identity = {}
        if self._account:
            identity = {
                "user": self._account.pw_uid,
                "group": self._account.pw_gid,
                "extra_groups": [],
            }
        result = subprocess.run(
            [programs() / program, *map(str, arguments)],
            cwd="/",
            env={**_without_postgres(os.environ), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=(output := tempfile.TemporaryFile()),
            stderr=subprocess.STDOUT,
            check=False,
            **identity,
        )
        if check and result.returncode:
            output.seek(0)
            raise SetupError(
                f"PostgreSQL's {program} failed (its user must be able to reach"
                f" {self.folder.parent}):\n{output.read().decode(errors='replace')}"
            )
        return result

    @cached_property
    def _account(self) -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres")
        except KeyError as error:
            raise SetupError("There is no user `postgres` to run as.") from error

    def _give_away(self, folder: Path) -> None:
        """Make ``folder`` for the server alone; refuse somebody else's."""
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            self._own(folder)
        owner = self._account.pw_uid if self._account else os.geteuid()
        if folder.stat().st_uid != owner:
            raise SetupError(f"{folder} belongs to another user.")

    def _own(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)


def _without_postgres(environment) -> dict[str, str]:
    """Return ``environment`` without settings meant for another PostgreSQL."""
    return {
        name: value for name, value in environment.items() if not name.startswith("PG")
    }
