"""Every check there is: of the code, of the client, in Odoo, in several processes."""

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from . import odoo_cli, prefork, prettier, terminal
from .instance import CheckoutInstance
from .jobs import server
from .paths import ADDON, CHECKOUT, RUNTIME
from .python_packages import environment, python, separate_packages
from .stages import Outcome, run_stages, shorten
from .suites import (
    install,
    jobs_carried_out,
    run_odoo_tests,
    run_unittests,
    test_database,
)
from .terminal import SetupError
from .upgrade import run as upgrade

DEVTOOLS = Path(__file__).parent
OLDEST = DEVTOOLS / "oldest_requirements.txt"
COMMUNITY = DEVTOOLS / "community_requirements.txt"
E_INVOICE = DEVTOOLS / "e_invoice_requirements.txt"
# The tests in Odoo are run by several processes. Those with a browser, or with calls
# over HTTP, need assets that Odoo generates first, which takes longer than many tests;
# so they are together.
HTTP_TESTS = (
    *("TestBillTours", "TestDeliveryTours", "TestEarnedTours", "TestMailMerge"),
    *("TestManual", "TestMarginHidden", "TestOverviewTour", "TestPeopleTours"),
    *("TestRuleTours", "TestSendingTour", "TestServiceTour", "TestTours"),
    *("TestSecurityContext", "TestSecurityForgery", "TestSecurityInvoices"),
    *("TestSecurityKey", "TestSecurityMatrix", "TestSecurityTexts"),
)
# These two take about a third each of the time of the rest; another process runs
# whatever is not named here, so nothing is left out.
FIRST = (
    *("TestAmounts", "TestBill", "TestBillChange", "TestChange", "TestChangeOrder"),
    *(
        "TestChangeUndone",
        "TestContentFound",
        "TestCorrectionCredited",
        "TestCoverage",
        "TestDecide",
    ),
    *("TestBadDocumentsBooked", "TestBadDocumentsRead", "TestOtherModules"),
    *("TestRefusals", "TestWire"),
    *("TestCustomerEvidence", "TestDuplicates", "TestEInvoice", "TestInvoice"),
    *("TestMargin", "TestMatch", "TestMonitor", "TestPartialResponses"),
    *("TestPoNumbers", "TestRounding"),
)
SECOND = (
    *("TestBillDocuments", "TestDraftChecks", "TestContentMachine", "TestCorrection"),
    *("TestDeclinedCharges", "TestDeliveryProof", "TestEarned", "TestEarnedProperties"),
    *("TestEquality", "TestFetch", "TestInvoicedAnew", "TestLayout", "TestLayoutBooks"),
    *("TestLetters", "TestLifeMachine", "TestLostCharges", "TestMonthInvoices"),
    *("TestMonthInvoicesBooks", "TestMonthInvoicesChanged", "TestOdoosRules"),
    *("TestPreview", "TestRules", "TestSending", "TestSendingMeanwhile"),
    *("TestServerLimits", "TestUpload"),
)
E_INVOICE_STAGE = "Tests with the official rules of e-invoices"
# One more than work at once, as each waits for PostgreSQL, a browser or a simulator.
STAGES_AT_ONCE = max(os.cpu_count() or 1, 2) + 1


def run_all() -> bool:
    """Run every check and print the count; tell whether all passed."""
    _prepare(prettier.command, server.packages)
    with CheckoutInstance().in_use() as instance:
        return run_stages(
            {
                # The longest come first, so that the short ones fill what is left.
                "Tests in Odoo, the rest": partial(_other_odoo_tests, instance),
                "Tests in Odoo, second third": partial(_odoo_tests, instance, SECOND),
                "Tests in Odoo, first third": partial(_odoo_tests, instance, FIRST),
                "Tests in Odoo with HTTP and Peppol": partial(_http_tests, instance),
                "Tests with several processes": partial(_process_tests, instance),
                "Tests of make faults": partial(_fault_tests, instance),
                "Tests of queue_job's jobs": partial(_job_tests, instance),
                "Tests with other modules": partial(_module_tests, instance),
                E_INVOICE_STAGE: partial(_e_invoice_tests, instance),
                "Tests of the upgrade": partial(_upgrade_tests, instance),
                **_lint_stages(),
            },
            STAGES_AT_ONCE,
        )


