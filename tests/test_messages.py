import ast
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import polib

from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools.translate import LazyTranslate, code_translations

from .. import client
from ..tools import Amount, Joined, Message, render_message
from ..tools.client_messages import TERMS
from .common import CopacoChangeCommon, CopacoCommon, price_line
from .test_sending import SendingCommon

ADDON = Path(client.__file__).parents[1]
DUTCH = "nl_NL"
# Of no Dutch sentence.
ENGLISH = {
    *("the", "which", "and", "with", "because", "there", "its", "this", "that"),
    *("are", "not", "then", "has", "have", "press", "retry", "without", "from"),
}

# By this name Odoo exports no terms.
lazy = LazyTranslate(__name__)


class MessagesCommon(CopacoCommon):
    """An English and a Dutch bookkeeper, and what Odoo does for nobody in English."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang(DUTCH)
        cls.dutch_user = new_test_user(
            cls.env,
            "dutch",
            groups="base.group_user,account.group_account_invoice",
            company_id=cls.company.id,
            lang=DUTCH,
        )

    def read_as_both(self, record, name):
        """:return: what an English and a Dutch bookkeeper read of a field"""
        self.env.flush_all()
        texts = []
        for user in (self.billing_user, self.dutch_user):
            own = record.with_user(user).with_context(lang=user.lang)
            (values,) = own.read([name])
            self.assertEqual(values[name], own[name])
            texts.append(values[name])
        return texts

    def assertTranslated(self, record, name, english, dutch):
        """:param english: part of what an English bookkeeper reads of a field
        :param dutch: the same for a Dutch one
        """
        in_english, in_dutch = self.read_as_both(record, name)
        self.assertIn(english, in_english)
        self.assertIn(dutch, in_dutch)
        self.assertEqual(find_english(in_dutch), set(), in_dutch)

    def hold(self, number="INV-1", **values):
        """:return: the document with this number, which is held"""
        self.add_known(number, **values)
        self.fetch()
        document = self.documents.filtered(lambda each: each.invoice_number == number)
        self.assertEqual(document.state, "held")
        return document

    def translating(self, *terms):
        """Let these terms have a translation, until the block ends."""
        known = code_translations.get_python_translations("account_copaco", DUTCH)
        translated = {**known, **{term: f"[{term}]" for term in terms}}
        return patch.dict(
            code_translations.python_translations,
            {("account_copaco", DUTCH): translated},
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestMessages(MessagesCommon, CopacoChangeCommon):
    """What is stored of a message is no sentence: everybody reads it in a language of
    their own, whoever's action wrote it."""

    # === WHAT IS STORED BY WHICH FIELD === #

    def test_why_a_document_is_held(self):
        self.partner.ref = False
        document = self.hold()
        self.assertEqual(document.hold_reason, "customer_unknown")
        self.assertEqual(
            self.read_as_both(document, "hold_message"),
            [
                "INV-1 · Customer A1: this customer (account A1) is not linked to a "
                "contact yet. Choose or create the contact on the customer.",
                "INV-1 · Customer A1: deze klant (account A1) is nog niet aan een "
                "contact gekoppeld. Kies of maak het contact op de klant.",
            ],
        )
        self.assertTranslated(document, "next_step", "create it", "maak")

    def test_who_processes_a_document_decides_no_language(self):
        self.connection.journal_id.active = False
        document = self.hold()
        for user in (self.dutch_user, self.billing_user):
            with self.committing(
                document.with_user(user).with_context(lang=user.lang)
            ) as own:
                own.action_retry()
            self.assertTranslated(
                document, "hold_message", "is archived", "gearchiveerd"
            )

    def test_amounts_are_written_as_the_reader_writes_them(self):
        self.add_known(lines=[price_line("1000.00")])
        totals = {"TotalExcludingVAT": Decimal("2234.50")}
        self.simulator.invoices[-1].content["Totals"] = totals
        self.fetch()
        self.assertTranslated(self.documents, "hold_message", "1,234.50", "1.234,50")

    def test_dates_are_written_as_the_reader_writes_them(self):
        document = self.hold(Date="20260131")
        self.assertEqual(document.hold_reason, "date_unlikely")
        self.assertTranslated(document, "hold_message", "01/31/2026", "31-01-2026")

    def test_lock_dates_are_named_as_odoo_names_them(self):
        self.company.sudo().fiscalyear_lock_date = date(2026, 11, 30)
        document = self.hold()
        self.assertEqual(document.hold_reason, "period_locked")
        self.assertTranslated(document, "hold_message", "11/30/2026", "30-11-2026")

    def test_names_that_odoo_translates_are_the_readers(self):
        self.product.with_context(lang=DUTCH).name = "Wolk"
        self.product.active = False
        document = self.hold()
        self.assertTranslated(document, "hold_message", "product Cloud", "product Wolk")

    def test_what_copaco_changed(self):
        self.connection.invoice_policy = "post"
        document = self.send(price_line("1000.00"))
        self.send(price_line("1234.50"))
        self.assertWaits(document)
        english, dutch = self.read_as_both(document, "hold_message")
        self.assertRegex(english, r"€.1,000\.00|1,000\.00.€")
        self.assertRegex(english, "Prepare a correction of invoice ")
        self.assertRegex(dutch, r"€.1\.000,00|1\.000,00.€")
        self.assertEqual(find_english(dutch), set(), dutch)

    def test_why_a_document_is_excluded(self):
        self.send(price_line("10.00", InvoiceRowHash="same"), number="INV-1")
        self.send(price_line("10.00", InvoiceRowHash="same"), number="INV-2")
        excluded = self.documents.filtered("exclude_reason")
        self.assertEqual(excluded.invoice_number, "INV-2")
        self.assertTranslated(
            excluded, "exclude_reason", "charges is on INV-1 (", "INV-1 ("
        )
        english, dutch = self.read_as_both(excluded.run_id, "reconciliation")
        self.assertIn(excluded.exclude_reason, english)
        self.assertNotIn(excluded.exclude_reason, dutch)

    def test_why_a_contact_is_suggested(self):
        self.partner.write({"ref": False, "name": "Customer A1"})
        document = self.hold()
        self.assertTranslated(
            document.customer_id, "suggestion_reason", "the same name", "dezelfde naam"
        )
        self.assertTranslated(document, "hold_message", "same name", "dezelfde naam")

    def test_undo_brings_a_suggestion_back_for_every_reader(self):
        self.partner.write({"ref": False, "name": "Customer A1"})
        customer = self.hold().customer_id
        self.act(customer, "action_accept")
        self.assertFalse(customer.suggestion_reason)
        self.act(customer, "action_undo")
        self.assertTranslated(
            customer, "suggestion_reason", "the same name", "dezelfde naam"
        )

    def test_how_a_run_is_called(self):
        run = self.fetch()
        for name in ("name", "display_name"):
            self.assertEqual(
                self.read_as_both(run, name),
                ["11/01/2026 – 11/25/2026", "01-11-2026 – 25-11-2026"],
            )
        runs = self.env["copaco.run"].with_user(self.dutch_user)
        runs = runs.with_context(lang=DUTCH)
        self.assertEqual(runs.search([("name", "ilike", "25-11-2026")]).id, run.id)
        self.assertFalse(runs.search([("name", "ilike", "24-11-2026")]))

    def test_why_a_run_failed(self):
        self.limit_client(first_wait=0)
        self.simulator.misbehave("status", times=None, status=500)
        run = self.fetch(expect_failure=True)
        term = "Copaco's server has a problem (status %(status)s)."
        advice = "Nothing has to be done: try again later, the next fetch catches up."
        with self.translating(term, advice):
            english, dutch = self.read_as_both(run, "message")
        self.assertIn(f"{term % {'status': 500}} {advice}", english)
        self.assertIn(f"[{term % {'status': 500}}] [{advice}]", dutch)
        self.assertEqual(self.failure, english)

    def test_what_can_not_be_read(self):
        line = price_line("1.00")
        line["ExtendedPrice"] = "?"
        readable = price_line("1.00", number=2, Quantity=Decimal("1234.5"))
        document = self.hold(lines=[line, readable])
        self.assertTranslated(
            document, "hold_message", "the amount can't be read", "bedrag"
        )
        english, dutch = self.read_as_both(document, "unreadable_table")
        self.assertIn("the amount can", english)
        self.assertIn("1,234.5<", english)
        self.assertNotIn("the amount can", dutch)
        self.assertIn("1.234,5<", dutch)
        self.add_known("INV-2")
        del self.simulator.invoices[-1].content["Header"]["InvoiceID"]
        run = self.fetch()
        with self.translating("%(field)s is missing"):
            english, dutch = self.read_as_both(run, "rejected_reason")
        self.assertEqual(english, "Header.InvoiceID is missing.")
        self.assertEqual(dutch, "[Header.InvoiceID is missing].")

    # === HOW IT IS STORED === #

    def test_what_odoo_or_a_person_said_stays_as_it_is(self):
        document = self.hold(Date="20260131").sudo()
        for text in ("100% %(x)s {y}", '{"source": "x", "values": {}}'):
            document.hold_message = text
            self.assertEqual(self.read_as_both(document, "hold_message"), [text, text])
            self.assertEqual(document.search([("hold_message", "=", text)]), document)

    def test_nobody_gets_a_message_made_by_writing_what_is_stored(self):
        document = self.hold(Date="20260131").sudo()
        stored = {"model": "res.users", "id": self.env.user.id, "name": ""}
        document.hold_message = stored
        for text in self.read_as_both(document, "hold_message"):
            self.assertEqual(text, str(stored))

    def test_a_term_that_an_update_removed_is_read_in_english(self):
        document = self.hold(Date="20260131").sudo()
        document.hold_message = lazy("Nobody knows %(thing)s.", thing=date(2026, 11, 1))
        self.assertEqual(
            self.read_as_both(document, "hold_message"),
            ["Nobody knows 11/01/2026.", "Nobody knows 01-11-2026."],
        )

    def test_a_record_that_is_gone_keeps_its_name(self):
        document = self.hold(Date="20260131").sudo()
        partner = self.create_partner(name="Slagerij")
        document.hold_message = lazy("%(partner)s", partner=partner)
        partner.name = "Slager"
        self.assertEqual(self.read_as_both(document, "hold_message"), ["Slager"] * 2)
        partner.unlink()
        self.assertEqual(self.read_as_both(document, "hold_message"), ["Slagerij"] * 2)

    def test_values_are_messages_themselves(self):
        message = Joined(
            (
                lazy("%(amount)s", amount=Amount(1234.5, self.env.ref("base.EUR"))),
                Joined(("A", lazy("B")), ", "),
            )
        )
        dutch = self.env(context={"lang": DUTCH})
        self.assertRegex(render_message(dutch, message), r"1\.234,50.* A, B$")

    def test_what_was_stored_as_a_text_is_still_read(self):
        document = self.hold(Date="20260131")
        self.env.flush_all()
        self.env.cr.execute(
            """
            ALTER TABLE copaco_document ALTER hold_message TYPE text USING 'It''s 5 %';
            """
        )
        document._fields["hold_message"]._convert_db_column(document, {})
        self.env.invalidate_all()
        self.assertEqual(self.read_as_both(document, "hold_message"), ["It's 5 %"] * 2)

    def test_it_is_found_by_what_is_in_it(self):
        document = self.hold(Date="20260131")
        found = self.documents.search([("hold_message", "ilike", "inv-1")])
        self.assertEqual(found, document)
        self.assertFalse(document.search([("hold_message", "ilike", "inv-2")]))
        self.assertEqual(document.search([("hold_message", "!=", False)]), document)

    def test_it_is_exported_in_the_language_of_who_exports(self):
        document = self.hold(Date="20260131")
        english, dutch = self.read_as_both(document, "hold_message")
        exporters = self.env.ref("base.group_allow_export")
        exporters.sudo().user_ids |= self.billing_user | self.dutch_user
        for user, text in ((self.billing_user, english), (self.dutch_user, dutch)):
            own = document.with_user(user).with_context(lang=user.lang)
            exported = own.export_data(["hold_message"])["datas"]
            self.assertEqual(exported, [[text]])

    def test_reading_takes_no_query_more(self):
        for number in range(8):
            self.add_known(f"INV-{number}", Date="20260131")
        self.fetch()
        documents = self.documents.with_user(self.dutch_user).with_context(lang=DUTCH)
        self.assertEqual(set(documents.mapped("state")), {"held"})
        self.env.flush_all()
        counts = []
        for some in (documents[:1], documents, documents):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.read(["hold_reason", "hold_message"])
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
        self.assertLessEqual(counts[1], counts[0])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestDeliveryMessages(MessagesCommon, SendingCommon):
    """As `TestMessages`: why an invoice could not be sent."""

    def test_why_an_invoice_could_not_be_sent(self):
        self.partner.email = False
        delivery = self.book("10")
        self.connection.responsible_id = self.dutch_user
        self.send()
        for record, name in (
            (delivery, "message"),
            (delivery.move_id, "copaco_unsent_message"),
        ):
            self.assertTranslated(
                record, name, "Bakkerij has no e-mail", "Bakkerij heeft geen e-mail"
            )


