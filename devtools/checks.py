"""Every check there is, and one line that counts them."""

import os
import re
import subprocess
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import job_server, odoo
from .instance import BASE, CheckoutInstance
from .places import ADDON, CHECKOUT, LOGS, RUNTIME
from .python_packages import environment, python
from .terminal import GroundError, step, tail

SHOWN_LINES = 150
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in", re.M)
UNITTEST_RESULT = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$", re.M)
ODOO_RESULT = re.compile(
    r"(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading database"
)
ODOO_INSTALLING = f" odoo.modules.loading: Loading module {ADDON} "
ODOO_TESTING = " odoo.service.server: Starting post tests"
ODOO_SKIPPED = re.compile(r" odoo\.\S+: skipped (\S+ : .*)")
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (\w+) ")


@dataclass
class Outcome:
    """What a stage found; ``details`` is shown when something failed."""

    passed: int = 0
    failed: int = 0
    details: str = ""
    skipped: tuple[str, ...] = ()


def run_all() -> bool:
    """Run every check and print the count; tell whether all passed."""
    with CheckoutInstance().in_use() as instance:
        return run_stages(
            {
                **_lint_stages(),
                "Tests in Odoo": lambda: run_odoo_tests(instance, f"/{ADDON}"),
                "Several processes": lambda: _multiprocess_tests(instance),
                "Jobs of queue_job": lambda: _job_tests(instance),
            }
        )


def run_lint() -> bool:
    """Run the checks that read the code only; see :func:`run_all`."""
    return run_stages(_lint_stages())


def run_tagged(tags: str) -> bool:
    """Run the tests in Odoo that ``tags`` selects, as Odoo's ``--test-tags``."""
    with CheckoutInstance().in_use() as instance:
        return run_stages(
            {f"Tests in Odoo, {tags}": lambda: run_odoo_tests(instance, tags)}
        )


def run_stages(stages: dict[str, Callable[[], Outcome]]) -> bool:
    """Run the stages by their titles and print the count.

    :return: whether all passed
    """
    python()
    passed = failed = 0
    for title, stage in stages.items():
        with step(title):
            try:
                outcome = stage()
            except GroundError as error:
                outcome = Outcome(failed=1, details=str(error))
        print(f"    {outcome.passed} of {outcome.passed + outcome.failed} passed")
        for test in outcome.skipped:
            print(f"    skipped: {test}")
        if outcome.failed:
            print(outcome.details, flush=True)
        passed += outcome.passed
        failed += outcome.failed
    print(f"{passed} passed, {failed} failed", flush=True)
    return not failed


# The code


def _lint_stages() -> dict[str, Callable[[], Outcome]]:
    # pylint-odoo wants to see the addon under its technical name.
    cache = f"--cache-dir={RUNTIME / 'ruff'}"
    pylint = ("pylint", f"--rcfile={CHECKOUT / '.pylintrc'}", ADDON)
    return {
        "ruff check": lambda: _lint(CHECKOUT, "ruff", "check", "-q", cache),
        "ruff format": lambda: _lint(CHECKOUT, "ruff", "format", "--check", cache),
        "mypy": lambda: _lint(CHECKOUT, "mypy", f"--cache-dir={RUNTIME / 'mypy'}"),
        "pylint-odoo": lambda: _lint(odoo.addons_folder(), *pylint),
    }


