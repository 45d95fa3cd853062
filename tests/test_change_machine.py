"""Copaco, a person and the buttons do anything in any order, and after each step the
promises must hold. It is random, and the same seed does the same."""

import json
import os

from odoo.tests import freeze_time, tagged

from .change_machine import ChangeMachine, Source

# More, or other ones, by the environment.
STEPS = int(os.environ.get("COPACO_MACHINE_STEPS", "60"))
SEED = os.environ.get("COPACO_MACHINE_SEED", "2")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-25 10:00:00")
class TestChangeMachine(ChangeMachine):
    """Promises 1 to 8, whatever Copaco, a person and the buttons do in any order."""

    def test_whatever_happens_the_promises_hold(self):
        self.play_episodes(SEED, STEPS)

    def play(self, seed, steps):
        self.own_digests = {}
        self.begin(seed, Source, ("draft", "draft", "post"))
        for _step in range(steps):
            self.take_step()
        self.settle()

    def create_contacts(self):
        for source in self.sources[: self.random.choice((1, 2))]:
            self.create_partner(name=source.account, ref=f"K-{source.account}")

    # A person

    def delete(self):  # pylint: disable=missing-return
        super().delete()
        self.note_restored()

    def cancel(self):  # pylint: disable=missing-return
        super().cancel()
        self.note_restored()

    def note_restored(self):
        """What was declined stays so when a correction is removed."""
        self.env.invalidate_all()
        for document in self.mine:
            self.own_digests[document] = document.payload_digest

    # What must hold

    def check(self):
        self.process_in_background()
        for document in self.mine:
            self.check_state(document)
            self.check_amount(document)
            if self.own_digests.get(document) != document.payload_digest:
                # A decision was about another content.
                self.declined.pop(document, None)
                self.own_digests[document] = document.payload_digest
        self.check_moves()
        runs = self.mine.run_id | self.mine.version_ids.run_id
        for run in runs:
            self.assertTrue(run.is_balanced)
            self.assertNotEqual(run.state, "running")

    def check_state(self, document):
        live = self.get_live(document)
        main = live.filtered("copaco_document_id")
        pending = document._get_pending_version()
        self.assertLessEqual(len(main), 1)
        self.assertLessEqual(len(pending), 1)
        self.assertEqual(document._get_live_corrections(), live - main)
        if document.state == "invoiced":
            self.assertEqual(document.move_id, main)
            self.assertTrue(main and not pending)
        elif document.state == "changed":
            self.assertEqual(document.move_id, main)
            self.assertTrue(main and pending and document.hold_message)
        elif document.state == "held":
            self.assertTrue(document.hold_reason and document.hold_message)
            self.assertNotIn("unexpected error", document.hold_message)
            self.assertFalse(live)
            if pending:
                self.assertEqual(document.hold_reason, "source_changed")
        else:
            self.assertEqual(document.state, "excluded")
            self.assertTrue(document.exclude_reason)
            self.assertFalse(live)
            self.assertFalse(pending)

    def get_difference(self, document):
        live = self.get_live(document)
        return round(
            sum(live.mapped("amount_untaxed_in_currency_signed"))
            - document.amount_source,
            2,
        )

    def check_amount(self, document):
        live = self.get_live(document)
        if not live:
            return
        expected = sum(self.edits.get(move.id, 0) for move in live)
        self.assertAlmostEqual(
            self.get_difference(document), expected, 2, "billed otherwise"
        )

    def check_moves(self):
        moves = self.get_moves()
        Line = self.env["account.move.line"].sudo()
        for line_id, was in list(self.person_lines.items()):
            if was[3] not in moves.ids:
                del self.person_lines[line_id]
                continue
            line = Line.browse(line_id).exists()
            self.assertTrue(line, "a person's line is gone")
            self.assertEqual(self.read_line(line), was)
        for move in moves:
            if move.id in self.person_refs:
                self.assertEqual(move.ref, self.person_refs[move.id])
        posted = {
            move.id: self.read_move(move) for move in moves if move.state == "posted"
        }
        for move_id, content in posted.items():
            if move_id in self.posted:
                self.assertEqual(content, self.posted[move_id])
        self.posted = posted

    def read_move(self, move):
        names = ("name", "quantity", "price_unit", "balance", "amount_currency")
        lines = move.line_ids.sorted("id")
        return (
            move.name,
            move.partner_id.id,
            move.invoice_date,
            move.ref,
            move.amount_total,
            [(*map(line.__getitem__, names), line.tax_ids.ids) for line in lines],
        )

    def check_truth(self):
        """After a fetch, what Copaco says now is what counts, or waits for a decision,
        unless a person has decided about exactly that."""
        self.env.invalidate_all()
        for source in self.sources:
            if not source.current:
                continue
            read = source.document
            document = self.mine.filtered(
                lambda document, source=source: document.invoice_number == source.number
            )
            self.assertEqual(len(document), 1)
            pending = document._get_pending_version()
            known = (pending or document).payload_digest
            if not pending and read.digest in self.declined.get(document, ()):
                continue
            self.assertEqual(known, read.digest, "what Copaco says is lost")

    def settle(self):
        """A person gets every document out of its state, with buttons alone."""
        self.log.append("settle")
        for source in self.sources:
            while not source.current or "a lot" in json.dumps(
                source.current, default=str
            ):
                source.change()
        self.press("action_include", records=self.mine.customer_id)
        for customer in self.mine.customer_id:
            if not customer.partner_id:
                self.press("action_create_contact", records=customer)
        self.fetch_all()
        for document in self.mine:
            self.settle_document(document)
            self.check()
            self.assertIn(document.state, ("invoiced", "excluded"))
        for run in self.mine.run_id | self.mine.version_ids.run_id:
            self.assertEqual(run.state, "done")

    def settle_document(self, document):
        if document.state == "changed":
            pending = document._get_pending_version()
            refusal = self.press("action_correct", records=document)
            if refusal:
                if pending.currency_id == document.currency_id:
                    self.fail(refusal)
                self.press_keep(document)
        elif document.hold_reason == "source_changed":
            self.press("action_use_new_version", records=document)
        if document.state == "held" and document.hold_reason == "source_totals_differ":
            self.press("action_accept_lines", records=document)
        if document.state == "held":
            self.press("action_retry", records=document)
        if document.state == "held":
            self.press("action_exclude", "No way", records=document)
