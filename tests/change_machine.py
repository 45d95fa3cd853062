"""What Copaco, a person and the buttons may do, for `test_change_machine`."""

import json
from random import Random

from odoo.exceptions import UserError
from odoo.fields import Command

from ..client import parse_documents
from .common import CREATED, CopacoCommon, copaco_invoice, price_line

AMOUNTS = ("10", "12", "5", "7.25", "-3", "0", "0.005")
PERSON = "A person's "
LAYOUTS = (
    {"section_by": "charge", "vendor_details": "note"},
    {"section_by": "subscription", "subsection_by": "charge", "zero_lines": "hide"},
    {"usage": "total", "zero_lines": "total", "line_text": "{title}"},
)


class Source:
    """What Copaco says of one document, now and before."""

    def __init__(self, random, number):
        self.random = random
        self.number = f"INV-{number}"
        self.account = f"A{number}"
        self.history = []
        self.current = None

    def change(self):
        """Say something else, or something that was said before."""
        if len(self.history) > 1 and self.random.random() < 0.4:
            self.current = self.random.choice(self.history)
            return
        self.current = self.make()
        self.history.append(self.current)

    def make(self):
        random = self.random
        header = {}
        if random.random() < 0.07:
            header["Currency"] = random.choice(("USD", "XXX"))
        if random.random() < 0.1:
            header["Date"] = random.choice(("20261120", "20261124"))
        lines = [self.make_line() for _ in range(random.choice((0, 1, 1, 2, 2, 3)))]
        if random.random() < 0.1:
            for line in lines:
                line["ExtendedPrice"] = line["UnitPrice"] = 0 - line["UnitPrice"]
        if lines and random.random() < 0.07:
            lines[-1]["ExtendedPrice"] = "a lot"
        element = copaco_invoice(
            self.number,
            self.account,
            lines,
            customer={"CustomerNumber": f"K-{self.account}"},
            **header,
        )
        if random.random() < 0.07:
            element["Totals"] = {"TotalExcludingVAT": 99}
        return element

    def make_line(self):
        line = price_line(
            self.random.choice(AMOUNTS), number=self.random.choice((1, 1, 2, 3))
        )
        if self.random.random() < 0.2:
            line["Description"] = "Other words\t & <b>more</b>\r\n"
        if self.random.random() < 0.2:
            line["VendorDetails"] = "details"
        if self.random.random() < 0.15:
            for name in ("LineId", "InvoiceRowHash"):
                line.pop(name)
        return line

    @property
    def document(self):
        """What the addon reads in it, see `SourceDocument`."""
        raw = json.dumps({"Invoices": [self.current]}, default=write_number)
        return parse_documents(raw.encode()).documents[0]


def add_one(_move, line):
    line.price_unit += 1


def write_number(number):
    return int(number) if number == int(number) else float(number)


