import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..client import (
    CopacoError,
    InvalidResponseError,
    TimedOutError,
    parse_documents,
)
from ..const import DEFAULT_KIND
from ..tools import open_window, render_message
from .copaco_preview_dry_run import Response
from .copaco_preview_outcome import IMPORTANCE

# A person waits: for Copaco, and then for all of it. Odoo's own limit for a request is
# 120 s, and what is found has to be written, too.
NETWORK_SECONDS = 30
PREVIEW_SECONDS = 50


class CopacoPreview(models.TransientModel):
    """What a fetch would do: everything, and then it is undone."""

    _name = "copaco.preview"
    _inherit = "copaco.fetch"
    _description = "Copaco Preview"

    company_id = fields.Many2one(related="connection_id.company_id", store=True)
    goods_tax_warning = fields.Text(related="connection_id.goods_tax_warning")
    typical_customers = fields.Html(related="connection_id.typical_customers")
    date_from = fields.Date(
        compute="_compute_date_from", store=True, readonly=False, precompute=True
    )
    source = fields.Selection(
        [
            ("period", "What Copaco has for this period"),
            ("examples", "Copaco's example invoices"),
            ("file", "File"),
        ],
        readonly=True,
    )
    file_name = fields.Char(string="File", readonly=True)
    upload_id = fields.Many2one("copaco.upload", readonly=True)
    computed_at = fields.Datetime(readonly=True)
    message = fields.Text(string="Not in This Preview", readonly=True)
    outcome_ids = fields.One2many("copaco.preview.outcome", "preview_id", readonly=True)
    document_ids = fields.One2many(
        "copaco.preview.document", "preview_id", readonly=True
    )

    warning_count = fields.Integer(compute="_compute_warning_count")

    # === COMPUTE METHODS === #

    @api.depends("document_ids.warnings")
    def _compute_warning_count(self):
        for preview in self:
            preview.warning_count = len(preview.document_ids.filtered("warnings"))

    @api.depends("connection_id")
    def _compute_date_from(self):
        for preview in self:
            # As the button Fetch does.
            connection = preview.connection_id
            chunks = connection and self.env["copaco.fetch.window"]._get_chunks(
                connection
            )
            preview.date_from = chunks[0][0] if chunks else fields.Date.today()

    @api.depends("source", "date_from", "date_to", "file_name")
    def _compute_display_name(self):
        sources = dict(self._fields["source"]._description_selection(self.env))
        for preview in self:
            if preview.source == "period":
                what = " – ".join(
                    format_date(self.env, day)
                    for day in (preview.date_from, preview.date_to)
                )
            else:
                what = preview.file_name or sources.get(preview.source, "")
            preview.display_name = self.env._("Preview: %(what)s", what=what)

    # === ACTION METHODS === #

    def action_preview(self):
        """Show what a fetch of this period would do, and do nothing.

        :return: the page with what it would do
        :raise UserError: when Copaco can't be asked, or doesn't respond
        """
        self._check_period()
        connection = self._get_connection()
        endpoint = connection._get_endpoint()
        chunks = self.env["copaco.fetch.window"]._get_chunks(
            connection, self.date_from, self.date_to
        )
        if not chunks:
            raise self.env["copaco.run.scheduler"]._get_future_error()
        started = time.monotonic()
        responses = []
        self.message = False
        for index, chunk in enumerate(chunks):
            try:
                seconds = started + NETWORK_SECONDS - time.monotonic()
                parsed = self._ask(seconds, endpoint, *chunk)
            except TimedOutError as error:
                if not responses:
                    raise self._get_user_error(error, endpoint) from None
                self.message = self._get_late_message(chunks[index:])
                break
            responses.append(Response(parsed, *chunk))
        return self._show("period", responses, started)

    def action_try_examples(self):
        """Show what an import of Copaco's fictional invoices would do. As nobody knows
        their customers, each gets a contact, which is undone with the rest.

        :return: see `action_preview`
        """
        self._get_connection()
        started = time.monotonic()
        parsed = self._ask(NETWORK_SECONDS, "example")
        self.message = False
        return self._show("examples", [Response(parsed)], started, create_contacts=True)

    def action_import_file(self):
        """Import the file of this preview.

        :return: see `copaco.upload.action_upload`
        :raise UserError: when it is not of a file, or that is gone
        """
        self.ensure_one()
        if not self.upload_id:
            raise UserError(
                self.env._(
                    "%(preview)s has no file to import. Upload the file again.",
                    preview=self.display_name,
                )
            )
        return self.upload_id.action_upload()

    def action_view_documents(self):
        """:return: the window action with everything in this preview"""
        return self._get_documents_action([("preview_id", "in", self.ids)])

    def action_view_warnings(self):
        """:return: the window action with the invoices that have warnings"""
        return self._get_documents_action(
            [("preview_id", "in", self.ids), ("warnings", "!=", False)]
        )

    # === BUSINESS METHODS === #

    def _preview_files(self, kind, raws):
        """Show what an upload would do, and do nothing.

        :param kind: a value of `copaco.run.kind`
        :param raws: dict of bytes by file name
        :return: see `action_preview`
        :raise UserError: when one of the files can't be read
        """
        self.ensure_one()
        self.connection_id._check_billing_access()
        started = time.monotonic()
        responses = []
        for file_name, raw in raws.items():
            try:
                responses.append(Response(parse_documents(raw)))
            except InvalidResponseError as error:
                run = self.env["copaco.run"].new(
                    {
                        "connection_id": self.connection_id.id,
                        "trigger": "file",
                        "file_name": file_name,
                    }
                )
                message = run._get_error_message(error)
                raise UserError(render_message(self.env, message)) from None
        return self._show("file", responses, started, kind=kind)

    def _get_connection(self):
        """:return: the connection, to be read as the import does
        :raise UserError: when there is no use in asking Copaco anything
        """
        self.ensure_one()
        connection = self.connection_id
        connection._check_billing_access()
        self.env["copaco.run.scheduler"]._check_ready(connection)
        return connection.sudo()

    def _ask(self, seconds, endpoint, *window):
        """:param seconds: that Copaco has to respond
        :param endpoint: one of `client.ENDPOINTS`
        :param window: its first and last day, if it has one
        :return: `ParsedResponse`
        :raise TimedOutError: when it takes longer
        :raise UserError: for every other error
        """
        try:
            with self.env["copaco.fetcher"]._get_client(
                self.connection_id.sudo(), max(seconds, 1)
            ) as client:
                # No transaction is open while the network is waited for: promise 10 in
                # doc/how_it_works.rst.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                return parse_documents(client.fetch(endpoint, *window))
        except TimedOutError:
            raise
        except CopacoError as error:
            raise self._get_user_error(error, endpoint) from None

    def _get_user_error(self, error, endpoint):
        message = self.connection_id._get_error_message(error, endpoint)
        return UserError(render_message(self.env, message))

    def _get_late_message(self, chunks):
        return self.env._(
            "Copaco did not respond in time for %(period)s, which a fetch would have "
            "received later. Preview a shorter period to see it.",
            period=" – ".join(
                format_date(self.env, day) for day in (chunks[0][0], chunks[-1][1])
            ),
        )

    def _show(self, source, responses, started, kind=DEFAULT_KIND, **options):
        """Carry the import of responses out, undo it, and show what it made.

        :param responses: list of `Response`
        :param started: `time.monotonic()` since when a person waits
        :param options: for `copaco.preview.dry.run._import`
        :return: the page
        """
        vals_list = self.env["copaco.preview.dry.run"]._import(
            self.connection_id, kind, responses, started + PREVIEW_SECONDS, **options
        )
        self._keep(source, vals_list)
        return open_window(self.env, "action_copaco_preview_result", res_id=self.id)

    def _keep(self, source, vals_list):
        """:param vals_list: what `copaco.preview.dry.run._import` returned"""
        preview = self.sudo()
        preview.outcome_ids.unlink()
        preview.document_ids.unlink()
        Document = self.env["copaco.document"].sudo()
        # Those that the dry run made were undone.
        existing = Document.browse(
            vals["document_id"] for vals in vals_list if vals.get("document_id")
        ).exists()
        existing_ids = set(existing.ids)
        for vals in vals_list:
            if vals.get("document_id") not in existing_ids:
                vals["document_id"] = False
            vals["line_ids"] = [
                Command.create(line) for line in vals.get("line_ids", ())
            ]
        preview.write(
            {
                "source": source,
                "computed_at": fields.Datetime.now(),
                "document_ids": [
                    Command.create(vals)
                    for vals in sorted(
                        vals_list,
                        key=lambda vals: IMPORTANCE.index(vals["outcome"]),
                    )
                ],
            }
        )
        preview.outcome_ids = [
            Command.create(vals) for vals in preview._prepare_outcomes()
        ]

    def _prepare_outcomes(self):
        """:return: list of values for `copaco.preview.outcome`, those that matter
        first"""
        order = (
            self.env["copaco.preview.document"]._fields["outcome"].get_values(self.env)
        )
        names = ("line_count", "amount_untaxed", "amount_tax", "amount_total")
        groups = self.env["copaco.preview.document"]._read_group(
            [("preview_id", "=", self.id)],
            ["outcome", "currency_id"],
            ["__count", "line_count:sum"]
            + [f"{name}_signed:sum" for name in names[1:]],
        )
        return [
            {
                "outcome": outcome,
                "currency_id": currency.id,
                "document_count": count,
                **dict(zip(names, figures, strict=True)),
            }
            for outcome, currency, count, *figures in sorted(
                groups, key=lambda group: order.index(group[0])
            )
        ]

    @api.model
    def _get_documents_action(self, domain):
        return open_window(self.env, "action_copaco_preview_document", domain=domain)
