import base64
import json
import logging
import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...client import InvalidResponseError, parse_documents, parse_payload
from ..common import MUTED, CopacoCommon
from .books import round_half_up
from .figures import noted, number, seed
from .mutator import VAT_NUMBER, Mutator, write

# Of the bad documents, so many go through the whole of Odoo; the rest through the
# reader, which is where what is bad about them is found.
SHARE_IN_ODOO = 10
GOOD, BAD = 3, 12
BATCH = 50
MARK = re.compile(r"mark-\d+-\d+", re.ASCII)


def count_marks(text):
    return Counter(MARK.findall(text))


def find_marks(elements):
    """:return: the marks of all lines that can be told to be lines"""
    marks = Counter()
    for element in elements:
        customers = element.get("Customers") if isinstance(element, dict) else None
        kept = customers if isinstance(customers, list) else element
        marks += count_marks(json.dumps(kept, default=str))
    return marks


def read_naively(payload):
    """Read a document without the client: see `books.read_sent`.

    :return: list of amounts
    """
    tree = json.loads(payload, parse_float=Decimal)
    return [
        Decimal(str(line["ExtendedPrice"]).strip())
        for element in tree["Invoices"]
        for customer in element["Customers"]
        for subscription in customer["Subscriptions"] or []
        for line in subscription["PriceLines"] or []
    ]