def run_lint() -> bool:
    """Run the checks that read the code only; see :func:`run_all`."""
    _prepare(prettier.command)
    return run_stages(_lint_stages(), STAGES_AT_ONCE)


def run_tagged(tags: str) -> bool:
    """Run the tests in Odoo that ``tags`` selects, as Odoo's ``--test-tags``."""
    with CheckoutInstance().in_use() as instance:
        tests = {f"Tests in Odoo, {tags}": partial(run_odoo_tests, instance, tags)}
        return run_stages(tests)


def run_limits() -> bool:
    """Run the tests of large documents on a real server; tell whether all passed."""
    with CheckoutInstance().in_use() as instance:
        return run_stages(
            {
                "Tests with default limits": partial(_limit_tests, instance, "default"),
                "Tests with tight limits": partial(
                    _limit_tests, instance, "tight", limit_time_cpu=12
                ),
            }
        )


def run_oldest() -> bool:
    """Run the tests of the client with the oldest packages; tell whether all passed."""
    with CheckoutInstance().in_use() as instance:
        return run_stages(
            {"Tests with the oldest packages": partial(_oldest_tests, instance)}
        )


def run_e_invoices() -> bool:
    """Check e-invoices by the official rules; tell whether all passed."""
    with CheckoutInstance().in_use() as instance:
        return run_stages({E_INVOICE_STAGE: partial(_e_invoice_tests, instance)})


def run_upgrade() -> bool:
    """Upgrade a database of an earlier revision; tell whether all tests passed."""
    with CheckoutInstance().in_use() as instance:
        return run_stages({"Tests of the upgrade": partial(upgrade.run, instance)})


def _prepare(*preparations: Callable) -> None:
    """Make what stages need, as long as there is one line to tell about it."""
    python()
    for prepare in preparations:
        # If that can't be, the stage says why.
        with suppress(SetupError):
            prepare()


def reformat() -> None:
    """Let the formatters rewrite the code as `run_lint` wants it."""
    for command in (
        (python(), "-m", "ruff", "check", "--fix", "-q", RUFF_CACHE),
        (python(), "-m", "ruff", "format", "-q", RUFF_CACHE),
        prettier.command("--write", "--log-level=warn"),
    ):
        terminal.run(command, cwd=CHECKOUT, env=environment())


# The code

RUFF_CACHE = f"--cache-dir={RUNTIME / 'ruff'}"


def _lint_stages() -> dict[str, Callable[[], Outcome]]:
    # pylint-odoo wants to see the addon under its technical name.
    pylint = ("pylint", f"--rcfile={CHECKOUT / '.pylintrc'}", ADDON)
    return {
        "pylint-odoo": partial(_lint, odoo_cli.addons_folder(), *pylint),
        "ruff check": partial(_lint, CHECKOUT, "ruff", "check", "-q", RUFF_CACHE),
        "ruff format": partial(
            _lint, CHECKOUT, "ruff", "format", "--check", RUFF_CACHE
        ),
        "prettier": lambda: _check(prettier.command("--check"), CHECKOUT),
        "mypy": partial(_lint, CHECKOUT, "mypy", f"--cache-dir={RUNTIME / 'mypy'}"),
    }


def _lint(folder: Path, tool: str, *arguments: str) -> Outcome:
    return _check([python(), "-m", tool, *arguments], folder)


