from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import LazyTranslate

from ..client import (
    ENDPOINTS,
    Address,
    InvalidResponseError,
    NotFoundError,
    NotReleasedError,
    PermissionMissingError,
    SettingsError,
)
from ..const import DEFAULT_KIND, KINDS
from ..tools import FieldLabel, render_message, translate, translate_advice

_lt = LazyTranslate(__name__)

# What only the test of a connection writes.
TEST_FIELDS = ("tested_at", "access")
# What a test is of.
TESTED_FIELDS = {"base_url", "api_key", *(f"{name}_path" for name in ENDPOINTS)}
# What another path may help against.
PATH_ERRORS = (
    InvalidResponseError,
    NotFoundError,
    NotReleasedError,
    PermissionMissingError,
)


class CopacoSourceMixin(models.AbstractModel):
    """Where a connection fetches what customers have to pay, and what its key may see
    there, as far as it was tested."""

    _name = "copaco.source.mixin"
    _description = "Copaco Source"

    source = fields.Selection(
        [
            ("customer_invoices", "Customer-Invoices"),
            ("customer_specifications", "Customer specifications"),
        ],
        required=True,
        default="customer_specifications",
        help="What customers have to pay. Customer-Invoices also have the customer's "
        "own data and VAT; Copaco releases them on request.",
    )
    customer_invoice_path = fields.Char(
        string="Customer-Invoices",
        required=True,
        default=ENDPOINTS["customer_invoice"].path,
    )
    vat_check = fields.Selection(
        [
            ("hold", "Hold the document"),
            ("tell", "Say so on the invoice"),
            ("off", "Don't compare"),
        ],
        string="Other VAT Than Odoo's Tax",
        required=True,
        default="hold",
        help="What is done when the VAT that Copaco states is not the tax that Odoo "
        "computes, beyond the tolerance for totals. Copaco's VAT is never booked.",
    )
    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Terms of New Contacts",
        check_company=True,
        help="Of contacts that are created from what Copaco sent.",
    )
    tested_at = fields.Datetime(string="Last Test", readonly=True, copy=False)
    access = fields.Json(
        readonly=True,
        copy=False,
        help="By endpoint: granted, denied, unreleased, refused, absent or failed.",
    )
    access_message = fields.Text(
        string="Test Result", compute="_compute_access_message"
    )
    is_source_proposed = fields.Boolean(
        compute="_compute_access_message",
        help="The key may see Customer-Invoices, and they are not fetched.",
    )

    # === COMPUTE METHODS === #

    @api.depends("access", "source")
    @api.depends_context("lang")
    def _compute_access_message(self):
        tester = self.env["copaco.connection.tester"]
        for connection in self:
            connection.access_message = "\n".join(tester._describe_access(connection))
            connection.is_source_proposed = (
                connection.source != "customer_invoices"
                and (connection.access or {}).get("customer_invoice") == "granted"
            )

    # === CONSTRAINT METHODS === #

    @api.constrains("base_url", *(f"{name}_path" for name in ENDPOINTS))
    def _check_address(self):
        for connection in self:
            name = "base_url"
            try:
                address = Address(connection.base_url)
                for name in (f"{endpoint}_path" for endpoint in ENDPOINTS):
                    address.get_url(connection[name])
            except SettingsError as error:
                message = _lt(
                    '%(field)s of connection %(connection)s can\'t be "%(value)s": '
                    "%(error)s",
                    field=FieldLabel(connection._fields[name]),
                    connection=connection.name,
                    value=connection[name] or "",
                    error=translate(error.sentence),
                )
                raise ValidationError(render_message(self.env, message)) from None

    # === CRUD METHODS === #

    def write(self, vals):
        changed = self.browse()
        if "source" in vals:
            changed = self.filtered(lambda each: each.source != vals["source"])
        res = super().write(vals)
        changed.sudo().fetched_until = False
        for connection in changed:
            self.env["copaco.fetch.window"]._update_fetched_until(connection)
        if not TESTED_FIELDS.isdisjoint(vals):
            self.sudo().write(dict.fromkeys(TEST_FIELDS, False))
        return res

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Ask for Copaco's example invoices, trying the ways to send the key in turn,
        keep the way that the server takes, and ask for what would be fetched of today.

        :return: a notification
        :raise UserError: when the server takes none of them, or can't be reached
        """
        return self.env["copaco.connection.tester"]._test(self)

    def action_use_customer_invoices(self):
        """Fetch Customer-Invoices from now on."""
        self.write({"source": "customer_invoices"})

    # === BUSINESS METHODS === #

    def _get_endpoint(self):
        """:return: the one of `client.ENDPOINTS` that has what customers have to pay"""
        self.ensure_one()
        return KINDS[DEFAULT_KIND].get_endpoint(self.source)

    def _get_error_message(self, error, endpoint=""):
        """:param error: a `CopacoError`
        :param endpoint: the one of `client.ENDPOINTS` that was asked
        :return: message: what happened, of what at which path if that may be wrong, and
            what to do
        """
        values = {
            "connection": self.name,
            "error": translate(error.sentence),
            "advice": translate_advice(error),
        }
        if not endpoint or not isinstance(error, PATH_ERRORS):
            return _lt("Connection %(connection)s: %(error)s %(advice)s", **values)
        path = f"{endpoint}_path"
        return _lt(
            "Connection %(connection)s, %(endpoint)s at path %(path)s: %(error)s "
            "%(advice)s",
            endpoint=FieldLabel(self._fields[path]),
            path=self[path],
            **values,
        )
