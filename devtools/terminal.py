"""What a person sees while a command works: a line per step, and why one failed."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path


class SetupError(Exception):
    """The set-up can't go on; the text says why and what a person can do."""


@contextmanager
def step(title: str):
    """Print ``title`` and, when the block ends, how many seconds it took."""
    started = time.monotonic()
    print(f"{title} ...", end="", flush=True)
    outcome = " failed"
    try:
        with clock(lambda: title):
            yield
        outcome = ""
    finally:
        print(f" {time.monotonic() - started:.1f} s{outcome}", flush=True)


@contextmanager
def clock(get_title: Callable[[], str]):
    """Show a running clock on the terminal's line within the block.

    :param get_title: returns what stands before the seconds
    """
    if not sys.stdout.isatty():
        yield
        return
    started = time.monotonic()
    done = threading.Event()

    def tick():
        while not done.wait(1):
            seconds = time.monotonic() - started
            print(f"\r{get_title()} ... {seconds:.0f} s\033[K", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
        print(f"\r{get_title()} ...\033[K", end="")


_running: set[subprocess.Popen] = set()
_is_stopping = threading.Event()


def run(command: list, *, script: str = "", **kwargs) -> subprocess.CompletedProcess:
    """Run ``command`` as ``subprocess.run`` does, so that :func:`kill_all` can end it.

    :param script: what the command reads from its standard input
    :raise SetupError: there is no such command
    """
    if is_stopping():
        raise SetupError("Interrupted.")
    command = [str(part) for part in command]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, **kwargs)
    except FileNotFoundError as error:
        raise SetupError(f"{command[0]} is not installed.") from error
    with process:
        _running.add(process)
        try:
            output, errors = process.communicate(script)
        except BaseException:
            process.kill()
            raise
        finally:
            _running.discard(process)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def kill_all() -> None:
    """End whatever :func:`run` runs in other threads, and let nothing more begin."""
    _is_stopping.set()
    for process in tuple(_running):
        process.kill()


def is_stopping() -> bool:
    """Tell whether :func:`kill_all` was called."""
    return _is_stopping.is_set()


def run_logged(command: list, log: Path, **kwargs) -> None:
    """Run ``command`` with its whole output in the file ``log``; see :func:`run`.

    :raise SetupError: it ended with an error; the text holds the end of the log.
    """
    with log.open("w") as output:
        code = run(
            command, stdout=output, stderr=subprocess.STDOUT, **kwargs
        ).returncode
    if code:
        raise SetupError(
            f"{command[0]} ended with exit code {code}. The end of {log}:\n{tail(log)}"
        )


def tail(log: Path, lines: int = 25) -> str:
    """Return the last ``lines`` lines of a text file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
