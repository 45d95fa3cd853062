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
    # Where it is now: counted anew from the documents whenever it is looked at, so
    # that it can't be remembered wrongly, and workers don't wait for each other.
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
        help="A later run brought a newer version before an invoice was made, or a "
        "person kept the older one.",
    )
    waiting_line_count = fields.Integer(compute="_compute_proof")
    invoiced_line_count = fields.Integer(compute="_compute_proof")
    held_line_count = fields.Integer(compute="_compute_proof")
    excluded_line_count = fields.Integer(compute="_compute_proof")
    replaced_line_count = fields.Integer(compute="_compute_proof")
    amount_waiting = fields.Monetary(compute="_compute_proof")
    amount_invoiced = fields.Monetary(compute="_compute_proof")
    amount_held = fields.Monetary(compute="_compute_proof")
    amount_excluded = fields.Monetary(compute="_compute_proof")
    amount_replaced = fields.Monetary(compute="_compute_proof")
    is_proven = fields.Boolean(
        string="The Proof Holds",
        compute="_compute_proof",
        help="Received = invoiced + held + excluded + waiting + replaced + already "
        "known, in documents, lines and cents.",
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
        "version_ids.state",
    )
    def _compute_proof(self):
        """Where everything is that this run brought; DESIGN promise 2."""
        bucket_by_state = {
            "new": "waiting",
            "invoiced": "invoiced",
            "changed": "invoiced",
            "held": "held",
            "excluded": "excluded",
        }
        bucket_by_version_state = {
            "pending": "held",
            "replaced": "replaced",
            "declined": "replaced",
        }
        buckets = ("waiting", "invoiced", "held", "excluded", "replaced")
        totals = {run: {bucket: [0, 0, 0.0] for bucket in buckets} for run in self}
        for model, bucket_of in (
            ("copaco.document", bucket_by_state),
            ("copaco.document.version", bucket_by_version_state),
        ):
            for run, state, *figures in self.env[model]._read_group(
                [("run_id", "in", self.ids)],
                ["run_id", "state"],
                ["__count", "line_count:sum", "amount_source:sum"],
            ):
                total = totals[run][bucket_of[state]]
                for index, figure in enumerate(figures):
                    total[index] += figure
        for run in self:
            for bucket, (count, lines, amount) in totals[run].items():
                run[f"{bucket}_count"] = count
                run[f"{bucket}_line_count"] = lines
                run[f"amount_{bucket}"] = amount
            count, lines, amount = map(sum, zip(*totals[run].values(), strict=True))
            run.is_proven = (
                count + run.unchanged_count == run.received_count
                and lines + run.unchanged_line_count == run.received_line_count
                and float_compare(amount + run.amount_unchanged, run.amount_received, 4)
                == 0
            )