def _lint(folder: Path, tool: str, *arguments: str) -> Outcome:
    result = subprocess.run(
        [python(), "-m", tool, *arguments],
        cwd=folder,
        env={**environment(), "PYLINTHOME": str(RUNTIME / "pylint")},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return Outcome(passed=1)
    return Outcome(failed=1, details=_shorten(result.stdout + result.stderr))


# Modules that Python's own test runner runs


def run_unittests(
    folder: Path, variables: dict[str, str], pattern: str = "test_*.py"
) -> Outcome:
    """Run the tests of the modules in ``folder``, by Python's own test runner.

    :param variables: the environment
    :param pattern: of the modules' file names
    """
    name = folder.name if "*" in pattern else Path(pattern).stem
    log = LOGS / f"unittest-{name}.log"
    options = ["-s", folder, "-t", folder, "-p", pattern]
    with log.open("w") as output:
        code = subprocess.run(
            [python(), "-m", "unittest", "discover", *options],
            cwd=RUNTIME,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
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
    report = text[text.find("=" * 70) :]
    return _judge(
        int(ran[1]), failed, counts.get("skipped", 0), skipped, code, log, report
    )


# The addon, in Odoo


def run_odoo_tests(
    instance: CheckoutInstance, tags: str, variables: dict[str, str] | None = None
) -> Outcome:
    """Run the tests in Odoo that ``tags`` selects, on a database of their own.

    :param variables: what the environment has besides that of Odoo
    """
    with test_database(instance) as name:
        log = LOGS / f"{name}.log"
        with log.open("w") as output:
            code = subprocess.run(
                odoo.command(
                    instance.config,
                    *("-d", name, "-i", ADDON, "--test-tags", tags),
                    *("--stop-after-init", "--http-port", odoo.free_port()),
                    f"--screenshots={LOGS / 'screenshots'}",
                ),
                cwd=RUNTIME,
                env={**odoo.environment(), **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
    text = log.read_text(errors="replace")
    results = ODOO_RESULT.findall(text)
    if not results:
        return _crashed(log, code, _problems(text))
    failures, errors, ran = map(int, results[-1])
    skipped = tuple(ODOO_SKIPPED.findall(text))
    report = _problems(text)
    outcome = _judge(ran, failures + errors, len(skipped), skipped, code, log, report)
    # What Odoo finds wrong with an addon's models and views, it only warns of.
    installing = text.partition(ODOO_INSTALLING)[2].partition(ODOO_TESTING)[0]
    if warnings := _problems(installing, "WARNING", "ERROR", "CRITICAL"):
        outcome.failed += 1
        outcome.details = f"Installing the addon:\n{warnings}\n{outcome.details}"
    else:
        outcome.passed += 1
    return outcome


def _multiprocess_tests(instance: CheckoutInstance) -> Outcome:
    with test_database(instance) as name:
        tests = CHECKOUT / "tests"
        return run_unittests(
            tests / "multiprocess",
            {**odoo.environment(tests), **install(instance, name)},
        )


def _job_tests(instance: CheckoutInstance) -> Outcome:
    tests = CHECKOUT / "tests"
    with test_database(instance) as name, jobs_carried_out(instance, name) as variables:
        imported = (tests, tests / "multiprocess", job_server.packages())
        return run_unittests(
            tests / "jobs", {**odoo.environment(*imported), **variables}
        )


@contextmanager
def jobs_carried_out(instance: CheckoutInstance, name: str):
    """Install the addon and ``queue_job`` in the database ``name``, and have its jobs
    carried out within the block, to which what :func:`install` returns is lent."""
    variables = install(instance, name, job_server.MODULE)
    with job_server.serving(instance, name):
        yield variables


def install(instance: CheckoutInstance, name: str, *modules: str) -> dict[str, str]:
    """Install the addon, and ``modules`` besides, in the database ``name``.

    :return: the environment variables that lead ``workers.py`` there
    """
    all_modules = ",".join((ADDON, *modules))
    odoo.run_logged(
        instance.config,
        LOGS / "install-test.log",
        *("-d", name, "-i", all_modules, "--stop-after-init", "--no-http"),
        import_from=(job_server.packages(),) if modules else (),
    )
    return {"ODOO_RC": str(instance.config), "COPACO_DATABASE": name}


@contextmanager
def test_database(instance: CheckoutInstance):
    """Lend the block a database of its own; remove those that a kill left behind."""
    for name in instance.cluster.databases():
        process_id = name.removeprefix("test_")
        if process_id != name and not Path("/proc", process_id).exists():
            instance.drop_database(name)
    name = f"test_{os.getpid()}"
    instance.copy_database(BASE, name)
    try:
        yield name
    finally:
        instance.drop_database(name)


# What came out


def _judge(ran, failed, skipped_count, skipped, code, log, report) -> Outcome:
    """Count a test run; one that tested nothing or ended badly has failed too."""
    # An error outside of a test, as in a setUpClass, is not among those that ran.
    passed = max(ran - failed - skipped_count, 0)
    if not failed and (code or not passed):
        failed = 1
        reason = f"exit code {code}" if ran else "No test ran."
        report = f"{reason}\n{report}"
    return Outcome(passed, failed, f"{_shorten(report)}\nWhole log: {log}", skipped)


def _crashed(log: Path, code: int, report: str = "") -> Outcome:
    details = f"It ended with exit code {code} and without a result.\n"
    details += f"{_shorten(report) or tail(log)}\nWhole log: {log}"
    return Outcome(failed=1, details=details)


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


def _shorten(text: str) -> str:
    lines = text.strip().splitlines()
    if len(lines) > SHOWN_LINES:
        lines = [*lines[:SHOWN_LINES], f"... and {len(lines) - SHOWN_LINES} more lines"]
    return "\n".join(lines)