class ChangeMachine(CopacoCommon):
    """Takes random steps; what they need to know is set by the test."""

    # How often each is done.
    OPERATIONS = {
        "copaco_changes": 8,
        "copaco_forgets": 1,
        "fetch_all": 2,
        "post": 6,
        "reset": 3,
        "reset_corrected": 2,
        "cancel": 2,
        "delete": 2,
        "edit_price": 2,
        "edit_words": 2,
        "remove_line": 1,
        "add_line": 1,
        "choose_partner": 1,
        "choose_ref": 1,
        "choose_layout": 1,
        "pay": 1,
        "credit": 0.5,
        "link_customer": 1,
        "exclude_customer": 0.5,
        "include_customer": 1,
        "press_retry": 3,
        "press_use_new": 4,
        "press_keep": 3,
        "press_correct": 6,
        "press_exclude": 1,
        "press_include": 2,
        "press_accept": 1,
        "press_fetch_again": 0.5,
        "press_acknowledge": 0.5,
    }

    # How many steps are taken; then a new reseller begins.
    EPISODE = 30

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.usd = cls.env.ref("base.USD")
        cls.usd.active = True
        cls.usd.rate_ids.unlink()
        cls.env["res.currency.rate"].create(
            {"name": "2020-01-01", "rate": 1.1, "currency_id": cls.usd.id}
        )
        cls.billing_user.group_ids += cls.env.ref("base.group_partner_manager")
        # To whom a person may invoice, or link, instead.
        cls.partner_b = cls.create_partner(
            property_payment_term_id=cls.create_payment_terms().id
        )

    def play_episodes(self, seed, steps, first=0):
        """:param seed: of all episodes, each of which has a number behind it
        :param steps: how many are taken in all, at least one episode's
        :param first: the number of the first episode
        """
        for episode in range(max(1, steps // self.EPISODE)):
            own_seed = f"{seed}.{first + episode}"
            self.log = [own_seed]
            with self.subTest(seed=own_seed):
                try:
                    self.play(own_seed, min(steps, self.EPISODE))
                except Exception as error:
                    story = "\n".join(self.log)
                    raise AssertionError(f"{error}\n{story}") from error

    def begin(self, seed, source_class, policies):
        """Let Copaco have two customers, whose invoices it sends for the first time.

        :param policies: of the connection, of which one is taken
        """
        self.random = Random(seed)
        self.simulator.invoices.clear()
        self.start = self.documents
        prefix = 10 * len(self.start)
        self.sources = [source_class(self.random, prefix + each) for each in range(2)]
        self.create_contacts()
        self.connection.invoice_policy = self.random.choice(policies)
        self.posted, self.person_lines, self.person_refs = {}, {}, {}
        # What a person made an invoice say more than it would.
        self.edits = {}
        self.declined = {}
        for source in self.sources:
            source.change()
        self.fetch_all()
        self.check()

    def process_in_background(self):
        """Some of what a fetch wakes up goes on in the background."""
        self.env.invalidate_all()
        if "new" in self.mine.mapped("state"):
            with self.enter_registry_test_mode():
                self.env.ref("account_copaco.ir_cron_process").method_direct_trigger()
            self.env.invalidate_all()

    def take_step(self):
        """Do what can be done now, and sometimes twice."""
        done = len(self.log)
        while len(self.log) < done + 2:
            del self.log[done:]
            name = self.random.choices(*zip(*self.OPERATIONS.items(), strict=True))[0]
            self.log.append(name)
            # Odoo commits before each, and so forgets which number was the last one;
            # the scheduled actions take numbers by a cursor of their own.
            self.env.cr.flush()
            self.env.cr.precommit.clear()
            getattr(self, name)()
        self.check()
        if self.random.random() < 0.1:
            getattr(self, name)()
            self.check()

    def pick(self, records):
        return self.random.choice(records) if records else records

    def pick_document(self, *states):
        """Mostly one on which the button is shown, but not always."""
        documents = self.mine
        fitting = documents.filtered(lambda document: document.state in states)
        return self.pick(fitting if self.random.random() < 0.9 else documents)

    @property
    def mine(self):
        return (self.documents - self.start).sudo()

    def get_moves(self, documents=None):
        documents = self.mine if documents is None else documents
        Move = self.env["account.move"].sudo()
        return Move.search(
            [
                "|",
                ("copaco_document_id", "in", documents.ids),
                ("copaco_version_id.document_id", "in", documents.ids),
            ],
            order="id",
        )

    def get_live(self, document):
        return self.get_moves(document).filtered(
            lambda move: move.state != "cancel" and not move.copaco_is_replaced
        )

    def copaco_changes(self):
        source = self.random.choice(self.sources)
        source.change()
        self.log.append(f"  {source.number}")
        if self.random.random() < 0.8:
            self.fetch_all()

    def copaco_forgets(self):
        source = self.random.choice(self.sources)
        source.current = None
        self.log.append(f"  {source.number}")

    def fetch_all(self):
        self.log.append("  fetched")
        self.simulator.invoices.clear()
        for source in self.sources:
            if source.current:
                self.simulator.add_invoice(source.current, created=CREATED)
        run = self.fetch()
        self.assertNotEqual(run.state, "failed", run.message)
        self.check_truth()

    # A person

    def try_it(self, action):
        """Do what a person does; Odoo may refuse it."""
        try:
            with self.env.cr.savepoint():
                action()
                self.env.flush_all()
        except UserError as error:
            self.log.append(f"  refused: {error}")
            self.env.invalidate_all()

    def pick_move(self, *states):
        move = self.pick(self.get_moves().filtered(lambda move: move.state in states))
        return move.with_user(self.billing_user).with_company(self.company)

    def on_move(self, action, *states):
        if move := self.pick_move(*states):
            self.log.append(f"  {move.id} {move.display_name}")
            self.try_it(lambda: action(move))

    def post(self):
        self.on_move(lambda move: move.action_post(), "draft")

    def reset(self):
        self.on_move(lambda move: move.button_draft(), "posted", "cancel")

    def reset_corrected(self):
        corrected = self.get_moves().copaco_version_id.document_id.move_id
        move = self.pick(corrected.filtered(lambda move: move.state == "posted"))
        if move:
            self.log.append(f"  {move.id} {move.display_name}")
            self.try_it(move.with_user(self.billing_user).button_draft)

    def cancel(self):
        self.on_move(lambda move: move.button_cancel(), "draft", "posted")

    def delete(self):
        self.on_move(lambda move: move.unlink(), "draft")

    def pay(self):
        def register(move):
            wizard = self.env["account.payment.register"].with_user(self.billing_user)
            wizard.with_context(
                active_model="account.move", active_ids=move.ids
            ).create({}).action_create_payments()

        self.on_move(register, "posted")

    def credit(self):
        self.on_move(lambda move: move._reverse_moves(cancel=True), "posted")

    def edit(self, change, remember=True):
        def edit(move):
            before = move.amount_untaxed_in_currency_signed
            lines = move.invoice_line_ids
            if change == add_one:
                lines = lines.filtered(lambda line: line.display_type == "product")
            line = self.pick(lines)
            line_id = line.id
            change(move, line)
            difference = move.amount_untaxed_in_currency_signed - before
            self.edits[move.id] = self.edits.get(move.id, 0) + difference
            if line.exists() and remember:
                self.person_lines[line_id] = self.read_line(line)
            else:
                self.person_lines.pop(line_id, None)

        self.on_move(edit, "draft")

    def read_line(self, line):
        return line.name, line.price_unit, line.quantity, line.move_id.id

    def edit_price(self):
        self.edit(add_one)

    def edit_words(self):
        self.edit(lambda _move, line: line.write({"name": f"{PERSON}words"}))

    def remove_line(self):
        self.edit(lambda _move, line: line.unlink())

    def add_line(self):
        vals = {"name": f"{PERSON}line", "price_unit": 4, "quantity": 1}
        self.edit(
            lambda move, _line: move.write(
                {"invoice_line_ids": [Command.create(vals)]}
            ),
            remember=False,
        )

    def choose_partner(self):
        self.on_move(
            lambda move: move.write({"partner_id": self.partner_b.id}), "draft"
        )

    def choose_ref(self):
        def choose(move):
            move.ref = f"{PERSON}reference"
            self.person_refs[move.id] = move.ref

        self.on_move(choose, "draft")

    def choose_layout(self):
        layout = self.random.choice((None, *LAYOUTS))
        self.log.append(f"  {layout}")
        self.connection.layout_id = layout and self.env["copaco.layout"].create(
            {"name": "Any", **layout}
        )

    # Buttons

    def press(self, action, *arguments, records=None):
        record = self.pick(self.mine) if records is None else records
        if not record:
            return
        self.log.append(f"  on {record.mapped('display_name')}")
        record = record.with_user(self.billing_user)
        refusal = self.get_refusal(record, action, *arguments)
        if refusal:
            self.log.append(f"  refused: {refusal}")
        return refusal

    def rebuild(self, action, *states):
        document = self.pick_document(*states)
        before = self.get_live(document)
        if not self.press(action, records=document) and document.move_id in before:
            # What was edited stays, and the rest follows Copaco.
            move = document.move_id
            others = sum(self.edits.get(each.id, 0) for each in before - move)
            if self.edits.get(move.id) or self.has_person_lines(move):
                self.edits[move.id] = self.get_difference(document) - others

    def has_person_lines(self, move):
        return any(line[3] == move.id for line in self.person_lines.values())

    def press_retry(self):
        self.rebuild("action_retry", "held", "invoiced")

    def press_use_new(self):
        self.rebuild("action_use_new_version", "held", "changed")

    def press_keep(self, document=None):
        document = document or self.pick_document("held", "changed")
        digest = document._get_pending_version().payload_digest
        if not self.press("action_keep_version", records=document) and digest:
            self.declined.setdefault(document, set()).add(digest)

    def press_correct(self):
        self.press("action_correct", records=self.pick_document("changed"))

    def press_exclude(self):
        records = self.pick_document("held")
        self.press("action_exclude", "Own use", records=records)

    def press_include(self):
        self.press("action_include", records=self.pick_document("excluded"))

    def press_accept(self):
        self.press("action_accept_lines")

    def press_fetch_again(self):
        self.press("action_fetch_again")

    def press_acknowledge(self):
        self.press("action_acknowledge_missing")

    def link_customer(self):
        customer = self.pick(self.mine.customer_id)
        if not customer.partner_id:
            self.press("action_create_contact", records=customer)

    def exclude_customer(self):
        self.press(
            "action_exclude", "Own use", records=self.pick(self.mine.customer_id)
        )

    def include_customer(self):
        self.press("action_include", records=self.pick(self.mine.customer_id))
