import itertools
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL, LazyTranslate

from ..client import parse_payload
from ..const import get_side
from ..hold_reasons import Hold
from ..tools import (
    CHARGE_COLUMNS,
    avoid_compiling,
    find_repeated,
    get_text_key,
    is_same_amount,
    join_messages,
    list_names,
    name_invoice,
    write_charges,
    write_text_key,
)

_lt = LazyTranslate(__name__)

# How sure it is that two lines are the same charge.
SAME = "same"  # row hash, subscription, period and amount agree
LIKELY = "likely"  # without a row hash, or without a period, all else agrees
SUSPECT = "suspect"  # the row hash agrees, and something else doesn't
DECLINED = "declined"  # a person decided not to invoice it as part of another document

# A line is most like itself: its document is left out before anything else is read.
_IS_ELSEWHERE = "other.document_id != asked.document_id"
_IS_SAME_ID = f"{write_text_key('other.subscription_ref')} = asked.subscription_key"
_IS_SAME_SERVICE = (
    f"{_IS_ELSEWHERE} AND {_IS_SAME_ID} AND other.extended_price = asked.extended_price"
)

_LINE_QUERY = f"""
    WITH asked AS (
        SELECT *, {write_text_key("subscription_ref")} AS subscription_key
          FROM json_to_recordset(%(charges)s) AS asked ({CHARGE_COLUMNS})
    ),
    candidate AS MATERIALIZED (
        SELECT asked.key, other.id
          FROM asked
          JOIN copaco_document_line other
            ON {_IS_ELSEWHERE}
               AND other.row_hash = asked.row_hash AND other.row_hash != ''
     UNION ALL
        SELECT asked.key, other.id
          FROM asked
          JOIN copaco_document_line other
            ON {_IS_SAME_SERVICE}
         WHERE asked.row_hash = ''
     UNION ALL
        SELECT asked.key, other.id
          FROM asked
          JOIN copaco_document_line other
            ON {_IS_SAME_SERVICE}
         WHERE asked.row_hash != '' AND coalesce(other.row_hash, '') = ''
     UNION ALL
        -- Copaco promises no row hash that is the same at another endpoint.
        SELECT asked.key, other.id
          FROM asked
          JOIN copaco_document_line other
            ON {_IS_SAME_SERVICE}
          JOIN copaco_document document ON document.id = other.document_id
          JOIN copaco_run run ON run.id = document.run_id
         WHERE %(has_endpoints)s AND asked.row_hash != ''
           AND other.row_hash NOT IN ('', asked.row_hash)
           AND run.endpoint != asked.endpoint
    ),
    compared AS (
        SELECT asked.key, other.id AS line_id, document.id AS document_id,
               asked.row_hash != '' AND other.row_hash = asked.row_hash AS is_hash,
               {_IS_SAME_ID} AS is_subscription,
               other.date_start IS NOT DISTINCT FROM asked.date_start
               AND other.date_end IS NOT DISTINCT FROM asked.date_end AS is_period,
               other.date_start IS NOT NULL AND other.date_end IS NOT NULL
               AND asked.date_start IS NOT NULL AND asked.date_end IS NOT NULL
               AS has_period,
               -- A period may end on the day that the next one starts.
               coalesce((other.date_start >= asked.date_end
                         AND other.date_start > asked.date_start)
                        OR (asked.date_start >= other.date_end
                            AND asked.date_start > other.date_start), false)
               AS is_apart,
               other.extended_price = asked.extended_price
               AND document.currency_id IS NOT DISTINCT FROM asked.currency_id
               AS is_amount,
               {write_text_key("coalesce(other.description, '')")}
                   = {write_text_key("asked.description")}
               AND (asked.description != '' OR asked.subscription_key != '')
               AND other.quantity = asked.quantity
               AND (document.customer_id = asked.customer_id
                    OR partner.commercial_partner_id = asked.partner_id) AS is_service
          -- Apart (MATERIALIZED, OFFSET 0), or PostgreSQL goes through all lines, again
          -- and again, as long as it has no statistics of what was just stored.
          FROM (SELECT candidate.key, line.* FROM candidate
                  JOIN copaco_document_line line USING (id) OFFSET 0) other
          JOIN asked USING (key)
          JOIN copaco_document document ON document.id = other.document_id
     LEFT JOIN copaco_customer customer ON customer.id = document.customer_id
     LEFT JOIN res_partner partner ON partner.id = customer.partner_id
     LEFT JOIN account_move move ON move.id = document.move_id
         WHERE document.company_id = ANY(%(companies)s)
           AND document.kind = ANY(%(kinds)s)
           AND other.is_excluded IS NOT TRUE
           -- Of two that both wait, the later one is asked about, unless a person
           -- said that it is to be invoiced.
           AND (document.id < asked.document_id OR move.state != 'cancel'
                OR document.is_margin_only
                OR (document.is_no_double AND document.state IN ('new', 'held')))
           -- What is excluded by a rule is on another document that counts, or else
           -- kept for the margin.
           AND (document.state != 'excluded' OR document.excluded_by_id IS NOT NULL
                OR document.is_margin_only)
    ),
    judged AS (
        SELECT *, CASE WHEN is_hash AND is_subscription AND is_period AND has_period
                            AND is_amount THEN 'same'
                       WHEN is_period AND is_amount AND is_subscription
                            AND (is_hash OR is_service) THEN 'likely'
                       ELSE 'suspect' END AS evidence
          FROM compared
         WHERE NOT is_apart AND (is_hash OR (is_period AND is_amount AND is_service))
    )
    SELECT DISTINCT ON (key, document_id) key, line_id, evidence
      FROM judged
  ORDER BY key, document_id,
           array_position(ARRAY['same', 'likely', 'suspect'], evidence), line_id"""


