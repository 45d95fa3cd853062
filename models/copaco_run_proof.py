from odoo import api, fields, models
from odoo.tools import float_compare


class CopacoRun(models.Model):
    """The proof: everything that a run brought is in exactly one place (promise 2)."""

    _inherit = "copaco.run"

    # What arrived, counted from the answer itself, before anything was stored.
    received_count = fields.Integer(string="Documents Received", readonly=True)
    received_line_count = fields.Integer(string="Lines Received", readonly=True)
    amount_received = fields.Monetary(readonly=True)
    unchanged_count = fields.Integer(string="Already Known", readonly=True)
    unchanged_line_count = fields.Integer(string="Lines Already Known", readonly=True)
    amount_unchanged = fields.Monetary(string="Amount Already Known", readonly=True)
    new_count = fields.Integer(string="New Documents", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    has_several_currencies = fields.Boolean(readonly=True)
    # Where it is now, see `copaco.reconciliation`.
    waiting_count = fields.Integer(string="Documents Waiting", compute="_compute_proof")
    invoiced_count = fields.Integer(
        string="Documents Invoiced", compute="_compute_proof"
    )
    held_count = fields.Integer(string="Documents Held", compute="_compute_proof")
    excluded_count = fields.Integer(
        string="Documents Excluded", compute="_compute_proof"
    )
    replaced_count = fields.Integer(
        string="Documents Replaced",
        compute="_compute_proof",
        help="A later run brought a newer version, or a person kept the older one.",
    )
    amount_waiting = fields.Monetary(compute="_compute_proof")
    amount_invoiced = fields.Monetary(
        compute="_compute_proof",
        help="What the invoices say, less what the credit notes say, without tax.",
    )
    amount_credited = fields.Monetary(
        compute="_compute_proof",
        help="What a person credited by credit notes on the invoices, drafts included.",
    )
    amount_edited = fields.Monetary(
        compute="_compute_proof",
        help="What a person took off the invoices, or, below zero, added to them.",
    )
    amount_unexplained = fields.Monetary(
        compute="_compute_proof",
        help="What the invoices say less, or, below zero, more than Copaco, although "
        "nobody changed them.",
    )
    amount_held = fields.Monetary(compute="_compute_proof")
    amount_excluded = fields.Monetary(compute="_compute_proof")
    amount_replaced = fields.Monetary(compute="_compute_proof")
    proof = fields.Html(compute="_compute_proof_table", sanitize=False)
    is_proven = fields.Boolean(
        string="The Proof Holds",
        compute="_compute_proof",
        help="Received = invoiced + credited by hand + changed by hand + held + "
        "excluded + waiting + replaced + already known, in documents, lines and "
        "cents; and nothing is unexplained.",
    )
    proof_problem = fields.Text(
        compute="_compute_proof", help="Why the proof does not hold, and what to do."
    )

    @api.depends(
        "received_count",
        "received_line_count",
        "amount_received",
        "unchanged_count",
        "unchanged_line_count",
        "amount_unchanged",
        "document_ids.state",
        "document_ids.run_id",
        "document_ids.move_id.state",
        "document_ids.move_id.amount_untaxed",
        "version_ids.state",
    )
    def _compute_proof(self):
        proofs = self.env["copaco.reconciliation"]._reconcile_runs(self)
        buckets = {
            "waiting": ("waiting",),
            "invoiced": ("posted", "draft"),
            "credited": ("credited",),
            "edited": ("edited",),
            "unexplained": ("unexplained",),
            "held": ("held",),
            "excluded": ("excluded",),
            "replaced": ("replaced",),
        }
        for run, proof in proofs.items():
            for name, parts in buckets.items():
                count, _lines, amount = proof.get_total(*parts)
                run[f"amount_{name}"] = amount
                if f"{name}_count" in run._fields:
                    run[f"{name}_count"] = count
            count, lines, amount = proof.get_total()
            adds_up = (
                count + run.unchanged_count == run.received_count
                and lines + run.unchanged_line_count == run.received_line_count
                # Floats of a thousand billion have no fourth decimal.
                and float_compare(amount + run.amount_unchanged, run.amount_received, 3)
                == 0
            )
            run.proof_problem = self.env["copaco.reconciliation"]._get_problem(
                proof, adds_up
            )
            run.is_proven = not run.proof_problem

    @api.depends("is_proven", "amount_invoiced", "held_count", "excluded_count")
    def _compute_proof_table(self):
        proofs = self.env["copaco.reconciliation"]._reconcile_runs(self)
        for run, proof in proofs.items():
            run.proof = self.env["copaco.reconciliation"]._render(
                proof,
                run.currency_id or run.company_id.currency_id,
                (run.unchanged_count, run.unchanged_line_count, run.amount_unchanged),
            )
