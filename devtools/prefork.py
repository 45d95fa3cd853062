"""A real Odoo with several workers, as the suites need it that one process can't do."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from . import odoo_cli
from .paths import LOGS, RUNTIME
from .python_packages import python
from .terminal import SetupError, tail

SERVER = Path(__file__).parent / "serve.py"
WORKERS = 2
PATIENCE = 90  # seconds until the server is ready


@contextmanager
def serving(instance, name: str, log_name: str, ready: str, **settings):
    """Have an Odoo with workers serve the database ``name`` within the block, to which
    its address is lent.

    :param log_name: of the file with its output, without ending
    :param ready: what it logs when it is ready
    :param settings: ``options`` of its command line besides, a dict; ``packages``, the
        folders to import from besides Odoo's; ``variables`` of its environment
    :raise SetupError: it didn't start
    """
    log = LOGS / f"{log_name}-{name}.log"
    port = odoo_cli.free_port()
    options = {
        "-c": instance.config,
        "-d": name,
        "--workers": WORKERS,
        "--http-port": port,
        "--gevent-port": odoo_cli.free_port(),
        **settings.get("options", {}),
    }
    arguments = [str(part) for option in options.items() for part in option]
    with log.open("w") as output:
        server = subprocess.Popen(
            [python(), SERVER, "server", *arguments],
            cwd=RUNTIME,
            env={
                **odoo_cli.environment(*settings.get("packages", ())),
                **settings.get("variables", {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, log, ready)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(5)
        # Workers that were in the middle of something.
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_until_ready(server, log: Path, ready: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while ready not in log.read_text(errors="replace"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SetupError(f"Odoo did not start. The end of {log}:\n{tail(log)}")
        time.sleep(0.2)
