"""How fast it is, beside every other way into Odoo, on the same month.

Each way (``tests/benchmark/go.py``) has a process and a fresh copy of a database of
its own, and must end with the same totals. Nothing fails for being slow.
"""

import json
import os
import re
import subprocess
from datetime import date
from pathlib import Path

from . import bench_report, odoo
from .instance import BASE, CheckoutInstance
from .places import ADDON, CHECKOUT, LOGS, RUNTIME
from .postgres import programs
from .python_packages import community_packages, python
from .terminal import GroundError, run_logged, step, tail

SCRIPTS = CHECKOUT / "tests/benchmark"
IMPORTED = (SCRIPTS, CHECKOUT / "tests/multiprocess", CHECKOUT / "tests")
REQUIREMENTS = Path(__file__).parent / "benchmark_requirements.txt"
OCA_MODULE = "account_invoice_import"
SIZES = (1000, 5000, 20000)
# How often each way is gone at sizes up to the first number; the median counts.
REPETITIONS = {5000: 3}
# What is installed for each way.
WAYS = {
    "create_each": "",
    "create_batch": "",
    "load": "",
    "oca": OCA_MODULE,
    "ours": ADDON,
    "ours_posted": ADDON,
    "our_share": ADDON,
    "one_worker": ADDON,
    "two_workers": ADDON,
    "button": ADDON,
}


def run() -> bool:
    """Go every way at every size of ``SIZES`` (lines; all without it), print the table
    and the goals, and write them to files when all sizes were asked for.

    :return: whether all ways ended with the right totals
    :raise GroundError: a way broke
    """
    sizes = [int(size) for size in os.environ.get("SIZES", "").split(",") if size]
    sizes = sorted(sizes) or list(SIZES)
    ways = os.environ.get("WAYS", "").split(",")
    ways = [way for way in WAYS if way in ways or ways == [""]]
    results, wrong = bench_report.Results(), []
    with CheckoutInstance().in_use() as instance:
        bench = _Bench(instance)
        for lines in sizes:
            bench.prepare(lines, {WAYS[way] for way in ways})
            try:
                for number in range(_get_repetitions(lines)):
                    for way in ways:
                        with step(f"{lines} lines, {way}, {number + 1}"):
                            answer = bench.go(way, lines)
                        results.add(way, lines, answer["parts"])
                        if answer["totals"] != answer["expected"]:
                            wrong.append(f"{way}, {lines} lines: {answer}")
            finally:
                bench.clean_up()
    measured_on = _measured_on(sizes)
    print(bench_report.show(results, measured_on))
    for text in wrong:
        print(f"WRONG TOTALS: {text}")
    if not wrong and set(sizes) >= set(SIZES) and len(ways) == len(WAYS):
        for path in bench_report.write(results, measured_on):
            print(f"Written to {path.relative_to(CHECKOUT)}")
    return not wrong


def _measured_on(sizes):
    """Return a sentence about what the figures were measured on."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    with Path("/etc/os-release").open() as file:
        system = re.search(r'^PRETTY_NAME="(.*)"', file.read(), re.M)
    postgres = subprocess.run(
        [programs() / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[2]
    release = subprocess.run(
        [python(), "-c", "import odoo.release; print(odoo.release.version)"],
        env=odoo.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return (
        f"Measured on {date.today().isoformat()} on {os.cpu_count()} cores of "
        f"{cpu and cpu[1]}, {system and system[1]}, PostgreSQL {postgres} (without "
        f"fsync), Odoo {release}. Medians: each way was gone "
        + ", ".join(f"{_get_repetitions(lines)} times at {lines:,}" for lines in sizes)
        + " lines."
    )


def _get_repetitions(lines):
    if repetitions := os.environ.get("REPETITIONS"):
        return int(repetitions)
    return next((n for most, n in REPETITIONS.items() if lines <= most), 1)


class _Bench:
    """The databases: one for each set of modules, and of it a copy for each process."""

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
                    odoo.run_logged(self._config, log, *install)
                run_logged(
                    odoo.command(self._config, "shell", *options),
                    LOGS / "benchmark-prepare.log",
                    env=self._environment(name, lines),
                    script=(SCRIPTS / "prepare.py").read_text(),
                )

    def go(self, way, lines):
        """Go a way in a process and a database of its own; return what it printed."""
        name = f"bench_{os.getpid()}"
        log = LOGS / f"benchmark-{way}.log"
        self._instance.copy_database(_name(WAYS[way]), name)
        try:
            with log.open("w") as errors:
                result = subprocess.run(
                    [python(), SCRIPTS / "go.py", way, str(lines)],
                    env=self._environment(name, lines),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    check=False,
                )
        finally:
            self._instance.drop_database(name)
        if result.returncode:
            raise GroundError(f"{way} broke. The end of {log}:\n{tail(log)}")
        return json.loads(result.stdout.splitlines()[-1])

    def clean_up(self):
        """Remove the databases."""
        for name in self._instance.cluster.databases():
            if name.startswith("bench_"):
                self._instance.drop_database(name)

    def _environment(self, name, lines):
        return {
            **odoo.environment(*IMPORTED),
            "ODOO_RC": str(self._config),
            "COPACO_DATABASE": name,
            "BENCHMARK_LINES": str(lines),
        }


def _name(module):
    return f"bench_of_{module or 'odoo'}"


def _write_config(instance) -> Path:
    """Write a configuration that finds the community's importer too."""
    config = RUNTIME / "benchmark.conf"
    config.touch(mode=0o600)
    own = f"addons_path = {odoo.addons_folder()}"
    community = community_packages(REQUIREMENTS) / "odoo/addons"
    text = instance.config.read_text()
    config.write_text(text.replace(own, f"{own},{community}"))
    return config
