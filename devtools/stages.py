"""Runs checks, several side by side, and counts what they found."""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from .terminal import SetupError, clock, is_stopping, kill_all

SHOWN_LINES = 150


@dataclass
class Outcome:
    """What a stage found; ``details`` is shown when something failed, and ``failures``
    names what did."""

    passed: int = 0
    failed: int = 0
    details: str = ""
    failures: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def run_stages(stages: dict[str, Callable[[], Outcome]], at_once: int = 1) -> bool:
    """Run the stages by their titles, print what failed and, last, the count.

    :param at_once: how many run side by side; they start in their order
    :return: whether all passed
    """
    runs = [_Run(title, stage) for title, stage in stages.items()]
    passed = failed = 0
    executor = ThreadPoolExecutor(at_once)
    try:
        started = [executor.submit(run.run) for run in runs]
        with clock(lambda: ", ".join(run.title for run in runs if run.is_running)):
            for future in as_completed(started):
                outcome = future.result()
                passed += outcome.passed
                failed += outcome.failed
    except BaseException:
        # What the threads wait for would keep this command alive.
        executor.shutdown(wait=False, cancel_futures=True)
        kill_all()
        raise
    finally:
        executor.shutdown()
    for run in runs:
        if run.outcome.failures:
            print("\n    ".join([f"Failed in {run.title}:", *run.outcome.failures]))
    print(f"{passed} passed, {failed} failed", flush=True)
    return not failed


class _Run:
    def __init__(self, title, stage):
        self.title = title
        self.is_running = False
        self._stage = stage

    def run(self):
        """Run the stage and print what came of it."""
        self.is_running = True
        if not sys.stdout.isatty():
            # In one piece: others begin at the same moment.
            print(f"{self.title} ...\n", end="", flush=True)
        started = time.monotonic()
        try:
            self.outcome = self._stage()
        except SetupError as error:
            self.outcome = Outcome(failed=1, details=str(error), failures=("set-up",))
        self.is_running = False
        if not is_stopping():
            print("\n".join(self._report(time.monotonic() - started)), flush=True)
        return self.outcome

    def _report(self, seconds):
        outcome = self.outcome
        count = f"{outcome.passed} of {outcome.passed + outcome.failed} passed"
        clear = "\r\033[K" if sys.stdout.isatty() else ""
        yield f"{clear}{self.title}: {count}, {seconds:.1f} s"
        for test in outcome.skipped:
            yield f"    skipped: {test}"
        if outcome.failed:
            yield outcome.details


def shorten(text: str) -> str:
    """Return the first lines of a text, and how many more there are."""
    lines = text.strip().splitlines()
    if len(lines) > SHOWN_LINES:
        lines = [*lines[:SHOWN_LINES], f"... and {len(lines) - SHOWN_LINES} more lines"]
    return "\n".join(lines)
