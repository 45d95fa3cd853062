from odoo import fields, models


class CopacoRun(models.Model):
    """What an answer becomes: documents that are new, known, changed or gone."""

    _inherit = "copaco.run"

    def _store(self, response):
        """Make or refresh the documents of an answer; nothing is committed.

        :param response: a `ParsedResponse`
        """
        Document = self.env["copaco.document"]
        company = self.company_id
        customers = self.env["copaco.customer"]._get_or_create(
            company, [source.customer for source in response.documents]
        )
        known = Document._get_known(company, self.kind, response.documents, customers)
        currencies = Document._get_currencies(response.documents)
        totals = {"received": [0, 0, 0.0], "unchanged": [0, 0, 0.0]}
        new_vals_list, seen = [], []
        created_vals = self._prepare_created_values()
        for source in response.documents:
            vals = Document._prepare_source_values(source, self, customers, currencies)
            counted_as = ["received"]
            document = known.get(Document._get_source_key(source, customers))
            if document:
                seen.append(document)
            if not document:
                new_vals_list.append({**vals, **created_vals})
            elif document._is_known_content(source.digest):
                counted_as.append("unchanged")
                document._drop_pending_unless(source.digest)
                document._receive_totals(vals)
            else:
                document._receive_new_content(source, vals)
            for name in counted_as:
                for index, field in enumerate((None, "line_count", "amount_source")):
                    totals[name][index] += vals[field] if field else 1
        Document._store(new_vals_list)
        self._note_missing(response, Document.union(*seen))
        used = {source.currency for source in response.documents if source.currency}
        rejected_payload = "\n\n".join(
            f"{rejected.reason}\n{rejected.payload}" for rejected in response.rejected
        )
        self.write(
            {
                "stored_at": fields.Datetime.now(),
                "currency_id": (
                    currencies.get(next(iter(used)), company.currency_id)
                    if len(used) == 1
                    else company.currency_id
                ).id,
                "has_several_currencies": len(used) > 1,
                "received_count": totals["received"][0],
                "received_line_count": totals["received"][1],
                "amount_received": totals["received"][2],
                "unchanged_count": totals["unchanged"][0],
                "unchanged_line_count": totals["unchanged"][1],
                "amount_unchanged": totals["unchanged"][2],
                "new_count": totals["received"][0] - totals["unchanged"][0],
                "rejected_count": len(response.rejected),
                "rejected_payload": rejected_payload,
                "is_unread": bool(rejected_payload)
                and not self._has_acknowledged(rejected_payload),
            }
        )
        self._refresh_state()
        if self.date_from and self.date_to:
            self.connection_id._advance()

    def _note_missing(self, response, seen):
        """Note what came again, and what came once and is not in this answer although
        it must have been; nothing is deleted.

        :param seen: the `copaco.document` records that had come before, and came again
        """
        if not self.date_from:
            return
        seen._note_seen(self)
        # One of the unreadable ones may be it.
        if not response.rejected:
            unread = {
                source.invoice_number for source in response.documents if source.error
            }
            self.env["copaco.document"].search(
                [
                    ("connection_id", "=", self.connection_id.id),
                    ("kind", "=", self.kind),
                    # One answer that must have it: of several, Copaco may leave out
                    # what lies where they touch.
                    ("created_origin", "=", self.origin),
                    ("created_from", ">=", self.date_from),
                    ("created_to", "<=", self.date_to),
                    ("missing_state", "=", False),
                    ("run_id", "!=", self.id),
                    # Another fetch may have asked later, and stored earlier.
                    ("create_date", "<=", self.started_at),
                    ("id", "not in", seen.ids),
                    ("invoice_number", "not in", list(unread)),
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
