from collections import defaultdict

from odoo import models
from odoo.tools import SQL, LazyTranslate, plaintext2html

from ..const import SALES_KINDS
from ..models.copaco_draft_mixin import CHECK_REASONS
from ..tools import (
    Amount,
    Charge,
    Joined,
    Month,
    avoid_compiling,
    compare_months,
    list_names,
    round_price,
)

_lt = LazyTranslate(__name__)

# What is billed to customers in the months of some documents, and in the last month
# before in which anything was: a row for each charge of a subscription, which is the
# same in both as long as it has its description.
_CHARGES = """
    WITH current AS (
        SELECT DISTINCT customer_id, date_trunc('month', invoice_date)::date AS month
          FROM copaco_document
         WHERE id = ANY(%(ids)s)
    ),
    billed AS (
        SELECT id, customer_id, currency_id,
               date_trunc('month', invoice_date)::date AS month
          FROM copaco_document
         WHERE customer_id IN (SELECT customer_id FROM current)
           AND kind IN %(sales)s AND state != 'excluded' AND line_count > 0
    ),
    compared AS (
        SELECT current.*, (SELECT max(billed.month)
                             FROM billed
                            WHERE billed.customer_id = current.customer_id
                              AND billed.month < current.month) AS before
          FROM current
    ),
    line AS (
        SELECT compared.customer_id, compared.month, compared.before,
               billed.month = compared.month AS is_now, billed.id AS document_id,
               billed.currency_id, line.subscription_ref, line.subscription_name,
               line.plan_name, line.plan_ref, line.description, line.amount,
               coalesce(nullif(line.subscription_ref, ''), line.subscription_name, '')
                   AS subscription,
               -- As `get_name_key` does.
               regexp_replace(lower(coalesce(line.charge_type, '')),
                              '[[:space:]_-]+', '', 'g') AS charge,
               coalesce(lower(line.billing_frequency), '') ~ '^(month|$)' AS is_monthly,
               CASE WHEN coalesce(line.unit_price, 0) = 0
                    THEN line.amount / nullif(line.quantity, 0)
                    ELSE line.unit_price
                         - coalesce(line.discount / nullif(line.quantity, 0), 0)
               END AS price
          FROM compared
          JOIN billed ON billed.customer_id = compared.customer_id
                     AND billed.month IN (compared.month, compared.before)
          JOIN copaco_document_line line ON line.document_id = billed.id
         WHERE line.is_excluded IS NOT TRUE
    )
    SELECT customer_id, month, before, is_now, currency_id, subscription, charge,
           concat_ws('|', plan_ref, description) AS service,
           min(coalesce(nullif(subscription_name, ''), nullif(plan_name, ''),
                        subscription_ref)) AS name,
           min(concat_ws(' – ', nullif(coalesce(nullif(plan_name, ''),
                                                subscription_name), ''),
                         nullif(description, ''))) AS line_name,
           sum(amount) AS amount, min(price) AS lowest, max(price) AS highest,
           bool_or(charge = 'cyclefee' AND is_monthly) AS is_recurring,
           array_agg(DISTINCT document_id) AS document_ids,
           -- Of one that has no id, its name tells, in the month before.
           is_now AND (coalesce(subscription_ref, '') = '' OR NOT EXISTS (
               SELECT
                 FROM copaco_document_line other
                 JOIN copaco_document document ON document.id = other.document_id
                WHERE other.subscription_ref = line.subscription_ref
                  AND document.customer_id = line.customer_id
                  AND document.kind IN %(sales)s
                  AND document.invoice_date < line.month)) AS is_unknown
      FROM line
  GROUP BY customer_id, month, before, is_now, currency_id, subscription,
           subscription_ref, charge, plan_ref, description"""

# Documents of whose customer nothing was confirmed yet for the contact's company.
_FIRST = """
    SELECT document.id
      FROM copaco_document document
      JOIN account_move move ON move.id = document.move_id
     WHERE document.id = ANY(%(ids)s)
       AND NOT EXISTS (
           SELECT
             FROM copaco_document other
             JOIN account_move confirmed ON confirmed.id = other.move_id
            WHERE other.customer_id = document.customer_id AND other.id != document.id
              AND other.kind IN %(sales)s AND confirmed.state = 'posted'
              AND confirmed.commercial_partner_id = move.commercial_partner_id)"""