@tagged("post_install", "-at_install")
class TestTerms(MessagesCommon):
    """Every message that is stored has a sentence in every language."""

    def test_each_is_read_in_dutch_without_an_english_word(self):
        template = {
            entry.msgid
            for entry in polib.pofile(str(ADDON / "i18n/account_copaco.pot"))
        }
        # Those that the template lacks yet are found by `TestTranslations`.
        terms = [term for term in find_terms("_lt") if term in template]
        self.assertGreater(len(terms), 100)
        env = self.env(context={"lang": DUTCH})
        for term in terms:
            with self.subTest(term=term):
                values = dict.fromkeys(re.findall(r"%\((\w+)\)s", term), "1")
                text = render_message(env, lazy(term, **values))
                self.assertNotEqual(text, term % values)
                self.assertEqual(find_english(text), set(), text)

    def test_all_that_the_client_says_is_among_them(self):
        said = find_client_terms()
        self.assertGreater(len(said), 60)
        self.assertEqual(said ^ {term._source for term in TERMS}, set())

    def test_nothing_is_held_by_a_sentence_in_one_language(self):
        found = [
            f"{path.name}:{node.lineno}"
            for path, node in find_calls()
            if get_name(node.func) == "Hold"
            and isinstance(node.args[1], ast.Call)
            and get_name(node.args[1].func) == "_"
        ]
        self.assertEqual(found, [])
        holds = [node for _path, node in find_calls() if get_name(node.func) == "Hold"]
        self.assertGreater(len(holds), 30)

    def test_each_field_for_messages_is_a_message(self):
        self.assertEqual(
            {
                f"{model}.{name}"
                for model in self.env.registry
                if model.startswith("copaco.")
                for name, field in self.env[model]._fields.items()
                if isinstance(field, Message)
            },
            {
                "copaco.customer.suggestion_reason",
                "copaco.delivery.reason",
                "copaco.document.confirm_obstacle",
                "copaco.document.check_message",
                "copaco.document.exclude_reason",
                "copaco.document.hold_message",
                "copaco.draft.mixin.confirm_obstacle",
                "copaco.draft.mixin.check_message",
                "copaco.run.message",
                "copaco.run.rejected_reason",
            },
        )