def _check(command: list, folder: Path) -> Outcome:
    result = terminal.run(
        command,
        cwd=folder,
        env={**environment(), "PYLINTHOME": str(RUNTIME / "pylint")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if result.returncode == 0:
        return Outcome(passed=1)
    return Outcome(failed=1, details=shorten(result.stdout), failures=("see above",))


# The tests in Odoo that another module of Odoo's has to be installed for


def _module_tests(instance: CheckoutInstance) -> Outcome:
    tags = "copaco_automation,copaco_debit_note,copaco_community"
    community = ("account_invoice_start_end_dates", "account_move_tier_validation")
    modules = ("base_automation", "account_debit_note", *community)
    folder = separate_packages("modules of the community", COMMUNITY) / "odoo/addons"
    return run_odoo_tests(instance, tags, modules=modules, folder=folder)


# The tests in Odoo


def _odoo_tests(instance: CheckoutInstance, names: tuple[str, ...]) -> Outcome:
    return run_odoo_tests(instance, _select(names))


def _http_tests(instance: CheckoutInstance) -> Outcome:
    # Some of those with Peppol need HTTP too.
    tags = f"{_select(HTTP_TESTS)},copaco_peppol"
    return run_odoo_tests(instance, tags, modules=("account_peppol",))


def _select(names: tuple[str, ...]) -> str:
    return ",".join(f"/{ADDON}:{name}" for name in names)


def _other_odoo_tests(instance: CheckoutInstance) -> Outcome:
    named = (f"-/{ADDON}:{name}" for name in (*HTTP_TESTS, *FIRST, *SECOND))
    return run_odoo_tests(instance, ",".join((f"/{ADDON}", *named)))


# The tests in Odoo with the oldest packages that may be there


def _oldest_tests(instance: CheckoutInstance) -> Outcome:
    packages = separate_packages("the oldest packages", OLDEST)
    variables = odoo_cli.environment(packages)
    # They come first: what Odoo has of its own is newer.
    return run_odoo_tests(instance, "copaco_client", variables)


# The tests in Odoo that check e-invoices by the rules that receivers check them by


def _e_invoice_tests(instance: CheckoutInstance) -> Outcome:
    packages = separate_packages("the official rules of e-invoices", E_INVOICE)
    variables = odoo_cli.environment(packages)
    return run_odoo_tests(instance, "copaco_e_invoice", variables)


# The tests that Odoo doesn't run


def _process_tests(instance: CheckoutInstance) -> Outcome:
    with test_database(instance) as name:
        return run_unittests(DEVTOOLS / "processes", install(instance, name))


def _fault_tests(instance: CheckoutInstance) -> Outcome:
    # One round of the part that breaks nothing which others use. Its reseller, and what
    # is compared, are those of most other parts.
    with test_database(instance) as name:
        variables = install(instance, name)
        folder = DEVTOOLS / "fault_injection"
        return run_unittests(folder, variables, "test_simultaneous.py")


def _job_tests(instance: CheckoutInstance) -> Outcome:
    with test_database(instance) as name, jobs_carried_out(instance, name) as variables:
        return run_unittests(DEVTOOLS / "jobs", variables)


def _limit_tests(instance: CheckoutInstance, which: str, **options) -> Outcome:
    """:param options: of Odoo's command line, in the spelling of Python"""
    named = {f"--{name.replace('_', '-')}": options[name] for name in options}
    ready = "HTTP service (werkzeug) running"
    with test_database(instance) as name:
        variables = install(instance, name)
        with prefork.serving(
            instance,
            name,
            f"limits-server-{which}",
            ready,
            # Odoo's default, which the configuration of tests is not.
            options={"--max-cron-threads": 2, **named},
        ) as address:
            variables["COPACO_ADDRESS"] = address
            return run_unittests(
                DEVTOOLS / "limits", variables, f"test_{which}_limits.py"
            )


def _upgrade_tests(instance: CheckoutInstance) -> Outcome:
    try:
        upgrade.unpack()
    except SetupError as error:
        # Not every copy of the repository has its history.
        return Outcome(skipped=(str(error),))
    return upgrade.run(instance)
