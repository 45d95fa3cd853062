"""Runs the parts of ``make faults`` and makes a table of the figures that they note.

The part ``jobs`` kills workers of the community's ``queue_job``. With ``QUEUE_JOB=1``
all parts with processes run where it is installed, beside a server that carries out
jobs. The part ``odoo`` are the tests in Odoo with the tag ``copaco_faults``.
"""

import json
import os
import secrets
from collections import defaultdict
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path

from .. import figures
from ..instance import CheckoutInstance
from ..jobs import server
from ..paths import FAULTS_RUNTIME, make_runtime
from ..stages import Outcome, run_stages
from ..suites import (
    install,
    jobs_carried_out,
    run_odoo_tests,
    run_unittests,
    test_database,
)
from ..terminal import SetupError

PARTS = Path(__file__).parent
FIGURES = "fault_injection_figures.rst"
ODOO_PART = "odoo"
JOBS_PART = "jobs"
ODOO_TAG = "copaco_faults"
# The parts that are run beside other modules of Odoo's.
MODULES = {"deliveries": ("account_peppol",)}
# How often each part does what it does; the environment may ask for other numbers.
NUMBERS = {
    "KILLS": 200,
    "JOB_KILLS": 40,
    "CRASHES": 24,
    "FULL_DISKS": 24,
    "CONCURRENCY_ERRORS": 24,
    "ROUNDS": 100,
    "DELIVERIES": 40,
    "PAYLOADS": 20_000,
}
COLUMNS = ("times", "documents", "lost", "doubled", "half", "seconds")


def run() -> bool:
    """Run the parts that ``PART`` names (all without it) and print their figures.

    The figures are written into the documentation when all parts did all that they
    should.

    :return: whether nothing failed
    :raise SetupError: there is no part of that name
    """
    asked = {name: os.environ.get(name, str(NUMBERS[name])) for name in NUMBERS}
    numbers = {name: int(text) for name, text in asked.items()}
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    print(f"SEED={seed}", *(f"{name}={number}" for name, number in numbers.items()))
    parts = _choose_parts(os.environ.get("PART"))
    make_runtime(FAULTS_RUNTIME)
    # PostgreSQL is crashed on purpose, so it is not the one that others use; and what
    # an interrupted command left of it is not worth repairing.
    instance = CheckoutInstance(FAULTS_RUNTIME)
    instance.remove()
    make_runtime(FAULTS_RUNTIME)
    with instance.in_use():
        notes = FAULTS_RUNTIME / "figures.jsonl"
        notes.unlink(missing_ok=True)
        variables = {"SEED": seed, "COPACO_FIGURES": str(notes)}
        variables.update((name, str(number)) for name, number in numbers.items())
        skipped = []
        passed = _run_parts(instance, parts, variables, skipped)
        table = _add_up(notes)
    print("\n".join(figures.align(table)))
    is_whole = not os.environ.get("PART") and not skipped
    if passed and is_whole and all(numbers[name] >= NUMBERS[name] for name in NUMBERS):
        command = "make faults"
        if _all_have_jobs():
            command = f"QUEUE_JOB=1 {command}"
        text = f"SEED={seed}, {date.today().isoformat()}:"
        text = f"{text}\n\n{figures.list_table(table)}"
        print(f"Written to {figures.write_section(FIGURES, command, text)}")
    return passed


def _choose_parts(name: str | None) -> list[str]:
    parts = [path.stem.removeprefix("test_") for path in PARTS.glob("test_*.py")]
    parts = [*sorted(parts), ODOO_PART]
    if not name:
        return parts
    if name not in parts:
        raise SetupError(f"There is no part {name}. There are: {', '.join(parts)}")
    return [name]


def _run_parts(instance, parts, variables, skipped) -> bool:
    """Run the parts.

    :param skipped: list to which the tests are added that were skipped
    """

    def run_part(part) -> Outcome:
        if part == ODOO_PART:
            outcome = run_odoo_tests(instance, ODOO_TAG, variables)
        else:
            outcome = _run_processes(instance, part, variables)
        skipped.extend(outcome.skipped)
        return outcome

    if JOBS_PART in parts or _all_have_jobs():
        server.packages()
    return run_stages({f"Faults, {part}": partial(run_part, part) for part in parts})


def _run_processes(instance, part, variables) -> Outcome:
    has_jobs = part == JOBS_PART or (_all_have_jobs() and part not in MODULES)
    with test_database(instance) as name, ExitStack() as stack:
        if has_jobs:
            lent = stack.enter_context(jobs_carried_out(instance, name))
        else:
            lent = install(instance, name, *MODULES.get(part, ()))
        cluster = {"COPACO_CLUSTER": str(instance.cluster.folder)}
        environment = {**lent, **cluster, **variables}
        return run_unittests(PARTS, environment, f"test_{part}.py")


def _all_have_jobs() -> bool:
    return os.environ.get("QUEUE_JOB") == "1"


def _add_up(notes: Path) -> list[tuple[str, ...]]:
    """Return the rows of the table: the figures of each fault added up, in texts."""
    found = defaultdict(lambda: defaultdict(float))
    lines = notes.read_text().splitlines() if notes.exists() else []
    for line in lines:
        noted = json.loads(line)
        row = found[noted.pop("what")]
        for column, figure in noted.items():
            row[column] += figure
    return [
        ("fault", *COLUMNS),
        *(
            (what, *(f"{row[name]:.0f}" if name in row else "" for name in COLUMNS))
            for what, row in found.items()
        ),
    ]
