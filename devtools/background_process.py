"""Processes that go on when the command that started them has ended."""

import fcntl
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO

from .paths import LOGS, RUNTIME
from .terminal import SetupError, tail

STOP_SECONDS = 15


class BackgroundProcess:
    """The background process ``name`` of this checkout.

    It holds a lock on its file for as long as it lives, so that a process id which the
    system gave to somebody else in the meantime is never taken for it.
    """

    def __init__(self, name: str):
        self.name = name
        self.file = RUNTIME / f"{name}.pid"
        self.log = LOGS / f"{name}.log"

    def start(self, command: list, env: dict[str, str], use: IO) -> None:
        """Start the process; it inherits ``use``, see ``CheckoutInstance.in_use``."""
        with self.file.open("a+") as handle, self.log.open("w") as output:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[handle.fileno(), use.fileno()],
            )
            handle.truncate(0)
            handle.write(str(process.pid))

    def process_id(self) -> int | None:
        """Return the id of the running process, None when there is none."""
        with suppress(FileNotFoundError), self.file.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(handle.read())
        return None

    def stop(self) -> bool:
        """End the process and wait for that; tell whether there was one."""
        process_id = self.process_id()
        if process_id is None:
            return False
        deadline = time.monotonic() + STOP_SECONDS
        os.kill(process_id, signal.SIGTERM)
        while self.process_id() == process_id:
            if time.monotonic() > deadline:
                os.kill(process_id, signal.SIGKILL)
            time.sleep(0.05)
        return True

    def wait_for(self, condition, seconds: float):
        """Return the first true value of ``condition()``.

        :raise SetupError: the process ended, or ``seconds`` went by.
        """
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if self.process_id() is None or time.monotonic() > deadline:
                raise SetupError(f"{self.name} did not start:\n{tail(self.log)}")
            time.sleep(0.1)
        return value
