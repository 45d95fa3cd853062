"""What the benchmark found: tables for a terminal and for the documentation."""

import csv
from collections import defaultdict
from pathlib import Path
from statistics import median

from .. import figures
from ..paths import CHECKOUT
from . import goals

RAW = Path(__file__).parent / "figures.csv"
TABLES = "benchmark_figures.rst"
MEGABYTE = 1e6
TITLES = {
    ("create_each", "whole"): "Odoo, account.move.create per invoice",
    ("create_batch", "whole"): "Odoo, account.move.create in one batch",
    ("load", "whole"): "Odoo, import of a CSV file (load)",
    ("oca", "whole"): "OCA, account_invoice_import per invoice",
    ("this_addon", "whole"): "This addon, whole job to draft invoices",
    ("this_addon", "store"): "  of which fetch, parse, store",
    ("this_addon", "create"): "  of which match, create, check",
    ("this_addon", "rules"): "This addon, 200 rules decide about the lines",
    ("this_addon", "no rules"): "  beside it: without rules",
    ("this_addon_posted", "whole"): "This addon, whole job to posted invoices",
    ("this_addon", "again"): "This addon, second fetch without changes",
    ("this_addon", "bare reading"): "  beside it: json.loads and SHA-256",
    ("this_addon", "1 % changed"): "This addon, second fetch, 1 % changed",
    ("this_addon", "duplicates"): "This addon, looking for duplicates in 3 years",
    ("one_worker", "create"): "This addon, creating by one process",
    ("two_workers", "create"): "This addon, creating by two processes",
    ("button", "answer"): "This addon, until the button responds",
    ("pages", "list"): "This addon, slowest list with 3 years of such months",
    ("pages", "search"): "  slowest search",
    ("pages", "form"): "  slowest form",
    ("pages", "pivot"): "  slowest pivot table",
    ("pages", "findings"): "  findings of a month",
    ("oca_bills", "whole"): "OCA, account_invoice_import of one vendor bill",
    ("this_addon_bills", "whole"): "This addon, whole job to one draft bill",
    ("this_addon_bills", "margins"): "This addon, margins and findings of both sides",
    ("this_addon_bills", "both sides"): "  beside it: creating both sides",
}
COLUMNS = (
    "CPU s",
    "of Odoo",
    "of PostgreSQL",
    "lines per CPU s",
    "wall s",
    "peak memory MB",
    "SQL queries",
)


class Results:
    """The figures of all methods, by method, part and size."""

    def __init__(self):
        self._found = defaultdict(list)

    def add(self, method, lines, parts):
        """Take the parts of one measurement of a method."""
        for part in parts:
            cpu = part["odoo"] + part["postgres"] if "odoo" in part else None
            self._found[method, part["part"], lines].append({**part, "cpu": cpu})

    def sizes(self, method, part="whole"):
        """Return the sizes, in lines, at which there are figures; smallest first."""
        return sorted(lines for *name, lines in self._found if name == [method, part])

    def get(self, method, part, lines, figure):
        """Return the median of a figure, or None if there is none."""
        found = [
            each[figure]
            for each in self._found.get((method, part, lines), ())
            if each.get(figure) is not None
        ]
        return median(found) if found else None

    def table(self, lines):
        """Return the rows of texts for a size; the first are the names."""
        rows = [("", *COLUMNS)]
        for (method, part), title in TITLES.items():
            if lines not in self.sizes(method, part):
                continue

            def get(figure, method=method, part=part):
                return self.get(method, part, lines, figure)

            cpu, memory = get("cpu"), get("memory")
            rows.append(
                (
                    title,
                    _show(cpu, 2),
                    _show(get("odoo"), 2),
                    _show(get("postgres"), 2),
                    _show(cpu and lines / cpu),
                    _show(get("wall"), 2),
                    _show(memory and memory / MEGABYTE),
                    _show(get("queries")),
                )
            )
        return rows

    def goals(self):
        """Return the rows of texts with the goals; the first are the names."""
        return [
            ("Goal", "At", "Found", "Reached"),
            *(
                (goal.text, goal.goal, goal.found, "yes" if goal.is_reached else "NO")
                for goal in goals.find(self)
            ),
        ]

    def rows(self):
        """Yield each single figure: method, part, lines, figure, value."""
        for (method, part, lines), found in self._found.items():
            for measured in found:
                for figure, value in measured.items():
                    if figure != "part" and value is not None:
                        yield method, part, lines, figure, value

    def all_sizes(self):
        """Return all sizes."""
        return sorted({lines for *_name, lines in self._found})


def show(results, measured_on):
    """Return all as text for a terminal.

    :param measured_on: a sentence about the machine
    """
    texts = []
    for lines in results.all_sizes():
        texts += [f"\n{lines:,} lines", *figures.align(results.table(lines))]
    return "\n".join([*texts, "", *figures.align(results.goals()), "", measured_on])


def write(results, measured_on):
    """Write the single figures, and the tables of the documentation.

    :return: list of the files' names
    """
    with RAW.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["measured on", measured_on])
        writer.writerow(["method", "part", "lines", "figure", "value"])
        writer.writerows(results.rows())
    parts = [
        f"{lines:,} lines:\n\n{figures.list_table(results.table(lines))}"
        for lines in results.all_sizes()
    ]
    text = "\n".join([measured_on, "", figures.list_table(results.goals()), *parts])
    tables = figures.write_section(TABLES, "make bench", text)
    return [RAW.relative_to(CHECKOUT), tables]


def _show(number, decimals=0):
    return "" if number is None else f"{number:,.{decimals}f}"
