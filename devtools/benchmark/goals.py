"""What the addon must reach, each goal beside what was found.

All but the seconds that a person waits are ratios of medians of the same run, so that
they hold on any machine.
"""

from typing import NamedTuple

# The whole job, in CPU seconds: how many times as much other methods must take.
FASTER_THAN = {
    "oca": ("OCA's importer", 3.5),
    "create_batch": ("Odoo's one batch", 2.3),
}


class Goal(NamedTuple):
    """``found`` and ``goal`` are texts; ``text`` says of what."""

    text: str
    goal: str
    found: str
    is_reached: bool


def find(results):
    """Yield a ``Goal`` for each that there are figures for.

    :param results: `report.Results`
    """
    for method, (title, times) in FASTER_THAN.items():
        ratios = _compare(results, ("whole", "cpu"), method, "this_addon")
        if ratios:
            yield Goal(
                f"Whole job, CPU, faster than {title}, at each size",
                f"at least {times} times",
                _join(ratios, ".2f"),
                min(ratios) >= times,
            )
    if results.sizes("this_addon"):
        yield from _find_own(results)
    yield from _find_bills(results)
    yield from _find_pages(results)
    if ratios := _compare(results, ("create", "wall"), "one_worker", "two_workers"):
        yield Goal(
            "Two processes beside one, lines per second, at each size",
            "at least 1.7 times, at the largest",
            _join(ratios, ".2f"),
            ratios[-1] >= 1.7,
        )
    if sizes := results.sizes("button", "answer"):
        seconds, progress, later = (
            results.get("button", "answer", sizes[-1], figure)
            for figure in ("wall", "progress", "progress_later")
        )
        yield Goal(
            f"The button's first response at {sizes[-1]:,} lines; progress, then and 5"
            " s on",
            "under 30 s, moving",
            f"{seconds:.0f} s; {progress:.0f} %, {later:.0f} %",
            seconds < 30 and (later > progress or progress == 100),
        )


def _find_pages(results):
    """Yield the goals of the pages and findings with years of data."""
    parts = ("list", "search", "form", "pivot")
    sizes = results.sizes("pages", "list")
    if not sizes:
        return
    seconds = [results.get("pages", part, sizes[-1], "cpu") for part in parts]
    yield Goal(
        "Slowest list, search, form and pivot with 200,000 price lines of either side",
        "at most 1 CPU s",
        _join(seconds, ".2f"),
        max(seconds) <= 1,
    )
    if lines := results.sizes("pages", "findings"):
        cpu = results.get("pages", "findings", lines[-1], "cpu")
        yield Goal(
            "Findings of a month, with 200,000 price lines of either side",
            "at most 10 CPU s",
            f"{cpu:.2f}",
            cpu <= 10,
        )


def _find_bills(results):
    """Yield the goals of the purchase side."""
    ratios = _compare(results, ("whole", "cpu"), "oca_bills", "this_addon_bills")
    if ratios:
        yield Goal(
            "A vendor bill, CPU, faster than OCA's importer, at each size",
            "at least 2.5 times",
            _join(ratios, ".2f"),
            min(ratios) >= 2.5,
        )
    if sizes := results.sizes("this_addon_bills", "margins"):
        shares = _divide(
            *(
                [results.get("this_addon_bills", part, lines, "cpu") for lines in sizes]
                for part in ("margins", "both sides")
            )
        )
        yield Goal(
            "Margins and findings, share of creating the invoices and bills",
            "at most 5 %, at the largest size",
            _join([100 * share for share in shares], ".1f") + " %",
            shares[-1] <= 0.05,
        )


def _find_own(results):
    """Yield the goals that the addon's own figures tell of."""

    def get(part, figure):
        return [results.get("this_addon", part, lines, figure) for lines in sizes]

    sizes = results.sizes("this_addon")
    ratios = _divide(get("again", "cpu"), get("bare reading", "cpu"))
    yield Goal(
        "Second fetch without changes, CPU, beside json.loads and SHA-256",
        "at most 2 times, at the largest size",
        _join(ratios, ".1f"),
        ratios[-1] <= 2,
    )
    queries = get("again", "queries")
    yield Goal(
        "Second fetch without changes, SQL queries, at each size",
        "the same",
        _join(queries, ".0f"),
        len(set(queries)) == 1,
    )
    ratios = _divide(get("store", "memory"), get("store", "bytes"))
    yield Goal(
        "Peak memory while reading and storing, bytes per byte of the response",
        "at most 6",
        _join(ratios, ".1f"),
        max(ratios) <= 6,
    )
    shares = _divide(get("duplicates", "cpu"), get("whole", "cpu"))
    yield Goal(
        "Looking for duplicates beside three years of history, share of the whole job",
        "at most 3 %, at the largest size",
        _join([100 * share for share in shares], ".1f") + " %",
        shares[-1] <= 0.03,
    )
    with_rules, without = get("rules", "cpu"), get("no rules", "cpu")
    costs = [cost - other for cost, other in zip(with_rules, without, strict=True)]
    shares = _divide(costs, get("whole", "cpu"))
    yield Goal(
        "What 200 rules cost, share of the whole job",
        "under 3 %, at the largest size",
        _join([100 * share for share in shares], ".1f") + " %",
        shares[-1] < 0.03,
    )
    if len(sizes) > 1:
        small, *_others, large = _divide(get("whole", "cpu"), sizes)
        yield Goal(
            f"CPU per line at {sizes[-1]:,} lines beside that at {sizes[0]:,}",
            "at most 1.1",
            f"{large / small:.2f}",
            large / small <= 1.1,
        )
        memory = [number / 1e6 for number in get("create", "memory")]
        yield Goal(
            "Peak memory while creating invoices, MB",
            "flat",
            _join(memory, ".0f"),
            memory[-1] <= 1.2 * memory[-2],
        )


def _compare(results, figure, method, other):
    """Return the ratios of a figure of two methods, at each size that both have."""
    part, name = figure
    sizes = [
        lines
        for lines in results.sizes(other, part)
        if lines in results.sizes(method, part)
    ]
    return _divide(
        *(
            [results.get(each, part, lines, name) for lines in sizes]
            for each in (method, other)
        )
    )


def _divide(numbers, by):
    return [number / divisor for number, divisor in zip(numbers, by, strict=True)]


def _join(numbers, format_spec):
    return " / ".join(format(number, format_spec) for number in numbers)
