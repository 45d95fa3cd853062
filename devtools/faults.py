"""The suite that attacks: workers killed, servers crashed, disks full, bad documents.

Each file ``tests/faults/processes/test_PART.py`` is a part, with processes of its own
that work on a real database. The part ``odoo`` are the tests in Odoo with the tag
``copaco_faults``. All note their figures by ``tests/faults/figures.py``.

The part ``jobs`` attacks jobs of the community's ``queue_job``. With ``QUEUE_JOB=1``
all parts with processes run where it is installed, beside a server that carries out
jobs.
"""

import json
import os
import secrets
from collections import defaultdict
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path

from . import job_server, odoo, readme
from .checks import (
    Outcome,
    install,
    jobs_carried_out,
    run_odoo_tests,
    run_stages,
    run_unittests,
    test_database,
)
from .instance import CheckoutInstance
from .places import CHECKOUT, FAULTS_RUNTIME, make_runtime
from .terminal import GroundError

TESTS = CHECKOUT / "tests"
PROCESSES = TESTS / "faults/processes"
ODOO_PART = "odoo"
JOBS_PART = "jobs"
ODOO_TAG = "copaco_faults"
# How often each part does what it does; the environment may ask for other numbers.
NUMBERS = {
    "KILLS": 200,
    "JOB_KILLS": 40,
    "CRASHES": 24,
    "FULL_DISKS": 24,
    "COLLISIONS": 24,
    "ROUNDS": 100,
    "PAYLOADS": 20_000,
}
COLUMNS = ("times", "documents", "lost", "doubled", "half", "seconds")


def run() -> bool:
    """Run the parts that ``PART`` names (all without it) and print their figures.

    The figures are written into the README when all parts did all that they should.

    :return: whether nothing failed
    :raise GroundError: there is no part of that name
    """
    asked = {name: os.environ.get(name, str(NUMBERS[name])) for name in NUMBERS}
    numbers = {name: int(text) for name, text in asked.items()}
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    print(f"SEED={seed}", *(f"{name}={number}" for name, number in numbers.items()))
    parts = _choose_parts(os.environ.get("PART"))
    make_runtime(FAULTS_RUNTIME)
    # PostgreSQL is crashed on purpose, so it is not the one that others use; and what
    # an interrupted command left of it is not worth mending.
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
    for row in _text_rows(table):
        print("".join(row))
    is_whole = not os.environ.get("PART") and not skipped
    if passed and is_whole and all(numbers[name] >= NUMBERS[name] for name in NUMBERS):
        command = "make faults"
        if _all_have_jobs():
            command = f"QUEUE_JOB=1 {command}"
        text = f"SEED={seed}, {date.today().isoformat()}:"
        readme.write_part(command, f"{text}\n\n{readme.list_table(_cells(table))}")
        print(f"Written to {readme.README.name}")
    return passed


def _choose_parts(name: str | None) -> list[str]:
    parts = [path.stem.removeprefix("test_") for path in PROCESSES.glob("test_*.py")]
    parts = [*sorted(parts), ODOO_PART]
    if not name:
        return parts
    if name not in parts:
        raise GroundError(f"There is no part {name}. There are: {', '.join(parts)}")
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

    return run_stages({f"Faults, {part}": partial(run_part, part) for part in parts})


def _run_processes(instance, part, variables) -> Outcome:
    imported = (TESTS, TESTS / "multiprocess", TESTS / "faults", CHECKOUT)
    has_jobs = part == JOBS_PART or _all_have_jobs()
    with test_database(instance) as name, ExitStack() as stack:
        if has_jobs:
            imported += (job_server.packages(),)
            lent = stack.enter_context(jobs_carried_out(instance, name))
        else:
            lent = install(instance, name)
        environment = {
            **odoo.environment(*imported),
            **lent,
            "COPACO_CLUSTER": str(instance.cluster.folder),
            **variables,
        }
        return run_unittests(PROCESSES, environment, f"test_{part}.py")


def _all_have_jobs() -> bool:
    return os.environ.get("QUEUE_JOB") == "1"


# The figures


def _add_up(notes: Path) -> dict[str, dict[str, float]]:
    """Return the figures by attack and column."""
    table = defaultdict(lambda: defaultdict(float))
    lines = notes.read_text().splitlines() if notes.exists() else []
    for line in lines:
        figures = json.loads(line)
        row = table[figures.pop("what")]
        for column, figure in figures.items():
            row[column] += figure
    return table


def _cells(table) -> list[tuple[str, ...]]:
    return [
        ("attack", *COLUMNS),
        *(
            (what, *(f"{row[name]:.0f}" if name in row else "" for name in COLUMNS))
            for what, row in table.items()
        ),
    ]


def _text_rows(table) -> list[list[str]]:
    cells = _cells(table)
    width = max(len(row[0]) for row in cells)
    return [
        [f"{row[0]:{width}}", *(f"{cell:>11}" for cell in row[1:])] for row in cells
    ]
