"""The community's ``queue_job``, and a real Odoo with workers that carries out jobs.

Only tests need them: the addon uses ``queue_job`` where it finds it.
"""

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from .. import odoo_cli
from ..paths import LOGS, RUNTIME
from ..python_packages import python, separate_packages
from ..terminal import SetupError, tail

MODULE = "queue_job"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
SERVER = Path(__file__).parent / "serve.py"
WORKERS = 2
CHANNELS = f"root:{WORKERS},root.copaco:{WORKERS}"
READY = "queue job runner ready for db"
PATIENCE = 90  # seconds until the runner is ready; it begins with a sleep


def packages() -> Path:
    """Return the folder to import ``queue_job`` from, made when missing."""
    return separate_packages(MODULE, REQUIREMENTS)


@contextmanager
def serving(instance, name: str):
    """Have the jobs of the database ``name`` carried out within the block.

    :raise SetupError: the server didn't start
    """
    log = LOGS / f"job-server-{name}.log"
    options = {
        "-c": instance.config,
        "-d": name,
        "--workers": WORKERS,
        # The tests play the scheduler.
        "--max-cron-threads": 0,
        "--load": f"base,rpc,web,{MODULE}",
        "--http-port": odoo_cli.free_port(),
        "--gevent-port": odoo_cli.free_port(),
    }
    arguments = [str(part) for option in options.items() for part in option]
    with log.open("w") as output:
        server = subprocess.Popen(
            [python(), SERVER, "server", *arguments],
            cwd=RUNTIME,
            env={
                **odoo_cli.environment(packages()),
                "ODOO_QUEUE_JOB_CHANNELS": CHANNELS,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, log)
        yield
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(5)
        # Workers that were in the middle of something.
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_until_ready(server, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while READY not in log.read_text(errors="replace"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SetupError(f"No job is carried out. The end of {log}:\n{tail(log)}")
        time.sleep(0.2)
