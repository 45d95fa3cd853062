from odoo import api, fields, models
from odoo.tools import SQL

from .copaco_customer import CONTACT_FIELDS

# New documents are stored when they have so many lines together, and then forgotten:
# what is in memory doesn't grow with the answer.
LINES_AT_A_TIME = 200

# By these an answer is known to be the same as one before.
TOLD_FIELDS = ("payload_digest", "payload_id", "seen_ids", "seen_state", "stored_at")

# What the documents of an answer are like, as far as it matters when it is read again:
# as long as this is the same, the same answer makes nothing of them.
_SEEN_STATE = """
    SELECT md5(json_agg(json_build_array(
                   document.id, document.payload_digest, document.currency_id,
                   document.totals_difference,
                   document.state = 'held'
                   AND document.hold_reason = 'source_totals_differ',
                   %(contact)s, version.contents
               ) ORDER BY document.id)::text)
      FROM copaco_document document
 LEFT JOIN copaco_customer customer ON customer.id = document.customer_id
 LEFT JOIN LATERAL (
               SELECT json_agg(json_build_array(id, state, payload_digest) ORDER BY id)
                      AS contents
                 FROM copaco_document_version
                WHERE document_id = document.id
           ) version ON true
     WHERE document.id = ANY(%(ids)s)"""