class BadDocumentsCase(CopacoCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bad_in_odoo = max(number("PAYLOADS") // SHARE_IN_ODOO, BATCH)

    def make_response(self, mutator, good_count, bad_count):
        """:return: elements in any order, the good ones, and what was done to others"""
        good = [mutator.make_invoice() for _ in range(good_count)]
        elements, done = list(good), Counter()
        for _ in range(bad_count):
            bad = mutator.make_invoice()
            done.update(mutator.change(bad))
            elements.append(bad)
        mutator.random.shuffle(elements)
        return elements, good, done


def is_whole(payload, count, amount):
    """Whether a readable document has all its lines and their whole amount."""
    try:
        amounts = read_naively(payload)
    except (KeyError, TypeError, InvalidOperation):
        return False  # so it wasn't readable
    total = sum(map(Decimal, map(str, amounts)))
    return (count, amount) == (len(amounts), round_half_up(total))


@tagged("post_install", "-at_install", "copaco_faults")
class TestBadDocumentsRead(BadDocumentsCase):
    """Whatever comes is read or refused in words, whole or not at all, and what stands
    beside it is read as if it stood alone."""

    def test_bad_documents_spoil_no_good_ones(self):
        mutator = Mutator(seed())
        kinds = Counter()
        with noted("bad document, read") as figures:
            counts = Counter()
            while counts["times"] < number("PAYLOADS") - self.bad_in_odoo:
                elements, good, done = self.make_response(mutator, GOOD, BAD)
                raw = write(elements)
                with self.subTest(kinds=done):
                    self.check(parse_documents(raw), elements, good, counts)
                kinds += done
                counts["times"] += BAD
            figures.update(counts)
        logging.getLogger(__name__).info("Changes: %s", dict(kinds))

    def check(self, response, elements, good, figures):
        kept = [each.payload for each in (*response.documents, *response.rejected)]
        found = count_marks("".join(kept))
        lost = find_marks(elements) - found
        doubled = found - count_marks(json.dumps(elements, default=str))
        half = []
        for document in response.documents:
            self.assert_reads_back(document)
            self.assertNotIn("mark-", document.error)
            amounts = [line.extended_price for line in document.lines]
            total = round_half_up(sum(amounts))
            if document.error:
                self.assertFalse(amounts)
            elif not is_whole(document.payload, len(amounts), total):
                half.append(document.payload)
        figures.update(lost=len(lost), doubled=len(doubled), half=len(half))
        self.assertFalse(lost)
        self.assertFalse(doubled)
        self.assertFalse(half)
        self.assert_good(response, good)

    def assert_reads_back(self, document):
        # Copaco's totals are those of the whole response, not of this part.
        again = replace(
            parse_payload(document.payload),
            totals_difference=document.totals_difference,
            totals_line_count=document.totals_line_count,
            stated_amount=document.stated_amount,
            unread_total=document.unread_total,
        )
        self.assertEqual(again, document)

    def assert_good(self, response, good):
        by_number = {each.invoice_number: each for each in response.documents}
        for element in good:
            (alone,) = parse_documents(write([element])).documents
            self.assertFalse(alone.error)
            self.assertEqual(by_number[element["Header"]["InvoiceID"]], alone)

    def test_damaged_responses_are_refused_in_words(self):
        """All of it is refused in words, or it can still be read."""
        mutator = Mutator(f"{seed()}-damage")
        kinds, times = Counter(), number("PAYLOADS") // 10
        with noted("damaged response, read") as figures:
            for _ in range(times):
                elements, _good, _done = self.make_response(mutator, GOOD, 1)
                raw, kind = mutator.damage(write(elements))
                with self.subTest(kind=kind):
                    try:
                        response = parse_documents(raw)
                    except InvalidResponseError as error:
                        kinds[kind] += 1
                        self.assertNotIn("mark-", str(error))
                        continue
                    for document in response.documents:
                        self.assert_reads_back(document)
            figures["times"] = times
        logging.getLogger(__name__).info("Refused: %s", dict(kinds))
        self.assertGreater(sum(kinds.values()), times / 2)


@tagged("post_install", "-at_install", "copaco_faults")
class TestBadDocumentsBooked(BadDocumentsCase):
    """The same through the whole of Odoo: stored, invoiced or held, and balanced."""

    def setUp(self):
        super().setUp()
        self.create_partner(name="Rightful", vat=VAT_NUMBER)

    def upload(self, raw):
        """:return: the run, and what the user is told if it failed"""
        # All of it is one transaction, of which PostgreSQL's planner knows nothing.
        self.env.cr.execute(
            "ANALYZE account_move, account_move_line, account_partial_reconcile, "
            "copaco_document, copaco_document_line, copaco_customer, copaco_run"
        )
        wizard = self.env["copaco.upload"].create(
            {
                "connection_id": self.connection.id,
                "kind": "specification",
                "content": base64.b64encode(raw),
                "file_name": "response.json",
            }
        )
        told = ""
        with self.committing(wizard) as committing, mute_logger(*MUTED):
            # Not assertRaises: Odoo's takes back what was committed before.
            try:
                committing.action_upload()
            except UserError as error:
                told = str(error)
        with self.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.env.invalidate_all()
        return self.env["copaco.run"].search([], limit=1), told

    def test_bad_documents_spoil_no_good_ones(self):
        mutator = Mutator(f"{seed()}-odoo")
        states = Counter()
        with noted("bad document, booked") as figures:
            counts = Counter()
            while counts["times"] < self.bad_in_odoo:
                elements, good, done = self.make_response(mutator, BATCH // 5, BATCH)
                with self.subTest(kinds=done):
                    run, told = self.upload(write(elements))
                    self.assertFalse(told)
                    self.check(run, elements, good, counts)
                documents = run.document_ids
                states.update(each.hold_reason or each.state for each in documents)
                states["unread"] += run.rejected_count
                counts.update(times=BATCH, documents=len(documents))
            figures.update(counts)
        logging.getLogger(__name__).info("Became: %s", dict(states))

    def check(self, run, elements, good, counts):
        documents = run.document_ids
        self.assertIn(run.state, ("done", "attention"))
        self.assertTrue(run.is_balanced, run.read())
        self.assertNotIn("unexpected_error", documents.mapped("hold_reason"))
        kept = documents.mapped("payload") + run.version_ids.mapped("payload")
        found = count_marks("".join([*kept, run.rejected_payload or ""]))
        lost = find_marks(elements) - found
        invoiced = documents.filtered(lambda each: each.state == "invoiced")
        moves = self.env["account.move"].search(
            [("copaco_document_id", "in", documents.ids)]
        )
        doubled = len(moves) - len(moves.copaco_document_id)
        half = invoiced.filtered(lambda each: not self.is_booked_whole(each))
        counts.update(lost=len(lost), doubled=doubled, half=len(half))
        self.assertFalse(lost)
        self.assertEqual(moves.copaco_document_id, invoiced)
        self.assertFalse(doubled)
        self.assertFalse(half)
        numbers = {element["Header"]["InvoiceID"] for element in good}
        self.assertLessEqual(numbers, set(invoiced.mapped("invoice_number")))
        for document in documents - invoiced:
            words = document.hold_message or document.exclude_reason
            self.assertTrue(words)
            self.assertNotIn("Traceback", words)
        # Whoever looks at it sees it.
        for records in (run, documents, documents.line_ids, documents.customer_id):
            records.with_user(self.billing_user).read()

    def assert_says_what_waits(self, waiting):
        """Damage that could be read may have left documents for a person."""
        held = self.documents.filtered(lambda each: each.state in ("held", "changed"))
        start = f"Waiting for a decision in all: {len(held)} (" if held else ""
        self.assertEqual(waiting[: len(start) or None], start)

    def is_booked_whole(self, document):
        move = document.move_id
        sign = -1 if move.move_type == "out_refund" else 1
        return is_whole(
            document.payload,
            len(move.invoice_line_ids.copaco_line_id),
            round_half_up(sign * move.amount_untaxed),
        )

    def test_damaged_responses_fail_and_the_good_one_is_booked(self):
        mutator = Mutator(f"{seed()}-odoo-damage")
        times = max(self.bad_in_odoo // 20, 5)
        with noted("damaged response, uploaded") as figures:
            for _ in range(times):
                elements, good, _done = self.make_response(mutator, GOOD, 0)
                raw = write(elements)
                damaged, kind = mutator.damage(raw)
                with self.subTest(kind=kind):
                    run, told = self.upload(damaged)
                    if told:
                        self.assertEqual(run.state, "failed")
                        said, _line, waiting = told.partition("\n")
                        self.assertEqual(said, run.message)
                        self.assert_says_what_waits(waiting)
                        self.assertFalse(run.document_ids)
                    self.assertNotIn("Traceback", told)
                    self.upload(raw)
                    numbers = {each["Header"]["InvoiceID"] for each in good}
                    documents = self.documents.filtered_domain(
                        [("invoice_number", "in", list(numbers))]
                    )
                    # Damage that could be read may have made other documents.
                    if told:
                        self.assertEqual(len(documents), len(good))
                        self.assertEqual(set(documents.mapped("state")), {"invoiced"})
                        self.assertTrue(all(map(self.is_booked_whole, documents)))
            figures["times"] = times
