"""What Copaco, the addon and a bookkeeper may do, for `test_content_machine`, and what
must hold after each step: each charge is billed once, and what isn't waits."""

import json
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from odoo.fields import Command

from .content_bookkeeper import HALF_CENT, Bookkeeper
from .content_charges import round_up
from .content_copaco import ASKED_FROM, FIRST_DAY, LAST_DAY, Copaco
from .content_steps import (
    has_charges,
    has_documents,
    has_drafts,
    has_parts,
    has_row_hashes,
    has_twins,
    has_waiting,
    step,
)
from .properties import RuleBasedStateMachine, initialize, st


class ContentMachine(Bookkeeper, RuleBasedStateMachine):
    """Takes random steps on the test `case`, at a time that is `frozen`."""

    case = frozen = None
    is_failed = False
    taken = 0  # random steps, of all examples
    steps = 0  # times that it was checked

    @initialize(data=st.data())
    def start(self, data):
        def pick(sequence):
            return data.draw(st.sampled_from(list(sequence)))

        self.begin(self.case, Copaco(pick))
        self.case.begin_episode(
            pick(("draft", "draft", "post")),
            pick(("document", "month")),
            self.copaco.is_split,
        )
        self.received = {}  # (when, {charge: amount}) by part
        self.responses = []
        self.look()

    @contextmanager
    def telling(self):
        """Let a failure tell the whole story."""
        try:
            yield
        except Exception as error:
            # Hypothesis stops an example that can't become a new one by such.
            if not type(error).__module__.startswith("hypothesis"):
                self.is_failed = True
                story = "\n".join(self.log)
                raise AssertionError(f"{error}\n{story}") from error
            raise

    # Copaco

    def change(self, pick, name):
        self.copaco.pick = pick
        self.log.append(f"  {getattr(self.copaco, name)()}")

    @step(is_checked=False)
    def bill(self, pick):
        self.change(pick, "bill")

    @step(has_charges, is_checked=False)
    def add_to_number(self, pick):
        self.change(pick, "add_to_number")

    @step(has_charges, is_checked=False)
    def bill_next_month(self, pick):
        self.change(pick, "bill_next_month")

    @step(has_twins, is_checked=False)
    def bill_twin(self, pick):
        self.change(pick, "bill_twin")

    @step(has_charges, is_checked=False)
    def renumber(self, pick):
        self.change(pick, "renumber")

    @step(
        lambda machine: any(
            len(set(part.charges)) > 1 for part in machine.copaco.parts
        ),
        is_checked=False,
    )
    def split(self, pick):
        self.change(pick, "split")

    @step(has_charges, is_checked=False)
    def join(self, pick):
        self.change(pick, "join")

    @step(has_charges, is_checked=False)
    def remove_charge(self, pick):
        self.change(pick, "remove_charge")

    @step(has_charges, is_checked=False)
    def change_amount(self, pick):
        self.change(pick, "change_amount")

    @step(has_row_hashes, is_checked=False)
    def repeat_charge(self, pick):
        self.change(pick, "repeat_charge")

    @step(
        lambda machine: machine.copaco.is_split and has_charges(machine),
        is_checked=False,
    )
    def change_po_number(self, pick):
        self.change(pick, "change_po_number")

    @step(
        lambda machine: machine.copaco.is_split and has_documents(machine),
        is_checked=False,
    )
    def switch_split(self, pick):
        customer = pick(self.found_documents.customer_id)
        customer.is_split_by_po = not customer.is_split_by_po

    @step(has_charges, is_checked=False)
    def change_words(self, pick):
        self.change(pick, "change_words")

    @step(has_charges, is_checked=False)
    def change_account(self, pick):
        self.change(pick, "change_account")

    # What is fetched

    def send(self):
        """Let the simulator have what Copaco has."""
        self.case.simulator.invoices.clear()
        for created, element in self.copaco.render(self.copaco.parts):
            self.case.simulator.add_invoice(element, created=created)

    def note_received(self, runs):
        for run in runs.sorted("id"):
            if run.state == "running":
                self.go_on_in_background()
            self.case.assertNotIn(run.state, ("failed", "running"), run.message)
            self.log.append(f"  {run.name} {run.connection_id.name}")
            parts = self.copaco.get_parts(run.date_from, run.date_to)
            for part in parts:
                self.received[part] = self.steps, dict(part.content)
            self.responses.append((self.copaco.render_file(parts), list(parts)))

    def fetch_by(self, action):
        self.send()
        Run = self.env["copaco.run"]
        before = Run.search([])
        action()
        self.env.invalidate_all()
        self.note_received(Run.search([]) - before)

    @step(has_parts, is_checked=False)
    def pass_days(self, pick):
        days = (LAST_DAY - self.copaco.today).days
        if days:
            self.copaco.today += timedelta(days=pick(range(1, min(days, 12) + 1)))

    @step(has_parts)
    def fetch(self, pick):
        connection = pick(self.case.connections)
        self.fetch_by(lambda: self.case.fetch(connection))

    @step(has_parts)
    def fetch_days(self, pick):
        days = range((self.copaco.today - FIRST_DAY).days + 1)
        first, last = sorted((pick(days), pick(days)))
        connection = pick(self.case.connections)
        self.fetch_by(
            lambda: self.case.fetch_days(
                connection,
                FIRST_DAY + timedelta(days=first),
                FIRST_DAY + timedelta(days=last),
            )
        )

    @step(has_documents)
    def fetch_again(self, pick):
        document = pick(self.found_documents)
        if document.created_to:
            self.fetch_by(lambda: self.must_press("action_fetch_again", document))

    @step(has_parts)
    def fetch_month(self, pick):
        months = self.env["copaco.month"].search(
            [
                ("connection_id", "in", self.case.connections.ids),
                ("date", "<=", self.copaco.today),
            ]
        )
        if months:
            self.fetch_by(lambda: self.must_press("action_fetch", pick(months)))

    # The bookkeeper

    @step(has_waiting)
    def decide_one(self, pick):
        self.decide(pick(self.found_waiting), pick((True, False)))

    @step(has_waiting)
    def decide_another(self, pick):
        self.decide(pick(self.found_waiting), pick((True, False)))

    @step(has_drafts)
    def post(self, pick):
        self.on_move("action_post", pick(self.found_drafts))

    @step(has_drafts)
    def delete_draft(self, pick):
        self.delete(pick(self.found_drafts))

    @step(has_documents)
    def retry(self, pick):
        document = pick(self.found_documents)
        if document.state == "invoiced" or document.hold_reason in (
            "invoice_deleted",
            "possible_double",
            "customer_unknown",
        ):
            self.note_missing(document)
            self.press("action_retry", document)

    @step(has_documents)
    def merge_contacts(self, pick):
        customer = pick((0, 1))
        both = self.case.partners[customer] | self.case.doubles[customer].exists()
        if len(both) < 2:
            return
        kept = pick(both)
        self.env["base.partner.merge.automatic.wizard"].create(
            {"partner_ids": [Command.set(both.ids)], "dst_partner_id": kept.id}
        ).action_merge()
        self.env.invalidate_all()
        self.case.partners[customer] = kept

    @step(has_documents)
    def settle_everything(self, pick):
        self.settle_all()

    def teardown(self):
        if self.copaco and not self.is_failed:
            self.log.append("the end")
            with self.telling():
                self.settle_all()

    def settle_all(self):
        self.fetch_by(
            lambda: self.case.fetch_days(
                self.case.connections[0], ASKED_FROM, self.copaco.today
            )
        )
        self.check()
        self.check_removed()
        self.settle()
        self.check()
        self.check_settled()
        self.fetch_by(
            lambda: self.case.fetch_days(
                self.case.connections[0], ASKED_FROM, self.copaco.today
            )
        )
        self.case.assertFalse(self.waiting, "it was decided")

    # What must hold

    def get_moves(self, documents=None):
        documents = self.documents if documents is None else documents
        return self.env["account.move"].search(
            [
                ("state", "!=", "cancel"),
                "|",
                ("copaco_document_id", "in", documents.ids),
                ("copaco_version_id.document_id", "in", documents.ids),
            ],
            order="id",
        )

    def check(self):
        type(self).steps += 1
        self.env.invalidate_all()
        if "new" in self.documents.mapped("state"):
            # Some of what a fetch wakes up goes on in the background.
            self.run_background()
        self.look()
        self.check_once()
        self.check_money()
        self.check_waits()
        self.check_known()

    def look(self):
        """Read once what is there now."""
        self.found_documents = self.documents
        self.found_waiting = self.waiting
        self.found_drafts = self.get_moves().filtered(
            lambda move: move.state == "draft"
        )
        self.found_billed = self.get_billed()
        self.found_amounts = self.get_billed_amounts()
        self.waiting_charges = {
            charge
            for document in self.found_waiting
            for charge in self.get_shown(document)
        }

    def check_once(self):
        """Each charge is billed once at most, and at what it once cost. Whoever deletes
        a correction has what it took off billed again, and is asked about it."""
        for charge, places in self.found_billed.items():
            final = [
                document
                for document, _amount in places
                if (document, charge) not in self.accepted
                and not self.is_asked(document, places)
            ]
            self.case.assertLessEqual(len(final), 1, f"{charge} twice: {places}")
            for document, amount in places:
                self.case.assertIn(amount, charge.amounts, document.name)
        for part in self.found_documents.filtered("is_po_part"):
            if part._get_newest() != part:
                continue
            numbers = {line.line_po or "" for line in part.line_ids}
            self.case.assertLessEqual(numbers, {part.po_part or ""}, part.name)

    def is_asked(self, document, places):
        """Whether a document of which a correction was deleted waits, and its message
        names the others that the same charge is on."""
        numbers = {place.invoice_number for place, _amount in places}
        return (
            document in self.uncorrected
            and document.state == "changed"
            and all(
                number in document.hold_message
                for number in numbers - {document.invoice_number}
            )
        )

    def check_money(self):
        """The invoices of each document say the exact sum of its charges, rounded, or
        what Copaco states; and there are no others."""
        total = Decimal(0)
        seen = self.env["copaco.document"]
        for document in self.found_documents:
            invoice = document._get_live_invoice()
            documents = invoice._get_copaco_documents() or document
            moves = self.get_moves(documents)
            if not moves or document in seen:
                continue
            seen |= documents
            amount = get_amount(moves)
            due = sum(self.get_due(each) for each in documents)
            self.case.assertEqual(amount, due, documents.mapped("name"))
            total += amount
        every = self.env["account.move"].search(
            [
                ("company_id", "child_of", self.case.company.id),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "!=", "cancel"),
                ("id", "not in", self.hand_moves.ids),
            ]
        )
        self.case.assertEqual(get_amount(every), total, "an invoice of nothing")

    def get_due(self, document):
        """:return: the exact sum of what a document is billed for, rounded; or what
        Copaco states for all of it, where rounding explains the difference"""
        amounts = [amount for _charge, amount in self.get_lines(document)]
        exact = sum(amounts, Decimal(0))
        elements = json.loads(document.payload, parse_float=Decimal)["Invoices"]
        stated = [
            element.get("Totals", {}).get("TotalExcludingVAT") for element in elements
        ]
        if len(amounts) == len(document.line_ids) and None not in stated:
            total = sum(map(Decimal, stated))
            if abs(total - exact) <= len(amounts) * HALF_CENT:
                return round_up(total)
        return round_up(exact)

    def check_waits(self):
        for connection in self.case.connections:
            waiting = self.found_waiting.filtered(
                lambda document, own=connection: document.connection_id == own
            )
            self.case.assertTrue(
                connection.activity_ids or not waiting,
                f"nobody is told of {waiting.mapped('name')}",
            )
        for document in self.found_waiting - self.found_documents.filtered(
            "missing_state"
        ):
            self.case.assertTrue(document.hold_reason and document.hold_message)
        runs = self.env["copaco.run"].search([])
        for run in runs:
            self.case.assertTrue(run.is_balanced, f"{run.name}: {run.balance_problem}")
            self.case.assertNotIn(run.state, ("failed", "running"))
            held = run.document_ids.filtered(lambda each: each.state == "held")
            self.case.assertTrue(run.state == "attention" or not held, run.name)

    def check_known(self):
        """What was received is billed, or waits, or the bookkeeper knows."""
        known = {}
        for part in self.copaco.parts:
            when, content = self.received.get(part, (0, {}))
            for charge in set(part.charges) & content.keys():
                known[charge] = max(known.get(charge, (0, 0)), (when, content[charge]))
        for charge, (_when, amount) in known.items():
            self.check_charge(charge, amount)

    def check_removed(self):
        """All that Copaco has was asked for: what it has no longer is not billed, or
        waits."""
        for charge in self.copaco.charges:
            if not self.copaco.has(charge):
                self.check_charge(charge, Decimal(0))

    def check_charge(self, charge, amount):
        billed = self.found_amounts[charge]
        is_there = charge in self.found_billed
        if charge in self.by_hand:
            is_right = abs(billed - amount) <= HALF_CENT
        else:
            is_right = billed == amount and (is_there or not self.copaco.has(charge))
        is_waiting = charge in self.waiting_charges
        self.case.assertTrue(
            is_right or is_waiting or self.told.get(charge) == amount,
            f"nobody is told of {charge}: {amount} was received, {billed} is billed",
        )

    def check_settled(self):
        for run in self.env["copaco.run"].search([]):
            self.case.assertIn(run.state, ("done", "empty"), run.name)
        for charge in self.copaco.charges:
            self.check_charge(charge, self.copaco.get_amount(charge))


def get_amount(moves):
    """:return: what invoices say, less what credit notes say, without tax"""
    amounts = moves.mapped("amount_untaxed_in_currency_signed")
    return Decimal(f"{sum(amounts):.2f}")
