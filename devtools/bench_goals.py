"""What the addon must reach, each goal beside what was found.

All are ratios of medians of the same run, so that they hold on any machine.
"""

from typing import NamedTuple


class Goal(NamedTuple):
    """``found`` and ``goal`` are texts; ``text`` says of what."""

    text: str
    goal: str
    found: str
    is_reached: bool


def find(results):
    """Yield a ``Goal`` for each that there are figures for.

    :param results: `bench_report.Results`
    """
    for find_goal in (
        _faster_than_oca,
        _faster_than_a_batch,
        _own_share,
        _without_news,
        _queries_without_news,
        _flat_in_size,
        _memory_of_reading,
        _memory_of_creating,
        _two_workers,
        _first_answer,
    ):
        if goal := find_goal(results):
            yield goal


def _faster_than_oca(results):
    return _faster_than(results, "oca", "OCA's importer", 4)


def _faster_than_a_batch(results):
    return _faster_than(results, "create_batch", "Odoo's one batch", 2.2)


def _faster_than(results, way, title, goal):
    """Whether the whole job takes so much less CPU, at the worst size."""
    ratios = [
        _divide(
            results.get(way, "whole", lines, "cpu"),
            results.get("ours", "whole", lines, "cpu"),
        )
        for lines in results.sizes("ours")
    ]
    ratios = [ratio for ratio in ratios if ratio]
    if not ratios:
        return None
    return Goal(
        f"Whole job, CPU, faster than {title}, at each size",
        f"at least {goal} times",
        " / ".join(f"{ratio:.2f}" for ratio in ratios),
        min(ratios) >= goal,
    )


def _own_share(results):
    def get_share(lines):
        whole = results.get("our_share", "whole", lines, "cpu")
        return 1 - results.get("our_share", "whole", lines, "inside_odoo") / whole

    shares = [get_share(lines) for lines in results.sizes("our_share")]
    if not shares:
        return None
    return Goal(
        "Share of CPU outside Odoo's own creating of invoices, at each size",
        "at most 20 %",
        " / ".join(f"{share:.0%}" for share in shares),
        max(shares) <= 0.2,
    )


def _without_news(results):
    sizes = results.sizes("ours", "again")
    if not sizes:
        return None
    again = results.get("ours", "again", sizes[-1], "cpu")
    ratio = again / results.get("ours", "bare reading", sizes[-1], "cpu")
    return Goal(
        "Second fetch without news, CPU, beside json.loads and SHA-256",
        "at most 2 times",
        f"{ratio:.1f}",
        ratio <= 2,
    )


def _queries_without_news(results):
    sizes = results.sizes("ours", "again")
    if len(sizes) < 2:
        return None
    queries = [results.get("ours", "again", lines, "queries") for lines in sizes]
    return Goal(
        "Second fetch without news, SQL queries, at each size",
        "the same",
        " / ".join(f"{number:.0f}" for number in queries),
        len(set(queries)) == 1,
    )


def _flat_in_size(results):
    sizes = results.sizes("ours")
    if len(sizes) < 2:
        return None
    small, large = (
        results.get("ours", "whole", lines, "cpu") / lines
        for lines in (sizes[0], sizes[-1])
    )
    return Goal(
        f"CPU per line at {sizes[-1]:,} lines beside that at {sizes[0]:,}",
        "at most 1.1",
        f"{large / small:.2f}",
        large / small <= 1.1,
    )


def _memory_of_reading(results):
    ratios = [
        results.get("ours", "store", lines, "memory")
        / results.get("ours", "store", lines, "bytes")
        for lines in results.sizes("ours", "store")
    ]
    if not ratios:
        return None
    return Goal(
        "Peak memory while reading and storing, bytes per byte of the answer",
        "at most 6",
        " / ".join(f"{ratio:.1f}" for ratio in ratios),
        max(ratios) <= 6,
    )


def _memory_of_creating(results):
    sizes = results.sizes("ours", "create")
    if len(sizes) < 2:
        return None
    memory = [results.get("ours", "create", lines, "memory") / 1e6 for lines in sizes]
    return Goal(
        "Peak memory while creating invoices, MB",
        "flat",
        " / ".join(f"{number:.0f}" for number in memory),
        memory[-1] <= 1.2 * memory[-2],
    )


def _two_workers(results):
    sizes = results.sizes("two_workers", "create")
    if not sizes:
        return None
    ratio = _divide(
        results.get("one_worker", "create", sizes[-1], "wall"),
        results.get("two_workers", "create", sizes[-1], "wall"),
    )
    return ratio and Goal(
        f"Two processes beside one, lines per second, at {sizes[-1]:,} lines",
        "at least 1.7 times",
        f"{ratio:.2f}",
        ratio >= 1.7,
    )


def _first_answer(results):
    sizes = results.sizes("button", "answer")
    if not sizes:
        return None
    seconds, progress, later = (
        results.get("button", "answer", sizes[-1], figure)
        for figure in ("wall", "progress", "progress_later")
    )
    return Goal(
        f"The button's first answer at {sizes[-1]:,} lines; progress, then and 5 s on",
        "under 30 s, moving",
        f"{seconds:.0f} s; {progress:.0f} %, {later:.0f} %",
        seconds < 30 and (later > progress or progress == 100),
    )


def _divide(number, by):
    return number / by if number and by else None
