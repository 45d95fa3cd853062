"""Measures one method in this process and prints what it cost, as JSON.

The arguments: the name of the method, the lines of the month. What is printed has the
``totals`` that the books say in the end, those that they should (``expected``), and the
``parts`` with their figures.
"""

import json
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from . import month

CHANGED_EVERY = 100  # 1 %
WATCHED_SECONDS = 5
YEARS_OF_HISTORY = 3
RULES = 200


def measure_alternative(name, lines):
    """Create the invoices by a function of ``alternatives.py``."""
    # Odoo is imported as late as possible: what must not have it in it is forked first.
    from ..processes.workers import environment
    from . import alternatives
    from .books import Books
    from .meter import Meter

    create = getattr(alternatives, name)
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


def measure_this_addon(policy, lines):
    """Fetch and create; let rules decide about the lines; fetch once more without
    changes, then with 1 % changed; look for the same charges in years of history."""
    with this_addon(lines, policy) as (job, meter):
        with meter.measured(part="store") as store:
            documents = job.fetch()
        with meter.measured(part="create") as create:
            job.create_invoices(documents)
        totals = job.books.get_totals(state="posted" if policy == "post" else "draft")
        store["bytes"] = len(job.get_answer())
        parts = [_add_up("whole", store, create), store, create]
        if policy == "draft":
            for count, part in ((0, "no rules"), (RULES, "rules")):
                job.add_rules(count)
                job.env.invalidate_all()
                with meter.measured(part=part) as rules:
                    job.decide_by_rules()
                parts.append(rules)
            parts += _fetch_again(job, meter)
            job.remember_years(YEARS_OF_HISTORY)
            with meter.measured(part="duplicates") as duplicates:
                job.find_duplicates()
            parts.append(duplicates)
        return totals, parts


def measure_bills_by_oca(lines):
    """Create what Copaco bills by the community's importer."""
    from ..processes.workers import environment
    from . import alternatives
    from .books import Books
    from .meter import Meter

    small, bill = month.make_bills(lines)
    with environment() as env:
        books = Books(env)
        alternatives.import_bill_by_oca(books, [small])
        env.cr.commit()
        books.begin()
        with Meter(env).measured(part="whole") as figures:
            alternatives.import_bill_by_oca(books, [bill])
            env.cr.commit()
        return books.get_totals(), [figures]


def measure_bills(lines):
    """Fetch and create what Copaco bills, then put it beside what is billed on."""
    with this_addon(lines, "draft") as (job, meter):
        sold = job.fetch()
        with meter.measured(part="sales") as sales:
            job.create_invoices(sold)
        job.books.begin()
        with meter.measured(part="store") as store:
            documents = job.fetch(kind="purchase")
        with meter.measured(part="create") as create:
            job.create_invoices(documents)
        totals = job.books.get_totals()
        with meter.measured(part="margins") as margins:
            job.compare_margins()
        both = _add_up("both sides", sales, create)
        whole = _add_up("whole", store, create)
        return totals, [whole, store, create, both, margins]


def measure_workers(count, lines):
    """Let so many processes share the documents of a month."""
    with this_addon(lines, "draft") as (job, _meter):
        job.fetch()
    from ..processes.workers import environment
    from .this_addon import share_work

    # The workers begin with connections of their own.
    with tempfile.TemporaryDirectory() as folder:
        seconds = share_work(count, Path(folder, "workers.log"))
    with environment() as env:
        return job.books.get_totals(env), [{"part": "create", "wall": seconds}]


def measure_pages(lines):
    """Open the addon's pages with both sides of the month in the database, and of all
    months of so many years; look for the findings of the month."""
    with this_addon(lines, "post") as (job, meter):
        from . import pages, years

        job.create_invoices(job.fetch())
        totals = job.books.get_totals(state="posted")
        job.create_invoices(job.fetch(kind="purchase"))
        job.compare_margins()
        years.add_months(job.env, 12 * YEARS_OF_HISTORY - 1)
        parts = list(pages.measure(job.env, meter))
        with meter.measured(part="findings") as findings:
            findings["found"] = job.find_in_month()
        return totals, [*parts, findings]


def measure_button(lines):
    """Press the button, and look whether it goes on in the background."""
    with this_addon(lines, "draft") as (job, meter):
        with meter.measured(part="answer") as answer:
            answer["progress"] = job.press_fetch()
        answer["progress_later"] = job.go_on(WATCHED_SECONDS)
        job.go_on()
        return job.books.get_totals(), [answer]


@contextmanager
def this_addon(lines, policy):
    """Lend the block a ``Job`` that is warmed up, and a ``Meter``."""
    portal = month.Portal(lines)
    from ..processes.workers import environment
    from .books import Books
    from .meter import Meter
    from .this_addon import Job

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


METHODS = {
    "create_each": partial(measure_alternative, "create_each"),
    "create_batch": partial(measure_alternative, "create_batch"),
    "load": partial(measure_alternative, "load"),
    "oca": partial(measure_alternative, "import_by_oca"),
    "this_addon": partial(measure_this_addon, "draft"),
    "this_addon_posted": partial(measure_this_addon, "post"),
    "one_worker": partial(measure_workers, 1),
    "two_workers": partial(measure_workers, 2),
    "button": measure_button,
    "pages": measure_pages,
    "oca_bills": measure_bills_by_oca,
    "this_addon_bills": measure_bills,
}


def get_expected(method, lines):
    """Return the totals that the books must have in the end."""
    if method.endswith("_bills"):
        return month.get_bill_totals(month.make_bills(lines)[1:])
    return month.get_totals(month.make_invoices(lines)[month.WARM_UP_INVOICES :])


def main(method, lines):
    totals, parts = METHODS[method](int(lines))
    expected = get_expected(method, int(lines))
    sys.stdout.write(
        json.dumps({"totals": totals, "expected": expected, "parts": parts})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
