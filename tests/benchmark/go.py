"""Goes one way in this process and prints what it cost, as JSON.

The arguments: the name of the way, the lines of the month. What is printed has the
``totals`` that the books say in the end, those that they should (``expected``), and the
``parts`` with their figures.
"""

import json
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import month

CHANGED_EVERY = 100  # 1 %
WATCHED_SECONDS = 5


def go_other_way(name, lines):
    """Create the invoices by a function of ``other_ways.py``."""
    # Odoo is imported as late as possible: what must not have it in it is forked first.
    import other_ways
    from books import Books
    from meter import Meter
    from workers import environment

    create = getattr(other_ways, name)
    invoices = month.make_invoices(lines)
    with environment() as env:
        books = Books(env)
        create(books, invoices[: month.WARM_UP_INVOICES])
        env.cr.commit()
        books.begin()
        with Meter(env).measured(part="whole") as figures:
            create(books, invoices[month.WARM_UP_INVOICES :])
            env.cr.commit()
        return books.get_totals(), [figures]


def go_our_way(policy, lines):
    """Fetch and create, then once more without news, then with 1 % changed."""
    with our_job(lines, policy) as (job, meter):
        with meter.measured(part="store") as store:
            documents = job.fetch()
        with meter.measured(part="create") as create:
            job.create_invoices(documents)
        totals = job.books.get_totals(state="posted" if policy == "post" else "draft")
        store["bytes"] = len(job.get_answer())
        parts = [_add_up("whole", store, create), store, create]
        if policy == "draft":
            parts += _fetch_again(job, meter)
        return totals, parts


def find_our_share(lines):
    """As `go_our_way`, and take the time of what Odoo itself does."""
    with our_job(lines, "draft") as (job, meter):
        with meter.measured(part="whole") as whole, job.counting_odoo(meter) as spent:
            job.create_invoices(job.fetch())
        whole["inside_odoo"] = sum(spent)
        return job.books.get_totals(), [whole]


def let_workers_share(count, lines):
    """Let so many processes share the documents of a month."""
    with our_job(lines, "draft") as (job, _meter):
        job.fetch()
    from our_way import share_work
    from workers import environment

    # The workers begin with connections of their own.
    with tempfile.TemporaryDirectory() as folder:
        seconds = share_work(count, Path(folder, "workers.log"))
    with environment() as env:
        return job.books.get_totals(env), [{"part": "create", "wall": seconds}]


def press_button(lines):
    """Press the button, and look whether it goes on in the background."""
    with our_job(lines, "draft") as (job, meter):
        with meter.measured(part="answer") as answer:
            answer["progress"] = job.press_fetch()
        answer["progress_later"] = job.go_on(WATCHED_SECONDS)
        job.go_on()
        return job.books.get_totals(), [answer]


@contextmanager
def our_job(lines, policy):
    """Lend the block a ``Job`` that is warmed up, and a ``Meter``."""
    portal = month.Portal(lines)
    from books import Books
    from meter import Meter
    from our_way import Job
    from workers import environment

    undecidable = month.find_undecidable(month.make_customers(lines))
    with environment() as env:
        job = Job(Books(env), portal, policy, undecidable)
        job.books.begin()
        yield job, Meter(env)


def _fetch_again(job, meter):
    with meter.measured(part="bare reading") as reading:
        job.read_barely()
    with meter.measured(part="again") as again:
        job.fetch()
    assert job.run.unchanged_count == job.run.received_count
    job.portal.change_every(CHANGED_EVERY)
    with meter.measured(part="1 % changed") as changed:
        job.fetch()
        job.create_invoices(job.run.version_ids.document_id)
    assert 0 < job.run.new_count < job.run.received_count
    return [reading, again, changed]


def _add_up(name, *parts):
    whole = {"part": name, "memory": max(part["memory"] for part in parts)}
    for figure in ("odoo", "postgres", "wall", "queries"):
        whole[figure] = sum(part[figure] for part in parts)
    return whole


WAYS = {
    "create_each": lambda lines: go_other_way("create_each", lines),
    "create_batch": lambda lines: go_other_way("create_batch", lines),
    "load": lambda lines: go_other_way("load", lines),
    "oca": lambda lines: go_other_way("import_by_oca", lines),
    "ours": lambda lines: go_our_way("draft", lines),
    "ours_posted": lambda lines: go_our_way("post", lines),
    "our_share": find_our_share,
    "one_worker": lambda lines: let_workers_share(1, lines),
    "two_workers": lambda lines: let_workers_share(2, lines),
    "button": press_button,
}


def main(way, lines):
    totals, parts = WAYS[way](int(lines))
    invoices = month.make_invoices(int(lines))[month.WARM_UP_INVOICES :]
    expected = month.get_totals(invoices)
    sys.stdout.write(
        json.dumps({"totals": totals, "expected": expected, "parts": parts})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