class Exclusion(NamedTuple):
    """Why a document must not be invoiced, by a rule."""

    reason: object  # a message, see `tools.Message`


class Duplicate(NamedTuple):
    """A line that may be the same charge as another one."""

    line: object  # that was asked about: a `copaco.document.line` or a `DocumentLine`
    other: models.BaseModel  # `copaco.document.line`; DECLINED: `…declined.charge`
    evidence: str  # SAME, LIKELY, SUSPECT or DECLINED


class CopacoDuplicateFinder(models.AbstractModel):
    """Searches, and never writes: is the same charge, or the same invoice, there
    already? A line is the same charge wherever it stands in the books of a root company
    and on the same side, sales or purchase (promise 1 in doc/how_it_works.rst)."""

    _name = "copaco.duplicate.finder"
    _description = "Copaco Duplicate Finder"

    # === DOCUMENTS === #

    def _find(self, documents):
        """Find out which documents must not be invoiced (again) unasked.

        It takes the same few queries for any number of documents.

        :param documents: `copaco.document` records of one connection
        :return: dict by document, without those that nothing is known against: a
            `Hold`; an `Exclusion`; or the `account.move` that is its invoice already
        """
        asked = documents.filtered(lambda each: not each.is_no_double)
        if not asked:
            return {}
        verdicts = {}
        matcher = self.env["copaco.document.matcher"]
        invoices = self.env["copaco.invoice.finder"]._find(asked)
        lines = {document: list(document._get_billed_lines()) for document in asked}
        duplicates = self._find_lines(lines)
        declined = self._find_declined(lines, duplicates)
        finder = self.env["copaco.declined.finder"]
        for document in asked:
            pairs = duplicates[document]
            others = self._enumerate(self._get_documents(pairs), document)
            verdict = (
                self._get_twice_hold(document, lines[document])
                or finder._get_hold(document, declined[document], pairs, others)
                or self._judge_lines(document, pairs)
                or invoices.get(document)
                or document._get_missing_hold()
            )
            if verdict and not isinstance(verdict, Hold):
                # What Copaco's total has besides these lines would be lost.
                verdict = matcher._check_source_totals(document) or verdict
            if verdict:
                verdicts[document] = verdict
        return verdicts

    def _get_twice_hold(self, document, lines):
        """:return: a `Hold` when a document has the same charge twice, or None"""
        pairs = self._find_twice(lines)
        if not pairs:
            return None
        return Hold(
            "possible_double",
            _lt(
                "%(document)s has the same charge more than once: %(lines)s. Compare "
                "the lines under Possible Duplicates. Exclude the document, invoice "
                "only its new lines (each charge once), or press Invoice anyway when "
                "all of them have to be paid.",
                document=document.name,
                lines=list_names(pair.line.display_name for pair in pairs),
            ),
        )

    def _find_twice(self, lines):
        """:param lines: `copaco.document.line` or `DocumentLine` of one document
        :return: list of `Duplicate` of those that are the same charge as an earlier one
        """
        return [
            Duplicate(line, other, SAME if is_same_amount(line, other) else SUSPECT)
            for line, other in find_repeated(lines)
        ]

    def _judge_lines(self, document, duplicates):
        """:param duplicates: list of `Duplicate` of a document
        :return: a `Hold`, an `Exclusion`, or None"""
        if not duplicates:
            return None
        others = self._get_documents(duplicates)
        same = {each.line for each in duplicates if each.evidence == SAME}
        other_lines = document.line_ids.browse().union(
            *(duplicate.other for duplicate in duplicates)
        )
        if (
            len(same) == len(document._get_billed_lines())
            and not any(self._is_doubtful(document, other) for other in others)
            and not document._get_lines_beside(other_lines)
        ):
            return Exclusion(
                _lt(
                    "Each of its charges is on %(documents)s already.",
                    documents=self._enumerate(others, document),
                )
            )
        values = {
            "count": len({each.line for each in duplicates}),
            "total": len(document._get_billed_lines()),
            "document": document.name,
            "others": self._enumerate(others, document),
        }
        if values["count"] == values["total"]:
            message = _lt(
                "%(count)s of the %(total)s lines of %(document)s may be charges that "
                "are on %(others)s already. Compare them under Possible Duplicates. "
                "Exclude the document when they are the same, or press Invoice anyway.",
                **values,
            )
        else:
            message = _lt(
                "%(count)s of the %(total)s lines of %(document)s may be charges that "
                "are on %(others)s already. Compare them under Possible Duplicates. "
                "Exclude the document when they are the same, invoice only its new "
                "lines, or press Invoice anyway.",
                **values,
            )
        return Hold("possible_double", message)

    def _is_doubtful(self, document, other):
        """Whether a person has to say what it means that the charges of a document are
        on another one: that was excluded by a person or credited, was kept for the
        margin when no bills were made, or has the same number in other capitals, so
        that one may be a newer version of the other."""
        is_kept = other.is_margin_only
        return (
            other._is_excluded()
            and not (is_kept and document.connection_id.purchase_policy == "off")
            or get_text_key(other.invoice_number)
            == get_text_key(document.invoice_number)
            and other.invoice_number != document.invoice_number
            or self._is_credited(other)
        )

    def _is_credited(self, document, removed=()):
        """:param removed: credit notes that are about to go"""
        invoiced = document.move_id | document._get_live_corrections()
        credits = invoiced.reversal_move_ids
        return any(move.state != "cancel" and move not in removed for move in credits)

    def _enumerate(self, others, document):
        """:return: message with the names of documents that the charges of another one
        are on, and of their invoices"""
        return list_names(self._describe(other, document) for other in others)

    def _enumerate_excluded(self, others, document):
        """:return: message with the names of documents on which charges of another one
        are excluded"""
        return list_names(self._get_name(other, document) for other in others)

    def _get_name(self, other, document):
        is_same_customer = other.customer_id == document.customer_id
        return other._get_number() if is_same_customer else other.name

    def _describe(self, other, document):
        name = self._get_name(other, document)
        if other._is_excluded():
            return _lt("%(document)s (excluded)", document=name)
        if invoice := other._get_live_invoice():
            values = {"document": name, "invoice": name_invoice(invoice)}
            if self._is_credited(other):
                return _lt(
                    "%(document)s (invoice %(invoice)s, which was credited)", **values
                )
            return _lt("%(document)s (invoice %(invoice)s)", **values)
        return name

    # === LINES === #

    def _find_lines(self, asked):
        """Find the same charges elsewhere.

        :param asked: dict of lists of lines by `copaco.document`: its own, or those of
            a version of it
        :return: dict of lists of `Duplicate` by document, each line of the document and
            each other document at most once
        """
        result = {document: [] for document in asked}
        keys = [(document, line) for document in asked for line in asked[document]]
        if not keys:
            return result
        documents = self.env["copaco.document"].union(*asked)
        for name in ("document", "document.line", "customer", "run"):
            self.env[f"copaco.{name}"].flush_model()
        companies = documents._get_companies()
        kinds = get_side(documents[0].kind)
        self.env["account.move"].flush_model(["state"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        avoid_compiling(self.env.cr)
        rows = self.env.execute_query(
            SQL(
                _LINE_QUERY,
                charges=write_charges(asked),
                has_endpoints=self._has_several_endpoints(companies, kinds),
                companies=companies.ids,
                kinds=kinds,
            )
        )
        Line = self.env["copaco.document.line"]
        Line.browse(line_id for _key, line_id, _evidence in rows).fetch(["document_id"])
        for key, line_id, evidence in rows:
            document, line = keys[key]
            result[document].append(Duplicate(line, Line.browse(line_id), evidence))
        for document in documents.filtered("is_po_part"):
            result[document] = document._leave_out_beside(result[document])
            for pair in document._find_moved(asked[document]):
                result[document].append(Duplicate(*pair, LIKELY))
        return result

    def _find_declined(self, asked, duplicates):
        """:param asked: see `_find_lines`
        :param duplicates: what it found of them: a charge that is on another document
            again is compared with that
        :return: see `copaco.declined.finder`
        """
        known = {id(pair.line) for pairs in duplicates.values() for pair in pairs}
        left = {
            document: [line for line in lines if id(line) not in known]
            for document, lines in asked.items()
        }
        return self.env["copaco.declined.finder"]._find(left)

    def _has_several_endpoints(self, companies, kinds):
        """Whether the same charges may have been received from several endpoints."""
        domain = [("company_id", "in", companies.ids), ("kind", "in", kinds)]
        return len(self.env["copaco.run"]._read_group(domain, ["endpoint"])) > 1

    # === VERSIONS === #

    def _get_version_warning(self, version, is_settling=False):
        """:param version: a `copaco.document.version`
        :param is_settling: what another part loses by itself is no obstacle yet
        :return: a message when a new line of it may be the same charge as another
            one, "" otherwise
        """
        document = version.document_id
        asked = {document: version._get_new_lines()}
        found = self._find_lines(asked)
        pairs = found[document]
        lines = document.line_ids.browse().union(*(pair.other for pair in pairs))
        if is_settling:
            lines -= lines.document_id._get_leaving_lines()
        warnings = []
        if others := lines.document_id:
            warnings.append(
                _lt(
                    "Some of its new lines may be charges that are on %(documents)s "
                    "already.",
                    documents=self._enumerate(others, document),
                )
            )
        if self._find_twice(parse_payload(version.payload).lines):
            warnings.append(_lt("It has the same charge more than once."))
        if declined := self._find_declined(asked, found)[document]:
            finder = self.env["copaco.declined.finder"]
            warnings.append(finder._get_warning(declined))
        return join_messages(*warnings) if warnings else ""

    # === FOR A PERSON === #

    def _get_pairs(self, document):
        """:return: list of `Duplicate` of a document, in the order of its lines"""
        lines = list(document._get_billed_lines())
        found = self._find_lines({document: lines})
        declined = self._find_declined({document: lines}, found)[document]
        pairs = [
            *self._find_twice(lines),
            *found[document],
            *(Duplicate(*pair, DECLINED) for pair in declined),
        ]
        return sorted(pairs, key=lambda pair: pair.line.sequence)

    def _get_new_lines(self, document, pairs):
        """:param pairs: `_get_pairs` of the document
        :return: the lines of a document that no other line may be the same charge as;
            of charges that it has more than once, one line each
        """
        doubted = document.line_ids.browse(pair.line.id for pair in pairs)
        return document._get_billed_lines() - doubted

    def _get_other_documents(self, document):
        """:return: message with the names of the documents that the charges of one are
        on, "" for none"""
        others = self._get_documents(self._get_pairs(document)) - document
        return self._enumerate(others, document)

    def _find_waiting(self, documents):
        """:return: other `copaco.document` records that wait to be invoiced, and have
        charges of these"""
        pairs = itertools.chain.from_iterable(map(self._get_pairs, documents))
        others = self._get_documents(pairs) - documents
        return others.filtered(lambda each: each.state in ("new", "held"))

    def _get_documents(self, pairs):
        """:return: the documents that have the charges of these `Duplicate`"""
        return self.env["copaco.document"].union(
            *(pair.other.document_id for pair in pairs if pair.evidence != DECLINED)
        )