class CopacoDraftChecker(models.AbstractModel):
    """What about an invoice keeps it from being confirmed without a person: what
    differs from the month before, and what is not certain."""

    _name = "copaco.draft.checker"
    _description = "Copaco Draft Checker"

    def _split_off_unusual(self, documents):
        """Leave the invoices drafts about which something stands out, and say so on
        them.

        :param documents: `copaco.document` records whose invoices are to be posted
        :return: those of which they may be
        """
        automation = self.env["copaco.automation"]
        found = self._find(
            documents.filtered(
                lambda each: automation._is_compared(
                    each.customer_id, each.connection_id
                )
            )
        )
        texts = defaultdict(list)
        for document, reasons in found.items():
            self._note(document, reasons)
            texts[document.move_id.id].append(document.check_message)
        bodies = {key: plaintext2html("\n".join(own)) for key, own in texts.items()}
        unusual = documents.browse().union(*found)
        if bodies:
            unusual.move_id._message_log_batch(bodies)
        return documents - unusual

    def _review(self, document):
        """Say anew what stands out about the draft invoice of a document, which Copaco
        changed: a person confirms it in any case."""
        if document.draft_reason not in dict(CHECK_REASONS):
            return
        self._note(document, self._find(document).get(document, []))

    def _note(self, document, reasons):
        """:param reasons: see `_find`"""
        document.check_message = Joined(tuple(text for _reason, text in reasons), "\n")
        if reasons:
            document.draft_reason = reasons[0][0]

    def _find(self, documents):
        """:param documents: `copaco.document` records with invoices
        :return: dict by document of a list of (reason of `copaco.draft.mixin`, message
            that says what it is, and what to do)
        """
        if not documents:
            return {}
        self.env.flush_all()
        avoid_compiling(self.env.cr)
        found = defaultdict(list)
        for document in documents:
            if document.amount_to_invoice < 0:
                found[document].append({"reason": "negative_total"})
        self._find_first(documents, found)
        self._find_differences(documents, found)
        order = [*dict(CHECK_REASONS)]
        return {
            document: [
                (each["reason"], self._get_message(document, **each))
                for each in sorted(
                    found[document], key=lambda each: order.index(each["reason"])
                )
            ]
            for document in documents
            if document in found
        }

    def _find_first(self, documents, found):
        rows = self.env.execute_query(SQL(_FIRST, ids=documents.ids, sales=SALES_KINDS))
        for (document_id,) in rows:
            document = documents.browse(document_id)
            found[document].append({"reason": "first_invoice"})
            if document.customer_id.match_method == "accepted":
                found[document].append({"reason": "likely_match"})

    # === THE MONTH BEFORE === #

    def _find_differences(self, documents, found):
        rows = self.env.execute_query_dict(
            SQL(_CHARGES, ids=documents.ids, sales=SALES_KINDS)
        )
        months = defaultdict(list)
        for row in rows:
            customer_id, month = row.pop("customer_id"), row.pop("month")
            before, row["amount"] = row.pop("before"), float(row["amount"])
            if before:
                months[customer_id, month, before].append(Charge(**row))
        connection = documents.connection_id
        for (_customer_id, _month, before), charges in months.items():
            for document_ids, figures in compare_months(
                charges, connection.jump_limit, connection.jump_amount
            ):
                figures["month"] = Month(before)
                for document in documents.filtered(
                    lambda each, ids=document_ids: each.id in ids
                ):
                    found[document].append(figures)

    # === WHAT A PERSON READS === #

    def _get_message(self, document, reason, **figures):
        """:param figures: what was found, see `compare_months`
        :return: message: what stands out about a document, and what to do
        """
        values = {
            "document": document.name,
            "customer": document.customer_id,
            "partner": document.move_id.partner_id,
            "own_currency": document.currency_id.name,
            **figures,
        }
        if "now" in figures:
            show = round_price if reason == "price_changed" else float
            values |= {
                name: Amount(show(figures[name]), document.currency_id)
                for name in ("now", "before")
            }
        if "names" in figures:
            values["names"] = list_names(figures["names"])
        if "currency_id" in figures:
            currency = self.env["res.currency"].browse(figures["currency_id"])
            values["currency"] = currency.name
        return {
            "first_invoice": _lt(
                "This is the first invoice of %(customer)s to %(partner)s. Check the "
                "contact and the lines, then confirm it.",
                **values,
            ),
            "negative_total": _lt(
                "%(document)s is a credit note. Check what it credits, then confirm "
                "it.",
                **values,
            ),
            "currency_changed": _lt(
                "%(document)s is in %(own_currency)s, and what %(customer)s was billed "
                "in %(month)s in %(currency)s. Check that the customer expects that, "
                "then confirm it.",
                **values,
            ),
            "total_differs": _lt(
                "%(customer)s is billed %(now)s without tax this month, and was billed "
                "%(before)s in %(month)s. Compare the lines, then confirm the invoice.",
                **values,
            ),
            "line_differs": _lt(
                "Lines of %(document)s that differ from %(month)s: %(count)s, most of "
                "all %(line)s: %(now)s instead of %(before)s. Check them, then confirm "
                "the invoice.",
                **values,
            ),
            "price_changed": _lt(
                "Prices on %(document)s that are not those of %(month)s: %(count)s, "
                "most of all %(line)s: %(now)s instead of %(before)s. Check them, then "
                "confirm the invoice.",
                **values,
            ),
            "subscription_new": _lt(
                "%(document)s bills subscriptions that were never billed before: "
                "%(names)s. Check that they were ordered, then confirm the invoice.",
                **values,
            ),
            "subscription_gone": _lt(
                "%(document)s does not bill subscriptions that were billed in "
                "%(month)s: %(names)s. Check that they ended, then confirm the "
                "invoice.",
                **values,
            ),
            "likely_match": _lt(
                "%(customer)s was linked to %(partner)s by a suggestion, and no "
                "invoice to that contact was confirmed yet. Check that it is the right "
                "one, then confirm the invoice.",
                **values,
            ),
        }[reason]
