"""A bookkeeper who knows every charge of `content_copaco`, and decides what waits."""

import re
from collections import Counter, defaultdict
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command

from ..client import parse_payload
from .content_charges import get_key, round_up
from .content_copaco import CHARGE

HALF_CENT = Decimal("0.005")


class Bookkeeper:
    """Presses the buttons of documents that wait.

    :ivar case: the test, a `CopacoCommon`
    :ivar copaco: `content_copaco.Copaco`
    :ivar told: what a charge costs by what the addon said, where the bookkeeper decided
        to bill the difference by hand
    :ivar by_hand: what was billed by hand of a charge
    :ivar uncorrected: documents that a correction was deleted of
    :ivar accepted: set of (document, charge) of which the bookkeeper said that another
        document may bill it, too
    """

    def begin(self, case, copaco):
        self.case = case
        self.copaco = copaco
        self.told = {}
        self.by_hand = {}
        self.hand_moves = case.env["account.move"]
        self.uncorrected = case.env["copaco.document"]
        self.accepted = set()
        self.log = []

    # What is there

    @property
    def env(self):
        return self.case.env

    @property
    def documents(self):
        return self.env["copaco.document"].search(
            [("root_company_id", "=", self.case.company.id)], order="id"
        )

    @property
    def waiting(self):
        return self.documents.filtered(
            lambda document: (
                document.state in ("held", "changed")
                or document.missing_state == "reported"
            )
        )

    def get_key(self, document):
        return get_key(document.invoice_number, document.customer_id.account_ref)

    def get_charge(self, line):
        return self.copaco.charges[int(line.vendor_details.removeprefix(CHARGE))]

    def get_lines(self, document):
        """:return: list of (charge, amount) that it is billed for, or would be"""
        return [
            (self.get_charge(line), Decimal(repr(line.extended_price)))
            for line in document._get_billed_lines().sorted("sequence")
        ]

    def get_pending(self, document):
        """:return: list of (charge, amount) that waits for a decision"""
        payload = document._get_pending_version().payload
        return [
            (self.get_charge(line), line.extended_price)
            for line in (parse_payload(payload).lines if payload else ())
        ]

    def get_shown(self, document):
        """:return: set of the charges that a person has to look at, to decide what
        becomes of a document; of one that changed or is gone, excluded ones too, and
        what the message names"""
        pending = dict(self.get_pending(document))
        if pending or document.missing_state:
            named = re.findall(rf"{CHARGE}(\d+)", document.hold_message or "")
            return {
                *pending,
                *map(self.get_charge, document.line_ids),
                *(self.copaco.charges[int(number)] for number in named),
            }
        return dict(self.get_lines(document)).keys()

    def get_billed(self):
        """:return: dict of lists of (document, amount) by charge"""
        billed = defaultdict(list)
        for document in self.documents:
            if document._get_live_invoice():
                for charge, amount in self.get_lines(document):
                    billed[charge].append((document, amount))
        return billed

    def get_billed_amounts(self):
        """:return: dict of what is billed, by hand too, by charge"""
        amounts = defaultdict(Decimal, self.by_hand)
        for charge, places in self.get_billed().items():
            amounts[charge] += sum(amount for _document, amount in places)
        return amounts

    def get_charges_elsewhere(self, document):
        """:return: set of the charges that are billed by other documents"""
        return {
            charge
            for charge, places in self.get_billed().items()
            if any(place != document for place, _amount in places)
        }

    # What is done

    def press(self, action, records, *arguments):
        """:return: why it was refused, or "" """
        self.log.append(f"  {action} on {records.mapped('display_name')}")
        records = records.with_user(self.case.billing_user).with_context(
            allowed_company_ids=self.case.companies.ids
        )
        refusal = self.case.get_refusal(records, action, *arguments)
        if refusal:
            self.log.append(f"    refused: {refusal}")
        return refusal

    def must_press(self, action, records, *arguments):
        if refusal := self.press(action, records, *arguments):
            self.case.fail(refusal)

    def decide(self, document, prefer_new=True):
        """Take one step towards the end of what waits."""
        self.log.append(
            f"  {document.name}: {document.state} {document.hold_reason or ''} "
            f"{document.missing_state or ''} {self.get_lines(document)} "
            f"pending {self.get_pending(document)}"
        )
        self.note_missing(document)
        if document.missing_state == "reported":
            self._decide_missing(document)
        elif document.state == "changed":
            self._decide_changed(document, prefer_new)
        else:
            getattr(self, f"_decide_{document.hold_reason}")(document)

    def _decide_missing(self, document):
        content, billed = dict(self.get_lines(document)), self.get_billed()
        for charge in content.keys() & billed.keys():
            # It has moved; what it costs there is told there.
            self.told.setdefault(charge, Decimal(0))
        self.must_press("action_acknowledge_missing", document)
        is_gone = not any(map(self.copaco.has, content))
        if document.state == "held" and is_gone:
            self.must_press("action_exclude", document, "Copaco took it back")

    def _is_outdated(self, document):
        """Whether what waits is older than what the document has."""
        po_number = (document.po_part or "") if document.is_po_part else None
        truth = Counter(self.copaco.get_content(self.get_key(document), po_number))
        if Counter(self.get_pending(document)) == truth:
            return False
        if Counter(self.get_lines(document)) == truth:
            return True
        return document._get_pending_version().run_id.trigger == "file"

    def _decide_changed(self, document, prefer_new):
        pending, own = self.get_pending(document), self.get_lines(document)
        if self._is_outdated(document):
            self._press_keep(document, own)
            # What waited has moved elsewhere since, and is not received there yet.
            self._note(dict(pending))
            return
        charges = {charge for charge, _amount in pending}
        elsewhere = self.get_charges_elsewhere(document)
        resting = self._get_resting(document)
        is_repeated = len(charges) < len(pending)
        if not prefer_new or self._get_decided(document) & resting:
            prefer_new = not resting
        invoice = document._get_live_invoice()
        if elsewhere & charges or is_repeated or not prefer_new:
            # There is no button for a part of it.
            self._keep(document, own, pending)
            return
        self._note_use(document)
        if invoice.state != "draft" or document._get_live_corrections():
            if pending or not document._get_pending_version().amount_source:
                self.must_press("action_correct", document)
            else:
                self._keep(document, own, pending)
        elif self.press("action_use_new_version", document):
            # An invoice that became a credit note, or has no line any more.
            self.delete(invoice)

    def _get_resting(self, document):
        """:return: set of the charges that have moved to a number that is not invoiced
        because of this document"""
        billed = self.get_charges_elsewhere(document)
        billed |= dict(self.get_pending(document)).keys()
        return {
            charge
            for charge, _amount in self.get_lines(document)
            if charge not in billed and self.copaco.has(charge)
        }

    def _keep(self, document, own, pending):
        lost = self.get_shown(document) - dict(pending).keys()
        self._press_keep(document, own)
        self._note(dict(own) | dict(pending))
        self._note_lost(lost)

    def _press_keep(self, document, own):
        """Keep the old version; what another document bills, too, is credited by hand.

        :param own: what is billed of it, see `get_lines`
        """
        doubled = dict(own).keys() & self.get_charges_elsewhere(document)
        self.must_press("action_keep_version", document)
        if document.state == "changed":
            self.case.assertEqual(document.hold_reason, "possible_double")
            self.must_press("action_invoice_anyway", document)
            self.accepted |= {(document, charge) for charge in doubled}
            self.told |= {charge: self.copaco.get_amount(charge) for charge in doubled}

    def _get_decided(self, document):
        """:return: set of the charges that a person decided not to bill as part of
        another document"""
        decided = set()
        for other in self.documents - document:
            lines = other.line_ids
            if other.state == "excluded" and not other.excluded_by_id:
                continue
            decided |= {self.get_charge(line) for line in lines if line.is_excluded}
            if other.state == "excluded":
                decided |= set(map(self.get_charge, lines))
            for version in other.version_ids.filtered(lambda v: v.state == "declined"):
                decided |= set(
                    map(self.get_charge, parse_payload(version.payload).lines)
                )
        return decided

    def _note(self, content):
        """What is billed of these charges is not what the addon says of them."""
        places, billed = self.get_billed(), self.get_billed_amounts()
        for charge, amount in content.items():
            is_current = self.copaco.has(charge) and amount == charge.amount
            if is_current and (charge not in places or billed[charge] != amount):
                self.told[charge] = amount

    def note_missing(self, document):
        """Whoever decides about a document knows that Copaco no longer has it."""
        if document.missing_state:
            self._note_lost(self.get_shown(document))

    def _note_lost(self, charges):
        """Copaco has these charges no longer where the addon says so."""
        for charge in charges:
            if not self.copaco.has(charge):
                self.told[charge] = Decimal(0)

    def _note_use(self, document):
        """What is billed by hand or elsewhere doesn't change with the invoice of a
        document whose new version is used."""
        costs = dict.fromkeys(self.get_shown(document), Decimal(0))
        costs |= self.get_pending(document)
        billed = set(self.by_hand)
        billed |= set(
            map(self.get_charge, document.line_ids - document._get_billed_lines())
        )
        self.told |= {charge: costs[charge] for charge in costs.keys() & billed}

    def _decide_source_changed(self, document):
        if not document._get_pending_version():
            self.must_press("action_retry", document)
        elif self._is_outdated(document):
            pending = self.get_pending(document)
            self.must_press("action_keep_version", document)
            self._note(dict(pending))
        elif self._get_decided(document) & self._get_resting(document):
            own, pending = self.get_lines(document), self.get_pending(document)
            self._keep(document, own, pending)
        else:
            self._note_lost(
                self.get_shown(document) - dict(self.get_pending(document)).keys()
            )
            self._note_use(document)
            self.must_press("action_use_new_version", document)

    def _decide_possible_double(self, document):
        elsewhere = self.get_charges_elsewhere(document)
        due, double = [], self.env["copaco.document.line"]
        for line in document._get_billed_lines().sorted("sequence"):
            charge = self.get_charge(line)
            amount = Decimal(repr(line.extended_price))
            if charge in elsewhere or charge in due or amount not in charge.amounts:
                double |= line
            else:
                due.append(charge)
        finder = self.env["copaco.duplicate.finder"]
        shown = double.browse().union(
            *(pair.line for pair in finder._get_pairs(document))
        )
        content = dict(self.get_lines(document))
        if not due:
            self.must_press("action_exclude_duplicates", document)
        elif not double:
            self.must_press("action_invoice_anyway", document)
        elif shown == double:
            self.must_press("action_invoice_new_lines", document)
        else:
            # There is no button for a part of it.
            self.must_press("action_exclude_duplicates", document)
        self._note(content)

    def _decide_customer_unknown(self, document):
        customer = document.customer_id
        if customer.suggested_partner_id:
            self.must_press("action_accept", customer)
            return
        # The contact that it truly is, if there is one.
        partner = self.case.partners[int(customer.customer_number[-1])]
        with self.case.committing(
            customer.with_user(self.case.billing_user)
        ) as committing:
            committing.partner_id = partner.id
        self.run_background()

    _decide_customer_ambiguous = _decide_customer_unknown

    def _decide_source_totals_differ(self, document):
        self.must_press("action_accept_lines", document)

    def _decide_invoice_deleted(self, document):
        self.must_press("action_retry", document)

    def _decide_payload_invalid(self, document):
        self.case.assertFalse(document._get_billed_lines(), document.hold_message)
        self.must_press("action_exclude", document, "It has no lines")

    def go_on_in_background(self):
        """A draft lost what a document of the other company waits for, so that the
        scheduled action was asked to do the rest."""
        action = self.env.ref("account_copaco.ir_cron_process")
        triggers = self.env["ir.cron.trigger"].sudo()
        self.case.assertTrue(triggers.search_count([("cron_id", "=", action.id)]))
        self.run_background()

    def run_background(self):
        with self.case.enter_registry_test_mode():
            self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
        self.env.invalidate_all()

    def on_move(self, action, move):
        """What a person does with an invoice; Odoo may refuse it."""
        self.log.append(f"  {action} {move.display_name} {move.id}")
        move = move.with_user(self.case.billing_user).with_context(
            allowed_company_ids=self.case.companies.ids
        )
        try:
            with self.env.cr.savepoint():
                getattr(move, action)()
                self.env.flush_all()
        except UserError as error:
            self.log.append(f"    refused: {error}")
            self.env.invalidate_all()

    def delete(self, move):
        self.uncorrected |= move.copaco_version_id.document_id
        self.on_move("unlink", move)

    def bill_by_hand(self, charge, amount):
        """Bill what no button can, or credit it."""
        amount = round_up(amount)
        self.log.append(f"  by hand: {charge} {amount}")
        self.by_hand[charge] = self.by_hand.get(charge, 0) + amount
        if not amount:
            return
        partner = self.case.partners[charge.customer]
        self.hand_moves |= self.env["account.move"].create(
            {
                "move_type": "out_refund" if amount < 0 else "out_invoice",
                "company_id": self.case.company.id,
                "partner_id": partner.id,
                "invoice_date": self.copaco.today,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "By hand",
                            "price_unit": abs(float(amount)),
                            "tax_ids": [Command.set(self.case.tax.ids)],
                        }
                    )
                ],
            }
        )

    # Until nothing waits

    def settle(self):
        """Decide everything that waits, then bill by hand what the addon had told that
        no button can."""
        for _attempt in range(8 * len(self.documents) + 8):
            if "new" in self.documents.mapped("state"):
                self.run_background()
            waiting = self.waiting
            if not waiting:
                break
            self.decide(waiting[0])
        self.case.assertFalse(self.waiting, "it never ends")
        places, billed = self.get_billed(), self.get_billed_amounts()
        for charge in self.copaco.charges:
            missing = self.copaco.get_amount(charge) - billed[charge]
            is_free = self.copaco.has(charge) and charge not in places
            if charge not in self.by_hand and (missing or is_free):
                self.case.assertEqual(
                    self.told.get(charge),
                    self.copaco.get_amount(charge),
                    f"nobody was told of {charge}, of which {billed[charge]} is billed",
                )
            if missing or is_free:
                self.bill_by_hand(charge, missing)
        self.told.clear()
