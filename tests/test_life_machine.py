"""The life of an invoice: what Copaco, a person and the buttons do with it in any
order, once it is confirmed. It is random, and the same seed does the same."""

import os
import re
from collections import defaultdict

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from .change_machine import ChangeMachine, Source

# More, or other ones, by the environment.
STEPS = int(os.environ.get("COPACO_LIFE_STEPS", "60"))
SEED = os.environ.get("COPACO_LIFE_SEED", "2")
FIRST = int(os.environ.get("COPACO_LIFE_FIRST", "0"))
OTHER_NUMBER = "K-other"
DATES = ("20261123", "20261123", "20261120", "20261031", "20261001", "20261210")


class LifeSource(Source):
    """What Copaco says of one document, of which the date may be of another month, and
    the customer number of another contact."""

    fetched = None

    def make(self):
        element = super().make()
        if self.random.random() < 0.3:
            element["Header"]["Date"] = self.random.choice(DATES)
        if self.random.random() < 0.1:
            element["Header"]["Currency"] = "USD"
        if self.random.random() < 0.1:
            element["Customers"][0]["CustomerNumber"] = OTHER_NUMBER
        return element


@tagged("post_install", "-at_install", "copaco_debit_note")
@freeze_time("2026-11-25 10:00:00")
class TestLifeMachine(ChangeMachine):
    """Promises 1, 2, 4, 5 and 7: what the customers owe is what Copaco says, but for
    what the reconciliation names. Debit notes need ``account_debit_note``."""

    OPERATIONS = {
        "copaco_changes": 8,
        "fetch_all": 1,
        "post": 8,
        "reset": 2,
        "cancel": 1,
        "delete": 2,
        "pay": 2,
        "credit_whole": 1,
        "credit_part": 3,
        "credit_free": 1,
        "reverse_and_create": 2,
        "debit_note": 1,
        "edit_price": 1,
        "switch_type": 0.5,
        "choose_currency": 0.5,
        "choose_date": 1,
        "choose_partner": 1,
        "link_other": 1,
        "invoice_to_contact": 3,
        "invoice_with_date": 2,
        "press_retry": 2,
        "press_use_new": 3,
        "press_keep": 2,
        "press_correct": 8,
        "press_exclude": 0.5,
        "press_include": 1,
        "press_accept": 1,
    }

    def test_what_is_owed_is_what_copaco_says_but_for_what_is_named(self):
        self.play_episodes(SEED, STEPS, FIRST)

    def play(self, seed, steps):
        self.start_moves = self.env["account.move"].search([])
        with self.undone():
            self.begin(seed, LifeSource, ("draft", "post", "post"))
            for _step in range(steps):
                self.take_step()

    def create_contacts(self):
        self.connection.invoice_grouping = self.random.choice(("document", "month"))
        if self.connection.invoice_grouping == "month":
            # Both are one customer's.
            self.sources[1].account = self.sources[0].account
        self.log.append(f"  one invoice per {self.connection.invoice_grouping}")
        for account in {source.account: None for source in self.sources}:
            self.create_partner(name=account, ref=f"K-{account}")
        self.other_contact = self.create_partner(name="Other", ref=OTHER_NUMBER)

    # What must hold

    def check(self):
        self.process_in_background()
        self.check_owed()
        self.check_said()
        self.check_posted()

    @property
    def moves(self):
        moves = self.env["account.move"].sudo().search([("company_id", "!=", False)])
        return (moves - self.start_moves).filtered(
            lambda move: move.is_sale_document() and move.state != "cancel"
        )

    def check_owed(self):
        """What all invoices and credit notes add up to, however they were made, is what
        the reconciliation of the documents says."""
        owed = defaultdict(float)
        for move in self.moves:
            owed[move.currency_id] += move.amount_untaxed_in_currency_signed
        said = defaultdict(float)
        for document in self.mine:
            found = self.reconcile(document)
            self.assertFalse(found.get_reasons("unexplained"), self.describe(found))
            for bucket in ("posted", "draft"):
                said[document.currency_id] += found.get_total(bucket)[2]
            self.assertAlmostEqual(found.get_total()[2], document.amount_source, 2)
            for other, amount in self.get_other_amounts(document, found):
                said[other] += amount
        for currency in {*owed, *said}:
            self.assertAlmostEqual(owed[currency], said[currency], 2, currency.name)
        for run in self.mine.run_id | self.mine.version_ids.run_id:
            self.assertTrue(run.is_balanced, run.balance_problem)

    def get_other_amounts(self, document, found):
        """:return: list of (currency, amount) that the notes name in another currency
        than the document's, of which there is only one"""
        others = (self.usd | self.company.currency_id) - document.currency_id
        texts = [text for text, _amount in found.notes if "another currency" in text]
        return [
            (others, float(re.search(r"-?[\d,]+\.\d\d", text)[0].replace(",", "")))
            for text in texts
        ]

    def describe(self, found):
        moves = [
            (
                move.id,
                move.name,
                move.state,
                move.currency_id.name,
                move.amount_untaxed_in_currency_signed,
                move.copaco_document_id.id,
                move.copaco_version_id.id,
                move.copaco_is_replaced,
                move.reversed_entry_id.id,
                move.copaco_origin_id.id,
            )
            for move in self.moves
        ]
        return "\n".join(map(str, [*found.parts, *found.notes, *moves]))

    def reconcile(self, document):
        service = self.env["copaco.reconciliation"]
        found = service._reconcile_documents(
            SQL("document.id"), SQL("document.id = %s", document.id)
        )
        return found[document.id]

    def check_said(self):
        """What Copaco said last of a document is what counts; or it waits for a person;
        or it is named with who declined it."""
        for source in self.sources:
            document = self.mine.filtered(
                lambda each, source=source: each.invoice_number == source.number
            )
            if source.fetched is not source.current:
                continue
            digest = source.document.digest
            pending = document._get_pending_version()
            declined = document.version_ids.filtered(
                lambda version: version.state == "declined"
            )
            self.assertLessEqual(len(declined), 1)
            latest = pending or declined or document
            self.assertEqual(latest.payload_digest, digest)
            if declined and not pending:
                notes = [text for text, _amount in self.reconcile(document).notes]
                self.assertIn("kept the old version", " ".join(notes))

    def check_posted(self):
        """A posted invoice is never changed."""
        posted = {
            move.id: (
                move.name,
                move.partner_id.id,
                move.invoice_date,
                move.currency_id.id,
                move.amount_total,
                move.line_ids.filtered("name").mapped("name"),
            )
            for move in self.moves
            if move.state == "posted"
        }
        for move_id, content in posted.items():
            self.assertEqual(self.posted.get(move_id, content), content)
        self.posted = posted

    def check_truth(self):
        for source in self.sources:
            source.fetched = source.current

    # A person

    def get_moves(self, documents=None):
        if documents is not None:
            return super().get_moves(documents)
        return self.moves.sorted("id")

    def get_wizard(self, name, moves, **values):
        wizard = self.env[name].with_user(self.billing_user).with_company(self.company)
        return wizard.with_context(
            active_model="account.move", active_ids=moves.ids
        ).create(values)

    def on_posted(self, action):
        self.on_move(
            lambda move: action(move, {"journal_id": move.journal_id.id}), "posted"
        )

    def reverse(self, move, values, method="refund_moves"):
        wizard = self.get_wizard("account.move.reversal", move, **values)
        action = getattr(wizard, method)()
        return self.env["account.move"].browse(action["res_id"])

    def credit_whole(self):
        def credit(move, values):
            draft = self.reverse(move, values)
            if self.random.random() < 0.6:
                draft.action_post()

        self.on_posted(credit)

    def credit_part(self):
        def credit(move, values):
            draft = self.reverse(move, values)
            lines = draft.invoice_line_ids
            if len(lines) > 1:
                self.random.choice(lines).unlink()
            elif self.random.random() < 0.5:
                lines.price_unit = lines.price_unit / 2
            if self.random.random() < 0.6:
                draft.action_post()

        self.on_posted(credit)

    def credit_free(self):
        def credit(move, values):
            draft = self.reverse(move, values)
            (draft.invoice_line_ids - draft.invoice_line_ids[:1]).unlink()
            draft.invoice_line_ids.write({"name": "Our regrets", "price_unit": 1})
            draft.action_post()

        self.on_posted(credit)

    def reverse_and_create(self):
        self.on_posted(lambda *args: self.reverse(*args, method="modify_moves"))

    def debit_note(self):
        if "account.debit.note" not in self.env:
            return

        def debit(move, _values):
            wizard = self.get_wizard("account.debit.note", move)
            action = wizard.create_debit()
            note = self.env["account.move"].browse(action["res_id"])
            note.invoice_line_ids = [
                Command.create({"name": "Forgotten", "quantity": 1, "price_unit": 3})
            ]

        self.on_posted(debit)

    def switch_type(self):
        self.on_move(lambda move: move.action_switch_move_type(), "draft")

    def choose_currency(self):
        def choose(move):
            move.currency_id = self.random.choice(self.usd | self.company.currency_id)

        self.on_move(choose, "draft")

    def choose_date(self):
        self.on_move(lambda move: move.write({"invoice_date": "2026-11-19"}), "draft")

    def edit_price(self):
        def edit(move):
            line = self.pick(move.invoice_line_ids)
            line.price_unit += 1

        self.on_move(edit, "draft")

    def link_other(self):
        customer = self.pick(self.mine.customer_id).with_user(self.billing_user)
        partner = self.pick(self.partner_b | self.other_contact | customer.partner_id)
        self.log.append(f"  {customer.display_name} to {partner.display_name}")
        self.try_it(lambda: customer.write({"partner_id": partner.id}))

    # Buttons

    def invoice_to_contact(self):
        document = self.pick_document("invoiced", "changed")
        if not document:
            return
        wizard = (
            self.env["copaco.invoice.contact"]
            .with_user(self.billing_user)
            .with_context(active_model="copaco.document", active_id=document.id)
        )
        partner = self.pick(self.partner_a | self.partner_b | document.partner_id)

        def invoice():
            wizard.create({"partner_id": partner.id}).action_invoice()

        self.log.append(f"  {document.name}")
        self.try_it(invoice)

    def invoice_with_date(self):
        document = self.pick_document("held", "changed")
        wizard = (
            self.env["copaco.invoice.date"]
            .with_user(self.billing_user)
            .with_context(active_model="copaco.document", active_ids=document.ids)
        )
        if document.invoice_date:
            self.press("action_invoice", records=wizard.create({}))

    def rebuild(self, action, *states):
        self.press(action, records=self.pick_document(*states))
