"""Runs ``make bench``: each method of making the same month's invoices.

Each measurement (``measure.py``) has a process and a fresh copy of a database of its
own, and must end with the same totals. Nothing fails for being slow.
"""

import json
import os
import re
import subprocess
from datetime import date
from pathlib import Path

from .. import odoo_cli
from ..instance import BASE, CheckoutInstance
from ..paths import ADDON, LOGS, RUNTIME
from ..postgres import programs
from ..python_packages import python, separate_packages
from ..terminal import SetupError, run, run_logged, step, tail
from . import report

FOLDER = Path(__file__).parent
REQUIREMENTS = FOLDER / "requirements.txt"
OCA_MODULE = "account_invoice_import"
SIZES = (1000, 5000, 20000)
# Three years of months of so many lines are 200,000.
PAGES_LINES = 5600
# How often each method is measured at sizes up to the first number; the median counts.
REPETITIONS = {5000: 3}
# What is installed for each method.
METHODS = {
    "create_each": "",
    "create_batch": "",
    "load": "",
    "oca": OCA_MODULE,
    "this_addon": ADDON,
    "this_addon_posted": ADDON,
    "one_worker": ADDON,
    "two_workers": ADDON,
    "button": ADDON,
    "pages": ADDON,
    "oca_bills": OCA_MODULE,
    "this_addon_bills": ADDON,
}


def run_benchmark() -> bool:
    """Measure at every size of ``SIZES`` (lines; all without it), print the tables and
    the goals, and write them to files when all methods were measured at several sizes.

    :return: whether all methods ended with the right totals
    :raise SetupError: a method broke
    """
    sizes = [int(size) for size in os.environ.get("SIZES", "").split(",") if size]
    sizes = sorted(sizes) or list(SIZES)
    asked = os.environ.get("METHODS", "").split(",")
    methods = [method for method in METHODS if method in asked or asked == [""]]
    results, wrong = report.Results(), []
    with CheckoutInstance().in_use() as instance:
        databases = _Databases(instance)
        for lines, methods_of_size in _plan(sizes, methods):
            databases.prepare(lines, {METHODS[method] for method in methods_of_size})
            try:
                for number in range(_get_repetitions(lines)):
                    for method in methods_of_size:
                        with step(f"{lines} lines, {method}, {number + 1}"):
                            answer = databases.measure(method, lines)
                        results.add(method, lines, answer["parts"])
                        if answer["totals"] != answer["expected"]:
                            wrong.append(f"{method}, {lines} lines: {answer}")
            finally:
                databases.clean_up()
    measured_on = _measured_on(sizes)
    print(report.show(results, measured_on))
    for text in wrong:
        print(f"WRONG TOTALS: {text}")
    if not wrong and len(sizes) > 1 and len(methods) == len(METHODS):
        for name in report.write(results, measured_on):
            print(f"Written to {name}")
    return not wrong


def _plan(sizes, methods):
    """Yield (lines, methods that are measured at this size)."""
    for lines in sizes:
        if others := [method for method in methods if method != "pages"]:
            yield lines, others
    if "pages" in methods:
        yield PAGES_LINES, ["pages"]


def _measured_on(sizes):
    """Return a sentence about what the figures were measured on."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    with Path("/etc/os-release").open() as file:
        system = re.search(r'^PRETTY_NAME="(.*)"', file.read(), re.M)
    postgres = _ask([programs() / "postgres", "--version"]).split()[2]
    release = _ask([python(), "-c", "import odoo.release as r; print(r.version)"])
    return (
        f"Measured on {date.today().isoformat()} on {os.cpu_count()} cores of "
        f"{cpu and cpu[1]}, {system and system[1]}, PostgreSQL {postgres} (without "
        f"fsync), Odoo {release.strip()}. Medians: each method was measured "
        + ", ".join(f"{_get_repetitions(lines)} times at {lines:,}" for lines in sizes)
        + " lines."
    )


def _ask(command):
    return run(command, env=odoo_cli.environment(), stdout=subprocess.PIPE).stdout


def _get_repetitions(lines):
    if repetitions := os.environ.get("REPETITIONS"):
        return int(repetitions)
    return next((n for most, n in REPETITIONS.items() if lines <= most), 1)


class _Databases:
    """One database for each set of modules, and of it a copy for each process."""

    def __init__(self, instance):
        self._instance = instance
        self._config = _write_config(instance)

    def prepare(self, lines, modules):
        """Make the databases that are copied, for a month of so many lines."""
        for module in sorted(modules):
            with step(f"Preparing {lines} lines for {module or 'Odoo alone'}"):
                name = _name(module)
                self._instance.drop_database(name)
                self._instance.copy_database(BASE, name)
                options = ("-d", name, "--no-http", "--log-level=warn")
                if module:
                    install = (*options, "-i", module, "--stop-after-init")
                    log = LOGS / "benchmark-install.log"
                    odoo_cli.run_logged(self._config, log, *install)
                run_logged(
                    odoo_cli.command(self._config, "shell", *options),
                    LOGS / "benchmark-prepare.log",
                    env=self._environment(name, lines),
                    script=(FOLDER / "prepare.py").read_text(),
                )

    def measure(self, method, lines):
        """Measure in a process and a database of its own; return what it printed."""
        name = f"bench_{os.getpid()}"
        log = LOGS / f"benchmark-{method}.log"
        self._instance.copy_database(_name(METHODS[method]), name)
        try:
            with log.open("w") as errors:
                result = run(
                    [python(), "-m", "devtools.benchmark.measure", method, lines],
                    env=self._environment(name, lines),
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
        finally:
            self._instance.drop_database(name)
        if result.returncode:
            raise SetupError(f"{method} broke. The end of {log}:\n{tail(log)}")
        return json.loads(result.stdout.splitlines()[-1])

    def clean_up(self):
        """Remove the databases."""
        for name in self._instance.cluster.databases():
            if name.startswith("bench_"):
                self._instance.drop_database(name)

    def _environment(self, name, lines):
        environment = odoo_cli.suite_environment(self._config, name)
        return {**environment, "BENCHMARK_LINES": str(lines)}


def _name(module):
    return f"bench_of_{module or 'odoo'}"


def _write_config(instance) -> Path:
    """Write a configuration that finds the community's importer too."""
    config = RUNTIME / "benchmark.conf"
    config.touch(mode=0o600)
    own = f"addons_path = {odoo_cli.addons_folder()}"
    community = separate_packages(OCA_MODULE, REQUIREMENTS) / "odoo/addons"
    text = instance.config.read_text()
    config.write_text(text.replace(own, f"{own},{community}"))
    return config
