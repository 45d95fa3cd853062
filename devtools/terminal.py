"""What a person sees while a command works: a line per step, and why one failed."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path


class GroundError(Exception):
    """The set-up can't go on; the text says why and what a person can do."""


@contextmanager
def step(title: str):
    """Print ``title`` and, when the block ends, how many seconds it took."""
    started = time.monotonic()
    done = threading.Event()
    ticker = None

    def tick():
        while not done.wait(1):
            print(f"\r{title} ... {time.monotonic() - started:.0f} s", end="")
            sys.stdout.flush()

    print(f"{title} ...", end="", flush=True)
    if sys.stdout.isatty():
        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
    outcome = " failed"
    try:
        yield
        outcome = ""
    finally:
        done.set()
        if ticker:
            ticker.join()
            print(f"\r{title} ...", end="")
        print(f" {time.monotonic() - started:.1f} s{outcome}", flush=True)


def run_logged(command: list, log: Path, *, script: str = "", **kwargs) -> None:
    """Run ``command`` with its whole output in the file ``log``.

    :param script: what the command reads from its standard input
    :raise GroundError: it ended with an error; the text holds the end of the log.
    """
    with log.open("w") as output:
        process = subprocess.run(
            [str(part) for part in command],
            input=script,
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            **kwargs,
        )
    if process.returncode:
        raise GroundError(
            f"{command[0]} ended with exit code {process.returncode}. The end of"
            f" {log}:\n{tail(log)}"
        )


def tail(log: Path, lines: int = 25) -> str:
    """Return the last ``lines`` lines of a text file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
