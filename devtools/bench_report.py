"""What the benchmark found: tables, figures, and a part of the README."""

import csv
from collections import defaultdict
from statistics import median

from . import bench_goals, readme
from .places import CHECKOUT

FOLDER = CHECKOUT / "tests/benchmark"
MEGABYTE = 1e6
TITLES = {
    ("create_each", "whole"): "Odoo, account.move.create per invoice",
    ("create_batch", "whole"): "Odoo, account.move.create in one batch",
    ("load", "whole"): "Odoo, import of a CSV file (load)",
    ("oca", "whole"): "OCA, account_invoice_import per invoice",
    ("ours", "whole"): "This addon, whole job to draft invoices",
    ("ours", "store"): "  of which fetch, parse, store",
    ("ours", "create"): "  of which match, create, check",
    ("ours_posted", "whole"): "This addon, whole job to posted invoices",
    ("ours", "again"): "This addon, second fetch without news",
    ("ours", "bare reading"): "  beside it: json.loads and SHA-256",
    ("ours", "1 % changed"): "This addon, second fetch, 1 % changed",
    ("one_worker", "create"): "This addon, creating by one process",
    ("two_workers", "create"): "This addon, creating by two processes",
    ("button", "answer"): "This addon, until the button answers",
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
    """The figures of all ways, by way, part and size."""

    def __init__(self):
        self._found = defaultdict(list)

    def add(self, way, lines, parts):
        """Take the parts of one time that a way was gone."""
        for part in parts:
            cpu = part["odoo"] + part["postgres"] if "odoo" in part else None
            self._found[way, part["part"], lines].append({**part, "cpu": cpu})

    def sizes(self, way, part="whole"):
        """Return the sizes, in lines, at which there are figures; smallest first."""
        return sorted(lines for *name, lines in self._found if name == [way, part])

    def get(self, way, part, lines, figure):
        """Return the median of a figure, or None if there is none."""
        found = [
            each[figure]
            for each in self._found.get((way, part, lines), ())
            if each.get(figure) is not None
        ]
        return median(found) if found else None

    def table(self, lines):
        """Return the rows of texts for a size; the first are the names."""
        rows = [("", *COLUMNS)]
        for (way, part), title in TITLES.items():
            if lines not in self.sizes(way, part):
                continue

            def get(figure, way=way, part=part):
                return self.get(way, part, lines, figure)

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

    def rows(self):
        """Yield each single figure: way, part, lines, figure, value."""
        for (way, part, lines), found in self._found.items():
            for figures in found:
                for figure, value in figures.items():
                    if figure != "part" and value is not None:
                        yield way, part, lines, figure, value

    def all_sizes(self):
        """Return all sizes."""
        return sorted({lines for *_name, lines in self._found})


def show(results, measured_on):
    """Return all as text for a terminal.

    :param measured_on: a sentence about the machine
    """
    texts = []
    for lines in results.all_sizes():
        rows = results.table(lines)
        texts += [f"\n{lines:,} lines", *_align(rows)]
    goals = [("goal", "at", "found", ""), *map(_goal_row, bench_goals.find(results))]
    return "\n".join([*texts, "", *_align(goals), "", measured_on])


def write(results, measured_on):
    """Write the figures, the tables, and the part of the README that has them.

    :return: list of the files
    """
    figures, tables = FOLDER / "figures.csv", FOLDER / "figures.rst"
    with figures.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["measured on", measured_on])
        writer.writerow(["way", "part", "lines", "figure", "value"])
        writer.writerows(results.rows())
    goals = readme.list_table(
        [("Goal", "At", "Found", "Reached"), *map(_goal_row, bench_goals.find(results))]
    )
    parts = [
        f"{lines:,} lines\n\n{readme.list_table(results.table(lines))}"
        for lines in results.all_sizes()
    ]
    tables.write_text("\n".join([measured_on, "", goals, *parts]))
    largest = parts[-1]
    readme.write_part("make bench", f"{measured_on}\n\n{goals}\n{largest}")
    return [figures, tables, readme.README]


def _goal_row(goal):
    return goal.text, goal.goal, goal.found, "yes" if goal.is_reached else "NO"


def _show(number, decimals=0):
    return "" if number is None else f"{number:,.{decimals}f}"


def _align(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            f"{cell:{'<' if index == 0 else '>'}{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others])