class CopacoRun(models.Model):
    """What an answer becomes: documents that are new, known, changed or gone."""

    _inherit = "copaco.run"

    payload_digest = fields.Char(readonly=True, index="btree_not_null")
    seen_ids = fields.Json(
        help="The ids of all documents of the answer, when all of it could be read."
    )
    seen_state = fields.Char(help="What these documents were like then.")

    @api.model
    def default_get(self, fields):
        # A default, of a user or a context, would also get past `sudo()`.
        return super().default_get([name for name in fields if name not in TOLD_FIELDS])

    def _store(self, response):
        """Make or refresh the documents of an answer; nothing is committed.

        :param response: a `ParsedResponse`
        """
        Document = self.env["copaco.document"]
        company = self.company_id
        customers = self.env["copaco.customer"]._get_or_create(
            company, [head.customer for head in response.heads]
        )
        known = Document._get_known(company, self.kind, response.heads, customers)
        currencies, unread = {}, []
        totals = {"received": [0, 0, 0.0], "unchanged": [0, 0, 0.0]}
        new_vals_list, new_ids, seen = [], [], []
        created_vals = self._prepare_created_values()
        for source in response.documents:
            code = source.currency
            if code not in currencies:
                currencies[code] = Document._get_currency(code)
            currency = currencies[code]
            if source.error:
                unread.append(source.invoice_number)
            counted_as = ["received"]
            document = known.get(Document._get_source_key(source, customers))
            if document:
                seen.append(document)
            if document and document._is_known_content(source.digest):
                counted_as.append("unchanged")
                document._drop_pending_unless(source.digest)
                document._receive_totals(source)
            else:
                vals = Document._prepare_source_values(
                    source, self, customers, currency
                )
                if document:
                    document._receive_new_content(source, vals)
                else:
                    new_vals_list.append({**vals, **created_vals})
            figures = 1, len(source.lines), Document._get_amount(source, currency)
            for name in counted_as:
                totals[name] = list(map(sum, zip(totals[name], figures, strict=True)))
            if sum(vals["line_count"] for vals in new_vals_list) >= LINES_AT_A_TIME:
                new_ids += Document._store(new_vals_list)
                new_vals_list = []
        new_ids += Document._store(new_vals_list)
        seen = Document.union(*seen)
        # What was rejected may be any of those that are missing.
        self._note_missing(seen, None if response.rejected else unread)
        used = [currency for code, currency in currencies.items() if code]
        rejected_payload = "\n\n".join(
            f"{rejected.reason}\n{rejected.payload}" for rejected in response.rejected
        )
        is_read = not response.rejected and not unread
        self.write(
            {
                **self._prepare_counts(totals),
                "stored_at": fields.Datetime.now(),
                "currency_id": (len(used) == 1 and used[0] or company.currency_id).id,
                "has_several_currencies": len(used) > 1,
                "rejected_count": len(response.rejected),
                "rejected_payload": rejected_payload,
                "is_unread": bool(rejected_payload)
                and not self._has_acknowledged(rejected_payload),
                "seen_ids": is_read and [*seen.ids, *new_ids],
            }
        )
        if self.seen_ids:
            self.seen_state = self._get_seen_state()
        self._end_storing()

    def _store_same(self, digest):
        """Store an answer that is the very same as one before, when nothing of what
        that one made has changed since: there is nothing to be read.

        :param digest: of the bytes of the answer
        :return: whether that was so
        """
        self.ensure_one()
        twin = self.search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("kind", "=", self.kind),
                ("origin", "=", self.origin),
                ("payload_digest", "=", digest),
                ("payload_id", "!=", False),
                ("seen_state", "!=", False),
                ("stored_at", "!=", False),
                ("id", "!=", self.id),
            ],
            order="stored_at desc, id desc",
            limit=1,
        )
        if not twin or twin._get_seen_state() != twin.seen_state:
            return False
        received = twin.received_count, twin.received_line_count, twin.amount_received
        self._note_missing(self.env["copaco.document"].browse(twin.seen_ids), [])
        self.write(
            {
                **self._prepare_counts({"received": received, "unchanged": received}),
                "stored_at": fields.Datetime.now(),
                "currency_id": twin.currency_id.id,
                "has_several_currencies": twin.has_several_currencies,
                "payload_id": twin.payload_id.id,
                "payload_digest": digest,
                "payload_size": twin.payload_size,
                "seen_ids": twin.seen_ids,
                "seen_state": twin.seen_state,
            }
        )
        self._end_storing()
        return True

    def _end_storing(self):
        self._refresh_state()
        if self.date_from and self.date_to:
            self.connection_id._advance()

    @api.model
    def _prepare_counts(self, totals):
        """:param totals: documents, lines and amount of what was received, and of what
        of it was unchanged, by these names"""
        received, unchanged = totals["received"], totals["unchanged"]
        return {
            "received_count": received[0],
            "received_line_count": received[1],
            "amount_received": received[2],
            "unchanged_count": unchanged[0],
            "unchanged_line_count": unchanged[1],
            "amount_unchanged": unchanged[2],
            "new_count": received[0] - unchanged[0],
        }

    def _get_seen_state(self):
        """:return: a digest of what the documents of the answer are like now"""
        for name in ("copaco.document", "copaco.document.version", "copaco.customer"):
            self.env[name].flush_model()
        query = SQL(
            _SEEN_STATE,
            contact=SQL(", ").join(
                SQL.identifier("customer", name) for name in CONTACT_FIELDS
            ),
            ids=self.seen_ids,
        )
        return self.env.execute_query(query)[0][0]

    def _note_missing(self, seen, unread):
        """Note what came again, and what came once and is not in this answer although
        it must have been; nothing is deleted.

        :param seen: the `copaco.document` records that had come before, and came again
        :param unread: invoice numbers of what could not be read; None: they are unknown
        """
        if not self.date_from:
            return
        seen._note_seen(self)
        if unread is None:
            return
        self.env["copaco.document"].search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("kind", "=", self.kind),
                # One answer that must have it: of several, Copaco may leave out what
                # lies where they touch.
                ("created_origin", "=", self.origin),
                ("created_from", ">=", self.date_from),
                ("created_to", "<=", self.date_to),
                ("missing_state", "=", False),
                ("run_id", "!=", self.id),
                # Another fetch may have asked later, and stored earlier.
                ("create_date", "<=", self.started_at),
                ("id", "not in", seen.ids),
                ("invoice_number", "not in", unread),
            ]
        )._report_missing(self)

    def _prepare_created_values(self):
        """:return: values of a document that comes first with this run: when Copaco
        created it, as far as it can be known"""
        return {
            "created_from": self.date_from,
            "created_to": self.date_to,
            "created_origin": self.date_from and self.origin,
        }

    def _has_acknowledged(self, rejected_payload):
        """Whether a person has already looked at the very same unreadable text, which
        comes again with each fetch of the overlap."""
        return bool(
            self.search_count(
                [
                    ("connection_id", "=", self.connection_id.id),
                    ("rejected_payload", "=", rejected_payload),
                    ("is_unread", "=", False),
                    ("id", "!=", self.id),
                ],
                limit=1,
            )
        )