def find_english(text):
    """:return: set of words that no Dutch sentence has"""
    return ENGLISH & set(re.findall(r"[a-z]+", text.lower()))


def find_calls():
    """Yield (path, `ast.Call`) of all calls in the code that is installed."""
    for path in sorted(ADDON.rglob("*.py")):
        if not {"tests", "devtools"}.intersection(path.relative_to(ADDON).parts):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield path, node


def find_terms(function):
    """:return: list of the literal texts that this function is called with"""
    return [
        node.args[0].value
        for _path, node in find_calls()
        if get_name(node.func) == function and isinstance(node.args[0], ast.Constant)
    ]


def find_client_terms():
    """:return: set of the texts in the client that a person may read: what a `Sentence`
    is made of, and what is a sentence or has a placeholder"""
    found = set()
    for path in (ADDON / "client").glob("*.py"):
        if path.stem == "requirements":
            continue
        tree = ast.parse(path.read_text())
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and get_name(node.func) == "Sentence":
                found.update(
                    each.value
                    for each in node.args[:1]
                    if isinstance(each, ast.Constant)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_sentence = " " in node.value and node.value.endswith(".")
                if id(node) not in docstrings and (is_sentence or "%(" in node.value):
                    found.add(node.value)
    return found


def get_name(function):
    """:return: what is called, without what it is of"""
    return getattr(function, "attr", getattr(function, "id", ""))
