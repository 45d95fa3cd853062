"""Runs suites of tests: those in Odoo, and those of Python's own test runner."""

import itertools
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import odoo_cli, terminal
from .instance import BASE, BASE_OF_TESTS, CheckoutInstance
from .jobs import server
from .paths import ADDON, CHECKOUT, LOGS, RUNTIME
from .python_packages import python
from .stages import Outcome, shorten

UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in", re.M)
UNITTEST_RESULT = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$", re.M)
UNITTEST_FAILURE = re.compile(r"^(?:FAIL|ERROR): \S+ \((\S+)\)", re.M)
ODOO_RESULT = re.compile(
    r"(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading database"
)
ODOO_FAILURE = re.compile(r" ERROR \S+ odoo\.\S+: (?:FAIL|ERROR): (.*?) *$", re.M)
ODOO_INSTALLING = f" odoo.modules.loading: Loading module {ADDON} "
ODOO_TESTING = " odoo.service.server: Starting post tests"
ODOO_SKIPPED = re.compile(r" odoo\.\S+: skipped (\S+ : .*)")
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (\w+) ")

_numbers = itertools.count(1)


def run_unittests(
    folder: Path, variables: dict[str, str], pattern: str = "test_*.py"
) -> Outcome:
    """Run the tests of the modules in ``folder``, by Python's own test runner.

    :param variables: the environment
    :param pattern: of the modules' file names
    """
    name = folder.name if "*" in pattern else Path(pattern).stem
    log = LOGS / f"unittest-{name}.log"
    options = ["-s", folder, "-t", CHECKOUT, "-p", pattern]
    command = [python(), "-m", "unittest", "discover", *options]
    code = _run_into(log, command, variables)
    text = log.read_text(errors="replace")
    ran, result = UNITTEST_RAN.search(text), UNITTEST_RESULT.search(text)
    if not ran or not result:
        return _crashed(log, code)
    counts = {
        name.strip(): int(number)
        for name, number in re.findall(r"([a-z ]+)=(\d+)", result[1] or "")
    }
    failed = sum(
        counts.get(name, 0) for name in ("failures", "errors", "unexpected successes")
    )
    skipped = (f"{counts['skipped']} tests, see {log}",) if "skipped" in counts else ()
    passed = int(ran[1]) - failed - counts.get("skipped", 0)
    report = text[text.find("=" * 70) :]
    failures = UNITTEST_FAILURE.findall(text)
    return _judge(Outcome(passed, failed, report, failures, skipped), code, log)


def run_odoo_tests(
    instance: CheckoutInstance,
    tags: str,
    variables: dict[str, str] | None = None,
    modules: tuple[str, ...] = (),
    folder: Path | None = None,
) -> Outcome:
    """Run the tests in Odoo that ``tags`` selects, on a database of their own.

    :param variables: what the environment has besides that of Odoo
    :param modules: that are installed besides the addon
    :param folder: with those of them that are not Odoo's
    """
    with test_database(instance, BASE_OF_TESTS) as name:
        log = LOGS / f"{name}.log"
        command = odoo_cli.command(
            instance.config,
            *("-d", name, "-i", ",".join((ADDON, *modules)), "--test-tags", tags),
            *("--stop-after-init", "--http-port", odoo_cli.free_port()),
            f"--screenshots={LOGS / 'screenshots'}",
        )
        if folder:
            command += ["--addons-path", f"{odoo_cli.addons_folder()},{folder}"]
        environment = {**odoo_cli.environment(), **(variables or {})}
        code = _run_into(log, command, environment)
    text = log.read_text(errors="replace")
    report, results = _problems(text), ODOO_RESULT.findall(text)
    if not results:
        return _crashed(log, code, report)
    failures, errors, ran = map(int, results[-1])
    skipped = tuple(ODOO_SKIPPED.findall(text))
    names = ODOO_FAILURE.findall(text)
    passed = ran - failures - errors - len(skipped)
    outcome = Outcome(passed, failures + errors, report, names, skipped)
    outcome = _judge(outcome, code, log)
    # What Odoo finds wrong with an addon's models and views, it only warns of.
    installing = text.partition(ODOO_INSTALLING)[2].partition(ODOO_TESTING)[0]
    if warnings := _problems(installing, "WARNING", "ERROR", "CRITICAL"):
        outcome.failed += 1
        outcome.details = f"Installing the addon:\n{warnings}\n{outcome.details}"
        outcome.failures += ("installing the addon",)
    return outcome


def _run_into(log: Path, command: list, environment: dict[str, str]) -> int:
    with log.open("w") as output:
        return terminal.run(
            command,
            cwd=RUNTIME,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ).returncode


# The databases


@contextmanager
def jobs_carried_out(instance: CheckoutInstance, name: str):
    """Install the addon and ``queue_job`` in the database ``name``, and have its jobs
    carried out within the block, to which what :func:`install` returns is lent."""
    environment = install(instance, name, server.MODULE)
    with server.serving(instance, name):
        yield environment


def install(instance: CheckoutInstance, name: str, *modules: str) -> dict[str, str]:
    """Install the addon, and ``modules`` of Odoo's or ``queue_job`` besides, in the
    database ``name``.

    :return: the environment in which the suites of ``devtools`` find it
    """
    packages = (server.packages(),) if server.MODULE in modules else ()
    odoo_cli.run_logged(
        instance.config,
        LOGS / f"install-{name}.log",
        *("-d", name, "-i", ",".join((ADDON, *modules))),
        *("--stop-after-init", "--no-http"),
        import_from=packages,
    )
    return odoo_cli.suite_environment(instance.config, name, *packages)


@contextmanager
def test_database(instance: CheckoutInstance, source: str = BASE):
    """Lend the block a database of its own; remove those that a kill left behind."""
    for name in instance.cluster.databases():
        owner = re.fullmatch(r"test_(\d+)_\d+", name)
        if owner and not Path("/proc", owner[1]).exists():
            instance.drop_database(name)
    name = f"test_{os.getpid()}_{next(_numbers)}"
    instance.copy_database(source, name)
    try:
        yield name
    finally:
        instance.drop_database(name)


# What came out


def _judge(outcome: Outcome, code: int, log: Path) -> Outcome:
    """Complete what a test run found; one that tested nothing or ended badly failed."""
    # An error outside of a test, as in a setUpClass, is not among those that ran.
    outcome.passed = max(outcome.passed, 0)
    outcome.failures = tuple(outcome.failures)
    if not outcome.failed and (code or not outcome.passed):
        outcome.failed = 1
        reason = f"exit code {code}" if code else "no test ran"
        outcome.failures += (reason,)
        outcome.details = f"{reason}\n{outcome.details}"
    outcome.details = f"{shorten(outcome.details)}\nWhole log: {log}"
    return outcome


def _crashed(log: Path, code: int, report: str = "") -> Outcome:
    reason = f"ended with exit code {code} and without a result"
    details = f"{shorten(report) or terminal.tail(log)}\nWhole log: {log}"
    return Outcome(failed=1, details=f"It {reason}.\n{details}", failures=(reason,))


def _problems(text: str, *levels: str) -> str:
    """Return what Odoo logged at ``levels``, errors by default, with tracebacks."""
    levels = levels or ("ERROR", "CRITICAL")
    shown, lines = False, []
    for line in text.splitlines():
        if level := LOG_LINE.match(line):
            shown = level[1] in levels
        if shown:
            lines.append(line)
    return "\n".join(lines)
