from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.copaco_setup_mixin import SETUP_STEPS


class CopacoSetup(models.TransientModel):
    """From an installed addon to the first preview; every step is kept on the
    connection, so it can be left and gone on with."""

    _name = "copaco.setup"
    _inherit = "copaco.api.key.mixin"
    _description = "Set Up Copaco"

    company_id = fields.Many2one(related="connection_id.company_id")
    step = fields.Selection(SETUP_STEPS, required=True, default="key")
    api_key_hint = fields.Char(related="connection_id.api_key_hint")
    api_key_expiry = fields.Date(related="connection_id.api_key_expiry", readonly=False)
    base_url = fields.Char(related="connection_id.base_url", readonly=False)
    test_error = fields.Text(readonly=True)
    tested_at = fields.Datetime(related="connection_id.tested_at")
    access_message = fields.Text(related="connection_id.access_message")
    is_source_proposed = fields.Boolean(related="connection_id.is_source_proposed")
    source = fields.Selection(related="connection_id.source", readonly=False)
    journal_id = fields.Many2one(related="connection_id.journal_id", readonly=False)
    product_id = fields.Many2one(related="connection_id.product_id", readonly=False)
    payment_term_id = fields.Many2one(
        related="connection_id.payment_term_id", readonly=False
    )
    invoice_policy = fields.Selection(
        related="connection_id.invoice_policy", readonly=False
    )
    goods_tax_warning = fields.Text(related="connection_id.goods_tax_warning")
    typical_customers = fields.Html(related="connection_id.typical_customers")
    import_from = fields.Date(related="connection_id.import_from", readonly=False)
    fetched_until = fields.Date(related="connection_id.fetched_until")
    responsible_id = fields.Many2one(
        related="connection_id.responsible_id", readonly=False
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_connections(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_connections([vals])
        # Another server takes the key away: its own key is set after it.
        if "base_url" in vals and "api_key" in vals:
            vals = dict(vals)
            super().write({"base_url": vals.pop("base_url")})
        return super().write(vals)

    # === ACTION METHODS === #

    @api.model
    def action_open(self):
        """Set up the connection that is open, or the first one of the user's company
        that has not fetched yet; create one when there is none.

        :return: the dialog, at the step that is next
        :raise AccessError: when the user may not set connections up
        """
        Connection = self.env["copaco.connection"]
        Connection.check_access("write")
        if self.env.context.get("active_model") == Connection._name:
            connection = Connection.browse(self.env.context.get("active_id"))
        else:
            connections = Connection.search([("company_id", "=", self.env.company.id)])
            unready = connections.filtered(lambda each: not each.fetched_until)
            connection = (unready or connections)[:1] or Connection.create({})
        step = connection._get_setup_step()
        return self.create({"connection_id": connection.id, "step": step})._show()

    def action_next(self):
        """Go to the next step; the connection is tested on the way to its result.

        :return: the dialog
        :raise UserError: when this step isn't done
        """
        self.ensure_one()
        connection = self.connection_id
        if self.step == "key" and not connection.api_key_hint:
            raise UserError(
                self.env._(
                    "Connection %(connection)s has no API key yet. Enter the one that "
                    "you created in Copaco's portal.",
                    connection=connection.name,
                )
            )
        if self.step == "test" and connection._get_setup_step() == "test":
            raise UserError(
                self.env._(
                    "Connection %(connection)s can't fetch its source yet. Do what the "
                    "result of the test says, then test again.",
                    connection=connection.name,
                )
            )
        self._go(1)
        if self.step == "test" and not connection.tested_at:
            return self.action_test()
        return self._show()

    def action_back(self):
        """:return: the dialog at the step before"""
        self.ensure_one()
        self._go(-1)
        return self._show()

    def action_test(self):
        """Test the connection; what that says is shown in the dialog.

        :return: the dialog
        """
        self.ensure_one()
        try:
            self.connection_id.action_test_connection()
        except UserError as error:
            self.test_error = str(error)
        else:
            self.test_error = False
        return self._show()

    def action_use_customer_invoices(self):
        """See `copaco.connection.action_use_customer_invoices`.

        :return: the dialog
        """
        self.connection_id.action_use_customer_invoices()
        return self._show()

    def action_use_services(self):
        """See `copaco.connection.action_use_services`.

        :return: the dialog
        """
        self.connection_id.action_use_services()
        return self._show()

    def action_try_examples(self):
        """:return: see `copaco.preview.action_try_examples`"""
        return self._create_preview().action_try_examples()

    def action_preview(self):
        """:return: see `copaco.preview.action_preview`"""
        return self._create_preview().action_preview()

    # === BUSINESS METHODS === #

    def _check_connections(self, vals_list):
        """:raise AccessError: when the user may not set up a connection that is chosen:
        what the dialog shows of it, Odoo reads whoever asks"""
        ids = [vals["connection_id"] for vals in vals_list if vals.get("connection_id")]
        self.env["copaco.connection"].browse(ids).check_access("write")

    def _show(self):
        return self._get_records_action(name=self.env._("Set Up Copaco"), target="new")

    def _go(self, distance):
        steps = [step for step, _label in SETUP_STEPS]
        index = steps.index(self.step) + distance
        self.step = steps[min(max(index, 0), len(steps) - 1)]
        self.connection_id.sudo().setup_step = self.step

    def _create_preview(self):
        return self.env["copaco.preview"].create(
            {"connection_id": self.connection_id.id}
        )
